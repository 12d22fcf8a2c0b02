/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin that owns a table "own" by string keys, with the fields n (uint64),
 * s (string) and in (a table of the same kind with the field n), and one more
 * uint64 that others may add. Macros make one thing wrong. At destroy it logs
 * how many references to entries are left.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"

#ifndef API
#define API "3.5.0"
#endif
#define MOST 8

struct table;
struct row {
	char key[32];
	uint64_t n, added;
	char s[32];
	struct table *in;
	int used;
};

struct table {
	struct aerie_table_input input;
	struct row rows[MOST];
	struct state *state;
	int top;
};

struct state {
	struct table own;
	int refs, added_field;
	void *owner;
	aerie_log_fn log;
	char err[128];
};

static struct aerie_reader_vtable_ext reader;
static struct aerie_writer_vtable writer;
static struct aerie_fields_vtable fields;
static const char *names[] = {"n", "s", "in", "more"};
static const uint32_t types[] = {AERIE_STATE_UINT64, AERIE_STATE_STRING, AERIE_STATE_TABLE, AERIE_STATE_UINT64};

static void *failed(struct table *t, const char *text)
{
	snprintf(t->state->err, sizeof t->state->err, "own: %s", text);
	return NULL;
}

static int count_fields(struct table *t) { return t->top ? 3 + t->state->added_field : 1; }

static const struct aerie_table_fieldinfo *list_fields(void *t, uint32_t *n)
{
	static struct aerie_table_fieldinfo infos[4];
	*n = (uint32_t)count_fields(t);
	for (uint32_t k = 0; k < *n; k++)
		infos[k] = (struct aerie_table_fieldinfo){names[k], types[k], k == 2};
	return infos;
}

static void *get_field(void *t, const char *name, uint32_t type)
{
	for (int k = 0; k < count_fields(t); k++)
		if (strcmp(names[k], name) == 0 && types[k] == type)
			return (void *)&names[k];
	return failed(t, "no such field");
}

static void *add_field(void *t, const char *name, uint32_t type)
{
	struct table *own = t;
	if (!own->top || strcmp(name, "more") != 0 || type != AERIE_STATE_UINT64)
		return failed(t, "cannot add that field");
	own->state->added_field = 1;
	return get_field(t, name, type);
}

static const char *table_name(void *t) { return ((struct table *)t)->input.name; }

static uint64_t table_size(void *t)
{
	uint64_t n = 0;
	for (int k = 0; k < MOST; k++)
		n += (uint64_t)((struct table *)t)->rows[k].used;
	return n;
}

static void text_of(struct table *t, const union aerie_state_data *key, char *out)
{
	if (t->top)
		snprintf(out, 32, "%s", key->str);
	else
		snprintf(out, 32, "%llu", (unsigned long long)key->u64);
}

static struct row *find(struct table *t, const union aerie_state_data *key)
{
	char text[32];
	text_of(t, key, text);
	for (int k = 0; k < MOST; k++)
		if (t->rows[k].used && strcmp(t->rows[k].key, text) == 0)
			return &t->rows[k];
	return NULL;
}

static void *get_entry(void *t, const union aerie_state_data *key)
{
	struct row *r = find(t, key);
	if (r == NULL)
		return failed(t, "no such entry");
	((struct table *)t)->state->refs++;
	return r;
}

static struct table *new_table(struct state *s, const char *name, uint32_t key_type, int top);

static int32_t read_field(void *t, void *e, const void *f, union aerie_state_data *out)
{
	struct row *r = e;
	struct table *own = t;
	if (f == &names[0]) {
		out->u64 = r->n;
	} else if (f == &names[1]) {
		out->str = r->s;
#ifdef NULL_STRING
		out->str = NULL;
#endif
	} else if (f == &names[2]) {
		if (r->in == NULL)
			r->in = new_table(own->state, "in", AERIE_STATE_UINT64, 0);
		out->table = &r->in->input;
#ifdef NULL_TABLE
		out->table = NULL;
#endif
#ifdef BARE_TABLE
		r->in->input.reader_ext = NULL;
#endif
	} else {
		out->u64 = r->added;
	}
	return AERIE_RC_SUCCESS;
}

static void release_entry(void *t, void *e)
{
	(void)e;
	((struct table *)t)->state->refs--;
}

static aerie_bool iterate(void *t, aerie_iterate_fn it, void *s)
{
	for (int k = 0; k < MOST; k++)
		if (((struct table *)t)->rows[k].used && !it(s, &((struct table *)t)->rows[k]))
			return 0;
	return 1;
}

static int32_t clear(void *t)
{
	for (int k = 0; k < MOST; k++)
		((struct table *)t)->rows[k].used = 0;
	return AERIE_RC_SUCCESS;
}

