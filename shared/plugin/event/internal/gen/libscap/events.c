// SPDX-License-Identifier: Apache-2.0

// Writes the event table of the libscap that it is linked with to standard
// output, as JSON with one event a line. symbols.inc, made by events.sh from the
// same libscap's header, holds the names of the types: libscap keeps none.

#include <stdio.h>
#include <stdlib.h>

#include <driver/driver_config.h>
#include <driver/ppm_api_version.h>
#include <driver/ppm_events_public.h>
#include <libscap/scap.h>

static const char *const symbols[PPM_EVENT_MAX] = {
#include "symbols.inc"
};

static const char *const param_types[PT_MAX] = {
	[PT_NONE] = "none",
	[PT_INT8] = "int8",
	[PT_INT16] = "int16",
	[PT_INT32] = "int32",
	[PT_INT64] = "int64",
	[PT_UINT8] = "uint8",
	[PT_UINT16] = "uint16",
	[PT_UINT32] = "uint32",
	[PT_UINT64] = "uint64",
	[PT_CHARBUF] = "charbuf",
	[PT_BYTEBUF] = "bytebuf",
	[PT_ERRNO] = "errno",
	[PT_SOCKADDR] = "sockaddr",
	[PT_SOCKTUPLE] = "socktuple",
	[PT_FD] = "fd",
	[PT_PID] = "pid",
	[PT_FDLIST] = "fdlist",
	[PT_FSPATH] = "fspath",
	[PT_SYSCALLID] = "syscallid",
	[PT_SIGTYPE] = "sigtype",
	[PT_RELTIME] = "reltime",
	[PT_ABSTIME] = "abstime",
	[PT_PORT] = "port",
	[PT_L4PROTO] = "l4proto",
	[PT_SOCKFAMILY] = "sockfamily",
	[PT_BOOL] = "bool",
	[PT_IPV4ADDR] = "ipv4addr",
	[PT_DYN] = "dyn",
	[PT_FLAGS8] = "flags8",
	[PT_FLAGS16] = "flags16",
	[PT_FLAGS32] = "flags32",
	[PT_UID] = "uid",
	[PT_GID] = "gid",
	[PT_DOUBLE] = "double",
	[PT_SIGSET] = "sigset",
	[PT_CHARBUFARRAY] = "charbufarray",
	[PT_CHARBUF_PAIR_ARRAY] = "charbufpairarray",
	[PT_IPV4NET] = "ipv4net",
	[PT_IPV6ADDR] = "ipv6addr",
	[PT_IPV6NET] = "ipv6net",
	[PT_IPADDR] = "ipaddr",
	[PT_IPNET] = "ipnet",
	[PT_MODE] = "mode",
	[PT_FSRELPATH] = "fsrelpath",
	[PT_ENUMFLAGS8] = "enumflags8",
	[PT_ENUMFLAGS16] = "enumflags16",
	[PT_ENUMFLAGS32] = "enumflags32",
};

struct named {
	unsigned value;
	const char *name;
};

// What an event is about: the low bits of its category, as a number.
static const struct named subjects[] = {
	{EC_UNKNOWN, "unknown"},
	{EC_OTHER, "other"},
	{EC_FILE, "file"},
	{EC_NET, "net"},
	{EC_IPC, "ipc"},
	{EC_MEMORY, "memory"},
	{EC_PROCESS, "process"},
	{EC_SLEEP, "sleep"},
	{EC_SYSTEM, "system"},
	{EC_SIGNAL, "signal"},
	{EC_USER, "user"},
	{EC_TIME, "time"},
	{EC_PROCESSING, "processing"},
	{EC_IO_READ, "io_read"},
	{EC_IO_WRITE, "io_write"},
	{EC_IO_OTHER, "io_other"},
	{EC_WAIT, "wait"},
	{EC_SCHEDULER, "scheduler"},
	{EC_INTERNAL, "internal"},
};

// Where an event comes from: the high bits of its category, of which it has one.
static const struct named origins[] = {
	{EC_SYSCALL, "syscall"},
	{EC_TRACEPOINT, "tracepoint"},
	{EC_PLUGIN, "plugin"},
	{EC_METAEVENT, "metaevent"},
};

static const struct named flags[] = {
	{EF_CREATES_FD, "creates_fd"},
	{EF_DESTROYS_FD, "destroys_fd"},
	{EF_USES_FD, "uses_fd"},
	{EF_READS_FROM_FD, "reads_from_fd"},
	{EF_WRITES_TO_FD, "writes_to_fd"},
	{EF_MODIFIES_STATE, "modifies_state"},
	{EF_UNUSED, "unused"},
	{EF_WAITS, "waits"},
	{EF_SKIPPARSERESET, "skips_parse_reset"},
	{EF_OLD_VERSION, "old_version"},
	{EF_LARGE_PAYLOAD, "large_payload"},
	{EF_CONVERTER_MANAGED, "converter_managed"},
};

#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

static _Noreturn void unknown(const char *what, unsigned value, int type) {
	fprintf(stderr, "events: event type %d has the %s %u, which events.c does not know; add its name there\n", type, what, value);
	exit(1);
}

static const char *name_of(const struct named *names, size_t n, unsigned value, const char *what, int type) {
	for(size_t i = 0; i < n; i++) {
		if(names[i].value == value) {
			return names[i].name;
		}
	}
	unknown(what, value, type);
}

// Names in libscap's table hold no character that JSON would escape.
static void write_event(int type, const struct ppm_event_info *e) {
	const unsigned from = EC_SYSCALL | EC_TRACEPOINT | EC_PLUGIN | EC_METAEVENT;
	printf("{\"type\":%d,\"symbol\":\"%s\",\"name\":\"%s\",\"category\":\"%s\"", type, symbols[type], e->name,
	       name_of(subjects, LENGTH(subjects), e->category & ~from, "category", type));
	if(e->category & from) {
		printf(",\"origin\":\"%s\"", name_of(origins, LENGTH(origins), e->category & from, "origin", type));
	}
	unsigned left = e->flags;
	const char *before = ",\"flags\":[";
	for(size_t i = 0; i < LENGTH(flags); i++) {
		if(left & flags[i].value) {
			printf("%s\"%s\"", before, flags[i].name);
			before = ",";
			left &= ~flags[i].value;
		}
	}
	if(left != 0) {
		unknown("flags", left, type);
	}
	printf("%s,\"params\":[", e->flags == 0 ? "" : "]");
	for(uint32_t i = 0; i < e->nparams; i++) {
		unsigned t = e->params[i].type;
		if(t >= PT_MAX || param_types[t] == NULL) {
			unknown("parameter type", t, type);
		}
		printf("%s[\"%s\",\"%s\"]", i == 0 ? "" : ",", e->params[i].name, param_types[t]);
	}
	printf("]}");
}

int main(void) {
	const struct ppm_event_info *table = scap_get_event_info_table();
	printf("{\"libs\":\"%s\",\"schema\":\"%s\",\"events\":[\n", DRIVER_VERSION, PPM_SCHEMA_CURRENT_VERSION_STRING);
	for(int type = 0; type < PPM_EVENT_MAX; type++) {
		if(symbols[type] == NULL) {
			unknown("name", (unsigned)type, type);
		}
		write_event(type, &table[type]);
		printf("%s\n", type + 1 < PPM_EVENT_MAX ? "," : "");
	}
	printf("]}\n");
	return ferror(stdout) || fflush(stdout) != 0;
}
