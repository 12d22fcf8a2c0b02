/* SPDX-License-Identifier: Apache-2.0 */
#include "framework.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_error(struct fw *fw, const char *form, ...) {
	va_list args;
	va_start(args, form);
	vsnprintf(fw->error, sizeof fw->error, form, args);
	va_end(args);
	fw->has_error = 1;
}

/* A plugin did what libsinsp would not survive or would leak. */
static void misuse(struct fw *fw, const char *what) {
	if (fw->counts.misuses++ == 0) snprintf(fw->misuse, sizeof fw->misuse, "%s", what);
}

const char *fw_owner_error(void *owner) {
	struct fw *fw = owner;
	return fw->has_error ? fw->error : NULL;
}

/* --- native tables ---------------------------------------------------- */

static int key_equal(const struct fw_table *t, const struct fw_entry *e, const union aerie_state_data *k) {
	switch (t->schema->key_type) {
	case AERIE_STATE_STRING: return strcmp(e->key_text, k->str) == 0;
	case AERIE_STATE_INT8: case AERIE_STATE_UINT8: return e->key.u8 == k->u8;
	case AERIE_STATE_INT16: case AERIE_STATE_UINT16: return e->key.u16 == k->u16;
	case AERIE_STATE_INT32: case AERIE_STATE_UINT32: return e->key.u32 == k->u32;
	case AERIE_STATE_BOOL: return !e->key.b == !k->b;
	default: return e->key.u64 == k->u64;
	}
}

static struct fw_entry *find(struct fw_table *t, const union aerie_state_data *k) {
	for (struct fw_entry *e = t->entries; e != NULL; e = e->next)
		if (e->state == FW_PRESENT && key_equal(t, e, k)) return e;
	return NULL;
}

/* The entry if it is one of t that a plugin may use now. */
static struct fw_entry *usable(struct fw_table *t, void *p, const char *what) {
	for (struct fw_entry *e = t->entries; e != NULL; e = e->next) {
		if (e != p) continue;
		if (e->state == FW_LOOSE || e->refs > 0 || e->lent > 0) return e;
		break;
	}
	misuse(t->schema->fw, what);
	return NULL;
}

static struct fw_field *field_of(struct fw_table *t, const void *f) {
	for (int i = 0; i < t->schema->num_fields; i++)
		if (&t->schema->fields[i] == f) return &t->schema->fields[i];
	misuse(t->schema->fw, "a field of another table");
	return NULL;
}

static const char *native_name(void *p) { return ((struct fw_table *)p)->schema->name; }

static uint64_t native_size(void *p) {
	uint64_t n = 0;
	for (struct fw_entry *e = ((struct fw_table *)p)->entries; e != NULL; e = e->next) n += e->state == FW_PRESENT;
	return n;
}

/* Like libsinsp, a miss is no error. */
static void *native_get(void *p, const union aerie_state_data *k) {
	struct fw_entry *e = find(p, k);
	if (e != NULL) e->refs++;
	return e;
}

static struct fw_table *table_new(struct fw_schema *s);

static int32_t native_read(void *p, void *entry, const void *field, union aerie_state_data *out) {
	struct fw_table *t = p;
	struct fw_entry *e = usable(t, entry, "read of an entry that is not held");
	struct fw_field *f = field_of(t, field);
	if (e == NULL || f == NULL) return AERIE_RC_FAILURE;
	int i = (int)(f - t->schema->fields);
	if (f->type == AERIE_STATE_TABLE) {
		if (e->subs[i] == NULL) e->subs[i] = table_new(f->sub);
		out->table = &e->subs[i]->in;
	} else if (f->type == AERIE_STATE_STRING) {
		out->str = e->texts[i] == NULL ? "" : e->texts[i];
	} else {
		*out = e->values[i];
	}
	return AERIE_RC_SUCCESS;
}

static void native_release(void *p, void *entry) {
	struct fw_table *t = p;
	for (struct fw_entry *e = t->entries; e != NULL; e = e->next) {
		if (e == entry && e->refs > 0) {
			e->refs--;
			return;
		}
	}
	misuse(t->schema->fw, "release of an entry that is not held");
}

