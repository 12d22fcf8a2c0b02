// SPDX-License-Identifier: Apache-2.0

package table

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
)

// schema is what the entries of a table have: the fields of a Go struct, and
// those that other plugins added. The subtables in one field of a table share
// one, so that a field found on one of them is good for all.
type schema struct {
	name string
	key  Type
	err  error  // why the table cannot be offered
	id   uint32 // tells its field handles from those of other tables

	absent error // of a lookup that finds nothing

	newElem func() unsafe.Pointer         // a zero Go struct
	newOwn  func(s *store) unsafe.Pointer // the *Own around s
	subs    []*column                     // the columns that hold subtables
	columns atomic.Pointer[[]*column]     // grows, never shrinks or changes
	mu      sync.Mutex                    // held to add a column, and for the C memory below
	cname   unsafe.Pointer                // C memory
	lists   []unsafe.Pointer              // C memory: answers of list_table_fields
	listed  int                           // columns in the newest answer
}

// column is one field.
type column struct {
	name     string
	typ      Type
	readonly bool
	offset   uintptr // of a static column, in the Go struct
	size     uintptr // likewise
	dynamic  int     // which of an entry's cells; -1 for a static column
	index    int     // which column of the table
	sub      *schema // of a subtable
	subIndex int     // which of an entry's subtables
}

// tagName is the struct tag that makes a member a field.
const tagName = "table"

// newSchema reads the members of the struct type elem.
func newSchema(name string, key Type, elem reflect.Type) *schema {
	s := &schema{name: name, key: key, id: nextSerial()}
	s.absent = fmt.Errorf("table %q: %w", name, ErrNotFound)
	var all []*column
	defer func() { s.columns.Store(&all) }()
	fail := func(format string, args ...any) *schema {
		s.err = fmt.Errorf("table %q: "+format, append([]any{name}, args...)...)
		return s
	}
	if name == "" || strings.IndexByte(name, 0) >= 0 {
		return fail("a name is needed, without NUL")
	}
	if elem.Kind() != reflect.Struct {
		return fail("entries are %s; want a struct", elem)
	}
	for i := range elem.NumField() {
		m := elem.Field(i)
		tag, ok := m.Tag.Lookup(tagName)
		if !ok || tag == "-" {
			continue
		}
		field, option, _ := strings.Cut(tag, ",")
		c := &column{name: field, typ: typeOf(m.Type), offset: m.Offset, size: m.Type.Size(), dynamic: -1, index: len(all)}
		switch {
		case !m.IsExported():
			return fail("member %s has a table tag but is not exported", m.Name)
		case field == "" || strings.IndexByte(field, 0) >= 0:
			return fail("member %s: a field name is needed, such as `table:\"name\"`", m.Name)
		case option != "" && option != "readonly":
			return fail("member %s: unknown option %q; there is readonly", m.Name, option)
		case byName(all, field) != nil:
			return fail("two members are field %q", field)
		}
		c.readonly = option == "readonly"
		if sub, ok := reflect.Zero(m.Type).Interface().(interface{ schemaOf(string) *schema }); ok {
			c.typ, c.readonly, c.subIndex = Subtable, true, len(s.subs)
			if c.sub = sub.schemaOf(field); c.sub.err != nil {
				return fail("member %s: %w", m.Name, c.sub.err)
			}
			s.subs = append(s.subs, c)
		}
		if c.typ == 0 {
			return fail("member %s is %s; want a sized integer, string, bool or *table.Own", m.Name, m.Type)
		}
		all = append(all, c)
	}
	return s
}

func byName(all []*column, name string) *column {
	for _, c := range all {
		if c.name == name {
			return c
		}
	}
	return nil
}

// handle is the column's number for C.
func (s *schema) handle(c *column) uintptr { return handleOf(s.id, c.index) }

// column finds a column by its number, nil if it is none of this table.
func (s *schema) column(h uintptr) *column {
	id, i := position(h)
	all := *s.columns.Load()
	if id != s.id || i < 0 || i >= len(all) {
		return nil
	}
	return all[i]
}

// find looks a column up as get_table_field does.
func (s *schema) find(name string, typ Type) (uintptr, error) {
	c := byName(*s.columns.Load(), name)
	switch {
	case c == nil:
		return 0, fmt.Errorf("there is no field %q", name)
	case c.typ != typ:
		return 0, fmt.Errorf("field %q is %s, not %s", name, c.typ, typ)
	}
	return s.handle(c), nil
}

// add adds a column as add_table_field does: one that is there with the same
// type is taken, as long as it is a dynamic one too.
func (s *schema) add(name string, typ Type) (uintptr, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := *s.columns.Load()
	if c := byName(all, name); c != nil {
		if c.dynamic < 0 || c.typ != typ {
			return 0, fmt.Errorf("field %q is there already, as %s; look it up instead of adding it as %s", name, c.typ, typ)
		}
		return s.handle(c), nil
	}
	if name == "" {
		return 0, errors.New("a field needs a name")
	}
	if !typ.scalar() {
		return 0, fmt.Errorf("field %q cannot be %s; want a sized integer, string or bool", name, typ)
	}
	dynamic := 0
	for _, c := range all {
		if c.dynamic >= 0 {
			dynamic++
		}
	}
	c := &column{name: name, typ: typ, dynamic: dynamic, index: len(all)}
	next := append(append(make([]*column, 0, len(all)+1), all...), c)
	s.columns.Store(&next)
	return s.handle(c), nil
}

// nameText is the table's name in C memory, valid until free.
func (s *schema) nameText() unsafe.Pointer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cname == nil {
		s.cname = cmem.CString(s.name)
	}
	return s.cname
}

// list is the array that list_table_fields answers with. It is made anew only
// when there are more columns, so what was answered before stays as it was.
func (s *schema) list() (unsafe.Pointer, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := *s.columns.Load()
	if len(s.lists) > 0 && s.listed == len(all) {
		return s.lists[len(s.lists)-1], s.listed
	}
	const row = int(unsafe.Sizeof(abi.TableFieldInfo{}))
	size := row * len(all)
	for _, c := range all {
		size += len(c.name) + 1
	}
	p := cmem.Alloc(size)
	rows := unsafe.Slice((*abi.TableFieldInfo)(p), len(all))
	at := row * len(all)
	for i, c := range all {
		name := unsafe.Add(p, at)
		copy(unsafe.Slice((*byte)(name), len(c.name)), c.name) // zeroed memory ends it
		at += len(c.name) + 1
		rows[i] = abi.TableFieldInfo{Name: name, FieldType: uint32(c.typ)}
		if c.readonly {
			rows[i].ReadOnly = 1
		}
	}
	s.lists, s.listed = append(s.lists, p), len(all)
	return p, len(all)
}

// free gives the C memory back, that of subtables' schemas too.
func (s *schema) free() {
	s.mu.Lock()
	defer s.mu.Unlock()
	cmem.Free(s.cname)
	for _, p := range s.lists {
		cmem.Free(p)
	}
	s.cname, s.lists, s.listed = nil, nil, 0
	for _, c := range s.subs {
		c.sub.free()
	}
}
