/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* Borrows path; *err is a copy for the caller to free, set if NULL is returned. */
void *aerie_host_dlopen(const char *path, char **err)
{
	void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (lib == NULL) {
		/* dlerror is per thread, so it is read before Go may move on to another. */
		const char *msg = dlerror();
		*err = strdup(msg != NULL ? msg : "dlopen failed without a message");
	}
	return lib;
}

/* Takes p over: fills its n bytes with 0xDB, so that whoever kept it is found out, and frees it. */
void aerie_host_poison_free(void *p, size_t n)
{
	memset(p, 0xDB, n);
	/* Without this the compiler may drop stores to memory about to be freed. */
	__asm__ __volatile__("" : : "r"(p) : "memory");
	free(p);
}

/* Returns plugin memory, valid until the next call of f. */
const char *aerie_call_text(const char *(*f)(void))
{
	return f();
}

/* Borrows type; returns plugin memory. */
const char *aerie_call_get_init_schema(const aerie_api *a, uint32_t *type)
{
	return a->get_init_schema(type);
}

/* Borrows in and rc; the state returned is the plugin's until destroy. */
void *aerie_call_init(const aerie_api *a, const struct aerie_init_input *in, int32_t *rc)
{
	return a->init(in, rc);
}

/* Ends state: nobody may use it afterwards. */
void aerie_call_destroy(const aerie_api *a, void *state)
{
	a->destroy(state);
}

/* Returns plugin memory, valid until the next call on state. */
const char *aerie_call_get_last_error(const aerie_api *a, void *state)
{
	return a->get_last_error(state);
}

/* Owns and borrows nothing. */
uint32_t aerie_call_get_id(const aerie_api *a)
{
	return a->get_id();
}

/* Borrows params and rc; the instance returned is the plugin's until close. */
void *aerie_call_open(const aerie_api *a, void *state, const char *params, int32_t *rc)
{
	return a->open(state, params, rc);
}

/* Ends instance, which may be NULL, and with it the events of its last batch. */
void aerie_call_close(const aerie_api *a, void *state, void *instance)
{
	a->close(state, instance);
}

/* Borrows rc; returns plugin memory, valid until the next call on state. */
const char *aerie_call_list_open_params(const aerie_api *a, void *state, int32_t *rc)
{
	return a->list_open_params(state, rc);
}

/* Borrows pct; returns plugin memory, valid until the next call on instance. */
const char *aerie_call_get_progress(const aerie_api *a, void *state, void *instance, uint32_t *pct)
{
	return a->get_progress(state, instance, pct);
}

/* Borrows evt; returns plugin memory, valid until the next call on state. */
const char *aerie_call_event_to_string(const aerie_api *a, void *state, const struct aerie_event_input *evt)
{
	return a->event_to_string(state, evt);
}

/* Borrows b; the events it then names are the plugin's, writable until the next batch or close. */
int32_t aerie_call_next_batch(const aerie_api *a, void *state, void *instance, struct aerie_batch *b)
{
	return a->next_batch(state, instance, &b->n, &b->evts);
}

/* Borrows n; returns plugin memory, valid until the next call on state. */
uint16_t *aerie_call_get_event_types(uint16_t *(*f)(uint32_t *, void *), uint32_t *n, void *state)
{
	return f(n, state);
}

/* Borrows evt and in; the results in its fields are the plugin's until the next call on state. */
int32_t aerie_call_extract_fields(const aerie_api *a, void *state, const struct aerie_event_input *evt,
				  const struct aerie_field_extract_input *in)
{
	return a->extract_fields(state, evt, in);
}

/* Borrows evt and in. */
int32_t aerie_call_parse_event(const aerie_api *a, void *state, const struct aerie_event_input *evt,
			       const struct aerie_event_parse_input *in)
{
	return a->parse_event(state, evt, in);
}

/* Lends owner until the handler is set to NULL, which set being 0 does. */
int32_t aerie_call_set_async_event_handler(const aerie_api *a, void *state, void *owner, int set)
{
	return a->set_async_event_handler(state, owner, set ? (void *)aerie_host_async : NULL);
}

/* Borrows owner, and so does the handler handed over. */
int32_t aerie_call_dump_state(const aerie_api *a, void *state, void *owner)
{
	return a->dump_state(state, owner, (void *)aerie_host_dump);
}

/* Borrows in. */
int32_t aerie_call_capture_open(const aerie_api *a, void *state, const struct aerie_capture_listen_input *in)
{
	return a->capture_open(state, in);
}

/* Borrows in. */
int32_t aerie_call_capture_close(const aerie_api *a, void *state, const struct aerie_capture_listen_input *in)
{
	return a->capture_close(state, in);
}

/* Borrows s, which stays the plugin's. */
aerie_bool aerie_call_routine(void *fn, void *state, void *s)
{
	return ((aerie_routine_fn)fn)(state, s);
}

/* Borrows in. */
int32_t aerie_call_set_config(const aerie_api *a, void *state, const struct aerie_set_config_input *in)
{
	return a->set_config(state, in);
}

/* Borrows n; returns plugin memory, valid until the next call on state. */
struct aerie_metric *aerie_call_get_metrics(const aerie_api *a, void *state, uint32_t *n)
{
	return a->get_metrics(state, n);
}

/* Returns plugin memory, valid until the next call on state. */
const char *aerie_call_get_required_event_schema_version(const aerie_api *a, void *state)
{
	return a->get_required_event_schema_version(state);
}
