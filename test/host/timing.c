/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loops that measure plugin calls. They stand in C because a call from Go to C
 * costs as much as what is measured.
 */
#include "calls.h"

#include <time.h>

/* Owns nothing. */
static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Owns nothing; returns the nanoseconds that n calls took. */
uint64_t aerie_time_text(const char *(*f)(void), uint64_t n)
{
	uint64_t start = now_ns();
	for (uint64_t i = 0; i < n; i++)
		f();
	return now_ns() - start;
}

/* Owns nothing; returns the nanoseconds that n calls of get_id took. */
uint64_t aerie_time_id(const aerie_api *a, uint64_t n)
{
	uint64_t start = now_ns();
	for (uint64_t i = 0; i < n; i++)
		a->get_id();
	return now_ns() - start;
}

/*
 * Borrows evts, ins and values; walks evts round and round, making all the calls of ins for each of n events. values
 * is how many fields had a value.
 */
uint64_t aerie_time_extract(const aerie_api *a, void *state, const struct aerie_event_input *evts, uint64_t nevts,
			    const struct aerie_field_extract_input *ins, uint64_t nins, uint64_t n, uint64_t *values)
{
	uint64_t got = 0, at = 0;
	uint64_t start = now_ns();
	for (uint64_t i = 0; i < n; i++) {
		for (uint64_t k = 0; k < nins; k++) {
			const struct aerie_field_extract_input *in = &ins[k];
			for (uint32_t f = 0; f < in->num_fields; f++)
				in->fields[f].res_len = 0;
			if (a->extract_fields(state, &evts[at], in) != AERIE_RC_SUCCESS)
				continue;
			for (uint32_t f = 0; f < in->num_fields; f++)
				got += in->fields[f].res_len > 0;
		}
		if (++at == nevts)
			at = 0;
	}
	uint64_t took = now_ns() - start;
	*values = got;
	return took;
}

/* Borrows evt and in; returns the nanoseconds that n calls of parse_event took. */
uint64_t aerie_time_parse(const aerie_api *a, void *state, const struct aerie_event_input *evt,
			  const struct aerie_event_parse_input *in, uint64_t n)
{
	uint64_t start = now_ns();
	for (uint64_t i = 0; i < n; i++)
		a->parse_event(state, evt, in);
	return now_ns() - start;
}

/* Borrows t and fills it in; drops the events. Ends at an end or failure, after most_events or limit_ns. */
void aerie_time_batches(const aerie_api *a, void *state, void *instance, uint64_t most_events, uint64_t limit_ns,
			struct aerie_batch_times *t)
{
	uint64_t start = now_ns(), before = start;
	do {
		struct aerie_batch b = {0, NULL};
		t->rc = a->next_batch(state, instance, &b.n, &b.evts);
		uint64_t after = now_ns();
		if (b.n > 0) {
			t->batches++;
			t->events += b.n;
			t->busy_ns += after - before;
		} else {
			t->idle++;
			t->idle_ns += after - before;
		}
		before = after;
	} while ((t->rc == AERIE_RC_SUCCESS || t->rc == AERIE_RC_TIMEOUT) && t->events < most_events &&
		 before - start < limit_ns);
}
