// SPDX-License-Identifier: Apache-2.0

package table

// The framework's side of tables of one's own: vtable.c points here. Numbers
// that C passes are looked up, never followed; one that is unknown makes the
// call fail. Calls come on the framework's thread, beside goroutines of the
// plugin that use the same table.

import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
)

var (
	errNoEntry  = errors.New("no such entry, or it was released")
	errNoField  = errors.New("no such field")
	errNoKey    = errors.New("no key given")
	errNoValue  = errors.New("no value given")
	errSubtable = errors.New("a subtable cannot be written, only what is in it")
	errNotLoose = errors.New("only an entry that create_table_entry made and that was not added yet can be added or destroyed")
)

// key reads a key from an ss_plugin_state_data. A text is not copied.
func (s *store) key(k unsafe.Pointer) (key, error) {
	if k == nil {
		return key{}, errNoKey
	}
	if s.schema.key == String {
		b := cmem.Bytes(*(*unsafe.Pointer)(k))
		return key{text: unsafe.String(unsafe.SliceData(b), len(b))}, nil
	}
	return key{bits: typedBits(s.schema.key, *(*uint64)(k))}, nil
}

// typedBits is what toBits gives for the value of type t in an
// ss_plugin_state_data, whose other bytes are anything.
func typedBits(t Type, bits uint64) uint64 {
	switch t {
	case Int8, Uint8:
		return bits & 0xff
	case Int16, Uint16:
		return bits & 0xffff
	case Int32, Uint32:
		return bits & 0xffffffff
	case Bool:
		if uint32(bits) != 0 {
			return 1
		}
		return 0
	}
	return bits
}

// entry finds an entry that C may use.
func (s *store) entry(h uintptr) *entry {
	e := s.slots.get(h)
	if e == nil || e.refs == 0 && e.state != loose {
		return nil
	}
	return e
}

//export aerie_own_name
func aerie_own_name(t uintptr) unsafe.Pointer {
	s := served(t)
	if s == nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.service == nil {
		return nil
	}
	return s.schema.nameText()
}

