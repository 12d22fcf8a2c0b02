/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin with a source and fields whose behaviour, good or bad, is asked for
 * at run time: next_batch plays the steps named in the open parameters, one a
 * call, and each field does what its name says.
 *
 * Steps: N (that many events, success), N:timeout, N:eof, N:failure, N:odd
 * (an unknown result code), N:unsupported, stale (timeout, count not written), null (a
 * count and no events), nullevent, wrongid, wrongtype, badlen, keep (an event
 * with its ID and time set), abort, segv, exit, wait (blocks until close), shout (prints to stdout
 * and stderr), forever (timeouts, each after a short wait), file=PATH (the same
 * until the file is there, then one event). After the last step: EOF.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "abi.h"

#define ID 777
#define MOST 1024

struct state {
	char err[512], config[512], text[512], progress[64];
	void *owner;
	aerie_log_fn log;
	const char *kept;
	struct aerie_metric metrics[7];
	/* Results of one extraction. */
	const char *strs[4];
	uint64_t u64s[4];
	uint32_t bools[4];
	struct aerie_byte_buffer bufs[4];
	uint32_t starts[64], lengths[64];
	char echo[512];
	int instances;
};

struct instance {
	char script[4096], *at;
	struct aerie_event *evts[MOST];
	char *memory;
	uint64_t seq;
	pthread_mutex_t mu;
	pthread_cond_t closed;
	int closing, waiting;
};

const char *plugin_get_required_api_version(void) { return "3.11.0"; }
const char *plugin_get_name(void) { return "full"; }
const char *plugin_get_description(void) { return "Does as it is told"; }
const char *plugin_get_contact(void) { return "the test"; }
const char *plugin_get_version(void) { return "1.2.3"; }
uint32_t plugin_get_id(void) { return ID; }
const char *plugin_get_event_source(void) { return "full_source"; }

const char *plugin_get_init_schema(uint32_t *type)
{
	*type = AERIE_SCHEMA_JSON;
	return "{\"$schema\": \"http://json-schema.org/draft-04/schema#\", \"type\": \"object\", \"additionalProperties\": false,"
	       "\"properties\": {\"fail\": {\"type\": \"string\"}, \"size\": {\"type\": \"integer\", \"minimum\": 1},"
	       "\"mail\": {\"type\": \"string\", \"format\": \"email\"}, \"day\": {\"type\": \"string\", \"format\": \"date\"}}}";
}

void *plugin_init(const struct aerie_init_input *in, int32_t *rc)
{
	if (strstr(in->config, "forget-rc"))
		return NULL;
	*rc = AERIE_RC_FAILURE;
	if (strstr(in->config, "no-state"))
		return NULL;
	struct state *s = calloc(1, sizeof *s);
	if (strstr(in->config, "with-state")) {
		strcpy(s->err, "told to fail");
		return s;
	}
	if (strstr(in->config, "abort"))
		abort();
	snprintf(s->config, sizeof s->config, "%s", in->config);
	s->owner = in->owner;
	s->log = in->log_fn;
	if (in->tables == NULL || in->tables->get_table(in->owner, "threads", AERIE_STATE_INT64) == NULL ||
	    in->tables->reader_ext == NULL || in->get_owner_last_error(in->owner) != NULL) {
		strcpy(s->err, "tables are not as they should be");
		return s;
	}
	s->log(in->owner, NULL, "initialised", AERIE_SEV_INFO);
	s->log(in->owner, "part", "of it", AERIE_SEV_WARNING);
	*rc = AERIE_RC_SUCCESS;
	return s;
}

static aerie_log_fn late_log;
static void *late_owner;

/* Logs after a destroy, like a thread that was not stopped. */
const char *plugin_get_extract_event_sources(void)
{
	if (late_log != NULL)
		late_log(late_owner, NULL, "too late", AERIE_SEV_ERROR);
	return "[\"\", \"other_source\"] trailing";
}

