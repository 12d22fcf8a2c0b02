// SPDX-License-Identifier: Apache-2.0

// Package handle gives Go values numbers that C may keep where a pointer to
// them may not be kept.
package handle

import (
	"sync"
	"sync/atomic"
)

// Table maps handles to values. The zero Table is ready; all methods may be
// called from any thread. Get takes no lock: it is on the path of every field.
//
// A handle is never zero and is not used twice: a dropped one is recognised,
// so a call on a closed instance or a destroyed state finds nothing instead of
// somebody else's value.
type Table[T any] struct {
	mu    sync.Mutex
	slots atomic.Pointer[[]slot[T]]
}

type slot[T any] struct {
	generation uint32
	value      *T
}

// Put stores v and returns its handle.
func (t *Table[T]) Put(v *T) uintptr {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := t.copySlots()
	i := 0
	for i < len(next) && next[i].value != nil {
		i++
	}
	if i == len(next) {
		next = append(next, slot[T]{})
	}
	next[i].generation = (next[i].generation + 1) & generationMask
	next[i].value = v
	t.slots.Store(&next)
	return mark | uintptr(next[i].generation)<<32 | uintptr(i+1)
}

// mark makes every handle an address that no process can have: hosts keep
// handles in pointers, and a collector in the host must not take one for its
// own memory.
const (
	mark           = 1 << 62
	generationMask = 1<<30 - 1
)

// Get returns the value of h, or nil if h was dropped or never handed out.
func (t *Table[T]) Get(h uintptr) *T {
	p := t.slots.Load()
	if p == nil {
		return nil
	}
	i := int(uint32(h)) - 1
	if i < 0 || i >= len(*p) {
		return nil
	}
	s := &(*p)[i]
	if s.generation != uint32(h>>32)&generationMask || h&mark == 0 {
		return nil
	}
	return s.value
}

// Drop forgets h and returns the value that it had, or nil.
func (t *Table[T]) Drop(h uintptr) *T {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.Get(h)
	if v == nil {
		return nil
	}
	next := t.copySlots()
	next[int(uint32(h))-1].value = nil
	t.slots.Store(&next)
	return v
}

func (t *Table[T]) copySlots() []slot[T] {
	p := t.slots.Load()
	if p == nil {
		return nil
	}
	return append(make([]slot[T], 0, len(*p)+1), *p...)
}
