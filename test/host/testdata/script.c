/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin with every capability but a source, that runs scripts against the
 * framework. The configuration holds one for each callback, "init=...|open=..."
 * with init, set, unset, open, close, dump, extract and destroy; parse_event runs the
 * payload of an event (of other events: parse=). What a script prints goes to
 * the log as one line, after the callback's name.
 *
 * A script is commands with ";" between them. Registers are letters, hold
 * tables, fields, entries and routines, and last until destroy. k is a key:
 * a number, or text for a table with string keys; t is a type's number.
 *   T r name t    get_table             B             list_tables
 *   F r a name t  get_table_field       A r a name t  add_table_field   Q a  list_table_fields
 *   G r a k       get_table_entry       L a e         release_table_entry
 *   C r a         create_table_entry    D a e         destroy_table_entry
 *   P r a k e     add_table_entry       X a k         erase_table_entry
 *   K a           clear_table           N a           get_table_size    V a  get_table_name
 *   R a e f t     read_entry_field      W a e f t v   write_entry_field
 *   S r a e f     read a table          I a f t n     iterate, at most n entries, reading f
 *   i a script    iterate once, running the commands up to "!" inside
 *   E             owner's last error    Y name ts tid id data   send an async event
 *   M n           n threads that send until unset           m   wait for what they do next
 *   O r n         subscribe a routine of n runs             U r  unsubscribe    J n  wait for n runs
 *   f             fail the callback     Z kind    send a broken async event
 *   s r a e f     remember a string     p r       print what it points to now
 *   H a           get_table_size on a thread of its own
 *
 * With LATE, get_contact uses everything that a destroyed state was given.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"

#ifndef NAME
#define NAME "script"
#endif
#ifndef API
#define API "3.12.0"
#endif
#ifndef TYPES
#define TYPES 322, 402
#endif
#ifndef SOURCES
#define SOURCES ""
#endif

struct state {
	char *config;
	void *owner, *handler_owner;
	aerie_log_fn log;
	aerie_owner_error_fn error;
	struct aerie_fields_vtable fields;
	struct aerie_reader_vtable_ext reader;
	struct aerie_writer_vtable writer;
	struct aerie_init_tables_input tables;
	struct aerie_routine_vtable routine;
	aerie_async_handler_fn handler;
	void *reg[128];
	char out[8192];
	size_t used;
	int fail, string_keys;
	char err[256];
	pthread_t threads[64];
	int nthreads, stop, sent;
	int runs, wanted;
	pthread_mutex_t mu;
	pthread_cond_t ran;
};

const char *plugin_get_required_api_version(void) { return API; }
const char *plugin_get_name(void) { return NAME; }
const char *plugin_get_description(void) { return ""; }
const char *plugin_get_version(void) { return "0.1.0"; }

static struct state late; /* what a destroyed state was given */

static struct aerie_event *async_event(const char *name, uint64_t ts, uint64_t tid, uint32_t id, const char *data);

const char *plugin_get_contact(void)
{
#ifdef LATE
	if (late.owner) {
		struct aerie_event *e = async_event("tick", UINT64_MAX, UINT64_MAX, 0, "");
		late.error(late.owner);
		late.reader.get_table_size(late.reg['t']);
		late.handler(late.owner, e, NULL);
		free(e);
	}
#endif
	return "";
}

static void print(struct state *s, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	s->used += (size_t)vsnprintf(s->out + s->used, sizeof s->out - s->used, format, args);
	va_end(args);
}

/* Owned by the caller. */
static struct aerie_event *async_event(const char *name, uint64_t ts, uint64_t tid, uint32_t id, const char *data)
{
	uint32_t lengths[3] = {4, (uint32_t)strlen(name) + 1, (uint32_t)strlen(data)};
	struct aerie_event *e = malloc(42 + lengths[1] + lengths[2] + 1);
	char *p = (char *)e;
	e->ts = ts;
	e->tid = tid;
	e->len = 42 + lengths[1] + lengths[2];
	e->type = 402;
	e->nparams = 3;
	memcpy(p + 26, lengths, 12);
	memcpy(p + 38, &id, 4);
	strcpy(p + 42, name);
	memcpy(p + 42 + lengths[1], data, lengths[2]);
	return e;
}

