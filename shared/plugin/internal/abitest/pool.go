// SPDX-License-Identifier: Apache-2.0

package abitest

/*
#include "abi.h"
extern void *aerie_test_subscribe(uintptr_t *owner, void *fn, uintptr_t s);
extern int32_t aerie_test_unsubscribe(uintptr_t *owner, void *routine);

static void *aerie_test_subscribe_fn(void) { return (void *)aerie_test_subscribe; }
static void *aerie_test_unsubscribe_fn(void) { return (void *)aerie_test_unsubscribe; }

static aerie_bool aerie_test_routine(void *fn, uintptr_t s) { return ((aerie_routine_fn)fn)(NULL, (void *)s); }
*/
import "C"

import (
	"sync"
	"testing"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
	"github.com/aerie-falco/aerie/shared/plugin/internal/handle"
)

var pools handle.Table[Pool]

// Pool runs routines as a framework's thread pool does: each again and again
// until it answers 0 or is unsubscribed.
type Pool struct {
	owner unsafe.Pointer // C memory that holds the pool's handle

	mu       sync.Mutex
	deny     bool
	on       map[unsafe.Pointer]bool // tickets, in C memory
	calls    int
	strays   int // unsubscribed although not on the pool
	workers  sync.WaitGroup
	last     unsafe.Pointer // the function and argument subscribed last
	lastWith uintptr
}

// NewPool returns a pool. When the test ends it waits for its routines.
func NewPool(t testing.TB) *Pool {
	p := &Pool{owner: Alloc(t, 8), on: map[unsafe.Pointer]bool{}}
	h := pools.Put(p)
	*(*uintptr)(p.owner) = h
	t.Cleanup(func() {
		p.workers.Wait()
		pools.Drop(h)
	})
	return p
}

// Deny has the pool take no routine, as one of a framework built without.
func (p *Pool) Deny() { p.deny = true }

// Capture returns an ss_plugin_capture_listen_input with the pool; a nil pool
// gives one without. Its tables are all NULL.
func (p *Pool) Capture(t testing.TB) unsafe.Pointer {
	in := (*abi.CaptureListenInput)(Alloc(t, int(unsafe.Sizeof(abi.CaptureListenInput{}))))
	*in = abi.CaptureListenInput{}
	if p != nil {
		v := (*abi.RoutineVtable)(Alloc(t, int(unsafe.Sizeof(abi.RoutineVtable{}))))
		*v = abi.RoutineVtable{Subscribe: C.aerie_test_subscribe_fn(), Unsubscribe: C.aerie_test_unsubscribe_fn()}
		in.Owner, in.Routine = p.owner, unsafe.Pointer(v)
	}
	return unsafe.Pointer(in)
}

// Subscribed is how many routines are on the pool.
func (p *Pool) Subscribed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.on)
}

// Strays is how often a routine was unsubscribed that the pool did not have.
func (p *Pool) Strays() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.strays
}

// Calls is how often the pool called any routine.
func (p *Pool) Calls() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

// CallLast calls the routine that was subscribed last once more, whether it is
// on the pool or not; false if there was none.
func (p *Pool) CallLast() bool {
	p.mu.Lock()
	fn, s := p.last, p.lastWith
	p.mu.Unlock()
	return fn != nil && C.aerie_test_routine(fn, C.uintptr_t(s)) != 0
}

//export aerie_test_subscribe
func aerie_test_subscribe(owner *C.uintptr_t, fn unsafe.Pointer, s C.uintptr_t) unsafe.Pointer {
	p := pools.Get(uintptr(*owner))
	if p == nil || p.deny {
		return nil
	}
	ticket := cmem.Alloc(1)
	p.mu.Lock()
	p.on[ticket] = true
	p.last, p.lastWith = fn, uintptr(s)
	p.mu.Unlock()
	p.workers.Go(func() {
		defer cmem.Free(ticket)
		for p.has(ticket) {
			if C.aerie_test_routine(fn, s) == 0 {
				p.drop(ticket)
			}
		}
	})
	return ticket
}

//export aerie_test_unsubscribe
func aerie_test_unsubscribe(owner *C.uintptr_t, ticket unsafe.Pointer) C.int32_t {
	p := pools.Get(uintptr(*owner))
	if p == nil {
		return C.int32_t(abi.Failure)
	}
	if !p.drop(ticket) {
		p.mu.Lock()
		p.strays++
		p.mu.Unlock()
		return C.int32_t(abi.Failure)
	}
	return C.int32_t(abi.Success)
}

func (p *Pool) has(ticket unsafe.Pointer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	return p.on[ticket]
}

func (p *Pool) drop(ticket unsafe.Pointer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.on[ticket]
	delete(p.on, ticket)
	return was
}
