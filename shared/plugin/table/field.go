// SPDX-License-Identifier: Apache-2.0

package table

import (
	"fmt"
	"strings"
	"unsafe"
)

// Field reads and writes one field of a table's entries. It is valid until the
// plugin is destroyed. For subtables one Field serves all tables in the same
// field of the parent.
type Field[V Value] struct {
	d    *desc
	h    word
	typ  Type
	name string
}

// FieldOf finds a field by name and type.
func FieldOf[V Value](t Fielded, name string) (Field[V], error) {
	return fieldOf[V](t, "find field", name, false)
}

// AddField adds a field to all entries of a table, present and to come: 0 or
// "" until it is written. If the field is there already, with the same type,
// that one is taken: plugins share fields by name.
func AddField[V Value](t Fielded, name string) (Field[V], error) {
	return fieldOf[V](t, "add field", name, true)
}

func fieldOf[V Value](t Fielded, doing, name string, adding bool) (Field[V], error) {
	d, typ, find := t.description(), typeFor[V](), get
	if adding {
		find = add
	}
	h, err := d.lookup(doing, name, typ, find)
	if err != nil {
		return Field[V]{}, err
	}
	return Field[V]{d, h, typ, name}, nil
}

// Name is the field's name.
func (f Field[V]) Name() string { return f.name }

// Get reads the field: one call into the framework. A string is a copy.
func (f Field[V]) Get(e Entry) (V, error) {
	var v V
	if f.typ == String {
		s, err := f.getText(e)
		*(*string)(unsafe.Pointer(&v)) = s
		return v, err
	}
	bits, err := e.read(f.d, f.h, f.name)
	if err == nil {
		setBits(unsafe.Pointer(&v), f.typ, bits)
	}
	return v, err
}

// Append reads a field of texts and appends the text to dst. It is Get without a
// string: where dst has room, nothing is allocated.
func Append[V ~string](dst []byte, f Field[V], e Entry) ([]byte, error) {
	h, read := e.readable(f.d)
	if read == nil {
		return dst, e.unreadable(f.d, f.name)
	}
	dst, ok := callAppendString(dst, read, h.table, h.handle, f.h)
	if !ok {
		return dst, failed(e.a.st, f.d, "read field "+f.name)
	}
	return dst, nil
}

func (f *Field[V]) getText(e Entry) (string, error) {
	h, read := e.readable(f.d)
	if read == nil {
		return "", e.unreadable(f.d, f.name)
	}
	s, ok := callReadString(read, h.table, h.handle, f.h)
	if !ok {
		return "", failed(e.a.st, f.d, "read field "+f.name)
	}
	return s, nil
}

// Set writes the field: one call into the framework, which copies a string.
func (f Field[V]) Set(e Entry, v V) error {
	h, err := e.of(f.d)
	if err != nil {
		return err
	}
	w, err := e.a.writes(f.d, "write field")
	if err != nil {
		return err
	}
	if w.WriteEntryField == nil {
		return missing(f.d, "write field "+f.name)
	}
	var ok bool
	if f.typ == String {
		s := text(&v)
		if strings.IndexByte(s, 0) >= 0 {
			return fmt.Errorf("write field %s: table %q: the text %q has a NUL in it, which ends a text of the framework", f.name, f.d.name, s)
		}
		ok = callWriteString(w.WriteEntryField, h.table, h.handle, f.h, s)
	} else {
		ok = callWrite(w.WriteEntryField, h.table, h.handle, f.h, toBits(v))
	}
	if !ok {
		return failed(e.a.st, f.d, "write field "+f.name)
	}
	return nil
}

// read reads a field that is not a string.
func (e Entry) read(d *desc, field word, name string) (uint64, error) {
	h, read := e.readable(d)
	if read == nil {
		return 0, e.unreadable(d, name)
	}
	bits, ok := callRead(read, h.table, h.handle, field)
	if !ok {
		return 0, failed(e.a.st, d, "read field "+name)
	}
	return bits, nil
}

// readable is the entry's slot and the function that reads it, nil if it
// cannot be read as an entry of d.
func (e Entry) readable(d *desc) (*held, unsafe.Pointer) {
	h := e.held()
	if h == nil || h.d != d || e.a.reader == nil {
		return nil, nil
	}
	return h, e.a.reader.ReadEntryField
}

// unreadable tells why an entry is not readable.
func (e Entry) unreadable(d *desc, name string) error {
	if _, err := e.of(d); err != nil {
		return err
	}
	if _, err := e.a.reads(d, "read field "+name); err != nil {
		return err
	}
	return missing(d, "read field "+name)
}
