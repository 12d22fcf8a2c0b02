/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vtables of tables that a plugin keeps. They point at Go functions
 * (serve.go), which take tables, entries and fields as numbers.
 */
#include "vtable.h"

extern void *aerie_own_name(uintptr_t t);
extern uint64_t aerie_own_size(uintptr_t t);
extern uintptr_t aerie_own_get(uintptr_t t, void *key);
extern int32_t aerie_own_read(uintptr_t t, uintptr_t e, uintptr_t f, void *out);
extern void aerie_own_release(uintptr_t t, uintptr_t e);
extern uint32_t aerie_own_iterate(uintptr_t t, void *it, void *s);
extern int32_t aerie_own_clear(uintptr_t t);
extern int32_t aerie_own_erase(uintptr_t t, void *key);
extern uintptr_t aerie_own_create(uintptr_t t);
extern void aerie_own_destroy(uintptr_t t, uintptr_t e);
extern uintptr_t aerie_own_add(uintptr_t t, void *key, uintptr_t e);
extern int32_t aerie_own_write(uintptr_t t, uintptr_t e, uintptr_t f, void *in);
extern void *aerie_own_list_fields(uintptr_t t, uint32_t *n);
extern uintptr_t aerie_own_get_field(uintptr_t t, void *name, uint32_t type);
extern uintptr_t aerie_own_add_field(uintptr_t t, void *name, uint32_t type);

static const char *name(void *t) { return aerie_own_name((uintptr_t)t); }
static uint64_t size(void *t) { return aerie_own_size((uintptr_t)t); }

static void *get(void *t, const union aerie_state_data *key) {
	return (void *)aerie_own_get((uintptr_t)t, (void *)key);
}

static int32_t read_field(void *t, void *e, const void *f, union aerie_state_data *out) {
	return aerie_own_read((uintptr_t)t, (uintptr_t)e, (uintptr_t)f, out);
}

static void release(void *t, void *e) { aerie_own_release((uintptr_t)t, (uintptr_t)e); }

static aerie_bool iterate(void *t, aerie_iterate_fn it, void *s) {
	return aerie_own_iterate((uintptr_t)t, (void *)it, s);
}

static int32_t clear(void *t) { return aerie_own_clear((uintptr_t)t); }

static int32_t erase(void *t, const union aerie_state_data *key) {
	return aerie_own_erase((uintptr_t)t, (void *)key);
}

static void *create(void *t) { return (void *)aerie_own_create((uintptr_t)t); }
static void destroy(void *t, void *e) { aerie_own_destroy((uintptr_t)t, (uintptr_t)e); }

static void *add(void *t, const union aerie_state_data *key, void *e) {
	return (void *)aerie_own_add((uintptr_t)t, (void *)key, (uintptr_t)e);
}

static int32_t write_field(void *t, void *e, const void *f, const union aerie_state_data *in) {
	return aerie_own_write((uintptr_t)t, (uintptr_t)e, (uintptr_t)f, (void *)in);
}

static const struct aerie_table_fieldinfo *list_fields(void *t, uint32_t *n) {
	return aerie_own_list_fields((uintptr_t)t, n);
}

static void *get_field(void *t, const char *field, uint32_t type) {
	return (void *)aerie_own_get_field((uintptr_t)t, (void *)field, type);
}

static void *add_field(void *t, const char *field, uint32_t type) {
	return (void *)aerie_own_add_field((uintptr_t)t, (void *)field, type);
}

/* Not const: the API's pointers to them are not. Nobody writes to them. */
static struct aerie_reader_vtable_ext reader_ext = {name, size, get, read_field, release, iterate};
static struct aerie_writer_vtable writer_ext = {clear, erase, create, destroy, add, write_field};
static struct aerie_fields_vtable fields_ext = {list_fields, get_field, add_field};

void aerie_own_describe(struct aerie_table_input *in, const char *table_name, uint32_t key_type, uintptr_t table) {
	const struct aerie_reader_vtable reader = {name, size, get, read_field};
	in->name = table_name;
	in->key_type = key_type;
	in->table = (void *)table;
	in->reader = reader; /* frameworks want the older members to agree */
	in->writer = writer_ext;
	in->fields = fields_ext;
	in->reader_ext = &reader_ext;
	in->writer_ext = &writer_ext;
	in->fields_ext = &fields_ext;
}