void plugin_destroy(void *state)
{
	struct state *s = state;
	late_log = s->log;
	late_owner = s->owner;
	free(s);
}

const char *plugin_get_last_error(void *state) { return ((struct state *)state)->err; }

int32_t plugin_set_config(void *state, const struct aerie_set_config_input *in)
{
	struct state *s = state;
	if (strstr(in->config, "refuse")) {
		strcpy(s->err, "config refused");
		return AERIE_RC_FAILURE;
	}
	snprintf(s->config, sizeof s->config, "%s", in->config);
	return AERIE_RC_SUCCESS;
}

struct aerie_metric *plugin_get_metrics(void *state, uint32_t *n)
{
	struct state *s = state;
	struct aerie_metric m[7] = {
		{"u32", AERIE_METRIC_MONOTONIC, {.u32 = 4294967295u}, AERIE_METRIC_U32},
		{"s32", AERIE_METRIC_NON_MONOTONIC, {.s32 = -2}, AERIE_METRIC_S32},
		{"u64", AERIE_METRIC_MONOTONIC, {.u64 = 18446744073709551615u}, AERIE_METRIC_U64},
		{"s64", AERIE_METRIC_NON_MONOTONIC, {.s64 = -3}, AERIE_METRIC_S64},
		{"d", AERIE_METRIC_NON_MONOTONIC, {.d = 0.5}, AERIE_METRIC_DOUBLE},
		{"f", AERIE_METRIC_NON_MONOTONIC, {.f = 0.25f}, AERIE_METRIC_FLOAT},
		{"i", AERIE_METRIC_NON_MONOTONIC, {.i = -4}, AERIE_METRIC_INT},
	};
	memcpy(s->metrics, m, sizeof m);
	*n = 7;
	if (strstr(s->config, "no-name"))
		s->metrics[6].name = NULL;
	if (strstr(s->config, "odd-type"))
		s->metrics[6].value_type = 99;
	return strstr(s->config, "no-metrics") ? NULL : s->metrics;
}

const char *plugin_list_open_params(void *state, int32_t *rc)
{
	(void)state;
	*rc = AERIE_RC_SUCCESS;
	return "[{\"value\": \"3\", \"desc\": \"three events\"}, {\"value\": \"5\"}]";
}

void *plugin_open(void *state, const char *params, int32_t *rc)
{
	struct state *s = state;
	if (strcmp(params, "refuse") == 0) {
		memset(s->err, 'x', 300);
		s->err[300] = 0;
		*rc = AERIE_RC_FAILURE;
		return NULL;
	}
	struct instance *i = calloc(1, sizeof *i);
	snprintf(i->script, sizeof i->script, "%s", params);
	i->at = i->script;
	i->memory = malloc(MOST * 128);
	pthread_mutex_init(&i->mu, NULL);
	pthread_cond_init(&i->closed, NULL);
	s->instances++;
	*rc = AERIE_RC_SUCCESS;
	return i;
}

/* Frees nothing while a next_batch waits in the instance: that one does. */
void plugin_close(void *state, void *instance)
{
	struct state *s = state;
	struct instance *i = instance;
	if (i == NULL) {
		s->log(s->owner, NULL, "closed NULL", AERIE_SEV_DEBUG);
		return;
	}
	pthread_mutex_lock(&i->mu);
	i->closing = 1;
	pthread_cond_broadcast(&i->closed);
	int waiting = i->waiting;
	pthread_mutex_unlock(&i->mu);
	if (!waiting) {
		free(i->memory);
		free(i);
	}
}

static struct aerie_event *put(struct instance *i, uint32_t k, const char *payload)
{
	char *p = i->memory + k * 128;
	uint32_t n = (uint32_t)strlen(payload), four = 4, id = 0;
	struct aerie_event *e = (struct aerie_event *)p;
	e->ts = UINT64_MAX;
	e->tid = 5;
	e->type = 322;
	e->nparams = 2;
	e->len = 38 + n;
	memcpy(p + 26, &four, 4);
	memcpy(p + 30, &n, 4);
	memcpy(p + 34, &id, 4);
	memcpy(p + 38, payload, n);
	return i->evts[k] = e;
}

