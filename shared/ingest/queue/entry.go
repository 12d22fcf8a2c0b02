// SPDX-License-Identifier: Apache-2.0

package queue

// Event is one event on its way to the framework.
type Event struct {
	// Payload is not copied until the framework takes it: it belongs to the
	// queue until the entry has left it.
	Payload []byte

	// Time is in nanoseconds since the Unix epoch. 0 means the time when the
	// entry was received.
	Time uint64
}

// Outcome is what became of an entry.
type Outcome int

// The outcomes.
const (
	pending Outcome = iota // none yet

	// Confirmed: the framework has taken all events.
	Confirmed

	// Withdrawn: the framework has seen none of the events, and will not.
	Withdrawn

	// Unconfirmed: the framework may have taken some or all of the events; it
	// gets no more of them. Whoever sends them again risks seeing them twice.
	Unconfirmed

	// Oversize: an event was over the batch's limit and was dropped; the
	// others were taken.
	Oversize
)

// Entry is the events of one request. It is used for one Put, and again after
// Reset: once its outcome was Confirmed or Withdrawn, or in a queue that confirms
// WhenTaken, once Left was called. After other outcomes the queue may still be
// reading it, so that it is to be left to the garbage collector.
type Entry struct {
	Events []Event

	// Received is when the entry came in, in nanoseconds since the Unix epoch.
	// Put raises it to that of the entry before, so that it never decreases.
	Received uint64

	// Left, if set, is called once when the entry has left the queue: all of
	// its events are in batches, or no more of them will be. The payloads are
	// no longer needed then. It must be short and must not call the queue.
	Left func()

	done          chan Outcome
	state         state
	next          int // index of the first event that is in no batch yet
	batches       int // batches under way that hold some of the events
	undelivered   bool
	oversize      bool
	told          bool // done has been sent to
	before, after *Entry
}

// state says who holds an entry.
type state int

const (
	idle    state = iota // the sender: not put yet, or told the outcome
	waiting              // the queue's list
	taking               // Next, which adds it to a batch
	parked               // the queue, after a batch was full in the middle of it
	left                 // nobody but the batches that hold the events
)

// NewEntry returns an empty entry.
func NewEntry() *Entry {
	return &Entry{done: make(chan Outcome, 1)}
}

// Done gives the outcome, once.
func (e *Entry) Done() <-chan Outcome { return e.done }

// Reset makes e ready for another Put, without events. The events' memory is
// used again. An outcome that nobody asked for is forgotten.
func (e *Entry) Reset() {
	select {
	case <-e.done:
	default:
	}
	clear(e.Events)
	*e = Entry{Events: e.Events[:0], done: e.done}
}

// tell sends the outcome, unless there is none yet or that was done before.
func (e *Entry) tell(o Outcome) {
	if o != pending && !e.told {
		e.told = true
		e.done <- o
	}
}

// outcome is that of an entry all of whose events have been added to batches.
func (e *Entry) outcome() Outcome {
	switch {
	case e.batches > 0:
		return pending
	case e.undelivered:
		return Unconfirmed
	case e.oversize:
		return Oversize
	}
	return Confirmed
}

// withdrawn is the outcome of an entry of which no more is added.
func (e *Entry) withdrawn() Outcome {
	if e.next == 0 {
		return Withdrawn
	}
	return Unconfirmed
}
