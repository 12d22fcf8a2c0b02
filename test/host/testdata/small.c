/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest plugin, an extractor, with one thing wrong or different for
 * each macro that is defined.
 */
#include <stdlib.h>

#include "abi.h"

#ifndef API
#define API "3.0.0"
#endif
#ifndef NAME
#define NAME "small"
#endif
#ifndef VERSION
#define VERSION "0.1.0"
#endif
#ifndef FIELDS
#define FIELDS "[{\"type\": \"string\", \"name\": \"small.x\", \"desc\": \"x\"}]"
#endif

#ifndef NO_API
const char *plugin_get_required_api_version(void) { return API; }
#endif
#ifndef NO_NAME
const char *plugin_get_name(void) { return NAME; }
#endif
const char *plugin_get_description(void) { return NULL; }
const char *plugin_get_contact(void) { return NULL; }
const char *plugin_get_version(void) { return VERSION; }

void *plugin_init(const struct aerie_init_input *in, int32_t *rc)
{
#ifdef NO_TABLES
	*rc = in->tables == NULL ? AERIE_RC_SUCCESS : AERIE_RC_FAILURE;
#else
	*rc = in->config[0] == 0 ? AERIE_RC_SUCCESS : AERIE_RC_FAILURE;
#endif
	return malloc(1);
}

void plugin_destroy(void *state) { free(state); }
const char *plugin_get_last_error(void *state) { return state ? "small error" : NULL; }

#ifndef NO_FIELDS
const char *plugin_get_fields(void) { return FIELDS; }
#endif
#ifndef NO_EXTRACT
int32_t plugin_extract_fields(void *state, const struct aerie_event_input *evt, const struct aerie_field_extract_input *in)
{
	(void)state, (void)evt, (void)in;
	return AERIE_RC_FAILURE;
}
#endif

#ifdef TYPES
uint16_t *plugin_get_extract_event_types(uint32_t *n, void *state)
{
	static uint16_t types[] = {TYPES};
	(void)state;
	*n = sizeof types / sizeof types[0];
	return types;
}
#endif
#ifdef NULL_TYPES
uint16_t *plugin_get_extract_event_types(uint32_t *n, void *state)
{
	(void)state;
	*n = 3;
	return NULL;
}
#endif
#ifdef SOURCES
const char *plugin_get_extract_event_sources(void) { return SOURCES; }
#endif
#ifdef SCHEMA_VERSION
const char *plugin_get_required_event_schema_version(void *state)
{
	(void)state;
	return SCHEMA_VERSION;
}
#endif
#ifdef ASYNC
const char *plugin_get_async_events(void) { return ASYNC; }
int32_t plugin_set_async_event_handler(void *state, void *owner, aerie_async_handler_fn handler)
{
	(void)state, (void)owner, (void)handler;
	return AERIE_RC_SUCCESS;
}
#endif
#ifdef SOURCE
uint32_t plugin_get_id(void) { return ID; }
const char *plugin_get_event_source(void) { return SOURCE; }
void *plugin_open(void *state, const char *params, int32_t *rc)
{
	(void)state, (void)params;
	*rc = AERIE_RC_SUCCESS;
	return NULL;
}
void plugin_close(void *state, void *instance) { (void)state, (void)instance; }
int32_t plugin_next_batch(void *state, void *instance, uint32_t *n, struct aerie_event ***evts)
{
	(void)state, (void)instance, (void)evts;
	*n = 0;
	return AERIE_RC_TIMEOUT;
}
#endif
#ifdef OPEN_ONLY
void *plugin_open(void *state, const char *params, int32_t *rc)
{
	(void)state, (void)params;
	*rc = AERIE_RC_SUCCESS;
	return NULL;
}
#endif