int32_t plugin_next_batch(void *state, void *instance, uint32_t *n, struct aerie_event ***evts)
{
	struct state *s = state;
	struct instance *i = instance;
	if (i->at != NULL && (strcmp(i->at, "forever") == 0 || (strncmp(i->at, "file=", 5) == 0 && access(i->at + 5, F_OK) != 0))) {
		*n = 0;
		nanosleep(&(struct timespec){0, 2000000}, NULL);
		return AERIE_RC_TIMEOUT;
	}
	char *step = strsep(&i->at, " ");
	if (step == NULL || *step == 0) {
		*n = 0;
		return AERIE_RC_EOF;
	}
	if (strcmp(step, "stale") == 0)
		return AERIE_RC_TIMEOUT;
	*evts = i->evts;
	if (*step >= '0' && *step <= '9') {
		char *end;
		*n = (uint32_t)strtoul(step, &end, 10);
		for (uint32_t k = 0; k < *n && k < MOST; k++) {
			char payload[64];
			snprintf(payload, sizeof payload, "{\"seq\": %llu}", (unsigned long long)++i->seq);
			put(i, k, payload);
		}
		snprintf(s->err, sizeof s->err, "end of step %s", step);
		if (strcmp(end, ":timeout") == 0)
			return AERIE_RC_TIMEOUT;
		if (strcmp(end, ":eof") == 0)
			return AERIE_RC_EOF;
		if (strcmp(end, ":failure") == 0)
			return AERIE_RC_FAILURE;
		if (strcmp(end, ":unsupported") == 0)
			return AERIE_RC_NOT_SUPPORTED;
		if (strcmp(end, ":odd") == 0)
			return 42;
		return AERIE_RC_SUCCESS;
	}
	*n = 1;
	struct aerie_event *e = put(i, 0, "x");
	if (strcmp(step, "null") == 0) {
		*evts = NULL;
	} else if (strcmp(step, "nullevent") == 0) {
		i->evts[0] = NULL;
	} else if (strcmp(step, "wrongid") == 0) {
		memcpy(i->memory + 34, &(uint32_t){778}, 4);
	} else if (strcmp(step, "wrongtype") == 0) {
		e->type = 402;
	} else if (strcmp(step, "badlen") == 0) {
		e->len = 1000;
	} else if (strcmp(step, "keep") == 0) {
		e->ts = 1234567890;
		memcpy(i->memory + 34, &(uint32_t){ID}, 4);
	} else if (strcmp(step, "abort") == 0) {
		fprintf(stderr, "about to abort\n");
		abort();
	} else if (strcmp(step, "segv") == 0) {
		*(volatile int *)16 = 1;
	} else if (strcmp(step, "exit") == 0) {
		_exit(7);
	} else if (strcmp(step, "shout") == 0) {
		printf("to stdout\n");
		fflush(stdout);
		fprintf(stderr, "to stderr\n");
	} else if (strcmp(step, "wait") == 0) {
		s->log(s->owner, NULL, "waiting", AERIE_SEV_DEBUG);
		*n = 0;
		pthread_mutex_lock(&i->mu);
		i->waiting = 1;
		while (!i->closing)
			pthread_cond_wait(&i->closed, &i->mu);
		pthread_mutex_unlock(&i->mu);
		free(i->memory);
		free(i);
		return AERIE_RC_EOF;
	}
	return AERIE_RC_SUCCESS;
}

const char *plugin_get_progress(void *state, void *instance, uint32_t *pct)
{
	struct state *s = state;
	struct instance *i = instance;
	*pct = (uint32_t)i->seq * 100;
	snprintf(s->progress, sizeof s->progress, "%llu sent", (unsigned long long)i->seq);
	return s->progress;
}

