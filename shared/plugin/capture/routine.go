// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"context"
	"sync"
	"time"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/internal/handle"
)

// routines maps the handles by which frameworks' pools call routines.
var routines handle.Table[routine]

// routine is work in the background, on the framework's pool or on a goroutine.
type routine struct {
	name string
	f    func(ctx context.Context) bool
	c    *Capture

	// busy is held during each run, by a goroutine during all its runs.
	busy chan struct{}
	last time.Time // when the last run ended; the holder of busy's

	// For a routine on the pool: its handle here, and what the pool calls it.
	handle uintptr
	pool   pool
	ticket unsafe.Pointer

	mu       sync.Mutex
	ended    bool // it wants no more, and the pool has been told so
	stopping bool // it is being unsubscribed
}

// subscribe hands the routine to p; false if there is no pool to take it.
func (r *routine) subscribe(p pool) bool {
	if !p.exists() {
		return false
	}
	r.pool, r.handle = p, routines.Put(r)
	if r.ticket = p.subscribe(r.handle); r.ticket != nil {
		return true
	}
	routines.Drop(r.handle)
	return false
}

// loop is the routine on a goroutine, which holds busy from its start.
func (r *routine) loop(ctx context.Context) {
	defer func() { <-r.busy }()
	for r.run(ctx) && r.rest(ctx) {
	}
	r.c.forget(r)
}

// onPool is one turn of the routine on the pool; false takes it off the pool.
//
// A pool is not told to forget a routine that it forgets by itself: the ticket
// may be another routine's by then. So either the routine ends here, or stop
// unsubscribes it; once stop has begun it stays on the pool until then.
func (r *routine) onPool() bool {
	r.busy <- struct{}{}
	defer func() { <-r.busy }()
	r.mu.Lock()
	over := r.stopping || r.ended
	r.mu.Unlock()
	if over {
		return r.staysOn()
	}
	ctx := r.c.ctx
	if r.rest(ctx) && r.run(ctx) || !r.end() {
		return true
	}
	routines.Drop(r.handle)
	r.c.forget(r)
	return false
}

// end has the routine end by itself, unless it is being unsubscribed and the
// pool must keep it until then.
func (r *routine) end() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopping && r.staysOn() {
		return false
	}
	r.ended = true
	return true
}

// staysOn is the answer to a pool while the routine is being unsubscribed: yes,
// unless the pool has no way to do that.
func (r *routine) staysOn() bool { return !r.ended && r.pool.unsubscribes() }

// run makes one run and tells whether another one is wanted. A panic ends the
// routine.
func (r *routine) run(ctx context.Context) (again bool) {
	defer func() { r.last = time.Now() }()
	var err error // logged and counted where it is caught
	defer r.c.l.st.Contain("routine "+r.name, &err)
	return r.f(ctx)
}

// rest waits until the pause after the last run is over; false if the capture
// has ended.
func (r *routine) rest(ctx context.Context) bool {
	timer := time.NewTimer(Pause - time.Since(r.last)) // fires at once where that is past
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// wait waits for a run under way; false if timeout comes first.
func (r *routine) wait(timeout <-chan time.Time) bool {
	select {
	case r.busy <- struct{}{}:
	default:
		select {
		case r.busy <- struct{}{}:
		case <-timeout:
			return false
		}
	}
	<-r.busy // a call from the pool that comes late must not wait for ever
	return true
}

// stop takes the routine off the pool. It does not wait for a run under way.
func (r *routine) stop() {
	if r.ticket == nil {
		return
	}
	r.mu.Lock()
	r.stopping = true
	ended := r.ended
	r.mu.Unlock()
	if !ended && r.pool.unsubscribes() {
		r.pool.unsubscribe(r.ticket)
	}
	routines.Drop(r.handle) // a call that comes all the same finds nothing
}
