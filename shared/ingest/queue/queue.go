// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"

	"github.com/aerie-falco/aerie/shared/plugin/source"
)

// ErrClosed says that a queue takes nothing any more.
var ErrClosed = errors.New("queue is closed")

// Confirm says when an entry is confirmed.
type Confirm int

const (
	// WhenDelivered: the framework has come back for more, so that it has
	// consumed the events it was given.
	WhenDelivered Confirm = iota

	// WhenTaken: the events are in a batch that the framework is given next.
	WhenTaken
)

// Queue holds entries until the framework takes their events. It is safe for
// concurrent use, but for Next, which has one caller at a time.
type Queue struct {
	confirm Confirm
	wake    chan struct{} // holds a token when Next should look again

	mu          sync.Mutex
	first, last *Entry // waiting entries, in order
	parked      *Entry // partly in a batch; goes before first
	length      int
	stamp       uint64     // Received of the last entry
	receipts    []*receipt // of batches under way
	spare       *receipt   // one to use again
	err         error      // set when closed
}

// New returns an empty queue.
func New(confirm Confirm) *Queue {
	return &Queue{confirm: confirm, wake: make(chan struct{}, 1)}
}

// Put appends e. Events without a time get that of the entry's receipt.
func (q *Queue) Put(e *Entry) error {
	first, err := q.put(e)
	if first {
		// Next runs on a thread of the framework's, which is costly to wake:
		// other senders that are ready may add theirs before.
		runtime.Gosched()
		q.signal()
	}
	return err
}

// put reports whether Next may be waiting for e.
func (q *Queue) put(e *Entry) (first bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return false, ErrClosed
	}
	q.stamp = max(q.stamp, e.Received)
	e.Received = q.stamp
	e.state = waiting
	e.before = q.last
	if q.last == nil {
		q.first = e
	} else {
		q.last.after = e
	}
	q.last = e
	q.length++
	return q.first == e, nil
}

// signal makes the next or the present Next look at the queue again.
func (q *Queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Len is how many entries wait.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.length
}

// Next moves events into b. It is a source's Next: it waits for the first event
// until ctx is done. After Close or Fail it returns that error.
func (q *Queue) Next(ctx context.Context, b *source.Batch) error {
	for {
		err := q.fill(b)
		if err != nil || b.Len() > 0 {
			return err
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
			return nil
		}
	}
}

// fill adds what there is and fits.
func (q *Queue) fill(b *source.Batch) error {
	r := q.receipt()
	defer r.attach(b)
	for !b.Full() {
		e, err := q.take()
		if e == nil {
			return err
		}
		added := e.addTo(b)
		if !q.release(e, added, r) {
			return nil
		}
	}
	return nil
}

// take gives the entry whose events come next to the caller, or nil.
func (q *Queue) take() (*Entry, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e := q.parked
	if e != nil {
		q.parked = nil
	} else if e = q.first; e != nil {
		q.unlink(e)
	} else {
		return nil, q.err
	}
	e.state = taking
	return e, nil
}

// addTo adds events until the batch is full, and returns how many. Only Next
// calls it, and without the queue's lock: copying large payloads takes a while.
func (e *Entry) addTo(b *source.Batch) (added int) {
	for ; e.next < len(e.Events); e.next++ {
		event := &e.Events[e.next]
		time := event.Time
		if time == 0 {
			time = e.Received
		}
		switch err := b.Add(event.Payload, time); {
		case errors.Is(err, source.ErrFull):
			return added
		case err != nil:
			e.oversize = true
		default:
			added++
		}
	}
	return added
}

// release says where an entry goes after addTo, and reports whether the batch
// may have room for another one.
func (q *Queue) release(e *Entry, added int, r *receipt) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if added > 0 && q.confirm == WhenDelivered {
		r.add(e)
	}
	complete := e.next == len(e.Events)
	switch {
	case q.err != nil: // closed meanwhile
		q.leave(e, Unconfirmed)
	case complete:
		q.leave(e, e.outcome())
	case e.told: // withdrawn meanwhile
		q.leave(e, Unconfirmed)
	default:
		e.state = parked
		q.parked = e
	}
	return complete
}

// Withdraw takes e back, or what is left of it, and returns its outcome. It is
// called instead of receiving from Done.
func (q *Queue) Withdraw(e *Entry) Outcome {
	q.mu.Lock()
	defer q.mu.Unlock()
	if e.told {
		return <-e.done
	}
	e.told = true
	switch {
	case e.state == waiting:
		q.unlink(e)
		q.leave(e, Withdrawn)
		return Withdrawn
	case e.state == parked:
		q.parked = nil
		o := e.withdrawn()
		q.leave(e, o)
		return o
	}
	return Unconfirmed
}

// Close ends the queue: entries that wait are withdrawn, and those under way
// are left unconfirmed. Next returns io.EOF.
func (q *Queue) Close() { q.Fail(io.EOF) }

// Fail is Close with an error for Next.
func (q *Queue) Fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return
	}
	q.err = err
	q.signal()
	for e := q.first; e != nil; e = q.first {
		q.unlink(e)
		q.leave(e, Withdrawn)
	}
	if e := q.parked; e != nil {
		q.parked = nil
		q.leave(e, e.withdrawn())
	}
	for _, r := range q.receipts {
		for _, e := range r.entries {
			e.tell(Unconfirmed)
		}
	}
}

// unlink and leave are called with mu held.

func (q *Queue) unlink(e *Entry) {
	if e.before == nil {
		q.first = e.after
	} else {
		e.before.after = e.after
	}
	if e.after == nil {
		q.last = e.before
	} else {
		e.after.before = e.before
	}
	e.before, e.after = nil, nil
	q.length--
}

// leave tells the outcome, if there is one yet, and then that e has left. e may
// be in use again as soon as the one or the other is known.
func (q *Queue) leave(e *Entry, o Outcome) {
	whenLeft := e.Left
	e.state = left
	e.tell(o)
	if whenLeft != nil {
		whenLeft()
	}
}