const char *plugin_event_to_string(void *state, const struct aerie_event_input *evt)
{
	struct state *s = state;
	const char *p = (const char *)evt->evt;
	snprintf(s->text, sizeof s->text, "event %llu of %s: %.*s", (unsigned long long)evt->evtnum,
		 evt->evtsrc ? evt->evtsrc : "NULL", (int)(evt->evt->len - 38), p + 38);
	return s->text;
}

#define FIELD(type, name, more) "{\"type\": \"" type "\", \"name\": \"" name "\", \"desc\": \"d\"" more "},"
#define LIST ", \"isList\": true"
#define KEY ", \"arg\": {\"isKey\": true}"

const char *plugin_get_fields(void)
{
	return "/* the fields */ ["
	FIELD("string", "full.payload", ", \"display\": \"Payload\", \"properties\": [\"info\"]")
	FIELD("string", "full.echo", ", \"arg\": {\"isKey\": true, \"isIndex\": true, \"isRequired\": false}")
	FIELD("uint64", "full.num", "")
	FIELD("bool", "full.yes", "")
	FIELD("reltime", "full.ago", "")
	FIELD("abstime", "full.at", "")
	FIELD("ipaddr", "full.ip", "")
	FIELD("ipnet", "full.net", "")
	FIELD("string", "full.strings", LIST)
	FIELD("uint64", "full.nums", LIST)
	FIELD("bool", "full.bools", LIST)
	FIELD("ipaddr", "full.ips", LIST)
	FIELD("string", "full.none", "")
	FIELD("string", "full.fails", "")
	FIELD("string", "full.config", "")
	FIELD("string", "full.keeps", ", \"arg\": {\"isKey\": true, \"isRequired\": true}")
#ifndef GOOD /* with it, every field can be asked for */
	FIELD("uint64", "full.index", ", \"arg\": {\"isIndex\": true, \"isRequired\": true}")
	FIELD("string", "bad.nullstring", "")
	FIELD("ipaddr", "bad.iplength", "")
	FIELD("ipaddr", "bad.nullip", "")
	FIELD("uint64", "bad.twovalues", "")
	FIELD("uint64", "bad.unwritten", "")
	FIELD("uint64", "bad.nores", "")
	FIELD("uint64", "bad.toomany", LIST)
	"{\"type\": \"string\", \"name\": \"bad.abort\", \"desc\": \"d\"}]";
#else
	"{\"type\": \"uint64\", \"name\": \"full.index\", \"desc\": \"d\", \"arg\": {\"isIndex\": true, \"isRequired\": true}}]";
#endif
}