static aerie_bool native_iterate(void *p, aerie_iterate_fn it, void *s) {
	for (struct fw_entry *e = ((struct fw_table *)p)->entries; e != NULL; e = e->next) {
		if (e->state != FW_PRESENT) continue;
		e->lent++;
		aerie_bool more = it(s, e);
		e->lent--;
		if (!more) return 0;
	}
	return 1;
}

static int32_t native_clear(void *p) {
	for (struct fw_entry *e = ((struct fw_table *)p)->entries; e != NULL; e = e->next)
		if (e->state == FW_PRESENT) e->state = FW_GONE;
	return AERIE_RC_SUCCESS;
}

static int32_t native_erase(void *p, const union aerie_state_data *k) {
	struct fw_table *t = p;
	struct fw_entry *e = find(t, k);
	if (e == NULL) {
		set_error(t->schema->fw, "table entry not found");
		return AERIE_RC_FAILURE;
	}
	e->state = FW_GONE;
	return AERIE_RC_SUCCESS;
}

static void *native_create(void *p) {
	struct fw_table *t = p;
	struct fw_entry *e = calloc(1, sizeof *e);
	e->next = t->entries;
	t->entries = e;
	return e;
}

static void native_destroy(void *p, void *entry) {
	struct fw_table *t = p;
	struct fw_entry *e = usable(t, entry, "destroy of an entry that is not held");
	if (e == NULL) return;
	if (e->state != FW_LOOSE) misuse(t->schema->fw, "destroy of an entry that was added");
	e->state = FW_GONE;
}

static void *native_add(void *p, const union aerie_state_data *k, void *entry) {
	struct fw_table *t = p;
	struct fw_entry *e = usable(t, entry, "add of an entry that is not held");
	if (e == NULL || e->state != FW_LOOSE) {
		set_error(t->schema->fw, "entry was not created by this table");
		return NULL;
	}
	struct fw_entry *old = find(t, k);
	if (old != NULL) old->state = FW_GONE;
	e->key = *k;
	if (t->schema->key_type == AERIE_STATE_STRING) e->key.str = e->key_text = strdup(k->str);
	e->state = FW_PRESENT;
	e->refs = 1;
	return e;
}

static int32_t native_write(void *p, void *entry, const void *field, const union aerie_state_data *in) {
	struct fw_table *t = p;
	struct fw_entry *e = usable(t, entry, "write of an entry that is not held");
	struct fw_field *f = field_of(t, field);
	if (e == NULL || f == NULL) return AERIE_RC_FAILURE;
	if (f->read_only || f->type == AERIE_STATE_TABLE) {
		set_error(t->schema->fw, "attempt to write to read-only static struct field: %s", f->name);
		return AERIE_RC_FAILURE;
	}
	int i = (int)(f - t->schema->fields);
	if (f->type == AERIE_STATE_STRING) {
		free(e->texts[i]);
		e->texts[i] = strdup(in->str);
	} else if (f->type == AERIE_STATE_BOOL) {
		e->values[i].b = in->b != 0;
	} else {
		e->values[i] = *in;
	}
	return AERIE_RC_SUCCESS;
}

static const struct aerie_table_fieldinfo *native_list(void *p, uint32_t *n) {
	struct fw_schema *s = ((struct fw_table *)p)->schema;
	for (int i = 0; i < s->num_fields; i++) {
		struct aerie_table_fieldinfo info = {s->fields[i].name, s->fields[i].type, s->fields[i].read_only};
		s->listed[i] = info;
	}
	*n = (uint32_t)s->num_fields;
	return s->listed;
}

static void *native_get_field(void *p, const char *name, uint32_t type) {
	struct fw_schema *s = ((struct fw_table *)p)->schema;
	for (int i = 0; i < s->num_fields; i++) {
		if (strcmp(s->fields[i].name, name) != 0) continue;
		if (s->fields[i].type == type) return &s->fields[i];
		set_error(s->fw, "incompatible data types for field: %s", name);
		return NULL;
	}
	set_error(s->fw, "undefined field '%s' in table '%s'", name, s->name);
	return NULL;
}

