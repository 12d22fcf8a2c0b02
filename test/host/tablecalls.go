// SPDX-License-Identifier: Apache-2.0

package host

/*
#include <stdlib.h>
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

// What is exported here is called by plugins, on whatever thread they are on.
// Every function borrows its arguments.

func hostFields() unsafe.Pointer     { return unsafe.Pointer(&C.aerie_host_fields) }
func hostReader() unsafe.Pointer     { return unsafe.Pointer(&C.aerie_host_reader) }
func hostWriter() unsafe.Pointer     { return unsafe.Pointer(&C.aerie_host_writer) }
func hostOwnerError() unsafe.Pointer { return unsafe.Pointer(C.aerie_host_owner_error_address) }

// lend is a copy, for one call, of something that plugins get for the call
// only: its members last, it does not.
func lend[T any](in *inputs, from unsafe.Pointer) unsafe.Pointer {
	t := alloc[T](in)
	*t = *(*T)(from)
	return unsafe.Pointer(t)
}

// initTables is what init gets of the tables.
func initTables(in *inputs) unsafe.Pointer {
	t := alloc[abi.InitTablesInput](in)
	*t = *(*abi.InitTablesInput)(unsafe.Pointer(&C.aerie_host_tables))
	t.Fields = *(*abi.FieldsVtable)(hostFields())
	t.FieldsExt = lend[abi.FieldsVtable](in, hostFields())
	t.ReaderExt = lend[abi.ReaderVtableExt](in, hostReader())
	t.WriterExt = lend[abi.WriterVtable](in, hostWriter())
	return unsafe.Pointer(t)
}

// ofOwner enters the tables for an owner; nil if the plugin may not.
func ofOwner(ptr unsafe.Pointer, function string) *access {
	o := ownerOf(ptr)
	a := o.tables.Load()
	if a == nil {
		o.faults.add(violate(SymDestroy, "%s after destroy", function))
		return nil
	}
	return a.enter(function)
}

// enter begins a table function; nil if the plugin may not.
func (a *access) enter(function string) *access {
	if !a.tables.enter() {
		a.owner.faults.add(violate(noCall, "%s of plugin %s while another thread uses the tables: the framework has no locks there", function, a.owner.name))
		return nil
	}
	a.text.poison()
	return a
}

func (a *access) leave() { a.tables.leave() }

// ofTable enters the tables for a handle; nil if the plugin may not.
func ofTable(t unsafe.Pointer, function string) (*tableHandle, *access) {
	if t == nil {
		panic("host: a plugin calls " + function + " with a NULL table, which crashes libsinsp")
	}
	h := cgo.Handle((*C.struct_aerie_table_handle)(t)._go).Value().(*tableHandle)
	a := h.access
	if a == nil {
		h.owner.faults.add(violate(SymDestroy, "%s after destroy", function))
		return nil, nil
	}
	if a.enter(function) == nil {
		return nil, nil
	}
	if h.dead {
		a.violate("%s of table %s: its handle ended with the call that read it from a field", function, h.table.name())
		a.leave()
		return nil, nil
	}
	return h, a
}

//export aerie_host_owner_error
func aerie_host_owner_error(owner unsafe.Pointer) *C.char {
	a := ofOwner(owner, "get_owner_last_error")
	if a == nil {
		return nil
	}
	defer a.leave()
	return a.errText
}

//export aerie_host_list_tables
func aerie_host_list_tables(owner unsafe.Pointer, n *C.uint32_t) unsafe.Pointer {
	a := ofOwner(owner, "list_tables")
	if a == nil {
		*n = 0
		return nil
	}
	defer a.leave()
	a.listed.release()
	all := allocN[abi.TableInfo](&a.listed, len(a.tables.order)+1)
	for k, name := range a.tables.order {
		if s, ok := a.tables.byName[name].(*pluginTable); ok {
			s.named()
		}
		all[k].Name, all[k].KeyType = a.listed.text(name), a.tables.byName[name].keyType()
	}
	*n = C.uint32_t(len(all) - 1)
	return unsafe.Pointer(&all[0])
}

//export aerie_host_get_table
func aerie_host_get_table(owner unsafe.Pointer, name *C.char, code C.uint32_t) unsafe.Pointer {
	a := ofOwner(owner, "get_table")
	if a == nil {
		return nil
	}
	defer a.leave()
	if name == nil {
		a.violate("get_table: the name is NULL")
		return nil
	}
	s := a.tables.byName[C.GoString(name)]
	if s == nil {
		return nil // and no error is set
	}
	// Once a plugin has the table, libsinsp looks at the type no more.
	if a.byName[s.name()] == nil && s.keyType() != uint32(code) {
		a.fail("get_table", fmt.Errorf("table in registry accessed with wrong key type: table='%s', requested='%s', actual='%s'",
			s.name(), stateName(uint32(code)), stateName(s.keyType())))
		return nil
	}
	return unsafe.Pointer(a.top(s).c)
}

//export aerie_host_add_table
func aerie_host_add_table(owner, in unsafe.Pointer) C.int32_t {
	a := ofOwner(owner, "add_table")
	if a == nil {
		return C.int32_t(abi.Failure)
	}
	defer a.leave()
	s, err := offeredTable(a.plugin, in)
	if err == nil {
		if err = a.tables.add(s); err != nil {
			s.free()
		}
	}
	return a.result("add_table", err)
}

// result is the result code of a function that has only that.
func (a *access) result(function string, err error) C.int32_t {
	if err != nil {
		a.fail(function, err)
		return C.int32_t(abi.Failure)
	}
	return C.int32_t(abi.Success)
}

//export aerie_host_list_fields
func aerie_host_list_fields(t unsafe.Pointer, n *C.uint32_t) unsafe.Pointer {
	*n = 0
	h, a := ofTable(t, "list_table_fields")
	if h == nil {
		return nil
	}
	defer a.leave()
	infos, err := h.table.list()
	if err != nil {
		a.fail("list_table_fields", err)
		return nil
	}
	h.listed.release()
	all := allocN[abi.TableFieldInfo](&h.listed, len(infos)+1)
	for k, f := range infos {
		all[k].Name, all[k].FieldType = h.listed.text(f.label), f.code
		if f.readOnly {
			all[k].ReadOnly = 1
		}
	}
	*n = C.uint32_t(len(infos))
	return unsafe.Pointer(&all[0])
}

//export aerie_host_get_field
func aerie_host_get_field(t unsafe.Pointer, name *C.char, code C.uint32_t) unsafe.Pointer {
	return lookUpField(t, "get_table_field", name, uint32(code), stateTable.field)
}

//export aerie_host_add_field
func aerie_host_add_field(t unsafe.Pointer, name *C.char, code C.uint32_t) unsafe.Pointer {
	return lookUpField(t, "add_table_field", name, uint32(code), stateTable.addField)
}

func lookUpField(t unsafe.Pointer, function string, name *C.char, code uint32, look func(stateTable, string, uint32) (*field, error)) unsafe.Pointer {
	h, a := ofTable(t, function)
	if h == nil {
		return nil
	}
	defer a.leave()
	if name == nil {
		a.violate("%s of table %s: the name is NULL", function, h.table.name())
		return nil
	}
	f, err := look(h.table, C.GoString(name), code)
	if err != nil {
		a.fail(function, err)
		return nil
	}
	return f.handle
}

//export aerie_host_table_name
func aerie_host_table_name(t unsafe.Pointer) *C.char {
	h, a := ofTable(t, "get_table_name")
	if h == nil {
		return nil
	}
	defer a.leave()
	return h.label
}

//export aerie_host_table_size
func aerie_host_table_size(t unsafe.Pointer) C.uint64_t {
	h, a := ofTable(t, "get_table_size")
	if h == nil {
		return math.MaxUint64
	}
	defer a.leave()
	n, err := h.table.size()
	if err != nil {
		a.fail("get_table_size", err)
		return math.MaxUint64
	}
	return C.uint64_t(n)
}

// keyed is false, and the plugin to blame, for a key that crashes libsinsp.
func (a *access) keyed(h *tableHandle, function string, key unsafe.Pointer) bool {
	if key == nil || h.table.keyType() == abi.StateString && *(*unsafe.Pointer)(key) == nil {
		a.violate("%s of table %s: the key is NULL", function, h.table.name())
		return false
	}
	return true
}

//export aerie_host_get_entry
func aerie_host_get_entry(t, key unsafe.Pointer) unsafe.Pointer {
	h, a := ofTable(t, "get_table_entry")
	if h == nil {
		return nil
	}
	defer a.leave()
	if !a.keyed(h, "get_table_entry", key) {
		return nil
	}
	e, err := h.table.get(key)
	if err != nil {
		a.fail("get_table_entry", err)
		return nil
	}
	return a.opened(h.table, e).handle
}

//export aerie_host_read_field
func aerie_host_read_field(t, e, f, out unsafe.Pointer) C.int32_t {
	const function = "read_entry_field"
	h, a := ofTable(t, function)
	if h == nil {
		return C.int32_t(abi.Failure)
	}
	defer a.leave()
	*(*uint64)(out) = 0
	o := a.find(h, function, e)
	if o == nil {
		return C.int32_t(abi.Failure)
	}
	accessor := a.accessor(h, function, f)
	if accessor == nil {
		return C.int32_t(abi.Failure)
	}
	sub, err := h.table.read(o.entry, accessor, out, &a.text)
	if err == nil && sub != nil {
		*(*unsafe.Pointer)(out) = unsafe.Pointer(a.sub(sub).c)
	}
	return a.result(function, err)
}

//export aerie_host_release_entry
func aerie_host_release_entry(t, e unsafe.Pointer) {
	const function = "release_table_entry"
	h, a := ofTable(t, function)
	if h == nil {
		return
	}
	defer a.leave()
	o := a.find(h, function, e)
	switch {
	case o == nil:
	case o.created:
		a.violate("%s of table %s: the entry was created and not added: destroy it", function, h.table.name())
	case o.refs == 0:
		a.violate("%s of table %s: the entry is an iteration's, which releases it itself", function, h.table.name())
	default:
		o.refs--
		h.table.release(o.entry)
		a.unused(o)
	}
}

// unused forgets an entry that the plugin has no claim on any more.
func (a *access) unused(o *openEntry) {
	if o.refs == 0 && o.lent == 0 && !o.created {
		a.shut(o)
	}
}

//export aerie_host_iterate
func aerie_host_iterate(t, it, s unsafe.Pointer) C.uint32_t {
	const function = "iterate_entries"
	h, a := ofTable(t, function)
	if h == nil {
		return 0
	}
	defer a.leave()
	if it == nil {
		a.violate("%s of table %s: the iterator is NULL", function, h.table.name())
		return 0
	}
	complete, err := h.table.iterate(func(e entry) bool {
		o := a.rows[e.row]
		if e.row == nil || o == nil {
			o = a.track(h.table, e)
		}
		o.lent++
		a.lent++
		more := false
		a.tables.out(func() { more = C.aerie_call_iterator(it, s, o.handle) != 0 })
		a.text.poison()
		a.lent--
		o.lent--
		if a.open[o.handle] == o { // else it was dropped by hand
			a.unused(o)
		}
		return more
	})
	if err != nil {
		a.fail(function, err)
	}
	if !complete {
		return 0
	}
	return 1
}

//export aerie_host_clear_table
func aerie_host_clear_table(t unsafe.Pointer) C.int32_t {
	h, a := ofTable(t, "clear_table")
	if h == nil {
		return C.int32_t(abi.Failure)
	}
	defer a.leave()
	return a.result("clear_table", h.table.clear())
}

//export aerie_host_erase_entry
func aerie_host_erase_entry(t, key unsafe.Pointer) C.int32_t {
	const function = "erase_table_entry"
	h, a := ofTable(t, function)
	if h == nil {
		return C.int32_t(abi.Failure)
	}
	defer a.leave()
	if !a.keyed(h, function, key) || a.iterating(h, function) {
		return C.int32_t(abi.Failure)
	}
	return a.result(function, h.table.erase(key))
}

// iterating is true, and the plugin to blame, where it changes a table that it
// is iterating over.
func (a *access) iterating(h *tableHandle, function string) bool {
	if a.lent == 0 {
		return false
	}
	for _, o := range a.open {
		if o.lent > 0 && (o.table == h.table || sameTable(o.table, h.table)) {
			a.violate("%s of table %s inside its iterate_entries, whose iterators it makes invalid", function, h.table.name())
			a.fail(function, errors.New(function+" inside an iteration"))
			return true
		}
	}
	return false
}

//export aerie_host_create_entry
func aerie_host_create_entry(t unsafe.Pointer) unsafe.Pointer {
	h, a := ofTable(t, "create_table_entry")
	if h == nil {
		return nil
	}
	defer a.leave()
	e, err := h.table.create()
	if err != nil {
		a.fail("create_table_entry", err)
		return nil
	}
	o := a.track(h.table, e)
	o.created = true
	return o.handle
}

//export aerie_host_destroy_entry
func aerie_host_destroy_entry(t, e unsafe.Pointer) {
	const function = "destroy_table_entry"
	h, a := ofTable(t, function)
	if h == nil {
		return
	}
	defer a.leave()
	o := a.find(h, function, e)
	if o == nil {
		return
	}
	if !o.created {
		a.fail(function, errors.New("destroy_table_entry called on entry not created by create_table_entry"))
		return
	}
	a.shut(o)
}

//export aerie_host_add_entry
func aerie_host_add_entry(t, key, e unsafe.Pointer) unsafe.Pointer {
	const function = "add_table_entry"
	h, a := ofTable(t, function)
	if h == nil {
		return nil
	}
	defer a.leave()
	if !a.keyed(h, function, key) {
		return nil
	}
	o := a.find(h, function, e)
	if o == nil || a.iterating(h, function) {
		return nil
	}
	if !o.created {
		a.fail(function, errors.New("add_entry called on entry not created by create_table_entry"))
		return nil
	}
	added, err := h.table.add(key, o.entry)
	if err != nil {
		a.fail(function, err)
		return nil
	}
	o.created = false
	if added.row != o.entry.row {
		a.shut(o)
		return a.opened(h.table, added).handle
	}
	o.entry, o.refs = added, 1
	return o.handle
}

//export aerie_host_write_field
func aerie_host_write_field(t, e, f, in unsafe.Pointer) C.int32_t {
	const function = "write_entry_field"
	h, a := ofTable(t, function)
	if h == nil {
		return C.int32_t(abi.Failure)
	}
	defer a.leave()
	o := a.find(h, function, e)
	if o == nil {
		return C.int32_t(abi.Failure)
	}
	accessor := a.accessor(h, function, f)
	if accessor == nil {
		return C.int32_t(abi.Failure)
	}
	return a.result(function, h.table.write(o.entry, accessor, in))
}
