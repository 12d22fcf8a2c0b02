// SPDX-License-Identifier: Apache-2.0

package table

import "C"

import (
	"log/slog"
	"runtime/debug"

	"github.com/aerie-falco/aerie/shared/plugin/internal/handle"
)

// loop is one Each that is under way.
type loop struct {
	a        *Access
	d        *desc
	table    word
	f        func(Entry) bool
	stopped  bool
	panicked bool
	value    any // of the panic
}

// Loops that are under way, by the number that the framework passes back.
var loops handle.Table[loop]

// Each calls f with every entry of the table, in no known order, until f
// returns false. An entry is valid during its call of f and needs no release.
// Inside, entries may be read and written, but none added or erased.
func (t Foreign[K]) Each(a *Access, f func(e Entry) bool) error {
	r, err := a.reads(t.d, "iterate")
	if err != nil {
		return err
	}
	if err := t.check(a); err != nil {
		return err
	}
	if r.IterateEntries == nil {
		return missing(t.d, "iterate")
	}
	return a.iterate(&loop{a: a, d: t.d, table: t.h, f: f})
}

func (a *Access) iterate(l *loop) error {
	a.iterating = append(a.iterating, l.table)
	s := loops.Put(l)
	defer func() {
		loops.Drop(s)
		a.iterating = a.iterating[:len(a.iterating)-1]
	}()
	ok := callIterate(a.reader.IterateEntries, l.table, s)
	if l.panicked { // no panic crosses the framework's frames
		panic(l.value)
	}
	// The framework answers a stop and a failure alike.
	if !ok && !l.stopped {
		return failed(a.st, l.d, "iterate")
	}
	return nil
}

//export aerie_table_each
func aerie_table_each(s, entry uintptr) uint32 {
	l := loops.Get(s)
	if l == nil || l.panicked {
		return 0
	}
	if !l.step(word(entry)) {
		l.stopped = true
		return 0
	}
	return 1
}

func (l *loop) step(entry word) (more bool) {
	e := l.a.hold(l.d, l.table, entry, lent)
	l.panicked = true
	defer func() {
		e.Release()
		if l.panicked {
			l.value, more = recover(), false
			// It is raised again in front of the framework's frames, where its
			// stack is lost.
			l.a.st.LogLimited(slog.LevelError, "panic in iteration", "panic while iterating over table "+l.d.name,
				"panic", l.value, "stack", string(debug.Stack()))
		}
	}()
	more = l.f(e)
	l.panicked = false
	return more
}
