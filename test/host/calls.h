/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C side of the host: one trampoline a plugin symbol, because Go cannot
 * call a C function pointer itself, and the memory of call inputs.
 *
 * "Borrows" means for the time of the call only. Unless said otherwise, memory
 * that a trampoline returns belongs to the plugin.
 */
#ifndef AERIE_HOST_CALLS_H
#define AERIE_HOST_CALLS_H

#include "tables.h"

typedef struct aerie_plugin_api aerie_api;

/* Where next_batch leaves its results: owned by the host, one an instance. */
struct aerie_batch {
	uint32_t n;
	struct aerie_event **evts;
};

/* A plugin's owner: its address is what the plugin gets as owner. Never freed. go names its Go side. */
struct aerie_owner {
	uintptr_t go;
};

void *aerie_host_dlopen(const char *path, char **err);
void aerie_host_poison_free(void *p, size_t n);
void aerie_host_default_signals(void);

const char *aerie_call_text(const char *(*f)(void));
const char *aerie_call_get_init_schema(const aerie_api *a, uint32_t *type);
void *aerie_call_init(const aerie_api *a, const struct aerie_init_input *in, int32_t *rc);
void aerie_call_destroy(const aerie_api *a, void *state);
const char *aerie_call_get_last_error(const aerie_api *a, void *state);
uint32_t aerie_call_get_id(const aerie_api *a);
void *aerie_call_open(const aerie_api *a, void *state, const char *params, int32_t *rc);
void aerie_call_close(const aerie_api *a, void *state, void *instance);
const char *aerie_call_list_open_params(const aerie_api *a, void *state, int32_t *rc);
const char *aerie_call_get_progress(const aerie_api *a, void *state, void *instance, uint32_t *pct);
const char *aerie_call_event_to_string(const aerie_api *a, void *state, const struct aerie_event_input *evt);
int32_t aerie_call_next_batch(const aerie_api *a, void *state, void *instance, struct aerie_batch *b);
uint16_t *aerie_call_get_event_types(uint16_t *(*f)(uint32_t *, void *), uint32_t *n, void *state);
int32_t aerie_call_extract_fields(const aerie_api *a, void *state, const struct aerie_event_input *evt,
				  const struct aerie_field_extract_input *in);
int32_t aerie_call_parse_event(const aerie_api *a, void *state, const struct aerie_event_input *evt,
			       const struct aerie_event_parse_input *in);
int32_t aerie_call_set_async_event_handler(const aerie_api *a, void *state, void *owner, int set);
int32_t aerie_call_dump_state(const aerie_api *a, void *state, void *owner);
int32_t aerie_call_capture_open(const aerie_api *a, void *state, const struct aerie_capture_listen_input *in);
int32_t aerie_call_capture_close(const aerie_api *a, void *state, const struct aerie_capture_listen_input *in);
aerie_bool aerie_call_routine(void *fn, void *state, void *s);
int32_t aerie_call_set_config(const aerie_api *a, void *state, const struct aerie_set_config_input *in);
struct aerie_metric *aerie_call_get_metrics(const aerie_api *a, void *state, uint32_t *n);
const char *aerie_call_get_required_event_schema_version(const aerie_api *a, void *state);

/* The framework's functions for plugins, in Go beside those of tables.h. Each borrows its arguments. */
void aerie_host_log(void *owner, char *component, char *msg, uint32_t severity);
int32_t aerie_host_async(void *owner, void *evt, char *err);
int32_t aerie_host_dump(void *owner, void *evt, char *err);
void *aerie_host_subscribe(void *owner, void *fn, void *s);
int32_t aerie_host_unsubscribe(void *owner, void *routine);

/* Timing loops: results of their calls are dropped. */
uint64_t aerie_time_text(const char *(*f)(void), uint64_t n);
uint64_t aerie_time_id(const aerie_api *a, uint64_t n);
uint64_t aerie_time_extract(const aerie_api *a, void *state, const struct aerie_event_input *evts, uint64_t nevts,
			    const struct aerie_field_extract_input *ins, uint64_t nins, uint64_t n, uint64_t *values);
uint64_t aerie_time_parse(const aerie_api *a, void *state, const struct aerie_event_input *evt,
			  const struct aerie_event_parse_input *in, uint64_t n);

/* What a loop of next_batch calls did. */
struct aerie_batch_times {
	uint64_t batches, events, busy_ns; /* calls with events, their events, time in them */
	uint64_t idle, idle_ns;            /* calls without events, time in them */
	int32_t rc;                        /* of the last call */
};
void aerie_time_batches(const aerie_api *a, void *state, void *instance, uint64_t most_events, uint64_t limit_ns,
			struct aerie_batch_times *t);

#endif
