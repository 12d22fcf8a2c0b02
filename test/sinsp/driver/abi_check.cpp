// SPDX-License-Identifier: Apache-2.0

// Compares our declarations of the plugin API with the framework's own headers,
// name by name. It compiles, or says what differs. What abi.h declares and is not
// here is found by the Go test beside this folder.

#include <cstddef>
#include <type_traits>

#include <plugin/plugin_api.h>

#include "abi.h"

namespace {

// What the calling convention sees of a value: how wide it is, and which registers it takes.
template<typename T>
constexpr size_t width() {
	if constexpr(std::is_void_v<T>) {
		return 0;
	} else {
		return sizeof(T);
	}
}

template<typename A, typename B>
constexpr bool alike() {
	if constexpr(std::is_pointer_v<A> && std::is_pointer_v<B>) {
		using a = std::remove_pointer_t<A>;
		using b = std::remove_pointer_t<B>;
		return std::is_function_v<a> == std::is_function_v<b> && std::is_pointer_v<a> == std::is_pointer_v<b>;
	} else {
		constexpr bool integers = (std::is_integral_v<A> || std::is_enum_v<A>) && (std::is_integral_v<B> || std::is_enum_v<B>);
		return width<A>() == width<B>() && (integers || (std::is_void_v<A> && std::is_void_v<B>));
	}
}

template<typename A, typename B>
struct calls_alike : std::bool_constant<sizeof(A) == sizeof(B) && std::is_pointer_v<A> == std::is_pointer_v<B>> {};

template<typename RA, typename... A, typename RB, typename... B>
struct calls_alike<RA (*)(A...), RB (*)(B...)> {
	static constexpr bool arguments() {
		if constexpr(sizeof...(A) == sizeof...(B)) {
			return (alike<A, B>() && ... && true);
		} else {
			return false;
		}
	}
	static constexpr bool value = alike<RA, RB>() && arguments();
};

using field_result = decltype(ss_plugin_extract_field::res);

}  // namespace

