// SPDX-License-Identifier: Apache-2.0

package host

/*
#include <stdlib.h>
#include <string.h>
#include "calls.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
	"runtime/cgo"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// pluginTable is a table that a plugin owns, or one in a field of such a
// table. The framework keeps nothing of it: every function goes to the plugin.
type pluginTable struct {
	plugin *Plugin
	label  string
	c      *C.struct_aerie_plugin_table
	fields *pluginFields
	sub    bool
	dead   bool // the plugin's state is gone
}

// pluginFields is the accessors of one of a plugin's tables, by the plugin's own.
type pluginFields struct {
	tables *tables
	all    map[unsafe.Pointer]*field
	subs   map[string]*pluginFields
}

func newPluginFields(t *tables) *pluginFields {
	return &pluginFields{tables: t, all: map[unsafe.Pointer]*field{}, subs: map[string]*pluginFields{}}
}

// offeredTable is a table that a plugin hands to add_table, checked as
// libsinsp does, and copied except for its name and what stands for it.
func offeredTable(p *Plugin, ptr unsafe.Pointer) (*pluginTable, error) {
	fail := func(what string) error {
		return fmt.Errorf("failure in adding state table defined by plugin '%s': %s", p.Name, what)
	}
	in := (*abi.TableInput)(ptr)
	switch {
	case in == nil:
		return nil, fail("input is null")
	case in.Name == nil:
		return nil, fail("name is null")
	case !validKey(in.KeyType):
		return nil, fail("key type " + stateName(in.KeyType))
	}
	s := &pluginTable{plugin: p, label: C.GoString((*C.char)(in.Name)), fields: newPluginFields(p.tables)}
	s.c = (*C.struct_aerie_plugin_table)(C.calloc(1, C.sizeof_struct_aerie_plugin_table))
	if what := s.copyFrom(in, p.requiresMinor() < 1); what != "" {
		s.free()
		return nil, fail("broken or inconsistent " + what + " vtables")
	}
	return s, nil
}

// requiresMinor is the minor number of the API version that the plugin requires.
func (p *Plugin) requiresMinor() uint32 {
	v, _ := ParseVersion(p.RequiredAPI)
	return v.Minor
}

// copyFrom copies a table's functions and says which are not as they must be.
// A plugin for the API before 3.1 has the inline functions only.
func (s *pluginTable) copyFrom(in *abi.TableInput, inlineOnly bool) string {
	*(*abi.TableInput)(unsafe.Pointer(&s.c.in)) = *in
	reader := (*abi.ReaderVtableExt)(unsafe.Pointer(&s.c.reader))
	writer := (*abi.WriterVtable)(unsafe.Pointer(&s.c.writer))
	fields := (*abi.FieldsVtable)(unsafe.Pointer(&s.c.fields))
	inline := abi.ReaderVtableExt{
		GetName: in.Reader.GetName, GetSize: in.Reader.GetSize, GetEntry: in.Reader.GetEntry, ReadEntryField: in.Reader.ReadEntryField,
	}
	if inlineOnly {
		*reader, *writer, *fields = inline, in.Writer, in.Fields
	} else {
		if in.ReaderExt == nil || in.WriterExt == nil || in.FieldsExt == nil {
			return s.missing(in)
		}
		*reader, *writer, *fields = *(*abi.ReaderVtableExt)(in.ReaderExt), *(*abi.WriterVtable)(in.WriterExt), *(*abi.FieldsVtable)(in.FieldsExt)
		inline.ReleaseEntry, inline.IterateEntries = reader.ReleaseEntry, reader.IterateEntries
		if reader.ReleaseEntry == nil || reader.IterateEntries == nil {
			return "reader"
		}
	}
	none := unsafe.Pointer(nil)
	switch {
	case *reader != inline, reader.GetName == none, reader.GetSize == none, reader.GetEntry == none, reader.ReadEntryField == none:
		return "reader"
	case *writer != in.Writer, writer.Clear == none, writer.EraseEntry == none, writer.CreateEntry == none,
		writer.DestroyEntry == none, writer.AddEntry == none, writer.WriteEntryField == none:
		return "writer"
	case *fields != in.Fields, fields.List == none, fields.Get == none, fields.Add == none:
		return "fields"
	}
	return ""
}

func (s *pluginTable) missing(in *abi.TableInput) string {
	switch {
	case in.ReaderExt == nil:
		return "reader"
	case in.WriterExt == nil:
		return "writer"
	}
	return "fields"
}

// within is the table that the plugin returned from a field, for this call.
func (s *pluginTable) within(f *field, ptr unsafe.Pointer) (*pluginTable, error) {
	if ptr == nil {
		return nil, s.broken("read_entry_field", "success with a NULL table in field %s; return a table_input", f.label)
	}
	in := (*abi.TableInput)(ptr)
	if in.ReaderExt == nil || in.WriterExt == nil || in.FieldsExt == nil || in.Name == nil {
		return nil, s.broken("read_entry_field", "a table in field %s without name or extended vtables; return a table_input that has them", f.label)
	}
	sub := &pluginTable{plugin: s.plugin, label: C.GoString((*C.char)(in.Name)), sub: true, fields: s.fields.subs[f.label]}
	if sub.fields == nil {
		sub.fields = newPluginFields(s.fields.tables)
		s.fields.subs[f.label] = sub.fields
	}
	sub.c = (*C.struct_aerie_plugin_table)(C.calloc(1, C.sizeof_struct_aerie_plugin_table))
	// libsinsp looks at the extended functions of such a table only.
	full := *in
	full.Reader, full.Writer, full.Fields = *(*abi.ReaderVtable)(in.ReaderExt), *(*abi.WriterVtable)(in.WriterExt), *(*abi.FieldsVtable)(in.FieldsExt)
	if what := sub.copyFrom(&full, false); what != "" {
		sub.free()
		return nil, s.broken("read_entry_field", "a table in field %s whose %s functions are not all there", f.label, what)
	}
	return sub, nil
}

// broken blames the owner of the table, and is what the caller gets to see.
func (s *pluginTable) broken(function, format string, args ...any) error {
	v := violate(noCall, "%s of table %s of plugin %s: %s", function, s.label, s.plugin.Name, fmt.Sprintf(format, args...))
	s.plugin.owner.faults.add(v)
	return errors.New(v.Detail)
}

// failure is the error after a function of the table failed: the plugin's last.
func (s *pluginTable) failure() error {
	p := s.plugin
	if p.state == nil {
		s.plugin.owner.faults.add(violate(SymInit, "a failing call on its own table %s through the framework, which throws in libsinsp; do not go through it", s.label))
		return fmt.Errorf("error in state table '%s' defined by plugin '%s'", s.label, p.Name)
	}
	text := ""
	s.out(func() { text = p.LastError() })
	return fmt.Errorf("error in state table '%s' defined by plugin '%s': %s", s.label, p.Name, text)
}

// out calls the plugin, which may use other tables meanwhile.
func (s *pluginTable) out(call func()) { s.plugin.tables.out(call) }

// named blames the owner for a name that it did not keep: libsinsp copies all
// of a table_input but that.
func (s *pluginTable) named() {
	if text := C.GoString(s.c.in.name); text != s.label {
		_ = s.broken("add_table", "its name has become %q; keep it until destroy", text)
	}
}

// gone blames a caller that uses the table of a state that is destroyed.
func (s *pluginTable) gone() error {
	if !s.dead {
		return nil
	}
	return &Violation{Detail: fmt.Sprintf("table %s of plugin %s, which is destroyed", s.label, s.plugin.Name)}
}

func (s *pluginTable) name() string    { return s.label }
func (s *pluginTable) keyType() uint32 { return uint32(s.c.in.key_type) }

func (s *pluginTable) free() {
	C.aerie_host_poison_free(unsafe.Pointer(s.c), C.sizeof_struct_aerie_plugin_table)
	s.c = nil
}

func (s *pluginTable) list() ([]fieldInfo, error) {
	if err := s.gone(); err != nil {
		return nil, err
	}
	n := (*C.uint32_t)(C.calloc(1, 4))
	defer C.free(unsafe.Pointer(n))
	var list unsafe.Pointer
	s.out(func() { list = C.aerie_plugin_list_fields(s.c, n) })
	if list == nil {
		return nil, s.failure()
	}
	const mostFields = 1 << 16
	if *n > mostFields {
		return nil, s.broken("list_table_fields", "a count of %d", *n)
	}
	var infos []fieldInfo
	for _, f := range unsafe.Slice((*abi.TableFieldInfo)(list), *n) {
		if f.Name == nil {
			return nil, s.broken("list_table_fields", "a field without a name")
		}
		infos = append(infos, fieldInfo{C.GoString((*C.char)(f.Name)), f.FieldType, f.ReadOnly != 0})
	}
	return infos, nil
}

func (s *pluginTable) field(name string, code uint32) (*field, error) {
	return s.found(name, code, func(n *C.char) unsafe.Pointer { return C.aerie_plugin_get_field(s.c, n, C.uint32_t(code)) })
}

func (s *pluginTable) addField(name string, code uint32) (*field, error) {
	return s.found(name, code, func(n *C.char) unsafe.Pointer { return C.aerie_plugin_add_field(s.c, n, C.uint32_t(code)) })
}

func (s *pluginTable) found(name string, code uint32, ask func(*C.char) unsafe.Pointer) (*field, error) {
	if err := s.gone(); err != nil {
		return nil, err
	}
	text := C.CString(name)
	defer C.aerie_host_poison_free(unsafe.Pointer(text), C.size_t(len(name)+1))
	var ptr unsafe.Pointer
	s.out(func() { ptr = ask(text) })
	if ptr == nil {
		return nil, s.failure()
	}
	f := s.fields.all[ptr]
	if f == nil || f.label != name || f.code != code {
		f = s.fields.tables.newField(field{label: name, code: code, fields: s.fields, ptr: ptr})
		s.fields.all[ptr] = f
	}
	return f, nil
}

func (s *pluginTable) has(f *field) bool { return f.fields == s.fields }

func (s *pluginTable) size() (uint64, error) {
	if err := s.gone(); err != nil {
		return 0, err
	}
	var n uint64
	s.out(func() { n = uint64(C.aerie_plugin_table_size(s.c)) })
	if n == math.MaxUint64 {
		return 0, s.failure()
	}
	return n, nil
}

// got is an entry that the plugin returns, NULL for a failure.
func (s *pluginTable) got(call func() unsafe.Pointer) (entry, error) {
	if err := s.gone(); err != nil {
		return entry{}, err
	}
	var ptr unsafe.Pointer
	s.out(func() { ptr = call() })
	if ptr == nil {
		return entry{}, s.failure()
	}
	return entry{ptr: ptr}, nil
}

func (s *pluginTable) get(key unsafe.Pointer) (entry, error) {
	return s.got(func() unsafe.Pointer { return C.aerie_plugin_get_entry(s.c, key) })
}

func (s *pluginTable) create() (entry, error) {
	return s.got(func() unsafe.Pointer { return C.aerie_plugin_create_entry(s.c) })
}

func (s *pluginTable) add(key unsafe.Pointer, e entry) (entry, error) {
	return s.got(func() unsafe.Pointer { return C.aerie_plugin_add_entry(s.c, key, e.ptr) })
}

func (s *pluginTable) destroy(e entry) {
	if !s.dead {
		s.out(func() { C.aerie_plugin_destroy_entry(s.c, e.ptr) })
	}
}

func (s *pluginTable) release(e entry) {
	// Of an API before 3.1 there is nothing to release with.
	if !s.dead && s.c.reader.release_table_entry != nil {
		s.out(func() { C.aerie_plugin_release_entry(s.c, e.ptr) })
	}
}

// checked is the error of a function with a result code.
func (s *pluginTable) checked(call func() C.int32_t) error {
	if err := s.gone(); err != nil {
		return err
	}
	var rc C.int32_t
	s.out(func() { rc = call() })
	if rc != C.int32_t(abi.Success) {
		return s.failure()
	}
	return nil
}

func (s *pluginTable) erase(key unsafe.Pointer) error {
	return s.checked(func() C.int32_t { return C.aerie_plugin_erase_entry(s.c, key) })
}

func (s *pluginTable) clear() error {
	return s.checked(func() C.int32_t { return C.aerie_plugin_clear_table(s.c) })
}

func (s *pluginTable) iterate(visit func(entry) bool) (complete bool, err error) {
	if err := s.gone(); err != nil {
		return false, err
	}
	if s.c.reader.iterate_entries == nil {
		return false, nil
	}
	stopped := false
	h := cgo.NewHandle(func(ptr unsafe.Pointer) bool {
		t := s.plugin.tables
		t.busy.Lock() // the iteration itself is outside
		defer t.busy.Unlock()
		stopped = !visit(entry{ptr: ptr})
		return !stopped
	})
	defer h.Delete()
	ended := false
	s.out(func() { ended = C.aerie_plugin_iterate(s.c, C.uintptr_t(h)) != 0 })
	if ended {
		return true, nil
	}
	if stopped {
		return false, nil
	}
	return false, s.failure()
}

// aerie_host_visit shows an entry of a plugin's table to who iterates over it.
//
//export aerie_host_visit
func aerie_host_visit(h C.uintptr_t, e unsafe.Pointer) C.uint32_t {
	if cgo.Handle(h).Value().(func(unsafe.Pointer) bool)(e) {
		return 1
	}
	return 0
}

func (s *pluginTable) read(e entry, f *field, out unsafe.Pointer, _ *textBuffer) (stateTable, error) {
	if err := s.checked(func() C.int32_t { return C.aerie_plugin_read_field(s.c, e.ptr, f.ptr, out) }); err != nil {
		return nil, err
	}
	switch f.code {
	case abi.StateString:
		if *(*unsafe.Pointer)(out) == nil {
			return nil, s.broken("read_entry_field", "success with a NULL string in field %s", f.label)
		}
	case abi.StateTable:
		sub, err := s.within(f, *(*unsafe.Pointer)(out))
		if err != nil {
			return nil, err
		}
		return sub, nil
	}
	return nil, nil
}

func (s *pluginTable) write(e entry, f *field, in unsafe.Pointer) error {
	if f.code == abi.StateTable {
		return errors.New("writing to table fields is currently not supported")
	}
	return s.checked(func() C.int32_t { return C.aerie_plugin_write_field(s.c, e.ptr, f.ptr, in) })
}
