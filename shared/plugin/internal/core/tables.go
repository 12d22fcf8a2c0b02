// SPDX-License-Identifier: Apache-2.0

package core

import (
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Tables is the framework's way to state tables, as init gave it: function
// pointers, valid until destroy. The structures they came in were the caller's
// and are gone. Members that a framework lacks are nil.
type Tables struct {
	List, Get, Add unsafe.Pointer
	Fields         abi.FieldsVtable
	Reader         abi.ReaderVtableExt
	Writer         abi.WriterVtable

	// Offered are the tables of the plugin's own that the framework has taken.
	// Destroy ends them.
	Offered []interface{ Free() }
}

// CopyTables copies what an ss_plugin_init_tables_input reaches; nil for NULL.
func CopyTables(in unsafe.Pointer) *Tables {
	if in == nil {
		return nil
	}
	from := (*abi.InitTablesInput)(in)
	t := &Tables{List: from.ListTables, Get: from.GetTable, Add: from.AddTable}
	if from.FieldsExt != nil {
		t.Fields = *(*abi.FieldsVtable)(from.FieldsExt)
	}
	if from.ReaderExt != nil {
		t.Reader = *(*abi.ReaderVtableExt)(from.ReaderExt)
	}
	if from.WriterExt != nil {
		t.Writer = *(*abi.WriterVtable)(from.WriterExt)
	}
	return t
}

// Free ends the plugin's own tables.
func (t *Tables) Free() {
	for _, own := range t.Offered {
		own.Free()
	}
	t.Offered = nil
}
