// SPDX-License-Identifier: Apache-2.0

package table

import (
	"fmt"
	"slices"
	"strings"
)

// Foreign is a table of the framework's or of another plugin's, with keys of
// type K. One that Open gave is valid until the plugin is destroyed, one that
// Sub.Of gave until its call ends. Its methods are calls into the framework
// and belong on the goroutine of the call that gave the Access.
type Foreign[K Key] struct {
	d *desc
	h word

	// of subtables: whose and which call's
	a    *Access
	call uint32
}

func (t *Foreign[K]) description() *desc { return t.d }

// Name is the table's name; a subtable goes by the name of its field.
func (t Foreign[K]) Name() string { return t.d.name }

// check tells whether the handle may be used with a.
func (t *Foreign[K]) check(a *Access) error {
	if t.a != nil && (t.a != a || t.call != a.call) {
		return fmt.Errorf("subtable %q: %w", t.d.name, ErrStale)
	}
	return nil
}

// Get finds the entry of key. The error wraps ErrNotFound if there is none.
func (t Foreign[K]) Get(a *Access, key K) (Entry, error) {
	r, err := a.reads(t.d, "get entry")
	if err != nil {
		return Entry{}, err
	}
	if err := t.check(a); err != nil {
		return Entry{}, err
	}
	if r.GetEntry == nil || r.ReleaseEntry == nil {
		return Entry{}, missing(t.d, "get entry")
	}
	var h word
	if t.d.key == String {
		s, err := t.d.textKey(text(&key))
		if err != nil {
			return Entry{}, err
		}
		h = callGetString(r.GetEntry, t.h, s)
	} else {
		h = callGet(r.GetEntry, t.h, toBits(key))
	}
	if h == 0 {
		return Entry{}, t.d.absent
	}
	return a.hold(t.d, t.h, h, referenced), nil
}

// textKey is s, which must be one that C can be given.
func (d *desc) textKey(s string) (string, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return "", fmt.Errorf("table %q: key %q has a NUL in it, which ends a key of the framework", d.name, s)
	}
	return s, nil
}

// Add makes an entry for key and gives it back to be written to; an earlier
// entry of that key is replaced. Fields that are not written are 0 or "".
//
// Where other plugins or the framework look at fields as soon as an entry is
// there, as on "threads", use Create and AddEntry instead.
func (t Foreign[K]) Add(a *Access, key K) (Entry, error) {
	e, err := t.create(a)
	if err != nil {
		return Entry{}, err
	}
	return t.AddEntry(a, key, e)
}

// Create makes an entry that is in no table yet: write its fields, then put it
// in place with AddEntry. One that is not added is destroyed by Release or at
// the end of the call.
func (t Foreign[K]) Create(a *Access) (Entry, error) {
	if err := t.d.storable(); err != nil {
		return Entry{}, err
	}
	return t.create(a)
}

func (t Foreign[K]) create(a *Access) (Entry, error) {
	if _, err := a.writes(t.d, "create entry"); err != nil {
		return Entry{}, err
	}
	if err := t.change(a, "create entry"); err != nil {
		return Entry{}, err
	}
	return t.d.create(a, t.h)
}

// storable refuses tables of libsinsp whose entries have no memory before they
// are added, so that writing to them would be fatal.
func (d *desc) storable() error {
	if d.parent != nil && d.parent.parent == nil && d.parent.name == "threads" {
		switch d.name {
		case "args", "env", "cgroups":
			return fmt.Errorf("create entry: table %q of threads: its entries cannot be written to before they are added; use Add", d.name)
		}
	}
	return nil
}

// create makes an entry of the table h.
func (d *desc) create(a *Access, h word) (Entry, error) {
	w, err := a.writes(d, "create entry")
	if err != nil {
		return Entry{}, err
	}
	if w.CreateEntry == nil || w.DestroyEntry == nil {
		return Entry{}, missing(d, "create entry")
	}
	e := callCreate(w.CreateEntry, h)
	if e == 0 {
		return Entry{}, failed(a.st, d, "create entry")
	}
	return a.hold(d, h, e, created), nil
}