static void *native_add_field(void *p, const char *name, uint32_t type) {
	struct fw_schema *s = ((struct fw_table *)p)->schema;
	for (int i = 0; i < s->num_fields; i++) {
		if (strcmp(s->fields[i].name, name) != 0) continue;
		if (s->fields[i].type == type && s->fields[i].dynamic) return &s->fields[i];
		set_error(s->fw, "can't add field, it is already present: %s", name);
		return NULL;
	}
	if (type == AERIE_STATE_TABLE || s->num_fields == FW_FIELDS) {
		set_error(s->fw, "can't add field: %s", name);
		return NULL;
	}
	fw_field(s, name, type, 0);
	s->fields[s->num_fields - 1].dynamic = 1;
	return &s->fields[s->num_fields - 1];
}

static struct aerie_reader_vtable_ext native_reader = {native_name, native_size, native_get, native_read, native_release, native_iterate};
static struct aerie_writer_vtable native_writer = {native_clear, native_erase, native_create, native_destroy, native_add, native_write};
static struct aerie_fields_vtable native_fields = {native_list, native_get_field, native_add_field};

static struct fw_table *table_new(struct fw_schema *s) {
	struct fw_table *t = calloc(1, sizeof *t);
	t->schema = s;
	t->in.name = s->name;
	t->in.key_type = s->key_type;
	t->in.table = t;
	t->in.reader_ext = &native_reader;
	t->in.writer_ext = &native_writer;
	t->in.fields_ext = &native_fields;
	return t;
}

static void table_free(struct fw_table *t) {
	while (t->entries != NULL) {
		struct fw_entry *e = t->entries;
		t->entries = e->next;
		for (int i = 0; i < FW_FIELDS; i++) {
			free(e->texts[i]);
			if (e->subs[i] != NULL) table_free(e->subs[i]);
		}
		free(e->key_text);
		free(e);
	}
	free(t);
}

/* --- what plugins call: every call goes through the table's description --- */

/* A failing call on a plugin's table leaves that plugin's reason. */
static struct fw *current;

static struct fw *owner_of(struct aerie_table_input *in, void **handle, struct fw_slot **slot) {
	struct fw *fw = current;
	*slot = NULL;
	for (int i = 0; i < fw->num_slots; i++)
		if (&fw->slots[i].offered == in) *slot = &fw->slots[i];
	*handle = in->table;
	return fw;
}

#define DISPATCH(t)                          \
	struct aerie_table_input *in = (t);  \
	void *h;                             \
	struct fw_slot *slot;                \
	struct fw *fw = owner_of(in, &h, &slot)

static void failed(struct fw *fw, struct fw_slot *slot, int yes) {
	if (yes && slot != NULL && slot->last_error != NULL) set_error(fw, "%s", slot->last_error(slot->state));
}

static const char *get_name(void *t) {
	DISPATCH(t);
	(void)fw;
	return in->reader_ext->get_table_name(h);
}

static uint64_t get_size(void *t) {
	DISPATCH(t);
	uint64_t n = in->reader_ext->get_table_size(h);
	failed(fw, slot, n == UINT64_MAX);
	return n;
}

static void *get_entry(void *t, const union aerie_state_data *k) {
	DISPATCH(t);
	void *e = in->reader_ext->get_table_entry(h, k);
	fw->counts.got += e != NULL;
	failed(fw, slot, e == NULL);
	return e;
}

static int32_t read_field(void *t, void *e, const void *f, union aerie_state_data *out) {
	DISPATCH(t);
	out->u64 = 0;
	int32_t rc = in->reader_ext->read_entry_field(h, e, f, out);
	failed(fw, slot, rc != AERIE_RC_SUCCESS);
	return rc;
}

static void release_entry(void *t, void *e) {
	DISPATCH(t);
	fw->counts.released++;
	in->reader_ext->release_table_entry(h, e);
}

static aerie_bool iterate(void *t, aerie_iterate_fn it, void *s) {
	DISPATCH(t);
	(void)fw;
	return in->reader_ext->iterate_entries(h, it, s);
}