static int32_t erase(void *t, const union aerie_state_data *key)
{
	struct row *r = find(t, key);
	if (r == NULL) {
		failed(t, "nothing to erase");
		return AERIE_RC_FAILURE;
	}
	r->used = 0;
	return AERIE_RC_SUCCESS;
}

static void *create(void *t)
{
	((struct table *)t)->state->refs++;
	return calloc(1, sizeof(struct row));
}

static void destroy(void *t, void *e)
{
	((struct table *)t)->state->refs--;
	free(e);
}

/* The entry returned is another than the one created. */
static void *add_entry(void *t, const union aerie_state_data *key, void *e)
{
	struct table *own = t;
	for (int k = 0; k < MOST; k++)
		if (!own->rows[k].used) {
			own->rows[k] = *(struct row *)e;
			text_of(t, key, own->rows[k].key);
			own->rows[k].used = 1;
			free(e);
			return &own->rows[k];
		}
	return failed(t, "full");
}

static int32_t write_field(void *t, void *e, const void *f, const union aerie_state_data *in)
{
	struct row *r = e;
	(void)t;
	if (f == &names[0])
		r->n = in->u64;
	else if (f == &names[1])
		snprintf(r->s, sizeof r->s, "%s", in->str);
	else
		r->added = in->u64;
	return AERIE_RC_SUCCESS;
}

static struct aerie_reader_vtable_ext reader = {table_name, table_size, get_entry, read_field, release_entry, iterate};
static struct aerie_writer_vtable writer = {clear, erase, create, destroy, add_entry, write_field};
static struct aerie_fields_vtable fields = {list_fields, get_field, add_field};

static void fill(struct table *t, struct state *s, const char *name, uint32_t key_type, int top)
{
	t->state = s;
	t->top = top;
	t->input = (struct aerie_table_input){
		.name = name, .key_type = key_type, .table = t,
		.reader = {table_name, table_size, get_entry, read_field}, .writer = writer, .fields = fields,
		.reader_ext = &reader, .writer_ext = &writer, .fields_ext = &fields,
	};
}

static struct table *new_table(struct state *s, const char *name, uint32_t key_type, int top)
{
	struct table *t = calloc(1, sizeof *t);
	fill(t, s, name, key_type, top);
	return t;
}

const char *plugin_get_required_api_version(void) { return API; }
const char *plugin_get_name(void) { return "owned"; }
const char *plugin_get_description(void) { return ""; }
const char *plugin_get_contact(void) { return ""; }
const char *plugin_get_version(void) { return "0.1.0"; }
const char *plugin_get_last_error(void *state) { return ((struct state *)state)->err; }

int32_t plugin_parse_event(void *state, const struct aerie_event_input *evt, const struct aerie_event_parse_input *in)
{
	(void)state, (void)evt, (void)in;
	return AERIE_RC_SUCCESS;
}

void *plugin_init(const struct aerie_init_input *in, int32_t *rc)
{
	struct state *s = calloc(1, sizeof *s);
	s->owner = in->owner;
	s->log = in->log_fn;
	fill(&s->own, s, "own", AERIE_STATE_STRING, 1);
	struct aerie_table_input offer = s->own.input;
#ifdef NO_RELEASE
	static struct aerie_reader_vtable_ext less;
	less = reader;
	less.release_table_entry = NULL;
	offer.reader_ext = &less;
#endif
#ifdef NO_EXT
	offer.reader_ext = NULL;
	offer.writer_ext = NULL;
	offer.fields_ext = NULL;
#endif
#ifdef OTHER_INLINE
	offer.writer.clear_table = NULL;
#endif
#ifdef NO_FIELD_LIST
	offer.fields.list_table_fields = NULL;
	static struct aerie_fields_vtable without;
	without = fields;
	without.list_table_fields = NULL;
	offer.fields_ext = &without;
#endif
#ifdef KEY
	offer.key_type = KEY;
#endif
#ifdef TABLE_NAME
	offer.name = TABLE_NAME;
#endif
#ifdef LOSE_NAME
	static char lost[] = "own";
	offer.name = lost;
#endif
	*rc = in->tables->add_table(in->owner, &offer);
	if (*rc != AERIE_RC_SUCCESS) {
		snprintf(s->err, sizeof s->err, "%s", in->get_owner_last_error(in->owner));
		return s;
	}
#ifdef LOSE_NAME
	memcpy(lost, "xyz", 4);
#endif
#ifdef THROUGH_FRAMEWORK
	void *t = in->tables->get_table(in->owner, "own", AERIE_STATE_STRING);
	in->tables->fields_ext->get_table_field(t, "nosuch", AERIE_STATE_UINT64);
#endif
	return s;
}

void plugin_destroy(void *state)
{
	struct state *s = state;
	char text[64];
	snprintf(text, sizeof text, "references left: %d", s->refs);
	s->log(s->owner, NULL, text, AERIE_SEV_INFO);
	for (int k = 0; k < MOST; k++)
		free(s->own.rows[k].in);
	free(s);
}