static int one(struct state *s, const struct aerie_event_input *evt, const struct aerie_field_extract_input *in, uint32_t k)
{
	struct aerie_extract_field *f = &in->fields[k];
	const char *name = strchr(f->field, '.') + 1;
	static unsigned char four[4] = {10, 1, 2, 3}, sixteen[16] = {0x20, 1, 0xd, 0xb8, [15] = 7};
	uint32_t size = evt->evt->len - 38;

	if (strcmp(f->field, "bad.unwritten") == 0)
		return 1;
	f->res_len = 1;
	if (f->ftype == AERIE_FIELD_UINT64 || f->ftype == AERIE_FIELD_RELTIME || f->ftype == AERIE_FIELD_ABSTIME)
		f->res.u64 = s->u64s;
	s->u64s[0] = 1000 + evt->evtnum;
	s->u64s[1] = 2;
	if (strcmp(name, "payload") == 0) {
		snprintf(s->echo, sizeof s->echo, "%.*s", (int)size, (const char *)evt->evt + 38);
		s->strs[0] = s->echo;
		f->res.str = s->strs;
		if (in->value_offsets) {
			s->starts[k] = 38;
			s->lengths[k] = size;
		}
	} else if (strcmp(name, "echo") == 0) {
		snprintf(s->text, sizeof s->text, "key=%s index=%llu present=%u flist=%u ftype=%u fields=%u num=%llu src=%s offsets=%d",
			 f->arg_key ? f->arg_key : "NULL", (unsigned long long)f->arg_index, f->arg_present, f->flist, f->ftype,
			 in->num_fields, (unsigned long long)evt->evtnum, evt->evtsrc ? evt->evtsrc : "NULL", in->value_offsets != NULL);
		s->strs[1] = s->text;
		f->res.str = &s->strs[1];
	} else if (strcmp(name, "yes") == 0) {
		s->bools[0] = 7;
		if (f->ftype == AERIE_FIELD_BOOL)
			f->res.boolean = s->bools;
	} else if (strcmp(name, "ip") == 0 || strcmp(name, "net") == 0) {
		s->bufs[0] = (struct aerie_byte_buffer){4, four};
		f->res.buf = s->bufs;
	} else if (strcmp(name, "strings") == 0) {
		s->strs[2] = "a";
		s->strs[3] = "";
		f->res.str = &s->strs[2];
		f->res_len = 2;
		if (in->value_offsets && in->num_fields == 1) {
			s->starts[1] = 40;
			s->lengths[1] = 3;
		}
	} else if (strcmp(name, "nums") == 0) {
		f->res_len = 2;
	} else if (strcmp(name, "bools") == 0) {
		s->bools[0] = 0;
		s->bools[1] = 1;
		f->res.boolean = s->bools;
		f->res_len = 2;
	} else if (strcmp(name, "ips") == 0) {
		s->bufs[0] = (struct aerie_byte_buffer){16, sixteen};
		s->bufs[1] = (struct aerie_byte_buffer){4, four};
		f->res.buf = s->bufs;
		f->res_len = 2;
	} else if (strcmp(name, "none") == 0) {
		f->res_len = 0;
	} else if (strcmp(name, "fails") == 0) {
		strcpy(s->err, "field fails");
		return 0;
	} else if (strcmp(name, "config") == 0) {
		s->strs[0] = s->config;
		f->res.str = s->strs;
	} else if (strcmp(name, "keeps") == 0) {
		/* Reads, as a bad plugin would, the key of the call before. */
		snprintf(s->echo, sizeof s->echo, "%s", s->kept ? s->kept : "");
		s->kept = f->arg_key;
		s->strs[0] = s->echo;
		f->res.str = s->strs;
	} else if (strcmp(name, "index") == 0) {
		s->u64s[0] = f->arg_index;
	} else if (strcmp(name, "nullstring") == 0) {
		s->strs[0] = NULL;
		f->res.str = s->strs;
	} else if (strcmp(name, "iplength") == 0) {
		s->bufs[0] = (struct aerie_byte_buffer){5, sixteen};
		f->res.buf = s->bufs;
	} else if (strcmp(name, "nullip") == 0) {
		s->bufs[0] = (struct aerie_byte_buffer){4, NULL};
		f->res.buf = s->bufs;
	} else if (strcmp(name, "twovalues") == 0) {
		f->res_len = 2;
	} else if (strcmp(name, "nores") == 0) {
		f->res.u64 = NULL;
	} else if (strcmp(name, "toomany") == 0) {
		f->res_len = 1u << 30;
	} else if (strcmp(name, "abort") == 0) {
		abort();
	}
	return 1;
}

int32_t plugin_extract_fields(void *state, const struct aerie_event_input *evt, const struct aerie_field_extract_input *in)
{
	struct state *s = state;
	if (in->value_offsets) {
		memset(s->starts, 0, sizeof s->starts);
		memset(s->lengths, 0, sizeof s->lengths);
		in->value_offsets->start = s->starts;
		in->value_offsets->length = s->lengths;
	}
	for (uint32_t k = 0; k < in->num_fields; k++) {
		/* All fields at once: only those that can live side by side. */
		if (in->num_fields > 1 && k > 2) {
			in->fields[k].res_len = 0;
			continue;
		}
		if (!one(s, evt, in, k))
			return AERIE_RC_FAILURE;
	}
	return AERIE_RC_SUCCESS;
}