static int32_t send_async(struct state *s, struct aerie_event *e, char *err)
{
	err[0] = 0;
	int32_t rc = s->handler ? s->handler(s->handler_owner, e, err) : -9;
	free(e);
	return rc;
}

static void *sender(void *arg)
{
	struct state *s = arg;
	char err[AERIE_MAX_ERRLEN];
	while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
		send_async(s, async_event("tick", UINT64_MAX, UINT64_MAX, 0, "x"), err);
		__atomic_add_fetch(&s->sent, 1, __ATOMIC_RELEASE);
		pthread_mutex_lock(&s->mu);
		pthread_cond_broadcast(&s->ran);
		pthread_mutex_unlock(&s->mu);
	}
	return NULL;
}

static aerie_bool routine(void *state, void *arg)
{
	struct state *s = state;
	(void)arg;
	pthread_mutex_lock(&s->mu);
	int again = ++s->runs < s->wanted;
	pthread_cond_broadcast(&s->ran);
	pthread_mutex_unlock(&s->mu);
	return again;
}

static void wait_for(struct state *s, int *counter, int n)
{
	pthread_mutex_lock(&s->mu);
	while (__atomic_load_n(counter, __ATOMIC_ACQUIRE) < n)
		pthread_cond_wait(&s->ran, &s->mu);
	pthread_mutex_unlock(&s->mu);
}

struct size_call {
	struct state *s;
	void *table;
	uint64_t size;
};

static void *size_on_thread(void *arg)
{
	struct size_call *c = arg;
	c->size = c->s->reader.get_table_size(c->table);
	return NULL;
}

static void show(struct state *s, uint32_t type, const union aerie_state_data *d)
{
	switch (type) {
	case AERIE_STATE_STRING: print(s, "\"%s\"", d->str); break;
	case AERIE_STATE_INT64: print(s, "%" PRId64, d->s64); break;
	default: print(s, "%" PRIu64, d->u64);
	}
}

struct walk {
	struct state *s;
	void *table, *field;
	uint32_t type;
	int left;
	const char *script;
};

static void run(struct state *s, const char *script);

static aerie_bool step(void *arg, void *e)
{
	struct walk *w = arg;
	if (w->script) {
		w->s->reg['z'] = e;
		run(w->s, w->script);
		return 0;
	}
	union aerie_state_data d;
	if (w->left-- == 0)
		return 0;
	if (w->s->reader.read_entry_field(w->table, e, w->field, &d) == AERIE_RC_SUCCESS)
		show(w->s, w->type, &d);
	print(w->s, ",");
	return 1;
}

static const char *key_of(void *table)
{
	static const char *types[] = {[AERIE_STATE_STRING] = "s"};
	uint32_t t = ((struct aerie_table_input *)table)->key_type;
	return t == AERIE_STATE_STRING ? types[t] : "n";
}

static union aerie_state_data key(void *table, const char *text)
{
	union aerie_state_data k = {.u64 = 0};
	if (key_of(table)[0] == 's')
		k.str = text;
	else
		k.s64 = strtoll(text, NULL, 0);
	return k;
}

#define REG(k) s->reg[(unsigned char)w[k][0]]
#define NUM(k) strtoull(w[k], NULL, 0)

