/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State tables as a framework has them, for tests of the kit: what libsinsp
 * does, and a ledger of what plugins do with it. Not for concurrent use.
 */
#ifndef AERIE_TABLETEST_FRAMEWORK_H
#define AERIE_TABLETEST_FRAMEWORK_H

#include "abi.h"

enum { FW_TABLES = 16, FW_FIELDS = 32 };

struct fw_field {
	char *name;
	uint32_t type;
	aerie_bool read_only;
	struct fw_schema *sub; /* of type TABLE */
	int dynamic;
};

/* The fields of a table, or of all subtables in one field. */
struct fw_schema {
	struct fw *fw;
	char *name;
	uint32_t key_type;
	struct fw_field fields[FW_FIELDS];
	int num_fields;
	struct aerie_table_fieldinfo listed[FW_FIELDS];
};

enum fw_state { FW_LOOSE, FW_PRESENT, FW_GONE };

struct fw_entry {
	struct fw_entry *next; /* entries are never freed before the table is */
	enum fw_state state;
	int refs;
	int lent; /* by an iteration under way */
	union aerie_state_data key;
	char *key_text;
	union aerie_state_data values[FW_FIELDS];
	char *texts[FW_FIELDS];
	struct fw_table *subs[FW_FIELDS];
};

struct fw_table {
	struct fw_schema *schema;
	struct fw_entry *entries;
	struct aerie_table_input in; /* its address is the table's handle */
};

/* A table of the framework's own, or one that a plugin offered. */
struct fw_slot {
	struct aerie_table_info info;
	struct fw_table *native; /* NULL for a plugin's */
	struct aerie_table_input offered;
	struct aerie_reader_vtable_ext reader;
	struct aerie_writer_vtable writer;
	struct aerie_fields_vtable fields;
	const char *(*last_error)(void *state);
	void *state;
};

struct fw_counts {
	uint64_t got, released, created, destroyed, added, misuses;
};

struct fw {
	struct fw_slot slots[FW_TABLES];
	int num_slots;
	struct aerie_table_info listed[FW_TABLES];
	struct fw_schema *schemas[4 * FW_TABLES];
	int num_schemas;
	struct fw_counts counts;
	char misuse[256]; /* the first */
	char error[512];
	int has_error;
	/* what a plugin is given; a test may set members to NULL */
	struct aerie_init_tables_input tables;
	struct aerie_reader_vtable_ext reader;
	struct aerie_writer_vtable writer;
	struct aerie_fields_vtable fields;
	/* the plugin that is being initialised, for errors of what it offers */
	const char *(*last_error)(void *state);
	void *state;
};

struct fw *fw_new(void);
void fw_free(struct fw *fw);
const char *fw_owner_error(void *owner);
struct fw_table *fw_native(struct fw *fw, const char *name, uint32_t key_type);
struct fw_schema *fw_sub(struct fw_schema *s, const char *field, uint32_t key_type);
void fw_field(struct fw_schema *s, const char *name, uint32_t type, aerie_bool read_only);

/* The costs that a read from Go is measured against. */
void fw_noop(void);
uint64_t fw_read_loop(struct fw *fw, void *t, void *e, const void *f, uint64_t n);

#endif