static int32_t clear_table(void *t) {
	DISPATCH(t);
	int32_t rc = in->writer_ext->clear_table(h);
	failed(fw, slot, rc != AERIE_RC_SUCCESS);
	return rc;
}

static int32_t erase_entry(void *t, const union aerie_state_data *k) {
	DISPATCH(t);
	int32_t rc = in->writer_ext->erase_table_entry(h, k);
	failed(fw, slot, rc != AERIE_RC_SUCCESS);
	return rc;
}

static void *create_entry(void *t) {
	DISPATCH(t);
	void *e = in->writer_ext->create_table_entry(h);
	fw->counts.created += e != NULL;
	failed(fw, slot, e == NULL);
	return e;
}

static void destroy_entry(void *t, void *e) {
	DISPATCH(t);
	fw->counts.destroyed++;
	in->writer_ext->destroy_table_entry(h, e);
}

static void *add_entry(void *t, const union aerie_state_data *k, void *e) {
	DISPATCH(t);
	void *added = in->writer_ext->add_table_entry(h, k, e);
	fw->counts.added += added != NULL;
	failed(fw, slot, added == NULL);
	return added;
}

static int32_t write_field(void *t, void *e, const void *f, const union aerie_state_data *v) {
	DISPATCH(t);
	int32_t rc = in->writer_ext->write_entry_field(h, e, f, v);
	failed(fw, slot, rc != AERIE_RC_SUCCESS);
	return rc;
}

static const struct aerie_table_fieldinfo *list_fields(void *t, uint32_t *n) {
	DISPATCH(t);
	(void)fw;
	return in->fields_ext->list_table_fields(h, n);
}

static void *get_field(void *t, const char *name, uint32_t type) {
	DISPATCH(t);
	void *f = in->fields_ext->get_table_field(h, name, type);
	failed(fw, slot, f == NULL);
	return f;
}

static void *add_field(void *t, const char *name, uint32_t type) {
	DISPATCH(t);
	void *f = in->fields_ext->add_table_field(h, name, type);
	failed(fw, slot, f == NULL);
	return f;
}

/* --- tables of a framework --------------------------------------------- */

static struct aerie_table_info *list_tables(void *owner, uint32_t *n) {
	struct fw *fw = owner;
	for (int i = 0; i < fw->num_slots; i++) fw->listed[i] = fw->slots[i].info;
	*n = (uint32_t)fw->num_slots;
	return fw->listed;
}

/* Like libsinsp, an unknown table is no error, and once looked up the key type
 * is not checked again; here it never is. */
static void *get_table(void *owner, const char *name, uint32_t key_type) {
	struct fw *fw = owner;
	(void)key_type;
	for (int i = 0; i < fw->num_slots; i++) {
		struct fw_slot *s = &fw->slots[i];
		if (strcmp(s->info.name, name) == 0) return s->native != NULL ? &s->native->in : &s->offered;
	}
	return NULL;
}

static int32_t add_table(void *owner, const struct aerie_table_input *in) {
	struct fw *fw = owner;
	const struct aerie_reader_vtable_ext *r = in->reader_ext;
	const struct aerie_writer_vtable *w = in->writer_ext;
	const struct aerie_fields_vtable *f = in->fields_ext;
	int whole = r != NULL && w != NULL && f != NULL && r->release_table_entry != NULL && r->iterate_entries != NULL &&
		    r->get_table_name != NULL && in->reader.get_table_name == r->get_table_name &&
		    r->get_table_size != NULL && in->reader.get_table_size == r->get_table_size &&
		    r->get_table_entry != NULL && in->reader.get_table_entry == r->get_table_entry &&
		    r->read_entry_field != NULL && in->reader.read_entry_field == r->read_entry_field &&
		    memcmp(w, &in->writer, sizeof *w) == 0 && memcmp(f, &in->fields, sizeof *f) == 0;
	void *const *p;
	for (p = (void *const *)(const void *)w; whole && p < (void *const *)(const void *)(w + 1); p++) whole = *p != NULL;
	for (p = (void *const *)(const void *)f; whole && p < (void *const *)(const void *)(f + 1); p++) whole = *p != NULL;
	if (!whole) {
		set_error(fw, "broken or inconsistent vtables");
		return AERIE_RC_FAILURE;
	}
	for (int i = 0; i < fw->num_slots; i++) {
		if (strcmp(fw->slots[i].info.name, in->name) == 0) {
			set_error(fw, "table already exists: %s", in->name);
			return AERIE_RC_FAILURE;
		}
	}
	struct fw_slot *s = &fw->slots[fw->num_slots++];
	memset(s, 0, sizeof *s);
	s->info.name = in->name;
	s->info.key_type = in->key_type;
	s->offered = *in;
	s->reader = *r;
	s->writer = *w;
	s->fields = *f;
	s->offered.reader_ext = &s->reader;
	s->offered.writer_ext = &s->writer;
	s->offered.fields_ext = &s->fields;
	s->last_error = fw->last_error;
	s->state = fw->state;
	return AERIE_RC_SUCCESS;
}

