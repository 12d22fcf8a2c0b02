// SPDX-License-Identifier: Apache-2.0

package table

import (
	"fmt"
	"reflect"
	"unsafe"
)

// Own is a table that the plugin keeps: entries of the struct type E under
// keys of type K. Members of E with a tag are the fields that the framework
// and other plugins see, once the table is offered:
//
//	`table:"name"`            read and written by all
//	`table:"name,readonly"`   written by this plugin only
//
// A field is a sized integer, string or bool, or *Own[K2, E2] for a subtable,
// of which the kit makes one for every entry. Other members are the plugin's
// alone. Texts and text keys with a NUL end there for everybody else.
//
// All methods may be called from any goroutine at any time; the framework
// reads and writes at the same time. Get, Put and Update of one entry are
// atomic against each other and against single field accesses of others.
// Values are copies: what is changed in one shows after Put. Data behind
// pointers, maps and slices in E is shared and not guarded.
type Own[K Key, E any] struct{ s *store }

// New makes an empty table. A name, key or struct that the framework cannot
// take is an error of Offer.
func New[K Key, E any](name string) *Own[K, E] {
	return &Own[K, E]{newStore(schemaFor[K, E](name))}
}

func schemaFor[K Key, E any](name string) *schema {
	s := newSchema(name, typeFor[K](), reflect.TypeFor[E]())
	s.newElem = func() unsafe.Pointer { return unsafe.Pointer(new(E)) }
	s.newOwn = func(s *store) unsafe.Pointer { return unsafe.Pointer(&Own[K, E]{s}) }
	return s
}

// schemaOf works on a nil *Own: it reads the type alone.
func (o *Own[K, E]) schemaOf(name string) *schema { return schemaFor[K, E](name) }

func (o *Own[K, E]) store() *store { return o.s }

// keyOf is k as the table keeps it.
func keyOf[K Key](typ Type, k K) key {
	if typ == String {
		return key{text: text(&k)}
	}
	return key{bits: toBits(k)}
}

// goKey is the reverse of keyOf.
func goKey[K Key](typ Type, k key) (out K) {
	if typ == String {
		*(*string)(unsafe.Pointer(&out)) = k.text
	} else {
		setBits(unsafe.Pointer(&out), typ, k.bits)
	}
	return out
}

// Get is a copy of the entry of k, false if there is none.
func (o *Own[K, E]) Get(k K) (E, bool) {
	o.s.mu.RLock()
	defer o.s.mu.RUnlock()
	if e := o.s.entries[keyOf(o.s.schema.key, k)]; e != nil {
		return *(*E)(e.elem), true
	}
	var zero E
	return zero, false
}

// Lookup is Get for a text key that is at hand as bytes: it needs no string.
func Lookup[E any](o *Own[string, E], k []byte) (E, bool) {
	return o.Get(unsafe.String(unsafe.SliceData(k), len(k)))
}

// Put sets the entry of k. What others keep in the fields that they added
// stays, and so do the entry's subtables whatever v has in their place.
func (o *Own[K, E]) Put(k K, v E) {
	o.Update(k, func(e *E) { *e = v })
}

// Update changes the entry of k in place, which is made if there is none. The
// table is locked meanwhile: f must not use it, except the subtables of the
// very entry, and must not keep e. Subtables cannot be exchanged.
func (o *Own[K, E]) Update(k K, f func(e *E)) {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	e := o.s.make(keyOf(o.s.schema.key, k))
	defer e.keepSubs(o.s.schema)
	f((*E)(e.elem))
}

// Delete removes the entry of k and tells whether there was one. Others that
// hold it at that moment can use it to the end of their call.
func (o *Own[K, E]) Delete(k K) bool {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	return o.s.erase(keyOf(o.s.schema.key, k))
}

// Clear removes all entries.
func (o *Own[K, E]) Clear() {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	o.s.clear()
}

// Len is the number of entries.
func (o *Own[K, E]) Len() int {
	o.s.mu.RLock()
	defer o.s.mu.RUnlock()
	return len(o.s.entries)
}

// Range calls f with the key and a copy of every entry until f returns false;
// "for k, e := range o.Range" works too. The table is not locked meanwhile, so
// f may use it: entries that are removed before their turn are left out, those
// that are added may be.
func (o *Own[K, E]) Range(f func(k K, e E) bool) {
	for _, e := range o.s.snapshot() {
		o.s.mu.RLock()
		gone := e.state != present
		var v E
		if !gone {
			v = *(*E)(e.elem)
		}
		o.s.mu.RUnlock()
		if !gone && !f(goKey[K](o.s.schema.key, e.key), v) {
			return
		}
	}
}

// Name is the table's name; a subtable goes by the name of its field.
func (o *Own[K, E]) Name() string { return o.s.schema.name }

// Offered is an *Own of any type.
type Offered interface{ store() *store }

// Offer gives a table of the plugin's own to the framework, which then shows
// it to the plugins that are initialised later. Table names are unique in a
// framework, so prefix them with the plugin's name. A table is offered once;
// the framework lets go of it when the plugin is destroyed, after which it is
// a plain Go value.
func Offer(in *Init, own Offered) error {
	s := own.store()
	doing := fmt.Sprintf("offer table %q", s.schema.name)
	t, err := in.tables(doing)
	if err != nil {
		return err
	}
	switch {
	case s.schema.err != nil:
		return fmt.Errorf("offer: %w", s.schema.err)
	case t.Add == nil:
		return fmt.Errorf("%s: the framework offers no such function: %w", doing, ErrNoAccess)
	}
	input, err := s.serve(&service{st: in.st})
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if !callOffer(t.Add, fn(in.st.Owner), input) {
		err := fmt.Errorf("%s: %s", doing, reason(in.st))
		s.Free()
		return err
	}
	t.Offered = append(t.Offered, s)
	return nil
}
