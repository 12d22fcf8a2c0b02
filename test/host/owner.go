// SPDX-License-Identifier: Apache-2.0

package host

/*
#include <stdlib.h>
#include "calls.h"
*/
import "C"

import (
	"runtime/cgo"
	"sync"
	"sync/atomic"
	"unsafe"
)

// owner is the Go side of what a plugin gets as its owner. It outlives the
// state, and is never freed: nothing tells when a plugin has forgotten the
// pointer, and one that uses it after destroy should be told of, not crash the
// host. So it holds on to nothing big.
type owner struct {
	c      *C.struct_aerie_owner
	name   string
	sink   logSink
	faults faults
	async  asyncGate
	// tables and pool are nil before init and after destroy.
	tables atomic.Pointer[access]
	pool   atomic.Pointer[poolAccess]
}

func newOwner(name string) *owner {
	o := &owner{c: (*C.struct_aerie_owner)(C.calloc(1, C.sizeof_struct_aerie_owner)), name: name}
	o.sink.plugin = name
	o.c._go = C.uintptr_t(cgo.NewHandle(o))
	return o
}

// ownerOf is the owner that a plugin names.
func ownerOf(ptr unsafe.Pointer) *owner {
	return cgo.Handle((*C.struct_aerie_owner)(ptr)._go).Value().(*owner)
}

// destroyed makes the owner that of a state that is gone.
func (o *owner) destroyed() {
	o.sink.destroyed()
	o.async.destroyed()
	o.pool.Store(nil)
	if a := o.tables.Swap(nil); a != nil {
		a.destroyed()
	}
}

// faults collects a plugin's violations, from any thread.
type faults struct {
	mu   sync.Mutex
	all  []*Violation
	told int // how many of them were returned by a call
}

// mostFaults bounds what a plugin that never stops can pile up.
const mostFaults = 1000

func (f *faults) add(v *Violation) *Violation {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.all) < mostFaults {
		f.all = append(f.all, v)
	}
	return v
}

func (f *faults) list() []*Violation {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*Violation(nil), f.all...)
}

// take is the first violation that nobody was told of yet, or nil.
func (f *faults) take() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.told == len(f.all) {
		return nil
	}
	v := f.all[f.told]
	f.told++
	return v
}

// Violations lists how the plugin has broken the interface by calling the
// framework: with tables, async events and routines, in calls and on threads of
// its own. A call returns the first that no other has returned before.
func (p *Plugin) Violations() []*Violation { return p.owner.faults.list() }

// begin and end stand around a call that has state tables at hand. end drops
// what the plugin has left open, where the framework does, and returns a
// violation.
func (p *Plugin) begin(s Symbol) { p.access.begin(s) }

func (p *Plugin) end(s Symbol) error {
	p.access.end(s == SymInit || s == SymExtractFields || s == SymParseEvent)
	return p.owner.faults.take()
}
