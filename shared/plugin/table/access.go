// SPDX-License-Identifier: Apache-2.0

package table

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
)

var (
	// ErrNoTable is wrapped by Open where the framework has no such table.
	ErrNoTable = errors.New("no such table")

	// ErrNotFound is wrapped where a table has no entry for a key. The
	// framework does not tell an absent entry from a failed lookup.
	ErrNotFound = errors.New("no entry for this key")

	// ErrStale is wrapped where an entry or subtable outlived its call, or an
	// entry its release.
	ErrStale = errors.New("used after its release, or after the call that it belongs to")

	// ErrNoAccess is wrapped where a call gives no access to tables, or none
	// that writes.
	ErrNoAccess = errors.New("this call gives no such access to state tables")
)

// Access is a call's way to the entries of foreign tables. It is for the
// goroutine that the call runs on, until the call returns. A nil Access is one
// without any access.
type Access struct {
	st     *core.State
	reader *abi.ReaderVtableExt // nil outside of a call, or where not given
	writer *abi.WriterVtable

	// held are the entries of this call that are not released yet, in slots
	// that are used again.
	held []held
	free int32 // a chain of unused slots through held.next; -1 ends it

	serial uint32 // counts entries, so that each is told from its predecessors
	call   uint32 // counts calls, for handles that die with theirs

	iterating []word // the tables that Each is going over
}

// held is one entry that a plugin holds.
type held struct {
	d      *desc
	table  word
	handle word
	serial uint32
	how    holding
	next   int32
}

// holding says what the kit owes for an entry.
type holding uint8

const (
	nothing    holding = iota // the slot is unused
	referenced                // release_table_entry
	created                   // destroy_table_entry, unless it is added
	lent                      // an iteration's: nothing
)

// NewAccess makes the Access of a state, for the kit's capability packages:
// one for each callback, used again for every call of it.
func NewAccess(st *core.State) *Access { return &Access{st: st, free: -1} }

// Begin starts a call with its vtables of the reader_ext and writer_ext kind,
// each NULL where the call has none. They must stay valid until End.
func (a *Access) Begin(readerExt, writerExt unsafe.Pointer) {
	a.reader, a.writer = (*abi.ReaderVtableExt)(readerExt), (*abi.WriterVtable)(writerExt)
}

// End ends the call and releases what the plugin still holds. It must run even
// if the plugin's code panicked; without a Begin it does nothing.
func (a *Access) End() {
	if len(a.held) > 0 {
		for i := range a.held {
			a.release(&a.held[i])
		}
		a.held, a.free = a.held[:0], -1
		if cap(a.held) > keepHeld {
			a.held = nil
		}
	}
	a.reader, a.writer = nil, nil
	a.iterating = a.iterating[:0]
	a.call++
}

// keepHeld is how many slots are kept from one call to the next.
const keepHeld = 1024

// release pays what is owed for h and marks its slot unused.
func (a *Access) release(h *held) {
	how := h.how
	h.how = nothing
	switch {
	case how == referenced && a.reader != nil && a.reader.ReleaseEntry != nil:
		callLetGo(a.reader.ReleaseEntry, h.table, h.handle)
	case how == created && a.writer != nil && a.writer.DestroyEntry != nil:
		callLetGo(a.writer.DestroyEntry, h.table, h.handle)
	}
}

// hold notes an entry that the framework gave out.
func (a *Access) hold(d *desc, table, handle word, how holding) Entry {
	i := a.free
	if i < 0 {
		i = int32(len(a.held))
		a.held = append(a.held, held{})
	} else {
		a.free = a.held[i].next
	}
	a.serial++
	a.held[i] = held{d: d, table: table, handle: handle, serial: a.serial, how: how}
	return Entry{a, i, a.serial}
}

// Entry is an entry of a foreign table. It is valid until its release and at
// most until the call returns that it was got in; later uses are errors. The
// zero Entry is no entry.
type Entry struct {
	a      *Access
	slot   int32
	serial uint32
}

// held is the entry's slot, nil if the entry was released or its call is over.
func (e Entry) held() *held {
	if e.a == nil || int(e.slot) >= len(e.a.held) {
		return nil
	}
	h := &e.a.held[e.slot]
	if h.serial != e.serial || h.how == nothing {
		return nil
	}
	return h
}

// of is the entry's slot, provided that it belongs to the table d.
func (e Entry) of(d *desc) (*held, error) {
	if h := e.held(); h != nil && h.d == d {
		return h, nil
	}
	return nil, e.not(d)
}

// not tells why of has nothing.
func (e Entry) not(d *desc) error {
	switch h := e.held(); {
	case d == nil:
		return errZeroField
	case h == nil:
		return fmt.Errorf("entry of table %q: %w", d.name, ErrStale)
	default:
		return fmt.Errorf("field of table %q: this is an entry of table %q", d.name, h.d.name)
	}
}

var errZeroField = errors.New("a field that FieldOf or AddField did not find")

// Release gives the entry back before the call ends; one that was created and
// never added is destroyed. A second Release does nothing.
func (e Entry) Release() {
	h := e.held()
	if h == nil {
		return
	}
	e.a.release(h)
	h.next, e.a.free = e.a.free, e.slot
}

// reads is the reader vtable, or an error naming what cannot be done.
func (a *Access) reads(d *desc, doing string) (*abi.ReaderVtableExt, error) {
	if a == nil || a.reader == nil {
		return nil, fmt.Errorf("%s: table %q: %w", doing, d.name, ErrNoAccess)
	}
	return a.reader, nil
}

// writes is the writer vtable, or an error naming what cannot be done.
func (a *Access) writes(d *desc, doing string) (*abi.WriterVtable, error) {
	if a == nil || a.writer == nil {
		return nil, fmt.Errorf("%s: table %q: %w", doing, d.name, ErrNoAccess)
	}
	return a.writer, nil
}

// missing is the error for a vtable member that the framework left NULL.
func missing(d *desc, doing string) error {
	return fmt.Errorf("%s: table %q: the framework offers no such function: %w", doing, d.name, ErrNoAccess)
}

// failed is the error of a call that failed just now, with the reason that the
// table's owner gave. Owners never clear it, so it is asked for after failures
// only; one that sets none leaves an older text there.
func failed(st *core.State, d *desc, doing string) error {
	return fmt.Errorf("%s: table %q: %s", doing, d.name, reason(st))
}

func reason(st *core.State) string {
	if st.OwnerError != nil {
		if s := callError(st.OwnerError, fn(st.Owner)); s != "" {
			return s
		}
	}
	return "the framework gives no reason"
}
