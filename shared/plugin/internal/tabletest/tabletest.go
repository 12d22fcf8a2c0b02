// SPDX-License-Identifier: Apache-2.0

// Package tabletest is state tables as a framework has them, written in C, for
// tests of the kit: it answers as libsinsp does and keeps a ledger of what
// plugins get, release and misuse.
package tabletest

/*
#cgo CFLAGS: -I${SRCDIR}/../../abi
#include <stdlib.h>
#include "framework.h"
*/
import "C"

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Framework has tables and gives them to states. One at a time may exist.
type Framework struct {
	t testing.TB
	p *C.struct_fw
}

// New makes a framework without tables. When the test ends it checks that
// every entry was given back once, and that nothing else was misused.
func New(t testing.TB) *Framework {
	f := &Framework{t, C.fw_new()}
	t.Cleanup(func() {
		c := f.Counts()
		assert.Equal(t, c.Got+c.Added, c.Released, "entries that were got or added, and those released")
		assert.Equal(t, c.Created, c.Added+c.Destroyed, "entries that were created, and those added or destroyed")
		assert.Zero(t, c.Misuses, f.Misuse())
		C.fw_free(f.p)
	})
	return f
}

// Counts are what plugins did.
type Counts struct{ Got, Released, Created, Destroyed, Added, Misuses uint64 }

// Counts tells what plugins did so far.
func (f *Framework) Counts() Counts { return *(*Counts)(unsafe.Pointer(&f.p.counts)) }

// Misuse is the first thing that a plugin did wrong, and Forgive forgets all.
func (f *Framework) Misuse() string { return C.GoString(&f.p.misuse[0]) }

// Forgive forgets misuses, in tests that cause them.
func (f *Framework) Forgive() { f.p.counts.misuses = 0 }

// Tables is the ss_plugin_init_tables_input, for an ss_plugin_init_input.
func (f *Framework) Tables() unsafe.Pointer { return unsafe.Pointer(&f.p.tables) }

// Owner and OwnerError are those of an ss_plugin_init_input.
func (f *Framework) Owner() unsafe.Pointer { return unsafe.Pointer(f.p) }

// OwnerError is the function that tells the last error.
func (f *Framework) OwnerError() unsafe.Pointer { return unsafe.Pointer(C.fw_owner_error) }

// Reader and Writer are the vtables of a call. Members may be set to nil.
func (f *Framework) Reader() *abi.ReaderVtableExt {
	return (*abi.ReaderVtableExt)(unsafe.Pointer(&f.p.reader))
}

// Writer is the writing vtable of a call.
func (f *Framework) Writer() *abi.WriterVtable {
	return (*abi.WriterVtable)(unsafe.Pointer(&f.p.writer))
}

// Fields is the vtable for fields, given at init.
func (f *Framework) Fields() *abi.FieldsVtable {
	return (*abi.FieldsVtable)(unsafe.Pointer(&f.p.fields))
}

// Init is the structure behind Tables. Members may be set to nil.
func (f *Framework) Init() *abi.InitTablesInput { return (*abi.InitTablesInput)(f.Tables()) }

// Schema is the fields of a table, or of the subtables in one field.
type Schema struct{ p *C.struct_fw_schema }

// Native makes a table of the framework's own.
func (f *Framework) Native(name string, key uint32) Schema {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	return Schema{C.fw_native(f.p, c, C.uint32_t(key)).schema}
}

// Field adds a static field.
func (s Schema) Field(name string, typ uint32, readOnly bool) Schema {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	var ro C.aerie_bool
	if readOnly {
		ro = 1
	}
	C.fw_field(s.p, c, C.uint32_t(typ), ro)
	return s
}

// Sub adds a field of subtables and returns their schema.
func (s Schema) Sub(name string, key uint32) Schema {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	return Schema{C.fw_sub(s.p, c, C.uint32_t(key))}
}

// NoOp is a call into C that does nothing.
func NoOp() { C.fw_noop() }

// ReadLoop reads a field n times from C.
func (f *Framework) ReadLoop(table, entry, field uintptr, n int) uint64 {
	return uint64(C.fw_read_loop(f.p, pointer(table), pointer(entry), pointer(field), C.uint64_t(n)))
}

// pointer is a handle of the framework's, which is C memory.
func pointer(h uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&h)) }