struct fw *fw_new(void) {
	struct fw *fw = calloc(1, sizeof *fw);
	const struct aerie_reader_vtable_ext reader = {get_name, get_size, get_entry, read_field, release_entry, iterate};
	const struct aerie_writer_vtable writer = {clear_table, erase_entry, create_entry, destroy_entry, add_entry, write_field};
	const struct aerie_fields_vtable fields = {list_fields, get_field, add_field};
	fw->reader = reader;
	fw->writer = writer;
	fw->fields = fields;
	fw->tables.list_tables = list_tables;
	fw->tables.get_table = get_table;
	fw->tables.add_table = add_table;
	fw->tables.fields = fields;
	fw->tables.fields_ext = &fw->fields;
	fw->tables.reader_ext = &fw->reader;
	fw->tables.writer_ext = &fw->writer;
	current = fw;
	return fw;
}

static struct fw_schema *schema_new(struct fw *fw, const char *name, uint32_t key_type) {
	struct fw_schema *s = calloc(1, sizeof *s);
	s->fw = fw;
	s->name = strdup(name);
	s->key_type = key_type;
	fw->schemas[fw->num_schemas++] = s;
	return s;
}

struct fw_table *fw_native(struct fw *fw, const char *name, uint32_t key_type) {
	struct fw_slot *slot = &fw->slots[fw->num_slots++];
	memset(slot, 0, sizeof *slot);
	slot->native = table_new(schema_new(fw, name, key_type));
	slot->info.name = slot->native->schema->name;
	slot->info.key_type = key_type;
	return slot->native;
}

void fw_field(struct fw_schema *s, const char *name, uint32_t type, aerie_bool read_only) {
	struct fw_field *f = &s->fields[s->num_fields++];
	memset(f, 0, sizeof *f);
	f->name = strdup(name);
	f->type = type;
	f->read_only = read_only;
}

struct fw_schema *fw_sub(struct fw_schema *s, const char *field, uint32_t key_type) {
	fw_field(s, field, AERIE_STATE_TABLE, 1);
	return s->fields[s->num_fields - 1].sub = schema_new(s->fw, field, key_type);
}

void fw_free(struct fw *fw) {
	for (int i = 0; i < fw->num_slots; i++)
		if (fw->slots[i].native != NULL) table_free(fw->slots[i].native);
	for (int i = 0; i < fw->num_schemas; i++) {
		struct fw_schema *s = fw->schemas[i];
		for (int k = 0; k < s->num_fields; k++) free(s->fields[k].name);
		free(s->name);
		free(s);
	}
	if (current == fw) current = NULL;
	free(fw);
}

/* --- costs ------------------------------------------------------------- */

void fw_noop(void) {}

uint64_t fw_read_loop(struct fw *fw, void *t, void *e, const void *f, uint64_t n) {
	uint64_t sum = 0;
	union aerie_state_data out;
	while (n-- > 0) {
		fw->reader.read_entry_field(t, e, f, &out);
		sum += out.u64;
	}
	return sum;
}
