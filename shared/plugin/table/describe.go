// SPDX-License-Identifier: Apache-2.0

package table

/*
#cgo CFLAGS: -I${SRCDIR}/../abi
#include "vtable.h"

static inline uint32_t aerie_own_step(void *it, void *s, uintptr_t e) {
	return ((aerie_iterate_fn)it)(s, (void *)e);
}
*/
import "C"

import (
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// describe fills in the C description of a table of the plugin's own.
func describe(in *abi.TableInput, name unsafe.Pointer, key Type, table uintptr) {
	C.aerie_own_describe((*C.struct_aerie_table_input)(unsafe.Pointer(in)), (*C.char)(name), C.uint32_t(key), C.uintptr_t(table))
}

// callStep hands an entry to the function that a consumer iterates with.
func callStep(it, state unsafe.Pointer, entry uintptr) (more bool) {
	return C.aerie_own_step(it, state, C.uintptr_t(entry)) != 0
}
