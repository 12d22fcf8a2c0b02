// SPDX-License-Identifier: Apache-2.0

package table

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
)

// Init is the way to the framework's tables while the plugin's Init runs.
type Init struct {
	st    *core.State
	a     *Access
	descs map[descKey]*desc // what was looked up, so that it is one thing however often
	over  bool
}

// NewInit starts the use of tables in the Init of st. It is for the kit.
func NewInit(st *core.State) *Init {
	in := &Init{st: st, a: NewAccess(st), descs: map[descKey]*desc{}}
	if t := st.Tables; t != nil {
		in.a.Begin(unsafe.Pointer(&t.Reader), unsafe.Pointer(&t.Writer))
	}
	return in
}

// End is called when the plugin's Init has returned, whatever way.
func (in *Init) End() {
	in.over = true
	in.a.End()
}

// Access reaches the entries of tables during Init. The framework's own tables
// are empty then; those of plugins that were loaded earlier may not be.
func (in *Init) Access() *Access { return in.a }

// tables is what the framework gave, or why there is nothing.
func (in *Init) tables(doing string) (*core.Tables, error) {
	switch {
	case in == nil || in.over:
		return nil, fmt.Errorf("%s: %w", doing, errInitOver)
	case in.st.Tables == nil:
		return nil, fmt.Errorf("%s: %w", doing, errNoTables)
	}
	return in.st.Tables, nil
}

var (
	errInitOver = errors.New("tables and fields are looked up in the plugin's Init only")
	errNoTables = errors.New("the framework gave this plugin no tables; it gives them to plugins that extract fields or parse events")
)

// Info names a table.
type Info struct {
	Name string
	Key  Type
}

// List tells which tables there are: the framework's own and those of plugins
// loaded before this one.
func (in *Init) List() ([]Info, error) {
	t, err := in.tables("list tables")
	if err != nil {
		return nil, err
	}
	if t.List == nil {
		return nil, fmt.Errorf("list tables: the framework offers no such function: %w", ErrNoAccess)
	}
	p, n := callList(t.List, fn(in.st.Owner))
	out := make([]Info, 0, n)
	for _, i := range unsafe.Slice((*abi.TableInfo)(p), n) {
		out = append(out, Info{cmem.GoString(i.Name), Type(i.KeyType)})
	}
	return out, nil
}

// Open finds a table by name and key type. Tables of other plugins are there
// if those plugins come earlier in the configuration. The error wraps
// ErrNoTable if there is no such table.
func Open[K Key](in *Init, name string) (*Foreign[K], error) {
	d, err := in.open(name, typeFor[K]())
	if err != nil {
		return nil, err
	}
	return &Foreign[K]{d: d, h: d.handle}, nil
}

func (in *Init) open(name string, key Type) (*desc, error) {
	doing := fmt.Sprintf("open table %q", name)
	t, err := in.tables(doing)
	if err != nil {
		return nil, err
	}
	for _, o := range t.Offered {
		if own, ok := o.(*store); ok && own.schema.name == name {
			// A failure of the call would come back through the framework as a C++
			// exception, which ends the process.
			return nil, fmt.Errorf("%s: it is the plugin's own; use it as it is", doing)
		}
	}
	// Frameworks check the key type of a table at its first lookup only, so the
	// list decides.
	all, err := in.List()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	var names []string
	for _, i := range all {
		if i.Name != name {
			names = append(names, i.Name)
			continue
		}
		if i.Key != key {
			return nil, fmt.Errorf("%s: its keys are %s, not %s", doing, i.Key, key)
		}
		if t.Get == nil {
			return nil, fmt.Errorf("%s: the framework offers no such function: %w", doing, ErrNoAccess)
		}
		c := cmem.CString(name)
		defer cmem.Free(c)
		h := callNamed(t.Get, fn(in.st.Owner), c, key)
		if h == 0 {
			return nil, fmt.Errorf("%s: %s", doing, reason(in.st))
		}
		return in.desc(nil, name, key, h), nil
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: %w; there are none", doing, ErrNoTable)
	}
	return nil, fmt.Errorf("%s: %w; there are %s", doing, ErrNoTable, strings.Join(names, ", "))
}

