// SPDX-License-Identifier: Apache-2.0

package host

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// schema is the fields that all tables of one kind have in an inspector,
// those that plugins add included.
type schema struct {
	tables *tables
	fields []*field
	byName map[string]*field
	// start is what a new row holds.
	start []value
	// fixed schemas take no more fields.
	fixed bool
}

// subSchema describes the tables in a field of type table.
type subSchema struct {
	label  string
	schema *schema
	key    uint32
	list   bool
}

// builtin is a table of the framework's own: rows by a 64-bit key, or, as the
// arguments of a process, a list whose keys are places.
type builtin struct {
	label  string
	schema *schema
	key    uint32
	most   int
	rows   map[uint64]*row
	// added completes a row that gets its place.
	added func(key uint64, r *row)
	// holder is the row that holds the file descriptors of another's process.
	holder func(r *row, f *field) (*row, error)

	isList bool
	places []*row
}

// row is an entry. It outlives its place in a table while plugins hold it, but
// in a list it does not.
type row struct {
	values []value
	subs   map[*field]*builtin
	placed bool // it is, or has been, in the table
	gone   bool // it is there no more
}

func newSchema(t *tables, fixed bool) *schema {
	return &schema{tables: t, byName: map[string]*field{}, fixed: fixed}
}

// static adds a field of the framework's.
func (s *schema) static(f field, start uint64) *field {
	f.schema, f.index = s, len(s.fields)
	made := s.tables.newField(f)
	s.fields = append(s.fields, made)
	s.byName[f.label] = made
	s.start = append(s.start, value{n: start})
	return made
}

func newBuiltin(label string, s *schema, key uint32) *builtin {
	return &builtin{label: label, schema: s, key: key, rows: map[uint64]*row{}}
}

func (b *builtin) name() string    { return b.label }
func (b *builtin) keyType() uint32 { return b.key }
func (b *builtin) free()           {}

func (b *builtin) list() ([]fieldInfo, error) {
	infos := make([]fieldInfo, len(b.schema.fields))
	for k, f := range b.schema.fields {
		infos[k] = fieldInfo{f.label, f.code, f.readOnly}
	}
	return infos, nil
}

func (b *builtin) field(name string, code uint32) (*field, error) {
	f := b.schema.byName[name]
	switch {
	case f == nil:
		return nil, fmt.Errorf("undefined field '%s' in table '%s'", name, b.label)
	case f.code != code && f.dynamic:
		return nil, fmt.Errorf("incompatible data types for dynamic field: %s", name)
	case f.code != code:
		return nil, fmt.Errorf("incompatible data types for static field: %s", name)
	}
	return f, nil
}

func (b *builtin) addField(name string, code uint32) (*field, error) {
	s := b.schema
	f := s.byName[name]
	switch {
	case s.fixed:
		return nil, fmt.Errorf("can't add field to fixed_dynamic_fields_infos: %s", name)
	case code == abi.StateTable:
		return nil, fmt.Errorf("can't add dynamic field of type table: %s", name)
	case !validKey(code):
		return nil, fmt.Errorf("can't convert plugin state type to typeinfo: %d", code)
	case f != nil && !f.dynamic:
		return nil, fmt.Errorf("can't add dynamic field already defined as static: %s", name)
	case f != nil && f.code != code:
		return nil, fmt.Errorf("multiple definitions of dynamic field with different types in struct: %s, prevtype=%s, newtype=%s",
			name, stateName(f.code), stateName(code))
	case f != nil:
		return f, nil
	}
	f = s.static(field{label: name, code: code, dynamic: true}, 0)
	return f, nil
}

func (b *builtin) has(f *field) bool { return f.schema == b.schema }

func (b *builtin) size() (uint64, error) { return uint64(b.count()), nil }

func (b *builtin) count() int {
	if b.isList {
		return len(b.places)
	}
	return len(b.rows)
}

func (b *builtin) newRow() *row { return &row{values: slices.Clone(b.schema.start)} }

func (b *builtin) at(key uint64) *row {
	if !b.isList {
		return b.rows[key]
	}
	if key < uint64(len(b.places)) {
		return b.places[key]
	}
	return nil
}

func (b *builtin) get(key unsafe.Pointer) (entry, error) {
	k, _ := loadState(key, b.key)
	if r := b.at(k.n); r != nil {
		return entry{row: r}, nil
	}
	return entry{}, errors.New("get_entry found no element at given key")
}

func (b *builtin) create() (entry, error) { return entry{row: b.newRow()}, nil }
func (b *builtin) destroy(entry)          {}
func (b *builtin) release(entry)          {}

// mostPlaces bounds what a wild key can make of a list.
const mostPlaces = 1 << 20

