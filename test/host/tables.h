/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the framework's functions for plugins look like from C. They are
 * written in Go, where "unsafe.Pointer" stands for any pointer: hence void * for
 * entries, fields, keys and values alike.
 */
#ifndef AERIE_HOST_TABLES_H
#define AERIE_HOST_TABLES_H

#include "abi.h"

/*
 * What a plugin gets as a table: a table_input, as in libsinsp, whose functions
 * take the table_input itself. Owned by the host; go names its Go side.
 */
struct aerie_table_handle {
	struct aerie_table_input in;
	uintptr_t go;
};

/* A plugin's own table: its input with the vtables copied, in C memory of the host. */
struct aerie_plugin_table {
	struct aerie_table_input in;
	struct aerie_reader_vtable_ext reader;
	struct aerie_writer_vtable writer;
	struct aerie_fields_vtable fields;
};

/* In Go. Each borrows its arguments; what is returned is the host's. */
void *aerie_host_list_tables(void *owner, uint32_t *n);
void *aerie_host_get_table(void *owner, char *name, uint32_t key_type);
int32_t aerie_host_add_table(void *owner, void *in);
void *aerie_host_list_fields(void *t, uint32_t *n);
void *aerie_host_get_field(void *t, char *name, uint32_t type);
void *aerie_host_add_field(void *t, char *name, uint32_t type);
char *aerie_host_table_name(void *t);
uint64_t aerie_host_table_size(void *t);
void *aerie_host_get_entry(void *t, void *key);
int32_t aerie_host_read_field(void *t, void *e, void *f, void *out);
void aerie_host_release_entry(void *t, void *e);
uint32_t aerie_host_iterate(void *t, void *it, void *s);
int32_t aerie_host_clear_table(void *t);
int32_t aerie_host_erase_entry(void *t, void *key);
void *aerie_host_create_entry(void *t);
void aerie_host_destroy_entry(void *t, void *e);
void *aerie_host_add_entry(void *t, void *key, void *e);
int32_t aerie_host_write_field(void *t, void *e, void *f, void *in);
char *aerie_host_owner_error(void *owner);

/* The same as plugins get them, to be copied: static. */
extern struct aerie_fields_vtable aerie_host_fields;
extern struct aerie_reader_vtable_ext aerie_host_reader;
extern struct aerie_writer_vtable aerie_host_writer;
extern struct aerie_init_tables_input aerie_host_tables;
extern void *const aerie_host_owner_error_address;

const void *aerie_plugin_list_fields(const struct aerie_plugin_table *p, uint32_t *n);
void *aerie_plugin_get_field(const struct aerie_plugin_table *p, const char *name, uint32_t type);
void *aerie_plugin_add_field(const struct aerie_plugin_table *p, const char *name, uint32_t type);
uint64_t aerie_plugin_table_size(const struct aerie_plugin_table *p);
void *aerie_plugin_get_entry(const struct aerie_plugin_table *p, const void *key);
int32_t aerie_plugin_read_field(const struct aerie_plugin_table *p, void *e, const void *f, void *out);
void aerie_plugin_release_entry(const struct aerie_plugin_table *p, void *e);
aerie_bool aerie_plugin_iterate(const struct aerie_plugin_table *p, uintptr_t visit);
int32_t aerie_plugin_clear_table(const struct aerie_plugin_table *p);
int32_t aerie_plugin_erase_entry(const struct aerie_plugin_table *p, const void *key);
void *aerie_plugin_create_entry(const struct aerie_plugin_table *p);
void aerie_plugin_destroy_entry(const struct aerie_plugin_table *p, void *e);
void *aerie_plugin_add_entry(const struct aerie_plugin_table *p, const void *key, void *e);
int32_t aerie_plugin_write_field(const struct aerie_plugin_table *p, void *e, const void *f, const void *in);
aerie_bool aerie_call_iterator(void *it, void *s, void *e);
uint32_t aerie_host_visit(uintptr_t visit, void *e); /* in Go: borrows e for the time of the call */

#endif
