// SPDX-License-Identifier: Apache-2.0

package source

import (
	"errors"
	"fmt"
	"math"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
)

// Errors of Add.
var (
	// ErrFull says that the batch has no room for the event now. The event was
	// not added: return from Next and add it at the next call.
	ErrFull = errors.New("batch is full")

	// ErrTooLarge says that the event is over the limit. It was dropped and
	// counted; go on with the next one.
	ErrTooLarge = errors.New("event is too large")
)

// Batch is what one Next gives to the framework: events in C memory, which the
// framework reads and writes until it comes back for more. Not for concurrent
// use, and not to be kept after Next returns.
type Batch struct {
	maxEvent  int
	maxBytes  int
	maxEvents int

	arena  cmem.Arena
	events unsafe.Pointer // C array of pointers to events
	room   int
	n      int
	bytes  int

	marks    []func(delivered bool) // waiting for this batch's delivery
	tooLarge func(size, limit int)
}

func newBatch(o Options, tooLarge func(size, limit int)) *Batch {
	b := &Batch{maxEvent: o.MaxEventSize, maxBytes: o.MaxBatchBytes, maxEvents: o.MaxBatchEvents, tooLarge: tooLarge}
	b.arena.Retain = o.MaxBatchBytes
	return b
}

// NewBatch makes a batch outside a framework, for tests of sources: limits in
// bytes of payload and of a whole batch. Free it at the end.
func NewBatch(maxEventSize, maxBatchBytes int) *Batch {
	o := Options{MaxEventSize: maxEventSize, MaxBatchBytes: maxBatchBytes}
	return newBatch(o.withDefaults(), func(int, int) {})
}

// Add copies payload into the batch as an event of time ts, in nanoseconds
// since the Unix epoch, or NoTimestamp.
func (b *Batch) Add(payload []byte, ts uint64) error {
	size := abi.PayloadOffset + len(payload)
	if len(payload) > b.maxEvent || size > math.MaxInt32 {
		b.tooLarge(len(payload), b.maxEvent)
		return fmt.Errorf("add event of %d bytes: %w: the limit is %d", len(payload), ErrTooLarge, b.maxEvent)
	}
	if b.n == b.maxEvents || b.n > 0 && b.bytes+size > b.maxBytes {
		return ErrFull
	}
	if b.n == b.room {
		b.growPointers()
	}
	p := b.arena.Alloc(size)
	raw := unsafe.Slice((*byte)(p), size)
	event.PutPluginHeader(raw, 0, ts, len(payload))
	copy(raw[abi.PayloadOffset:], payload)
	*(*unsafe.Pointer)(unsafe.Add(b.events, 8*b.n)) = p
	b.n++
	b.bytes += size
	return nil
}

func (b *Batch) growPointers() {
	room := min(max(64, 2*b.room), b.maxEvents)
	p := cmem.Alloc(8 * room)
	copy(unsafe.Slice((*uint64)(p), b.n), unsafe.Slice((*uint64)(b.events), b.n))
	cmem.Free(b.events)
	b.events, b.room = p, room
}

// OnDelivered attaches f to this batch: it is called once, with true when the
// framework has taken every event of the batch and come back for more, or
// with false when the source ends before that. Acknowledge upstream there and
// not earlier. f runs on the framework's thread and must not block.
func (b *Batch) OnDelivered(f func(delivered bool)) {
	b.marks = append(b.marks, f)
}

// Len is how many events the batch holds.
func (b *Batch) Len() int { return b.n }

// Full tells whether a small event would no longer fit.
func (b *Batch) Full() bool { return b.n == b.maxEvents || b.bytes >= b.maxBytes }

// MaxEventSize is the largest payload that Add takes, in bytes.
func (b *Batch) MaxEventSize() int { return b.maxEvent }

// Deliver fires the delivery callbacks and empties the batch, as the kit does
// when the framework comes back; for tests.
func (b *Batch) Deliver(delivered bool) {
	b.fire(func(f func(bool)) { f(delivered) })
	b.reset()
}

// fire hands every callback to call, each exactly once.
func (b *Batch) fire(call func(func(bool))) {
	marks := b.marks
	b.marks = b.marks[:0]
	for i, f := range marks {
		marks[i] = nil
		call(f)
	}
}

// reset forgets the events; their memory is used again.
func (b *Batch) reset() {
	b.arena.Reset()
	b.n, b.bytes = 0, 0
}

// Events calls f for each event in order, until f returns false; for tests.
// The payload is valid during the call.
func (b *Batch) Events(f func(payload []byte, ts uint64) bool) {
	for i := range b.n {
		raw := unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Add(b.events, 8*i))), abi.PayloadOffset)
		in := abi.EventInput{Evt: unsafe.Pointer(&raw[0])}
		e := event.FromInput(unsafe.Pointer(&in))
		payload, _ := e.Payload()
		if !f(payload, e.Timestamp()) {
			return
		}
	}
}

// Free gives the batch's memory back.
func (b *Batch) Free() {
	b.arena.Free()
	cmem.Free(b.events)
	b.events, b.room, b.n, b.bytes = nil, 0, 0, 0
}