#define SIZE(ours, theirs) static_assert(sizeof(ours) == sizeof(theirs), #ours " has another size than " #theirs);
#define MEMBER(ours, theirs, member)                                                                                \
	static_assert(offsetof(ours, member) == offsetof(theirs, member), #ours "." #member " has another offset"); \
	static_assert(sizeof(((ours*)0)->member) == sizeof(((theirs*)0)->member), #ours "." #member " has another size");
#define FUNCTION(ours, theirs, member) \
	MEMBER(ours, theirs, member)   \
	static_assert(calls_alike<decltype(((ours*)0)->member), decltype(((theirs*)0)->member)>::value, #ours "." #member " is called otherwise");
#define TYPE(ours, theirs) static_assert(calls_alike<ours, theirs>::value, #ours " differs from " #theirs);
#define CONSTANT(ours, theirs) static_assert(int(ours) == int(theirs), #ours " differs from " #theirs);

static_assert(alignof(aerie_event) == 1 && alignof(ss_plugin_event) == 1, "events are packed");

CONSTANT(AERIE_RC_SUCCESS, SS_PLUGIN_SUCCESS)
CONSTANT(AERIE_RC_FAILURE, SS_PLUGIN_FAILURE)
CONSTANT(AERIE_RC_TIMEOUT, SS_PLUGIN_TIMEOUT)
CONSTANT(AERIE_RC_EOF, SS_PLUGIN_EOF)
CONSTANT(AERIE_RC_NOT_SUPPORTED, SS_PLUGIN_NOT_SUPPORTED)

CONSTANT(AERIE_FIELD_UINT64, FTYPE_UINT64)
CONSTANT(AERIE_FIELD_STRING, FTYPE_STRING)
CONSTANT(AERIE_FIELD_RELTIME, FTYPE_RELTIME)
CONSTANT(AERIE_FIELD_ABSTIME, FTYPE_ABSTIME)
CONSTANT(AERIE_FIELD_BOOL, FTYPE_BOOL)
CONSTANT(AERIE_FIELD_IPADDR, FTYPE_IPADDR)
CONSTANT(AERIE_FIELD_IPNET, FTYPE_IPNET)

CONSTANT(AERIE_STATE_INT8, SS_PLUGIN_ST_INT8)
CONSTANT(AERIE_STATE_INT16, SS_PLUGIN_ST_INT16)
CONSTANT(AERIE_STATE_INT32, SS_PLUGIN_ST_INT32)
CONSTANT(AERIE_STATE_INT64, SS_PLUGIN_ST_INT64)
CONSTANT(AERIE_STATE_UINT8, SS_PLUGIN_ST_UINT8)
CONSTANT(AERIE_STATE_UINT16, SS_PLUGIN_ST_UINT16)
CONSTANT(AERIE_STATE_UINT32, SS_PLUGIN_ST_UINT32)
CONSTANT(AERIE_STATE_UINT64, SS_PLUGIN_ST_UINT64)
CONSTANT(AERIE_STATE_STRING, SS_PLUGIN_ST_STRING)
CONSTANT(AERIE_STATE_TABLE, SS_PLUGIN_ST_TABLE)
CONSTANT(AERIE_STATE_BOOL, SS_PLUGIN_ST_BOOL)

CONSTANT(AERIE_SCHEMA_NONE, SS_PLUGIN_SCHEMA_NONE)
CONSTANT(AERIE_SCHEMA_JSON, SS_PLUGIN_SCHEMA_JSON)

CONSTANT(AERIE_SEV_FATAL, SS_PLUGIN_LOG_SEV_FATAL)
CONSTANT(AERIE_SEV_CRITICAL, SS_PLUGIN_LOG_SEV_CRITICAL)
CONSTANT(AERIE_SEV_ERROR, SS_PLUGIN_LOG_SEV_ERROR)
CONSTANT(AERIE_SEV_WARNING, SS_PLUGIN_LOG_SEV_WARNING)
CONSTANT(AERIE_SEV_NOTICE, SS_PLUGIN_LOG_SEV_NOTICE)
CONSTANT(AERIE_SEV_INFO, SS_PLUGIN_LOG_SEV_INFO)
CONSTANT(AERIE_SEV_DEBUG, SS_PLUGIN_LOG_SEV_DEBUG)
CONSTANT(AERIE_SEV_TRACE, SS_PLUGIN_LOG_SEV_TRACE)

CONSTANT(AERIE_METRIC_MONOTONIC, SS_PLUGIN_METRIC_TYPE_MONOTONIC)
CONSTANT(AERIE_METRIC_NON_MONOTONIC, SS_PLUGIN_METRIC_TYPE_NON_MONOTONIC)

CONSTANT(AERIE_METRIC_U32, SS_PLUGIN_METRIC_VALUE_TYPE_U32)
CONSTANT(AERIE_METRIC_S32, SS_PLUGIN_METRIC_VALUE_TYPE_S32)
CONSTANT(AERIE_METRIC_U64, SS_PLUGIN_METRIC_VALUE_TYPE_U64)
CONSTANT(AERIE_METRIC_S64, SS_PLUGIN_METRIC_VALUE_TYPE_S64)
CONSTANT(AERIE_METRIC_DOUBLE, SS_PLUGIN_METRIC_VALUE_TYPE_D)
CONSTANT(AERIE_METRIC_FLOAT, SS_PLUGIN_METRIC_VALUE_TYPE_F)
CONSTANT(AERIE_METRIC_INT, SS_PLUGIN_METRIC_VALUE_TYPE_I)

CONSTANT(AERIE_MAX_ERRLEN, PLUGIN_MAX_ERRLEN)
CONSTANT(AERIE_PAYLOAD_OFFSET, PLUGIN_EVENT_PAYLOAD_OFFSET)

TYPE(aerie_bool, ss_plugin_bool)
TYPE(aerie_iterate_fn, ss_plugin_table_iterator_func_t)
TYPE(aerie_owner_error_fn, decltype(ss_plugin_init_input::get_owner_last_error))
TYPE(aerie_log_fn, ss_plugin_log_fn_t)
TYPE(aerie_routine_fn, ss_plugin_routine_fn_t)
TYPE(aerie_async_handler_fn, ss_plugin_async_event_handler_t)

SIZE(struct aerie_event, ss_plugin_event)
MEMBER(struct aerie_event, ss_plugin_event, ts)
MEMBER(struct aerie_event, ss_plugin_event, tid)
MEMBER(struct aerie_event, ss_plugin_event, len)
MEMBER(struct aerie_event, ss_plugin_event, type)
MEMBER(struct aerie_event, ss_plugin_event, nparams)

SIZE(struct aerie_event_input, ss_plugin_event_input)
MEMBER(struct aerie_event_input, ss_plugin_event_input, evt)
MEMBER(struct aerie_event_input, ss_plugin_event_input, evtnum)
MEMBER(struct aerie_event_input, ss_plugin_event_input, evtsrc)

SIZE(struct aerie_byte_buffer, ss_plugin_byte_buffer)
MEMBER(struct aerie_byte_buffer, ss_plugin_byte_buffer, len)
MEMBER(struct aerie_byte_buffer, ss_plugin_byte_buffer, ptr)

SIZE(struct aerie_value_offsets, ss_plugin_extract_value_offsets)
MEMBER(struct aerie_value_offsets, ss_plugin_extract_value_offsets, start)
MEMBER(struct aerie_value_offsets, ss_plugin_extract_value_offsets, length)

SIZE(union aerie_field_result, field_result)
MEMBER(union aerie_field_result, field_result, str)
MEMBER(union aerie_field_result, field_result, u64)
MEMBER(union aerie_field_result, field_result, u32)
MEMBER(union aerie_field_result, field_result, boolean)
MEMBER(union aerie_field_result, field_result, buf)

SIZE(struct aerie_extract_field, ss_plugin_extract_field)
MEMBER(struct aerie_extract_field, ss_plugin_extract_field, res)
MEMBER(struct aerie_extract_field, ss_plugin_extract_field, res_len)
MEMBER(struct aerie_extract_field, ss_plugin_extract_field, field_id)
MEMBER(struct aerie_extract_field, ss_plugin_extract_field, field)
MEMBER(struct aerie_extract_field, ss_plugin_extract_field, arg_key)
MEMBER(struct aerie_extract_field, ss_plugin_extract_field, arg_index)
MEMBER(struct aerie_extract_field, ss_plugin_extract_field, arg_present)
MEMBER(struct aerie_extract_field, ss_plugin_extract_field, ftype)
MEMBER(struct aerie_extract_field, ss_plugin_extract_field, flist)

SIZE(union aerie_state_data, ss_plugin_state_data)
MEMBER(union aerie_state_data, ss_plugin_state_data, s8)
MEMBER(union aerie_state_data, ss_plugin_state_data, s16)
MEMBER(union aerie_state_data, ss_plugin_state_data, s32)
MEMBER(union aerie_state_data, ss_plugin_state_data, s64)
MEMBER(union aerie_state_data, ss_plugin_state_data, u8)
MEMBER(union aerie_state_data, ss_plugin_state_data, u16)
MEMBER(union aerie_state_data, ss_plugin_state_data, u32)
MEMBER(union aerie_state_data, ss_plugin_state_data, u64)
MEMBER(union aerie_state_data, ss_plugin_state_data, str)
MEMBER(union aerie_state_data, ss_plugin_state_data, b)
MEMBER(union aerie_state_data, ss_plugin_state_data, table)

SIZE(struct aerie_table_info, ss_plugin_table_info)
MEMBER(struct aerie_table_info, ss_plugin_table_info, name)
MEMBER(struct aerie_table_info, ss_plugin_table_info, key_type)

SIZE(struct aerie_table_fieldinfo, ss_plugin_table_fieldinfo)
MEMBER(struct aerie_table_fieldinfo, ss_plugin_table_fieldinfo, name)
MEMBER(struct aerie_table_fieldinfo, ss_plugin_table_fieldinfo, field_type)
MEMBER(struct aerie_table_fieldinfo, ss_plugin_table_fieldinfo, read_only)

SIZE(union aerie_metric_value, ss_plugin_metric_value)
MEMBER(union aerie_metric_value, ss_plugin_metric_value, u32)
MEMBER(union aerie_metric_value, ss_plugin_metric_value, s32)
MEMBER(union aerie_metric_value, ss_plugin_metric_value, u64)
MEMBER(union aerie_metric_value, ss_plugin_metric_value, s64)
MEMBER(union aerie_metric_value, ss_plugin_metric_value, d)
MEMBER(union aerie_metric_value, ss_plugin_metric_value, f)
MEMBER(union aerie_metric_value, ss_plugin_metric_value, i)

SIZE(struct aerie_metric, ss_plugin_metric)
MEMBER(struct aerie_metric, ss_plugin_metric, name)
MEMBER(struct aerie_metric, ss_plugin_metric, type)
MEMBER(struct aerie_metric, ss_plugin_metric, value)
MEMBER(struct aerie_metric, ss_plugin_metric, value_type)

SIZE(struct aerie_fields_vtable, ss_plugin_table_fields_vtable)
FUNCTION(struct aerie_fields_vtable, ss_plugin_table_fields_vtable, list_table_fields)
FUNCTION(struct aerie_fields_vtable, ss_plugin_table_fields_vtable, get_table_field)
FUNCTION(struct aerie_fields_vtable, ss_plugin_table_fields_vtable, add_table_field)

SIZE(struct aerie_fields_vtable, ss_plugin_table_fields_vtable_ext)
FUNCTION(struct aerie_fields_vtable, ss_plugin_table_fields_vtable_ext, list_table_fields)
FUNCTION(struct aerie_fields_vtable, ss_plugin_table_fields_vtable_ext, get_table_field)
FUNCTION(struct aerie_fields_vtable, ss_plugin_table_fields_vtable_ext, add_table_field)

SIZE(struct aerie_reader_vtable, ss_plugin_table_reader_vtable)
FUNCTION(struct aerie_reader_vtable, ss_plugin_table_reader_vtable, get_table_name)
FUNCTION(struct aerie_reader_vtable, ss_plugin_table_reader_vtable, get_table_size)
FUNCTION(struct aerie_reader_vtable, ss_plugin_table_reader_vtable, get_table_entry)
FUNCTION(struct aerie_reader_vtable, ss_plugin_table_reader_vtable, read_entry_field)

SIZE(struct aerie_reader_vtable_ext, ss_plugin_table_reader_vtable_ext)
FUNCTION(struct aerie_reader_vtable_ext, ss_plugin_table_reader_vtable_ext, get_table_name)
FUNCTION(struct aerie_reader_vtable_ext, ss_plugin_table_reader_vtable_ext, get_table_size)
FUNCTION(struct aerie_reader_vtable_ext, ss_plugin_table_reader_vtable_ext, get_table_entry)
FUNCTION(struct aerie_reader_vtable_ext, ss_plugin_table_reader_vtable_ext, read_entry_field)
FUNCTION(struct aerie_reader_vtable_ext, ss_plugin_table_reader_vtable_ext, release_table_entry)
FUNCTION(struct aerie_reader_vtable_ext, ss_plugin_table_reader_vtable_ext, iterate_entries)

SIZE(struct aerie_writer_vtable, ss_plugin_table_writer_vtable)
FUNCTION(struct aerie_writer_vtable, ss_plugin_table_writer_vtable, clear_table)
FUNCTION(struct aerie_writer_vtable, ss_plugin_table_writer_vtable, erase_table_entry)
FUNCTION(struct aerie_writer_vtable, ss_plugin_table_writer_vtable, create_table_entry)
FUNCTION(struct aerie_writer_vtable, ss_plugin_table_writer_vtable, destroy_table_entry)
FUNCTION(struct aerie_writer_vtable, ss_plugin_table_writer_vtable, add_table_entry)
FUNCTION(struct aerie_writer_vtable, ss_plugin_table_writer_vtable, write_entry_field)

SIZE(struct aerie_writer_vtable, ss_plugin_table_writer_vtable_ext)
FUNCTION(struct aerie_writer_vtable, ss_plugin_table_writer_vtable_ext, clear_table)
FUNCTION(struct aerie_writer_vtable, ss_plugin_table_writer_vtable_ext, erase_table_entry)
FUNCTION(struct aerie_writer_vtable, ss_plugin_table_writer_vtable_ext, create_table_entry)
FUNCTION(struct aerie_writer_vtable, ss_plugin_table_writer_vtable_ext, destroy_table_entry)
FUNCTION(struct aerie_writer_vtable, ss_plugin_table_writer_vtable_ext, add_table_entry)
FUNCTION(struct aerie_writer_vtable, ss_plugin_table_writer_vtable_ext, write_entry_field)

SIZE(struct aerie_table_input, ss_plugin_table_input)
MEMBER(struct aerie_table_input, ss_plugin_table_input, name)
MEMBER(struct aerie_table_input, ss_plugin_table_input, key_type)
MEMBER(struct aerie_table_input, ss_plugin_table_input, table)
MEMBER(struct aerie_table_input, ss_plugin_table_input, reader)
MEMBER(struct aerie_table_input, ss_plugin_table_input, writer)
MEMBER(struct aerie_table_input, ss_plugin_table_input, fields)
MEMBER(struct aerie_table_input, ss_plugin_table_input, reader_ext)
MEMBER(struct aerie_table_input, ss_plugin_table_input, writer_ext)
MEMBER(struct aerie_table_input, ss_plugin_table_input, fields_ext)

SIZE(struct aerie_init_tables_input, ss_plugin_init_tables_input)
FUNCTION(struct aerie_init_tables_input, ss_plugin_init_tables_input, list_tables)
FUNCTION(struct aerie_init_tables_input, ss_plugin_init_tables_input, get_table)
FUNCTION(struct aerie_init_tables_input, ss_plugin_init_tables_input, add_table)
MEMBER(struct aerie_init_tables_input, ss_plugin_init_tables_input, fields)
MEMBER(struct aerie_init_tables_input, ss_plugin_init_tables_input, fields_ext)
MEMBER(struct aerie_init_tables_input, ss_plugin_init_tables_input, reader_ext)
MEMBER(struct aerie_init_tables_input, ss_plugin_init_tables_input, writer_ext)

SIZE(struct aerie_init_input, ss_plugin_init_input)
MEMBER(struct aerie_init_input, ss_plugin_init_input, config)
MEMBER(struct aerie_init_input, ss_plugin_init_input, owner)
MEMBER(struct aerie_init_input, ss_plugin_init_input, get_owner_last_error)
MEMBER(struct aerie_init_input, ss_plugin_init_input, tables)
MEMBER(struct aerie_init_input, ss_plugin_init_input, log_fn)

SIZE(struct aerie_set_config_input, ss_plugin_set_config_input)
MEMBER(struct aerie_set_config_input, ss_plugin_set_config_input, config)

SIZE(struct aerie_field_extract_input, ss_plugin_field_extract_input)
MEMBER(struct aerie_field_extract_input, ss_plugin_field_extract_input, owner)
MEMBER(struct aerie_field_extract_input, ss_plugin_field_extract_input, get_owner_last_error)
MEMBER(struct aerie_field_extract_input, ss_plugin_field_extract_input, num_fields)
MEMBER(struct aerie_field_extract_input, ss_plugin_field_extract_input, fields)
MEMBER(struct aerie_field_extract_input, ss_plugin_field_extract_input, table_reader)
MEMBER(struct aerie_field_extract_input, ss_plugin_field_extract_input, table_reader_ext)
MEMBER(struct aerie_field_extract_input, ss_plugin_field_extract_input, value_offsets)

SIZE(struct aerie_event_parse_input, ss_plugin_event_parse_input)
MEMBER(struct aerie_event_parse_input, ss_plugin_event_parse_input, owner)
MEMBER(struct aerie_event_parse_input, ss_plugin_event_parse_input, get_owner_last_error)
MEMBER(struct aerie_event_parse_input, ss_plugin_event_parse_input, table_reader)
MEMBER(struct aerie_event_parse_input, ss_plugin_event_parse_input, table_writer)
MEMBER(struct aerie_event_parse_input, ss_plugin_event_parse_input, table_reader_ext)
MEMBER(struct aerie_event_parse_input, ss_plugin_event_parse_input, table_writer_ext)

SIZE(struct aerie_routine_vtable, ss_plugin_routine_vtable)
FUNCTION(struct aerie_routine_vtable, ss_plugin_routine_vtable, subscribe)
FUNCTION(struct aerie_routine_vtable, ss_plugin_routine_vtable, unsubscribe)

SIZE(struct aerie_capture_listen_input, ss_plugin_capture_listen_input)
MEMBER(struct aerie_capture_listen_input, ss_plugin_capture_listen_input, owner)
MEMBER(struct aerie_capture_listen_input, ss_plugin_capture_listen_input, routine)
MEMBER(struct aerie_capture_listen_input, ss_plugin_capture_listen_input, table_reader_ext)
MEMBER(struct aerie_capture_listen_input, ss_plugin_capture_listen_input, table_writer_ext)
MEMBER(struct aerie_capture_listen_input, ss_plugin_capture_listen_input, get_owner_last_error)

SIZE(struct aerie_plugin_api, plugin_api)
FUNCTION(struct aerie_plugin_api, plugin_api, get_required_api_version)
FUNCTION(struct aerie_plugin_api, plugin_api, get_init_schema)
FUNCTION(struct aerie_plugin_api, plugin_api, init)
FUNCTION(struct aerie_plugin_api, plugin_api, destroy)
FUNCTION(struct aerie_plugin_api, plugin_api, get_last_error)
FUNCTION(struct aerie_plugin_api, plugin_api, get_name)
FUNCTION(struct aerie_plugin_api, plugin_api, get_description)
FUNCTION(struct aerie_plugin_api, plugin_api, get_contact)
FUNCTION(struct aerie_plugin_api, plugin_api, get_version)
FUNCTION(struct aerie_plugin_api, plugin_api, get_id)
FUNCTION(struct aerie_plugin_api, plugin_api, get_event_source)
FUNCTION(struct aerie_plugin_api, plugin_api, open)
FUNCTION(struct aerie_plugin_api, plugin_api, close)
FUNCTION(struct aerie_plugin_api, plugin_api, list_open_params)
FUNCTION(struct aerie_plugin_api, plugin_api, get_progress)
FUNCTION(struct aerie_plugin_api, plugin_api, event_to_string)
FUNCTION(struct aerie_plugin_api, plugin_api, next_batch)
FUNCTION(struct aerie_plugin_api, plugin_api, get_extract_event_types)
FUNCTION(struct aerie_plugin_api, plugin_api, get_extract_event_sources)
FUNCTION(struct aerie_plugin_api, plugin_api, get_fields)
FUNCTION(struct aerie_plugin_api, plugin_api, extract_fields)
FUNCTION(struct aerie_plugin_api, plugin_api, get_parse_event_types)
FUNCTION(struct aerie_plugin_api, plugin_api, get_parse_event_sources)
FUNCTION(struct aerie_plugin_api, plugin_api, parse_event)
FUNCTION(struct aerie_plugin_api, plugin_api, get_async_event_sources)
FUNCTION(struct aerie_plugin_api, plugin_api, get_async_events)
FUNCTION(struct aerie_plugin_api, plugin_api, set_async_event_handler)
FUNCTION(struct aerie_plugin_api, plugin_api, dump_state)
FUNCTION(struct aerie_plugin_api, plugin_api, set_config)
FUNCTION(struct aerie_plugin_api, plugin_api, get_metrics)
FUNCTION(struct aerie_plugin_api, plugin_api, capture_open)
FUNCTION(struct aerie_plugin_api, plugin_api, capture_close)
FUNCTION(struct aerie_plugin_api, plugin_api, get_required_event_schema_version)