static void command(struct state *s, char *text)
{
	char *w[16] = {"", "", "", "", "", "", ""}, *save;
	int n = 0;
	for (char *p = strtok_r(text, " ", &save); p && n < 16; p = strtok_r(NULL, " ", &save))
		w[n++] = p;
	if (n == 0)
		return;
	union aerie_state_data k, v = {.u64 = UINT64_MAX};
	int32_t rc;
	char err[AERIE_MAX_ERRLEN];
	switch (w[0][0]) {
	case 'T': REG(1) = s->tables.get_table(s->owner, w[2], (uint32_t)NUM(3)); print(s, "%s ", REG(1) ? "table" : "NULL"); break;
	case 'B': {
		uint32_t count;
		struct aerie_table_info *all = s->tables.list_tables(s->owner, &count);
		for (uint32_t i = 0; i < count; i++)
			print(s, "%s:%u ", all[i].name, all[i].key_type);
		break;
	}
	case 'F': REG(1) = s->fields.get_table_field(REG(2), w[3], (uint32_t)NUM(4)); print(s, "%s ", REG(1) ? "field" : "NULL"); break;
	case 'A': {
		void *f = s->fields.add_table_field(REG(2), w[3], (uint32_t)NUM(4));
		print(s, "%s ", f == NULL ? "NULL" : f == REG(1) ? "same" : "added");
		REG(1) = f;
		break;
	}
	case 'Q': {
		uint32_t count;
		const struct aerie_table_fieldinfo *all = s->fields.list_table_fields(REG(1), &count);
		for (uint32_t i = 0; i < count; i++)
			print(s, "%s:%u%s ", all[i].name, all[i].field_type, all[i].read_only ? ":ro" : "");
		if (all == NULL)
			print(s, "NULL ");
		break;
	}
	case 'G': {
		k = key(REG(2), w[3]);
		void *e = s->reader.get_table_entry(REG(2), &k);
		print(s, "%s ", e == NULL ? "NULL" : e == REG(1) ? "same" : "entry");
		REG(1) = e;
		break;
	}
	case 'L': s->reader.release_table_entry(REG(1), REG(2)); break;
	case 'C': REG(1) = s->writer.create_table_entry(REG(2)); print(s, "%s ", REG(1) ? "created" : "NULL"); break;
	case 'D': s->writer.destroy_table_entry(REG(1), REG(2)); break;
	case 'P': {
		k = key(REG(2), w[3]);
		void *e = s->writer.add_table_entry(REG(2), &k, REG(4));
		print(s, "%s ", e == NULL ? "NULL" : e == REG(4) ? "same" : "entry");
		REG(1) = e;
		break;
	}
	case 'X': k = key(REG(1), w[2]); print(s, "%d ", s->writer.erase_table_entry(REG(1), &k)); break;
	case 'K': print(s, "%d ", s->writer.clear_table(REG(1))); break;
	case 'N': print(s, "%" PRId64 " ", (int64_t)s->reader.get_table_size(REG(1))); break;
	case 'V': print(s, "%s ", s->reader.get_table_name(REG(1))); break;
	case 'R':
		rc = s->reader.read_entry_field(REG(1), REG(2), REG(3), &v);
		if (rc == AERIE_RC_SUCCESS)
			show(s, (uint32_t)NUM(4), &v);
		else
			print(s, "failed(%d)", rc);
		print(s, " ");
		break;
	case 'W':
		if (NUM(4) == AERIE_STATE_STRING)
			v.str = strcmp(w[5], "NULL") == 0 ? NULL : w[5];
		else
			v.u64 = NUM(5);
		print(s, "%d ", s->writer.write_entry_field(REG(1), REG(2), REG(3), &v));
		break;
	case 'S':
		rc = s->reader.read_entry_field(REG(2), REG(3), REG(4), &v);
		REG(1) = v.table;
		print(s, "%s ", rc == AERIE_RC_SUCCESS ? "table" : "failed");
		break;
	case 's':
		s->reader.read_entry_field(REG(2), REG(3), REG(4), &v);
		REG(1) = (void *)v.str;
		break;
	case 'p': print(s, "%.2x ", *(unsigned char *)REG(1)); break;
	case 'I': {
		struct walk walk = {s, REG(1), REG(2), (uint32_t)NUM(3), n > 4 ? (int)NUM(4) : 1000, NULL};
		print(s, "[");
		aerie_bool ok = s->reader.iterate_entries(REG(1), step, &walk);
		print(s, "]%u ", ok);
		break;
	}
	case 'E': {
		const char *e = s->error(s->owner);
		print(s, "<%s> ", e ? e : "NULL");
		break;
	}
	case 'Y':
		rc = send_async(s, async_event(w[1], NUM(2), NUM(3), (uint32_t)NUM(4), w[5]), err);
		print(s, "%d%s%s%s ", rc, err[0] ? "(" : "", err, err[0] ? ")" : "");
		break;
	case 'Z': {
		struct aerie_event *e = async_event("tick", UINT64_MAX, UINT64_MAX, 0, "data");
		if (strcmp(w[1], "type") == 0)
			e->type = 322;
		else if (strcmp(w[1], "nparams") == 0)
			e->nparams = 2;
		else if (strcmp(w[1], "short") == 0)
			e->len = 42;
		else if (strcmp(w[1], "endless") == 0)
			e->len = 44;
		else if (strcmp(w[1], "lengths") == 0)
			((char *)e)[34] = 99;
		rc = send_async(s, e, err);
		print(s, "%d%s%s%s ", rc, err[0] ? "(" : "", err, err[0] ? ")" : "");
		break;
	}
	case 'M':
		for (s->nthreads = 0; s->nthreads < (int)NUM(1); s->nthreads++)
			pthread_create(&s->threads[s->nthreads], NULL, sender, s);
		break;
	case 'm': wait_for(s, &s->sent, __atomic_load_n(&s->sent, __ATOMIC_ACQUIRE) + 1); break;
	case 'O':
		s->wanted = (int)NUM(2);
		REG(1) = s->routine.subscribe(s->owner, routine, NULL);
		print(s, "%s ", REG(1) ? "routine" : "NULL");
		break;
	case 'U': print(s, "%d ", s->routine.unsubscribe(s->owner, REG(1))); break;
	case 'J': wait_for(s, &s->runs, (int)NUM(1)); break;
	case 'H': {
		struct size_call c = {s, REG(1), 0};
		pthread_t thread;
		pthread_create(&thread, NULL, size_on_thread, &c);
		pthread_join(thread, NULL);
		print(s, "%" PRId64 " ", (int64_t)c.size);
		break;
	}
	case 'f': s->fail = 1; strcpy(s->err, "told to fail"); break;
	default: print(s, "?%s ", w[0]);
	}
}

