// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/aerie-falco/aerie/shared/ingest/queue"
)

// exchange is one request on its way: its memory and its entry in the queue.
// Exchanges are used again, when nothing else can still be reading them.
type exchange struct {
	l     *Listener
	entry *queue.Entry
	out   Events
	timer *time.Timer

	raw      []byte // the body as received
	inflated []byte

	held    int       // bytes acquired from the memory budget
	roomBy  time.Time // end of waiting for room; zero until it begins
	entered bool      // counted as being answered
	queued  bool      // the queue has it, or may still be reading it

	// users counts handler and queue where the one does not wait for the
	// other. The last to go gives back what the exchange holds.
	users atomic.Int32

	onLeft func() // left, bound once
}

// Sizes of the memory that bodies are read into.
const (
	minMemory = 4 << 10
	maxSmall  = 16 << 10 // memory that exchanges keep
	maxLarge  = 1 << 20  // memory that is kept in a list of maxKept, for all
	maxKept   = 8
	gzipState = 64 << 10 // what decompressing takes, about

	// credit is how many bytes a client gets memory for that has sent one, if
	// it announces that many.
	credit = 16
)

func (l *Listener) begin() *exchange {
	if x, ok := l.spare.Get().(*exchange); ok {
		return x
	}
	x := &exchange{l: l, entry: queue.NewEntry(), timer: time.NewTimer(time.Hour)}
	x.timer.Stop()
	x.out.x, x.onLeft = x, x.left
	return x
}

// end is the handler's last use of the exchange.
func (x *exchange) end() {
	if x.entered {
		x.l.answering.leave()
	}
	switch {
	case x.queued && x.l.async:
		x.leave()
	case x.queued: // and not to be used again
		x.l.memory.Release(int64(x.held))
	default:
		x.recycle()
	}
}

// left is called when the entry has left the queue.
func (x *exchange) left() {
	l := x.l
	l.counters.waiting.Add(-1)
	if l.slots != nil {
		l.slots.Release(1)
	}
	if l.async {
		x.leave()
	}
}

func (x *exchange) leave() {
	if x.users.Add(-1) == 0 {
		x.recycle()
	}
}

// recycle makes the exchange ready for another request.
func (x *exchange) recycle() {
	l := x.l
	x.entry.Reset()
	if cap(x.entry.Events) > maxSmall/eventSize {
		x.entry.Events = nil
	}
	x.raw, x.inflated = l.keep(x.raw), l.keep(x.inflated)
	l.memory.Release(int64(x.held))
	x.held, x.roomBy, x.entered, x.queued = 0, time.Time{}, false, false
	l.spare.Put(x)
}

// keep returns the memory if the exchange is to keep it. The list for all is
// short, so that what is kept stays far below what is in use.
func (l *Listener) keep(memory []byte) []byte {
	if cap(memory) <= maxSmall {
		return memory[:0]
	}
	if cap(memory) <= maxLarge {
		select {
		case l.large <- memory[:0]:
		default:
		}
	}
	return nil
}

// allocate returns empty memory of about the given size, at least; its
// capacity is what counts as held.
func (l *Listener) allocate(size int) []byte {
	if size > maxSmall && size <= maxLarge {
		select {
		case memory := <-l.large:
			if cap(memory) >= size && cap(memory) <= l.maxBody+1 {
				return memory
			}
		default:
		}
	}
	return make([]byte, 0, size)
}

// acquire takes n bytes from the memory budget, and waits for them if it must.
func (x *exchange) acquire(n int) bool {
	if !x.l.memory.TryAcquire(int64(n)) && !x.l.memory.Acquire(int64(n), x.patience()) {
		return false
	}
	x.held += n
	return true
}

// patience is until when the request waits for room, all waits together.
func (x *exchange) patience() time.Time {
	if x.roomBy.IsZero() {
		x.roomBy = time.Now().Add(x.l.config.Timeouts.Queue)
	}
	return x.roomBy
}

var errTooLarge = errors.New("too large")

// readAll reads up to limit bytes into memory that starts as given, and that
// grows with what arrives: a client cannot make it large by an announcement.
func (x *exchange) readAll(from io.Reader, memory []byte, announced int64) ([]byte, error) {
	limit := x.l.maxBody
	memory = memory[:0]
	if first := int(min(max(announced, minMemory), maxSmall, int64(limit)+1)); cap(memory) < first {
		memory = make([]byte, 0, first)
	}
	if !x.acquire(cap(memory)) {
		return nil, errNoRoom
	}
	for {
		if len(memory) == cap(memory) {
			size := min(max(2*cap(memory), int(min(announced, int64(credit*cap(memory))))), limit+1)
			grown := x.l.allocate(size)
			if !x.acquire(cap(grown)) {
				return nil, errNoRoom
			}
			grown = append(grown, memory...)
			x.release(cap(memory))
			memory = grown
		}
		n, err := from.Read(memory[len(memory):cap(memory)])
		memory = memory[:len(memory)+n]
		switch {
		case len(memory) > limit:
			return nil, errTooLarge
		case err == io.EOF:
			return memory, nil
		case err != nil:
			return nil, err
		}
	}
}

func (x *exchange) release(n int) {
	x.l.memory.Release(int64(n))
	x.held -= n
}

// readBody reads the body as the client sent it.
func (x *exchange) readBody(r *http.Request) *refusal {
	raw, err := x.readAll(r.Body, x.raw, r.ContentLength)
	x.raw = raw
	x.l.counters.bytes.Add(uint64(len(raw)))
	switch {
	case err == nil && len(raw) == 0:
		return refuseEmpty
	case err == nil:
		return nil
	case errors.Is(err, errNoRoom):
		return x.l.noRoom(refuseRoom)
	case errors.Is(err, errTooLarge):
		return x.l.refuseBody
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refuseSlow
	}
	return refuseCut
}

// inflate decompresses the body.
func (x *exchange) inflate() ([]byte, *refusal) {
	if !x.acquire(gzipState) {
		return nil, x.l.noRoom(refuseFull)
	}
	z, _ := x.l.inflaters.Get().(*gzip.Reader)
	if z == nil {
		z = new(gzip.Reader)
	}
	defer func() {
		z.Reset(bytes.NewReader(nil)) // lets go of the body
		x.l.inflaters.Put(z)
		x.release(gzipState)
	}()
	err := z.Reset(bytes.NewReader(x.raw))
	if err == nil {
		x.inflated, err = x.readAll(z, x.inflated, 2*int64(len(x.raw)))
	}
	switch {
	case err == nil && len(x.inflated) == 0:
		return nil, refuseEmpty
	case err == nil:
		return x.inflated, nil
	case errors.Is(err, errNoRoom):
		return nil, x.l.noRoom(refuseFull)
	case errors.Is(err, errTooLarge):
		return nil, x.l.refuseInflated
	}
	return nil, refuseGzip
}
