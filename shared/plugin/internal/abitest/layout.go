// SPDX-License-Identifier: Apache-2.0

package abitest

/*
#cgo CFLAGS: -I${SRCDIR}/../../abi
#include "abi.h"
*/
import "C"

import "unsafe"

// CSizes are the sizes in bytes that a C compiler gives the structures of
// abi.h, by their names there.
func CSizes() map[string]uintptr {
	return map[string]uintptr{
		"event":                C.sizeof_struct_aerie_event,
		"event_input":          C.sizeof_struct_aerie_event_input,
		"byte_buffer":          C.sizeof_struct_aerie_byte_buffer,
		"value_offsets":        C.sizeof_struct_aerie_value_offsets,
		"extract_field":        C.sizeof_struct_aerie_extract_field,
		"metric":               C.sizeof_struct_aerie_metric,
		"table_info":           C.sizeof_struct_aerie_table_info,
		"table_fieldinfo":      C.sizeof_struct_aerie_table_fieldinfo,
		"reader_vtable":        C.sizeof_struct_aerie_reader_vtable,
		"reader_vtable_ext":    C.sizeof_struct_aerie_reader_vtable_ext,
		"writer_vtable":        C.sizeof_struct_aerie_writer_vtable,
		"fields_vtable":        C.sizeof_struct_aerie_fields_vtable,
		"table_input":          C.sizeof_struct_aerie_table_input,
		"init_tables_input":    C.sizeof_struct_aerie_init_tables_input,
		"init_input":           C.sizeof_struct_aerie_init_input,
		"field_extract_input":  C.sizeof_struct_aerie_field_extract_input,
		"event_parse_input":    C.sizeof_struct_aerie_event_parse_input,
		"capture_listen_input": C.sizeof_struct_aerie_capture_listen_input,
		"routine_vtable":       C.sizeof_struct_aerie_routine_vtable,
		"set_config_input":     C.sizeof_struct_aerie_set_config_input,
		"plugin_api":           C.sizeof_struct_aerie_plugin_api,
	}
}

// COffsets are where a C compiler puts the members that Go code reads.
func COffsets() map[string]uintptr {
	return map[string]uintptr{
		"event.len":                             unsafe.Offsetof(C.struct_aerie_event{}.len),
		"extract_field.res_len":                 unsafe.Offsetof(C.struct_aerie_extract_field{}.res_len),
		"extract_field.field_id":                unsafe.Offsetof(C.struct_aerie_extract_field{}.field_id),
		"extract_field.arg_key":                 unsafe.Offsetof(C.struct_aerie_extract_field{}.arg_key),
		"extract_field.arg_index":               unsafe.Offsetof(C.struct_aerie_extract_field{}.arg_index),
		"extract_field.arg_present":             unsafe.Offsetof(C.struct_aerie_extract_field{}.arg_present),
		"extract_field.ftype":                   unsafe.Offsetof(C.struct_aerie_extract_field{}.ftype),
		"field_extract_input.num_fields":        unsafe.Offsetof(C.struct_aerie_field_extract_input{}.num_fields),
		"field_extract_input.fields":            unsafe.Offsetof(C.struct_aerie_field_extract_input{}.fields),
		"field_extract_input.value_offsets":     unsafe.Offsetof(C.struct_aerie_field_extract_input{}.value_offsets),
		"event_parse_input.table_reader_ext":    unsafe.Offsetof(C.struct_aerie_event_parse_input{}.table_reader_ext),
		"event_parse_input.table_writer_ext":    unsafe.Offsetof(C.struct_aerie_event_parse_input{}.table_writer_ext),
		"capture_listen_input.routine":          unsafe.Offsetof(C.struct_aerie_capture_listen_input{}.routine),
		"capture_listen_input.table_reader_ext": unsafe.Offsetof(C.struct_aerie_capture_listen_input{}.table_reader_ext),
		"capture_listen_input.table_writer_ext": unsafe.Offsetof(C.struct_aerie_capture_listen_input{}.table_writer_ext),
		"routine_vtable.unsubscribe":            unsafe.Offsetof(C.struct_aerie_routine_vtable{}.unsubscribe),
		"init_input.log_fn":                     unsafe.Offsetof(C.struct_aerie_init_input{}.log_fn),
		"metric.value":                          unsafe.Offsetof(C.struct_aerie_metric{}.value),
		"metric.value_type":                     unsafe.Offsetof(C.struct_aerie_metric{}.value_type),
	}
}
