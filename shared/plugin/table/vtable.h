/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AERIE_TABLE_VTABLE_H
#define AERIE_TABLE_VTABLE_H

#include "abi.h"

/*
 * Fills in the description of a table of the plugin's own. name and in are the
 * caller's and must outlive the table; the vtables are static.
 */
void aerie_own_describe(struct aerie_table_input *in, const char *name, uint32_t key_type, uintptr_t table);

#endif
