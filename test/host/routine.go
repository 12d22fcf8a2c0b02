// SPDX-License-Identifier: Apache-2.0

package host

/*
#include <stdlib.h>
#include "calls.h"
*/
import "C"

import (
	"runtime"
	"sync"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// routinePool is the framework's thread pool: a routine runs again and again,
// in turn with the others, until it returns false or is taken away.
type routinePool struct {
	mu        sync.Mutex
	changed   *sync.Cond
	queue     []*routine
	all       map[unsafe.Pointer]*routine
	addresses addresses
	ended     bool
	workers   sync.WaitGroup
}

type routine struct {
	plugin  *Plugin
	fn, s   unsafe.Pointer
	handle  unsafe.Pointer
	running bool
	gone    bool
}

// poolAccess is a plugin's way to the pool.
type poolAccess struct {
	pool   *routinePool
	plugin *Plugin
}

func newRoutinePool(workers int) *routinePool {
	p := &routinePool{all: map[unsafe.Pointer]*routine{}}
	p.changed = sync.NewCond(&p.mu)
	for range workers {
		p.workers.Go(p.work)
	}
	return p
}

func (p *routinePool) work() {
	runtime.LockOSThread() // never unlocked: the thread ends with the worker
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		for len(p.queue) == 0 && !p.ended {
			p.changed.Wait()
		}
		if p.ended {
			return
		}
		r := p.queue[0]
		p.queue = p.queue[1:]
		if r.gone {
			continue
		}
		r.running = true
		p.mu.Unlock()
		again := C.aerie_call_routine(r.fn, r.plugin.state, r.s) != 0
		p.mu.Lock()
		r.running = false
		if again && !r.gone {
			p.queue = append(p.queue, r)
			p.changed.Signal()
			continue
		}
		delete(p.all, r.handle)
		r.gone = true
		p.changed.Broadcast()
	}
}

func (p *routinePool) subscribe(plugin *Plugin, fn, s unsafe.Pointer) unsafe.Pointer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return nil
	}
	r := &routine{plugin: plugin, fn: fn, s: s, handle: p.addresses.next()}
	p.all[r.handle] = r
	p.queue = append(p.queue, r)
	p.changed.Signal()
	return r.handle
}

// unsubscribe does not wait for a run that is under way.
func (p *routinePool) unsubscribe(plugin *Plugin, handle unsafe.Pointer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.all[handle]
	if r == nil || r.gone || r.plugin != plugin {
		return false
	}
	p.drop(r)
	return true
}

func (p *routinePool) drop(r *routine) {
	r.gone = true
	if !r.running {
		delete(p.all, r.handle)
	}
}

// purge ends the routines of a plugin, or of all for nil, and waits for those
// that run.
func (p *routinePool) purge(plugin *Plugin) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		running := false
		for _, r := range p.all {
			if plugin == nil || r.plugin == plugin {
				p.drop(r)
				running = running || r.running
			}
		}
		if !running {
			return
		}
		p.changed.Wait()
	}
}

// end ends the pool's threads.
func (p *routinePool) end() {
	p.purge(nil)
	p.mu.Lock()
	p.ended = true
	p.changed.Broadcast()
	p.mu.Unlock()
	p.workers.Wait()
}

// aerie_host_subscribe starts a routine on the framework's threads; NULL where
// it has none, as in Falco. Borrows s until the routine is over.
//
//export aerie_host_subscribe
func aerie_host_subscribe(ptr, fn, s unsafe.Pointer) unsafe.Pointer {
	o := ownerOf(ptr)
	a := o.pool.Load()
	switch {
	case fn == nil:
		o.faults.add(violate(noCall, "subscribe of plugin %s: the routine is NULL", o.name))
		return nil
	case a == nil:
		return nil
	}
	return a.pool.subscribe(a.plugin, fn, s)
}

// aerie_host_unsubscribe ends a routine; it may still be running afterwards.
//
//export aerie_host_unsubscribe
func aerie_host_unsubscribe(ptr, handle unsafe.Pointer) C.int32_t {
	a := ownerOf(ptr).pool.Load()
	if a == nil || !a.pool.unsubscribe(a.plugin, handle) {
		return C.int32_t(abi.Failure)
	}
	return C.int32_t(abi.Success)
}