//export aerie_own_size
func aerie_own_size(t uintptr) uint64 {
	s := served(t)
	if s == nil {
		return ^uint64(0)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return uint64(len(s.entries))
}

//export aerie_own_get
func aerie_own_get(t uintptr, k unsafe.Pointer) uintptr {
	s := served(t)
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key, err := s.key(k)
	if err != nil {
		s.fail("get entry", err)
		return 0
	}
	if s.service == nil {
		return 0
	}
	e := s.entries[key]
	if e == nil {
		s.service.st.SetError(s.schema.absent)
		return 0
	}
	e.refs++
	s.owed++
	return s.seen(e)
}

//export aerie_own_release
func aerie_own_release(t, entry uintptr) {
	s := served(t)
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entry(entry); e != nil && e.refs > 0 {
		s.release(e)
	}
}

func (s *store) release(e *entry) {
	e.refs--
	s.owed--
	s.settle(e)
	s.retireIfUnused()
}

//export aerie_own_read
func aerie_own_read(t, entry, field uintptr, out unsafe.Pointer) int32 {
	s := served(t)
	if s == nil || out == nil {
		return abi.Failure
	}
	*(*uint64)(out) = 0
	c := s.schema.column(field)
	if c == nil {
		s.mu.RLock()
		defer s.mu.RUnlock()
		s.fail("read field", errNoField)
		return abi.Failure
	}
	// Texts and subtables may need C memory, which is the entry's.
	if c.typ == String || c.typ == Subtable {
		s.mu.Lock()
		defer s.mu.Unlock()
	} else {
		s.mu.RLock()
		defer s.mu.RUnlock()
	}
	e := s.entry(entry)
	if e == nil || s.service == nil {
		s.fail("read field "+c.name, errNoEntry)
		return abi.Failure
	}
	switch {
	case c.typ == Subtable:
		p, err := e.subs[c.subIndex].store.lend(s.service)
		if err != nil {
			s.fail("read field "+c.name, err)
			return abi.Failure
		}
		*(*unsafe.Pointer)(out) = p
	case c.typ == String:
		*(*unsafe.Pointer)(out) = e.cText(c.index, e.text(c))
	case c.dynamic < 0:
		*(*uint64)(out) = bitsAt(unsafe.Add(e.elem, c.offset), c.size)
	case c.dynamic < len(e.cells):
		*(*uint64)(out) = e.cells[c.dynamic].bits
	}
	return abi.Success
}

// text is the value of a text field.
func (e *entry) text(c *column) string {
	if c.dynamic < 0 {
		return *(*string)(unsafe.Add(e.elem, c.offset))
	}
	if c.dynamic < len(e.cells) {
		return e.cells[c.dynamic].text
	}
	return ""
}

// lend is the ss_plugin_table_input of a subtable, which stays the same while
// its entry lives.
func (s *store) lend(v *service) (unsafe.Pointer, error) {
	s.mu.RLock()
	p := s.input
	s.mu.RUnlock()
	if p != nil {
		return p, nil
	}
	return s.serve(v)
}

//export aerie_own_write
func aerie_own_write(t, entry, field uintptr, in unsafe.Pointer) int32 {
	s := served(t)
	if s == nil {
		return abi.Failure
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.schema.column(field)
	if c == nil {
		s.fail("write field", errNoField)
		return abi.Failure
	}
	if err := s.write(entry, c, in); err != nil {
		s.fail("write field "+c.name, err)
		return abi.Failure
	}
	return abi.Success
}

func (s *store) write(entry uintptr, c *column, in unsafe.Pointer) error {
	e := s.entry(entry)
	switch {
	case e == nil:
		return errNoEntry
	case in == nil:
		return errNoValue
	case c.typ == Subtable:
		return errSubtable
	case c.readonly:
		return fmt.Errorf("only plugin %s may write it", s.owner())
	}
	if c.dynamic >= 0 {
		for len(e.cells) <= c.dynamic {
			e.cells = append(e.cells, cell{})
		}
	}
	switch {
	case c.typ == String:
		v := cmem.GoString(*(*unsafe.Pointer)(in))
		if c.dynamic < 0 {
			*(*string)(unsafe.Add(e.elem, c.offset)) = v
		} else {
			e.cells[c.dynamic].text = v
		}
	case c.dynamic < 0:
		setBits(unsafe.Add(e.elem, c.offset), c.typ, *(*uint64)(in))
	default:
		e.cells[c.dynamic].bits = typedBits(c.typ, *(*uint64)(in))
	}
	return nil
}

func (s *store) owner() string {
	if s.service == nil {
		return "its owner"
	}
	return s.service.st.Record.Name
}

//export aerie_own_create
func aerie_own_create(t uintptr) uintptr {
	s := served(t)
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.service == nil || s.retired {
		return 0
	}
	s.owed++
	return s.seen(s.newEntry())
}

//export aerie_own_destroy
func aerie_own_destroy(t, entry uintptr) {
	s := served(t)
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entry(entry)
	if e == nil || e.state != loose {
		s.fail("destroy entry", errNotLoose)
		return
	}
	e.state = gone
	s.owed--
	s.settle(e)
	s.retireIfUnused()
}

//export aerie_own_add
func aerie_own_add(t uintptr, k unsafe.Pointer, entry uintptr) uintptr {
	s := served(t)
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key, err := s.key(k)
	if err != nil {
		s.fail("add entry", err)
		return 0
	}
	e := s.entry(entry)
	if e == nil || e.state != loose || s.retired {
		s.fail("add entry", errNotLoose)
		return 0
	}
	s.erase(key)
	key.text = string([]byte(key.text)) // it was C memory
	e.key, e.state, e.refs = key, present, 1
	s.entries[key] = e
	return entry
}

//export aerie_own_erase
func aerie_own_erase(t uintptr, k unsafe.Pointer) int32 {
	s := served(t)
	if s == nil {
		return abi.Failure
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key, err := s.key(k)
	if err == nil && !s.erase(key) {
		err = ErrNotFound
	}
	if err != nil {
		s.fail("erase entry", err)
		return abi.Failure
	}
	return abi.Success
}

//export aerie_own_clear
func aerie_own_clear(t uintptr) int32 {
	s := served(t)
	if s == nil {
		return abi.Failure
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	return abi.Success
}

//export aerie_own_iterate
func aerie_own_iterate(t uintptr, it, state unsafe.Pointer) uint32 {
	s := served(t)
	if s == nil || it == nil {
		return 0
	}
	for _, e := range s.snapshot() {
		s.mu.Lock()
		if e.state != present || s.service == nil {
			s.mu.Unlock()
			continue
		}
		e.refs++
		s.owed++
		h := s.seen(e)
		s.mu.Unlock()
		more := callStep(it, state, h) // unlocked: it reads and writes the entry
		s.mu.Lock()
		if e.handle == h { // else the table ended meanwhile
			s.release(e)
		}
		s.mu.Unlock()
		if !more {
			return 0
		}
	}
	return 1
}