static void run(struct state *s, const char *script)
{
	char *copy = strdup(script), *rest = copy, *p;
	while ((p = strsep(&rest, ";")) != NULL) {
		while (*p == ' ')
			p++;
		if (p[0] == 'i' && p[1] == ' ') {
			struct walk walk = {s, s->reg[(unsigned char)p[2]], NULL, 0, 0, NULL};
			if (rest)
				rest[-1] = ';'; /* the commands inside are not over yet */
			char *end = strchr(p, '!'), *inside = strndup(p + 4, (size_t)(end - p - 4));
			rest = end + 1;
			walk.script = inside;
			s->reader.iterate_entries(walk.table, step, &walk);
			free(inside);
			continue;
		}
		command(s, p);
	}
	free(copy);
}

/* Runs a script of a callback and logs what it printed; returns the callback's result. */
static int32_t callback(struct state *s, const char *name, const char *script)
{
	char line[9000];
	s->used = 0;
	s->out[0] = 0;
	s->fail = 0;
	if (script)
		run(s, script);
	while (s->used > 0 && s->out[s->used - 1] == ' ')
		s->out[--s->used] = 0;
	snprintf(line, sizeof line, "%s%s%s", name, s->used ? ": " : "", s->out);
	s->log(s->owner, NULL, line, AERIE_SEV_INFO);
	return s->fail ? AERIE_RC_FAILURE : AERIE_RC_SUCCESS;
}

/* The script of a callback in the configuration, to be freed; NULL if there is none. */
static char *script_of(struct state *s, const char *name)
{
	char *copy = strdup(s->config), *rest = copy, *p, *found = NULL;
	size_t n = strlen(name);
	while (found == NULL && (p = strsep(&rest, "|")) != NULL)
		if (strncmp(p, name, n) == 0 && p[n] == '=')
			found = strdup(p + n + 1);
	free(copy);
	return found;
}

static int32_t configured(struct state *s, const char *name)
{
	char *script = script_of(s, name);
	int32_t rc = callback(s, name, script);
	free(script);
	return rc;
}

void *plugin_init(const struct aerie_init_input *in, int32_t *rc)
{
	struct state *s = calloc(1, sizeof *s);
	s->config = strdup(in->config);
	s->owner = in->owner;
	s->log = in->log_fn;
	s->error = in->get_owner_last_error;
	pthread_mutex_init(&s->mu, NULL);
	pthread_cond_init(&s->ran, NULL);
	if (in->tables) {
		s->tables = *in->tables;
		s->fields = *in->tables->fields_ext;
		s->reader = *in->tables->reader_ext;
		s->writer = *in->tables->writer_ext;
	}
	*rc = configured(s, "init");
	return s;
}