// AddEntry puts an entry of Create in place under key, replacing an earlier
// one. The entry that it returns is to be used from then on; e is no longer
// valid, also after an error.
func (t Foreign[K]) AddEntry(a *Access, key K, e Entry) (Entry, error) {
	w, err := a.writes(t.d, "add entry")
	if err != nil {
		return Entry{}, err
	}
	if err := t.change(a, "add entry"); err != nil {
		return Entry{}, err
	}
	if w.AddEntry == nil || a.reader == nil || a.reader.ReleaseEntry == nil {
		return Entry{}, missing(t.d, "add entry")
	}
	h, err := e.of(t.d)
	if err != nil {
		return Entry{}, fmt.Errorf("add entry: %w", err)
	}
	if e.a != a || h.how != created || h.table != t.h {
		return Entry{}, fmt.Errorf("add entry: table %q: only an entry that Create made for this table can be added, once", t.d.name)
	}
	var now word
	if t.d.key == String {
		s, err := t.d.textKey(text(&key))
		if err != nil {
			e.Release()
			return Entry{}, fmt.Errorf("add entry: %w", err)
		}
		now = callAddString(w.AddEntry, t.h, s, h.handle)
	} else {
		now = callAdd(w.AddEntry, t.h, toBits(key), h.handle)
	}
	if now == 0 {
		err := failed(a.st, t.d, "add entry")
		e.Release()
		return Entry{}, err
	}
	h.how = nothing
	h.next, a.free = a.free, e.slot
	return a.hold(t.d, t.h, now, referenced), nil
}

// change tells whether the table may be changed now.
func (t *Foreign[K]) change(a *Access, doing string) error {
	if err := t.check(a); err != nil {
		return err
	}
	if slices.Contains(a.iterating, t.h) {
		return fmt.Errorf("%s: table %q: entries are not added or erased inside Each; collect the keys and do it afterwards", doing, t.d.name)
	}
	return nil
}

// Erase removes the entry of key; it is an error if there is none. On
// "threads" that ends the thread for the framework.
func (t Foreign[K]) Erase(a *Access, key K) error {
	w, err := a.writes(t.d, "erase entry")
	if err != nil {
		return err
	}
	if err := t.change(a, "erase entry"); err != nil {
		return err
	}
	if w.EraseEntry == nil {
		return missing(t.d, "erase entry")
	}
	var ok bool
	if t.d.key == String {
		s, err := t.d.textKey(text(&key))
		if err != nil {
			return fmt.Errorf("erase entry: %w", err)
		}
		ok = callEraseString(w.EraseEntry, t.h, s)
	} else {
		ok = callErase(w.EraseEntry, t.h, toBits(key))
	}
	if !ok {
		return failed(a.st, t.d, "erase entry")
	}
	return nil
}

// Clear removes all entries.
func (t Foreign[K]) Clear(a *Access) error {
	w, err := a.writes(t.d, "clear")
	if err != nil {
		return err
	}
	if err := t.change(a, "clear"); err != nil {
		return err
	}
	if w.Clear == nil {
		return missing(t.d, "clear")
	}
	if !callClear(w.Clear, t.h) {
		return failed(a.st, t.d, "clear")
	}
	return nil
}

// Size is the number of entries.
func (t Foreign[K]) Size(a *Access) (uint64, error) {
	r, err := a.reads(t.d, "size")
	if err != nil {
		return 0, err
	}
	if err := t.check(a); err != nil {
		return 0, err
	}
	if r.GetSize == nil {
		return 0, missing(t.d, "size")
	}
	n := callSize(r.GetSize, t.h)
	if n == ^uint64(0) {
		return 0, failed(a.st, t.d, "size")
	}
	return n, nil
}