// desc describes a foreign table, or all subtables in one field of a table.
type desc struct {
	in     *Init
	name   string
	key    Type
	handle word // 0 of subtables
	absent error

	parent *desc // of subtables
	field  word  // of subtables: the parent's field that holds them
}

// descKey tells descriptions apart. The key type is part of it only until it
// is checked.
type descKey struct {
	parent *desc
	name   string
	key    Type
}

func (in *Init) desc(parent *desc, name string, key Type, h word) *desc {
	k := descKey{parent, name, key}
	d := in.descs[k]
	if d == nil {
		d = &desc{in: in, name: name, key: key, parent: parent, handle: h}
		d.absent = fmt.Errorf("table %q: %w", name, ErrNotFound)
		in.descs[k] = d
	}
	return d
}

// with calls f with a handle of the table. A subtable has none before there
// are entries, so one is taken from an entry that is made for this and
// destroyed afterwards.
func (d *desc) with(f func(h word) error) error {
	if d.parent == nil {
		return f(d.handle)
	}
	return d.parent.with(func(h word) error {
		e, err := d.parent.create(d.in.a, h)
		if err != nil {
			return err
		}
		defer e.Release()
		sub, err := d.inEntry(e)
		if err != nil {
			return err
		}
		return f(sub)
	})
}

// FieldInfo describes a field of a table.
type FieldInfo struct {
	Name     string
	Type     Type
	ReadOnly bool
}

// Fielded is a table whose fields can be looked up: a *Foreign or a *Sub.
type Fielded interface{ description() *desc }

// Fields lists the fields of a table's entries, in the framework's order. It
// works during Init only, as do FieldOf, AddField and OpenSub.
func Fields(t Fielded) ([]FieldInfo, error) {
	d := t.description()
	doing := fmt.Sprintf("list fields of table %q", d.name)
	tables, err := d.in.tables(doing)
	if err != nil {
		return nil, err
	}
	if tables.Fields.List == nil {
		return nil, missing(d, "list fields")
	}
	var out []FieldInfo
	err = d.with(func(h word) error {
		p, n := callList(tables.Fields.List, h)
		if p == nil {
			return failed(d.in.st, d, "list fields")
		}
		for _, i := range unsafe.Slice((*abi.TableFieldInfo)(p), n) {
			out = append(out, FieldInfo{cmem.GoString(i.Name), Type(i.FieldType), i.ReadOnly != 0})
		}
		return nil
	})
	return out, err
}

// lookup finds a field up by find, get_table_field or add_table_field.
func (d *desc) lookup(doing, name string, typ Type, find func(*abi.FieldsVtable) unsafe.Pointer) (field word, err error) {
	doing = fmt.Sprintf("%s %q (%s)", doing, name, typ)
	tables, err := d.in.tables(fmt.Sprintf("%s of table %q", doing, d.name))
	if err != nil {
		return 0, err
	}
	f := find(&tables.Fields)
	if f == nil {
		return 0, missing(d, doing)
	}
	if name == "" || strings.IndexByte(name, 0) >= 0 {
		return 0, fmt.Errorf("%s: table %q: a field name is not empty and has no NUL in it", doing, d.name)
	}
	c := cmem.CString(name)
	defer cmem.Free(c)
	err = d.with(func(h word) error {
		if field = callNamed(f, h, c, typ); field == 0 {
			return failed(d.in.st, d, doing)
		}
		return nil
	})
	return field, err
}

func get(v *abi.FieldsVtable) unsafe.Pointer { return v.Get }
func add(v *abi.FieldsVtable) unsafe.Pointer { return v.Add }