void plugin_destroy(void *state)
{
	struct state *s = state;
	configured(s, "destroy");
	late = *s;
	free(s->config);
	free(s);
}

const char *plugin_get_last_error(void *state) { return ((struct state *)state)->err; }

#ifndef NO_EXTRACT
const char *plugin_get_fields(void)
{
	return "[{\"type\": \"string\", \"name\": \"" NAME ".run\", \"desc\": \"d\"}]";
}

static uint16_t types[] = {TYPES};

uint16_t *plugin_get_extract_event_types(uint32_t *n, void *state)
{
	(void)state;
	*n = sizeof types / sizeof types[0];
	return types;
}

int32_t plugin_extract_fields(void *state, const struct aerie_event_input *evt, const struct aerie_field_extract_input *in)
{
	struct state *s = state;
	(void)evt;
	s->reader = *in->table_reader_ext;
	configured(s, "extract");
	static const char *values[1];
	values[0] = s->out;
	in->fields[0].res.str = values;
	in->fields[0].res_len = 1;
	return AERIE_RC_SUCCESS;
}

const char *plugin_get_parse_event_sources(void) { return SOURCES; }

uint16_t *plugin_get_parse_event_types(uint32_t *n, void *state)
{
	(void)state;
	*n = sizeof types / sizeof types[0];
	return types;
}

int32_t plugin_parse_event(void *state, const struct aerie_event_input *evt, const struct aerie_event_parse_input *in)
{
	struct state *s = state;
	char name[96];
	s->reader = *in->table_reader_ext;
	s->writer = *in->table_writer_ext;
	snprintf(name, sizeof name, "parse %" PRIu64 " type %u of %s", evt->evtnum, evt->evt->type, evt->evtsrc);
	char *script;
	if (evt->evt->type == 322)
		script = strndup((const char *)evt->evt + 38, evt->evt->len - 38);
	else
		script = script_of(s, "parse");
	int32_t rc = callback(s, name, script);
	free(script);
	return rc;
}
#endif

const char *plugin_get_async_events(void) { return "[\"tick\", \"state\"]"; }
#ifdef ASYNC_SOURCES
const char *plugin_get_async_event_sources(void) { return ASYNC_SOURCES; }
#endif

int32_t plugin_set_async_event_handler(void *state, void *owner, aerie_async_handler_fn handler)
{
	struct state *s = state;
	if (handler == NULL) {
		__atomic_store_n(&s->stop, 1, __ATOMIC_RELEASE);
		while (s->nthreads > 0)
			pthread_join(s->threads[--s->nthreads], NULL);
		/* The handler still works here. */
		return configured(s, "unset");
	}
	s->handler = handler;
	s->handler_owner = owner;
	s->stop = 0;
	return configured(s, "set");
}

int32_t plugin_dump_state(void *state, void *owner, aerie_async_handler_fn handler)
{
	struct state *s = state;
	aerie_async_handler_fn before = s->handler;
	void *before_owner = s->handler_owner;
	s->handler = handler;
	s->handler_owner = owner;
	int32_t rc = configured(s, "dump");
#ifndef KEEP_DUMP
	s->handler = before;
	s->handler_owner = before_owner;
#else
	(void)before, (void)before_owner;
#endif
	return rc;
}

static int32_t listen(struct state *s, const char *name, const struct aerie_capture_listen_input *in)
{
	s->routine = *in->routine;
	s->reader = *in->table_reader_ext;
	s->writer = *in->table_writer_ext;
	return configured(s, name);
}

int32_t plugin_capture_open(void *state, const struct aerie_capture_listen_input *in) { return listen(state, "open", in); }
int32_t plugin_capture_close(void *state, const struct aerie_capture_listen_input *in) { return listen(state, "close", in); }

struct aerie_metric *plugin_get_metrics(void *state, uint32_t *n)
{
	static struct aerie_metric m[1];
	struct state *s = state;
	m[0] = (struct aerie_metric){"sent", AERIE_METRIC_MONOTONIC, {.u64 = (uint64_t)s->sent}, AERIE_METRIC_U64};
	*n = 1;
	return m;
}
