// SPDX-License-Identifier: Apache-2.0

package host

/*
#include <stdlib.h>
#include <string.h>
#include "calls.h"
*/
import "C"

import (
	"fmt"
	"runtime/cgo"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// access is one plugin state's way to the tables: what it has open, and its
// error. It is used inside tables.enter only.
type access struct {
	owner   *owner
	plugin  *Plugin
	tables  *tables
	inInit  bool
	call    Symbol
	calling int // calls with tables at hand that are under way

	byName map[string]*tableHandle
	open   map[unsafe.Pointer]*openEntry
	lent   int // iterations under way
	// rows finds what is open of tables where an entry is the row itself.
	rows  map[*row]*openEntry
	subs  []*tableHandle // of tables in fields, open until the call ends
	spare []*tableHandle // dead ones, oldest first

	text      textBuffer
	listed    inputs
	err       string
	errText   *C.char
	leftovers uint64
}

// openEntry is an entry that a plugin has open.
type openEntry struct {
	handle  unsafe.Pointer
	table   stateTable
	entry   entry
	refs    int  // to be released
	lent    int  // iterations that show it
	created bool // and not yet added or destroyed
}

// tableHandle is what a plugin holds of a table.
type tableHandle struct {
	c      *C.struct_aerie_table_handle
	owner  *owner
	access *access // nil after destroy
	table  stateTable
	label  *C.char
	sub    bool
	dead   bool // a table in a field, after its call
	listed inputs
}

func newAccess(p *Plugin) *access {
	return &access{
		owner: p.owner, plugin: p, tables: p.tables, call: noCall,
		byName: map[string]*tableHandle{}, open: map[unsafe.Pointer]*openEntry{}, rows: map[*row]*openEntry{},
	}
}

// begin notes a call that may use tables.
func (a *access) begin(s Symbol) {
	defer a.tables.own()()
	a.call = s
	a.calling++
	a.inInit = s == SymInit
}

// end notes the call's end. The framework then drops what is still open,
// though not after captures begin and end.
func (a *access) end(drop bool) {
	defer a.tables.own()()
	a.calling--
	a.inInit = false
	a.text.poison()
	if drop {
		a.leftovers += uint64(a.drop())
	}
}

// drop closes all that is open and counts the entries.
func (a *access) drop() int {
	n := len(a.open)
	for _, o := range a.open {
		a.shut(o)
	}
	for _, h := range a.subs {
		h.dead = true
		h.table.free()
	}
	a.spare = append(a.spare, a.subs...)
	a.subs = a.subs[:0]
	return n
}

// shut ends an open entry, whatever is left to be released of it.
func (a *access) shut(o *openEntry) {
	delete(a.open, o.handle)
	if a.rows[o.entry.row] == o {
		delete(a.rows, o.entry.row)
	}
	if o.created {
		o.table.destroy(o.entry)
	}
	for ; o.refs > 0; o.refs-- {
		o.table.release(o.entry)
	}
}

// destroyed ends what the state had open.
func (a *access) destroyed() {
	defer a.tables.own()()
	a.drop()
	for _, h := range a.byName {
		h.access = nil
	}
	for _, h := range a.spare {
		h.access = nil
	}
	a.text.free()
}

// violate blames the plugin. During a call it is that call that is at fault.
func (a *access) violate(format string, args ...any) {
	v := violate(a.call, format, args...)
	if a.calling == 0 {
		v.Detail += " (between calls)"
	}
	a.owner.faults.add(v)
}

// fail takes an error down as the owner's, or blames the plugin.
func (a *access) fail(function string, err error) {
	if v, ok := err.(*Violation); ok {
		a.violate("%s: %s", function, v.Detail)
	}
	a.err = err.Error()
	if a.errText != nil {
		C.aerie_host_poison_free(unsafe.Pointer(a.errText), C.strlen(a.errText))
	}
	a.errText = nil
	if a.err != "" {
		a.errText = C.CString(a.err)
	}
}

// top is the handle of a table by its name, always the same.
func (a *access) top(s stateTable) *tableHandle {
	h := a.byName[s.name()]
	if h == nil || h.table != s {
		h = a.newHandle(s)
		a.byName[s.name()] = h
	}
	return h
}

// sub is a handle, until the call ends, of a table in a field.
func (a *access) sub(s stateTable) *tableHandle {
	// A dead handle waits, so that who kept it is found out, but not for ever.
	const waiting = 64
	var h *tableHandle
	if len(a.spare) > waiting {
		h, a.spare = a.spare[0], a.spare[1:]
		h.table, h.dead = s, false
		h.name(s)
	} else {
		h = a.newHandle(s)
		h.sub = true
	}
	a.subs = append(a.subs, h)
	return h
}

func (a *access) newHandle(s stateTable) *tableHandle {
	h := &tableHandle{c: (*C.struct_aerie_table_handle)(C.calloc(1, C.sizeof_struct_aerie_table_handle)), owner: a.owner, access: a, table: s}
	h.c._go = C.uintptr_t(cgo.NewHandle(h))
	in := (*abi.TableInput)(unsafe.Pointer(&h.c.in))
	in.Table = unsafe.Pointer(h.c)
	in.ReaderExt, in.WriterExt, in.FieldsExt = hostReader(), hostWriter(), hostFields()
	in.Reader = *(*abi.ReaderVtable)(in.ReaderExt)
	in.Writer = *(*abi.WriterVtable)(in.WriterExt)
	in.Fields = *(*abi.FieldsVtable)(in.FieldsExt)
	h.name(s)
	return h
}

func (h *tableHandle) name(s stateTable) {
	C.free(unsafe.Pointer(h.label))
	h.label = C.CString(s.name())
	in := (*abi.TableInput)(unsafe.Pointer(&h.c.in))
	in.Name, in.KeyType = unsafe.Pointer(h.label), s.keyType()
}

// opened gives a plugin an entry, to be released once.
func (a *access) opened(s stateTable, e entry) *openEntry {
	if o := a.rows[e.row]; o != nil && e.row != nil {
		o.refs++
		return o
	}
	o := a.track(s, e)
	o.refs = 1
	return o
}

// track gives an entry a handle.
func (a *access) track(s stateTable, e entry) *openEntry {
	o := &openEntry{handle: a.tables.addresses.next(), table: s, entry: e}
	a.open[o.handle] = o
	// Elements of lists are wrapped anew each time, entries of plugins too.
	if b, ok := s.(*builtin); ok && !b.isList {
		a.rows[e.row] = o
	}
	return o
}

// find is an entry that the plugin may use with that table.
func (a *access) find(h *tableHandle, function string, e unsafe.Pointer) *openEntry {
	o := a.open[e]
	switch {
	case e == nil:
		a.violate("%s of table %s: the entry is NULL", function, h.table.name())
	case o == nil:
		a.violate("%s of table %s: the entry at %p is not open: it was released or ended with its call, or never was one", function, h.table.name(), e)
	case o.table != h.table && !sameTable(o.table, h.table):
		a.violate("%s of table %s: the entry is one of table %s", function, h.table.name(), o.table.name())
	default:
		return o
	}
	a.fail(function, fmt.Errorf("%s: no such entry", function))
	return nil
}

// sameTable is true for two readings of one table in a plugin's entry.
func sameTable(a, b stateTable) bool {
	x, ok := a.(*pluginTable)
	y, both := b.(*pluginTable)
	return ok && both && x.plugin == y.plugin && x.c.in.table == y.c.in.table && x.label == y.label
}

// accessor is a field that a plugin names for a table.
func (a *access) accessor(h *tableHandle, function string, f unsafe.Pointer) *field {
	found := a.tables.fields[f]
	switch {
	case found == nil:
		a.violate("%s of table %s: the field at %p is none that the framework gave", function, h.table.name(), f)
	case !h.table.has(found):
		a.violate("%s of table %s: field %s is one of another table, which libsinsp does not notice", function, h.table.name(), found.label)
	default:
		return found
	}
	a.fail(function, fmt.Errorf("%s: no such field", function))
	return nil
}

// textBuffer is C memory for the string that was read last. It is overwritten
// at the next call into tables: a plugin copies before that.
type textBuffer struct {
	at   unsafe.Pointer
	size int
	used int
}

func (t *textBuffer) set(s string) unsafe.Pointer {
	if len(s)+1 > t.size {
		C.free(t.at)
		t.size = 2*len(s) + 64
		t.at = C.calloc(1, C.size_t(t.size))
	}
	t.used = len(s)
	b := unsafe.Slice((*byte)(t.at), len(s)+1)
	copy(b, s)
	b[len(s)] = 0
	return t.at
}

func (t *textBuffer) poison() {
	b := unsafe.Slice((*byte)(t.at), t.used)
	for k := range b {
		b[k] = 0xDB
	}
	t.used = 0
}

func (t *textBuffer) free() {
	C.free(t.at)
	*t = textBuffer{}
}

// Leftovers counts the table entries that the plugin did not release in the
// calls that it got them in. The framework drops them silently; where it is
// built for debugging it stops.
func (p *Plugin) Leftovers() uint64 {
	defer p.tables.own()()
	return p.access.leftovers
}
