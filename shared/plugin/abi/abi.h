/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The binary interface of Falco's Plugin API 3.12, declared for Aerie.
 *
 * Layouts hold on x86-64 and arm64. Only struct aerie_event is packed; every
 * enum and boolean of the API is four bytes. Go mirrors of the same types are
 * in types.go; abi_test.go compares the two.
 */
#ifndef AERIE_PLUGIN_ABI_H
#define AERIE_PLUGIN_ABI_H

#include <stddef.h>
#include <stdint.h>

/* Result codes. */
enum aerie_rc {
	AERIE_RC_SUCCESS = 0,
	AERIE_RC_FAILURE = 1,
	AERIE_RC_TIMEOUT = -1,
	AERIE_RC_EOF = 2,
	AERIE_RC_NOT_SUPPORTED = 3,
};

enum aerie_field_type {
	AERIE_FIELD_UINT64 = 8,
	AERIE_FIELD_STRING = 9,
	AERIE_FIELD_RELTIME = 20,
	AERIE_FIELD_ABSTIME = 21,
	AERIE_FIELD_BOOL = 25,
	AERIE_FIELD_IPADDR = 40,
	AERIE_FIELD_IPNET = 41,
};

enum aerie_state_type {
	AERIE_STATE_INT8 = 1,
	AERIE_STATE_INT16 = 2,
	AERIE_STATE_INT32 = 3,
	AERIE_STATE_INT64 = 4,
	AERIE_STATE_UINT8 = 5,
	AERIE_STATE_UINT16 = 6,
	AERIE_STATE_UINT32 = 7,
	AERIE_STATE_UINT64 = 8,
	AERIE_STATE_STRING = 9,
	AERIE_STATE_TABLE = 10,
	AERIE_STATE_BOOL = 25,
};

enum aerie_schema_type { AERIE_SCHEMA_NONE = 0, AERIE_SCHEMA_JSON = 1 };

enum aerie_severity {
	AERIE_SEV_FATAL = 1,
	AERIE_SEV_CRITICAL = 2,
	AERIE_SEV_ERROR = 3,
	AERIE_SEV_WARNING = 4,
	AERIE_SEV_NOTICE = 5,
	AERIE_SEV_INFO = 6,
	AERIE_SEV_DEBUG = 7,
	AERIE_SEV_TRACE = 8,
};

enum aerie_metric_type { AERIE_METRIC_MONOTONIC = 0, AERIE_METRIC_NON_MONOTONIC = 1 };

enum aerie_metric_value_type {
	AERIE_METRIC_U32 = 0,
	AERIE_METRIC_S32 = 1,
	AERIE_METRIC_U64 = 2,
	AERIE_METRIC_S64 = 3,
	AERIE_METRIC_DOUBLE = 4,
	AERIE_METRIC_FLOAT = 5,
	AERIE_METRIC_INT = 6,
};

#define AERIE_MAX_ERRLEN 1024
#define AERIE_PAYLOAD_OFFSET 38

typedef uint32_t aerie_bool;

/* Event header; parameter lengths and data follow it in memory. */
struct __attribute__((packed)) aerie_event {
	uint64_t ts;
	uint64_t tid;
	uint32_t len;
	uint16_t type;
	uint32_t nparams;
};

struct aerie_event_input {
	const struct aerie_event *evt;
	uint64_t evtnum;
	const char *evtsrc;
};

struct aerie_byte_buffer {
	uint32_t len;
	const void *ptr;
};

struct aerie_value_offsets {
	uint32_t *start;
	uint32_t *length;
};

union aerie_field_result {
	const char **str;
	uint64_t *u64;
	uint32_t *u32;
	aerie_bool *boolean;
	struct aerie_byte_buffer *buf;
};

struct aerie_extract_field {
	union aerie_field_result res;
	uint64_t res_len;
	uint32_t field_id;
	const char *field;
	const char *arg_key;
	uint64_t arg_index;
	aerie_bool arg_present;
	uint32_t ftype;
	aerie_bool flist;
};

union aerie_state_data {
	int8_t s8;
	int16_t s16;
	int32_t s32;
	int64_t s64;
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	const char *str;
	aerie_bool b;
	void *table;
};

struct aerie_table_info {
	const char *name;
	uint32_t key_type;
};

struct aerie_table_fieldinfo {
	const char *name;
	uint32_t field_type;
	aerie_bool read_only;
};

union aerie_metric_value {
	uint32_t u32;
	int32_t s32;
	uint64_t u64;
	int64_t s64;
	double d;
	float f;
	int i;
};

struct aerie_metric {
	const char *name;
	uint32_t type;
	union aerie_metric_value value;
	uint32_t value_type;
};

/* State tables. t: table, e: entry, f: field accessor, s: caller's state. */
typedef aerie_bool (*aerie_iterate_fn)(void *s, void *e);

struct aerie_fields_vtable {
	const struct aerie_table_fieldinfo *(*list_table_fields)(void *t, uint32_t *n);
	void *(*get_table_field)(void *t, const char *name, uint32_t type);
	void *(*add_table_field)(void *t, const char *name, uint32_t type);
};

struct aerie_reader_vtable {
	const char *(*get_table_name)(void *t);
	uint64_t (*get_table_size)(void *t);
	void *(*get_table_entry)(void *t, const union aerie_state_data *key);
	int32_t (*read_entry_field)(void *t, void *e, const void *f, union aerie_state_data *out);
};

struct aerie_reader_vtable_ext {
	const char *(*get_table_name)(void *t);
	uint64_t (*get_table_size)(void *t);
	void *(*get_table_entry)(void *t, const union aerie_state_data *key);
	int32_t (*read_entry_field)(void *t, void *e, const void *f, union aerie_state_data *out);
	void (*release_table_entry)(void *t, void *e);
	aerie_bool (*iterate_entries)(void *t, aerie_iterate_fn it, void *s);
};

