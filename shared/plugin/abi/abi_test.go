// SPDX-License-Identifier: Apache-2.0

package abi_test

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/abitest"
)

func TestGoMirrorsHaveTheSizesThatTheHeaderHas(t *testing.T) {
	sizes := map[string]uintptr{
		"event":                abi.HeaderSize,
		"event_input":          unsafe.Sizeof(abi.EventInput{}),
		"byte_buffer":          unsafe.Sizeof(abi.ByteBuffer{}),
		"value_offsets":        unsafe.Sizeof(abi.ValueOffsets{}),
		"extract_field":        unsafe.Sizeof(abi.ExtractField{}),
		"metric":               unsafe.Sizeof(abi.Metric{}),
		"table_info":           unsafe.Sizeof(abi.TableInfo{}),
		"table_fieldinfo":      unsafe.Sizeof(abi.TableFieldInfo{}),
		"reader_vtable":        unsafe.Sizeof(abi.ReaderVtable{}),
		"reader_vtable_ext":    unsafe.Sizeof(abi.ReaderVtableExt{}),
		"writer_vtable":        unsafe.Sizeof(abi.WriterVtable{}),
		"fields_vtable":        unsafe.Sizeof(abi.FieldsVtable{}),
		"table_input":          unsafe.Sizeof(abi.TableInput{}),
		"init_tables_input":    unsafe.Sizeof(abi.InitTablesInput{}),
		"init_input":           unsafe.Sizeof(abi.InitInput{}),
		"field_extract_input":  unsafe.Sizeof(abi.FieldExtractInput{}),
		"event_parse_input":    unsafe.Sizeof(abi.EventParseInput{}),
		"capture_listen_input": unsafe.Sizeof(abi.CaptureListenInput{}),
		"routine_vtable":       unsafe.Sizeof(abi.RoutineVtable{}),
		"set_config_input":     unsafe.Sizeof(abi.SetConfigInput{}),
		"plugin_api":           8 * uintptr(len(abi.Symbols)),
	}
	assert.Equal(t, abitest.CSizes(), sizes)
}

func TestGoMirrorsHaveTheirMembersWhereTheHeaderHas(t *testing.T) {
	var (
		field   abi.ExtractField
		extract abi.FieldExtractInput
		init    abi.InitInput
		metric  abi.Metric
		parse   abi.EventParseInput
		capture abi.CaptureListenInput
		routine abi.RoutineVtable
	)
	offsets := map[string]uintptr{
		"event.len":                             abi.EventLen,
		"extract_field.res_len":                 unsafe.Offsetof(field.ResLen),
		"extract_field.field_id":                unsafe.Offsetof(field.FieldID),
		"extract_field.arg_key":                 unsafe.Offsetof(field.ArgKey),
		"extract_field.arg_index":               unsafe.Offsetof(field.ArgIndex),
		"extract_field.arg_present":             unsafe.Offsetof(field.ArgPresent),
		"extract_field.ftype":                   unsafe.Offsetof(field.FType),
		"field_extract_input.num_fields":        unsafe.Offsetof(extract.NumFields),
		"field_extract_input.fields":            unsafe.Offsetof(extract.Fields),
		"field_extract_input.value_offsets":     unsafe.Offsetof(extract.ValueOffsets),
		"event_parse_input.table_reader_ext":    unsafe.Offsetof(parse.TableReaderExt),
		"event_parse_input.table_writer_ext":    unsafe.Offsetof(parse.TableWriterExt),
		"capture_listen_input.routine":          unsafe.Offsetof(capture.Routine),
		"capture_listen_input.table_reader_ext": unsafe.Offsetof(capture.TableReaderExt),
		"capture_listen_input.table_writer_ext": unsafe.Offsetof(capture.TableWriterExt),
		"routine_vtable.unsubscribe":            unsafe.Offsetof(routine.Unsubscribe),
		"init_input.log_fn":                     unsafe.Offsetof(init.LogFn),
		"metric.value":                          unsafe.Offsetof(metric.Value),
		"metric.value_type":                     unsafe.Offsetof(metric.ValueType),
	}
	assert.Equal(t, abitest.COffsets(), offsets)
}