func (b *builtin) add(key unsafe.Pointer, e entry) (entry, error) {
	k, _ := loadState(key, b.key)
	if b.isList {
		// The framework resizes to the key, whatever was there before.
		if k.n >= mostPlaces {
			return entry{}, fmt.Errorf("add to %s at %d: more than the framework has memory for", b.label, k.n)
		}
		b.resize(int(k.n) + 1)
		return entry{row: b.places[k.n]}, nil
	}
	if b.rows[k.n] == nil && len(b.rows) >= b.most {
		return entry{}, fmt.Errorf("%s is full: it holds at most %d entries", b.label, b.most)
	}
	b.put(k.n, e.row)
	return e, nil
}

func (b *builtin) put(key uint64, r *row) {
	if old := b.rows[key]; old != nil {
		old.gone = true
	}
	r.placed = true
	b.rows[key] = r
	b.added(key, r)
}

func (b *builtin) resize(n int) {
	for len(b.places) < n {
		r := b.newRow()
		r.placed = true
		b.places = append(b.places, r)
	}
	for _, r := range b.places[n:] {
		r.gone = true
	}
	b.places = slices.Delete(b.places, n, len(b.places))
}

func (b *builtin) erase(key unsafe.Pointer) error {
	k, _ := loadState(key, b.key)
	r := b.at(k.n)
	if r == nil {
		return errors.New("table entry not found")
	}
	r.gone = true
	if b.isList {
		b.places = slices.Delete(b.places, int(k.n), int(k.n)+1)
	} else {
		delete(b.rows, k.n)
	}
	return nil
}

func (b *builtin) clear() error {
	for _, r := range b.rows {
		r.gone = true
	}
	clear(b.rows)
	b.resize(0)
	return nil
}

// keys lists the keys in order, so that runs can be compared.
func (b *builtin) keys() []uint64 {
	if !b.isList {
		return slices.SortedFunc(maps.Keys(b.rows), func(x, y uint64) int { return cmp.Compare(int64(x), int64(y)) })
	}
	keys := make([]uint64, len(b.places))
	for k := range keys {
		keys[k] = uint64(k)
	}
	return keys
}

func (b *builtin) iterate(visit func(entry) bool) (bool, error) {
	for _, k := range b.keys() {
		if r := b.at(k); r != nil && !visit(entry{row: r}) {
			return false, nil
		}
	}
	return true, nil
}

// stored fails for entries that libsinsp has no memory for.
func (b *builtin) stored(r *row) error {
	switch {
	case b.isList && !r.placed:
		return &Violation{Detail: fmt.Sprintf("an entry of %s that is not added yet, which has no memory in libsinsp; add it first", b.label)}
	case b.isList && r.gone:
		return &Violation{Detail: fmt.Sprintf("an entry of %s that is no more: the list was cut or cleared", b.label)}
	}
	return nil
}

func (b *builtin) read(e entry, f *field, out unsafe.Pointer, text *textBuffer) (stateTable, error) {
	if err := b.stored(e.row); err != nil {
		return nil, err
	}
	if f.code == abi.StateTable {
		sub, err := b.sub(e.row, f)
		if err != nil {
			return nil, err
		}
		return sub, nil
	}
	v := e.row.value(f)
	*(*uint64)(out) = v.n
	if f.code == abi.StateString {
		*(*unsafe.Pointer)(out) = text.set(v.s)
	}
	return nil, nil
}

func (b *builtin) write(e entry, f *field, in unsafe.Pointer) error {
	if err := b.stored(e.row); err != nil {
		return err
	}
	switch {
	case f.code == abi.StateTable:
		return errors.New("writing to table fields is currently not supported")
	case f.readOnly:
		return fmt.Errorf("can't set a read-only static struct field: %s", f.label)
	}
	v, ok := loadState(in, f.code)
	if !ok {
		return &Violation{Detail: fmt.Sprintf("a NULL string for field %s of %s", f.label, b.label)}
	}
	e.row.set(f, v)
	return nil
}

// value is a field's value; fields added after the row was made are empty.
func (r *row) value(f *field) value {
	if f.index >= len(r.values) {
		return value{}
	}
	return r.values[f.index]
}

func (r *row) set(f *field, v value) {
	for len(r.values) <= f.index {
		r.values = append(r.values, value{})
	}
	r.values[f.index] = v
}

// sub is the table in a field of a row, which is there from the start.
func (b *builtin) sub(r *row, f *field) (*builtin, error) {
	if b.holder != nil {
		var err error
		if r, err = b.holder(r, f); err != nil {
			return nil, err
		}
	}
	if r.subs[f] == nil {
		s := newBuiltin(f.sub.label, f.sub.schema, f.sub.key)
		s.isList = f.sub.list
		if !s.isList {
			s.most, s.added = mostFiles, filePlaced
		}
		if r.subs == nil {
			r.subs = map[*field]*builtin{}
		}
		r.subs[f] = s
	}
	return r.subs[f], nil
}