struct aerie_writer_vtable {
	int32_t (*clear_table)(void *t);
	int32_t (*erase_table_entry)(void *t, const union aerie_state_data *key);
	void *(*create_table_entry)(void *t);
	void (*destroy_table_entry)(void *t, void *e);
	void *(*add_table_entry)(void *t, const union aerie_state_data *key, void *e);
	int32_t (*write_entry_field)(void *t, void *e, const void *f, const union aerie_state_data *in);
};

struct aerie_table_input {
	const char *name;
	uint32_t key_type;
	void *table;
	struct aerie_reader_vtable reader;
	struct aerie_writer_vtable writer;
	struct aerie_fields_vtable fields;
	struct aerie_reader_vtable_ext *reader_ext;
	struct aerie_writer_vtable *writer_ext;
	struct aerie_fields_vtable *fields_ext;
};

struct aerie_init_tables_input {
	struct aerie_table_info *(*list_tables)(void *owner, uint32_t *n);
	void *(*get_table)(void *owner, const char *name, uint32_t key_type);
	int32_t (*add_table)(void *owner, const struct aerie_table_input *in);
	struct aerie_fields_vtable fields;
	struct aerie_fields_vtable *fields_ext;
	struct aerie_reader_vtable_ext *reader_ext;
	struct aerie_writer_vtable *writer_ext;
};

typedef const char *(*aerie_owner_error_fn)(void *owner);
typedef void (*aerie_log_fn)(void *owner, const char *component, const char *msg, uint32_t severity);

struct aerie_init_input {
	const char *config;
	void *owner;
	aerie_owner_error_fn get_owner_last_error;
	const struct aerie_init_tables_input *tables;
	aerie_log_fn log_fn;
};

struct aerie_set_config_input {
	const char *config;
};

struct aerie_field_extract_input {
	void *owner;
	aerie_owner_error_fn get_owner_last_error;
	uint32_t num_fields;
	struct aerie_extract_field *fields;
	struct aerie_reader_vtable table_reader;
	struct aerie_reader_vtable_ext *table_reader_ext;
	struct aerie_value_offsets *value_offsets;
};

struct aerie_event_parse_input {
	void *owner;
	aerie_owner_error_fn get_owner_last_error;
	struct aerie_reader_vtable table_reader;
	struct aerie_writer_vtable table_writer;
	struct aerie_reader_vtable_ext *table_reader_ext;
	struct aerie_writer_vtable *table_writer_ext;
};

typedef aerie_bool (*aerie_routine_fn)(void *state, void *s);

struct aerie_routine_vtable {
	void *(*subscribe)(void *owner, aerie_routine_fn fn, void *s);
	int32_t (*unsubscribe)(void *owner, void *routine);
};

struct aerie_capture_listen_input {
	void *owner;
	const struct aerie_routine_vtable *routine;
	struct aerie_reader_vtable_ext *table_reader_ext;
	struct aerie_writer_vtable *table_writer_ext;
	aerie_owner_error_fn get_owner_last_error;
};

typedef int32_t (*aerie_async_handler_fn)(void *owner, const struct aerie_event *evt, char *err);

/*
 * The symbols of a plugin, "plugin_" + member name, in the order of the API's
 * in-process vtable. A member is NULL where the library lacks the symbol.
 */
struct aerie_plugin_api {
	const char *(*get_required_api_version)(void);
	const char *(*get_init_schema)(uint32_t *schema_type);
	void *(*init)(const struct aerie_init_input *in, int32_t *rc);
	void (*destroy)(void *state);
	const char *(*get_last_error)(void *state);
	const char *(*get_name)(void);
	const char *(*get_description)(void);
	const char *(*get_contact)(void);
	const char *(*get_version)(void);
	uint32_t (*get_id)(void);
	const char *(*get_event_source)(void);
	void *(*open)(void *state, const char *params, int32_t *rc);
	void (*close)(void *state, void *instance);
	const char *(*list_open_params)(void *state, int32_t *rc);
	const char *(*get_progress)(void *state, void *instance, uint32_t *pct);
	const char *(*event_to_string)(void *state, const struct aerie_event_input *evt);
	int32_t (*next_batch)(void *state, void *instance, uint32_t *n, struct aerie_event ***evts);
	uint16_t *(*get_extract_event_types)(uint32_t *n, void *state);
	const char *(*get_extract_event_sources)(void);
	const char *(*get_fields)(void);
	int32_t (*extract_fields)(void *state, const struct aerie_event_input *evt, const struct aerie_field_extract_input *in);
	uint16_t *(*get_parse_event_types)(uint32_t *n, void *state);
	const char *(*get_parse_event_sources)(void);
	int32_t (*parse_event)(void *state, const struct aerie_event_input *evt, const struct aerie_event_parse_input *in);
	const char *(*get_async_event_sources)(void);
	const char *(*get_async_events)(void);
	int32_t (*set_async_event_handler)(void *state, void *owner, aerie_async_handler_fn handler);
	int32_t (*dump_state)(void *state, void *owner, aerie_async_handler_fn handler);
	int32_t (*set_config)(void *state, const struct aerie_set_config_input *in);
	struct aerie_metric *(*get_metrics)(void *state, uint32_t *n);
	int32_t (*capture_open)(void *state, const struct aerie_capture_listen_input *in);
	int32_t (*capture_close)(void *state, const struct aerie_capture_listen_input *in);
	const char *(*get_required_event_schema_version)(void *state);
};

#endif
