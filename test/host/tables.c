/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The framework's table functions as plugins get them, and the ways into a
 * plugin's own table: Go can call neither a C function pointer nor be one.
 */
#include "tables.h"

struct aerie_fields_vtable aerie_host_fields = {
	(void *)aerie_host_list_fields, (void *)aerie_host_get_field, (void *)aerie_host_add_field,
};

struct aerie_reader_vtable_ext aerie_host_reader = {
	(void *)aerie_host_table_name, (void *)aerie_host_table_size,    (void *)aerie_host_get_entry,
	(void *)aerie_host_read_field, (void *)aerie_host_release_entry, (void *)aerie_host_iterate,
};

struct aerie_writer_vtable aerie_host_writer = {
	(void *)aerie_host_clear_table,   (void *)aerie_host_erase_entry, (void *)aerie_host_create_entry,
	(void *)aerie_host_destroy_entry, (void *)aerie_host_add_entry,   (void *)aerie_host_write_field,
};

struct aerie_init_tables_input aerie_host_tables = {
	.list_tables = (void *)aerie_host_list_tables,
	.get_table = (void *)aerie_host_get_table,
	.add_table = (void *)aerie_host_add_table,
};

void *const aerie_host_owner_error_address = (void *)aerie_host_owner_error;

/* Borrows n; returns memory of the table's plugin, valid until it is asked again. */
const void *aerie_plugin_list_fields(const struct aerie_plugin_table *p, uint32_t *n)
{
	return p->fields.list_table_fields(p->in.table, n);
}

/* Borrows name; the field returned is the table's. */
void *aerie_plugin_get_field(const struct aerie_plugin_table *p, const char *name, uint32_t type)
{
	return p->fields.get_table_field(p->in.table, name, type);
}

/* Borrows name; the field returned is the table's. */
void *aerie_plugin_add_field(const struct aerie_plugin_table *p, const char *name, uint32_t type)
{
	return p->fields.add_table_field(p->in.table, name, type);
}

/* Owns and borrows nothing. */
uint64_t aerie_plugin_table_size(const struct aerie_plugin_table *p)
{
	return p->reader.get_table_size(p->in.table);
}

/* Borrows key; the entry returned is to be released once. */
void *aerie_plugin_get_entry(const struct aerie_plugin_table *p, const void *key)
{
	return p->reader.get_table_entry(p->in.table, key);
}

/* Borrows all; what out then points to is the table's. */
int32_t aerie_plugin_read_field(const struct aerie_plugin_table *p, void *e, const void *f, void *out)
{
	return p->reader.read_entry_field(p->in.table, e, f, out);
}

/* Gives e back: it is not to be used any more. */
void aerie_plugin_release_entry(const struct aerie_plugin_table *p, void *e)
{
	p->reader.release_table_entry(p->in.table, e);
}

/* Owns and borrows nothing. */
int32_t aerie_plugin_clear_table(const struct aerie_plugin_table *p)
{
	return p->writer.clear_table(p->in.table);
}

/* Borrows key. */
int32_t aerie_plugin_erase_entry(const struct aerie_plugin_table *p, const void *key)
{
	return p->writer.erase_table_entry(p->in.table, key);
}

/* The entry returned is the caller's until it is added or destroyed. */
void *aerie_plugin_create_entry(const struct aerie_plugin_table *p)
{
	return p->writer.create_table_entry(p->in.table);
}

/* Gives e back, which was created and never added. */
void aerie_plugin_destroy_entry(const struct aerie_plugin_table *p, void *e)
{
	p->writer.destroy_table_entry(p->in.table, e);
}

/* Borrows key and gives e away; the entry returned is to be released once. */
void *aerie_plugin_add_entry(const struct aerie_plugin_table *p, const void *key, void *e)
{
	return p->writer.add_table_entry(p->in.table, key, e);
}

/* Borrows all. */
int32_t aerie_plugin_write_field(const struct aerie_plugin_table *p, void *e, const void *f, const void *in)
{
	return p->writer.write_entry_field(p->in.table, e, f, in);
}

/* Borrows e for the time of the call; s is what names the Go side's visitor. */
static aerie_bool visit(void *s, void *e)
{
	return aerie_host_visit((uintptr_t)s, e);
}

/* Borrows nothing; entries that visit sees are the table's. */
aerie_bool aerie_plugin_iterate(const struct aerie_plugin_table *p, uintptr_t visitor)
{
	return p->reader.iterate_entries(p->in.table, visit, (void *)visitor);
}

/* Lends e to a plugin's iterator, with the state that it asked for. */
aerie_bool aerie_call_iterator(void *it, void *s, void *e)
{
	return ((aerie_iterate_fn)it)(s, e);
}
