// SPDX-License-Identifier: Apache-2.0

package abitest

/*
#cgo LDFLAGS: -ldl
#define _GNU_SOURCE
#include <dlfcn.h>
#include "abi.h"
extern int32_t aerie_test_nothing(uintptr_t state, void *evt, void *in);

static void *aerie_test_nothing_fn(void) { return (void *)aerie_test_nothing; }

static void *aerie_test_symbol(char *name) { return dlsym(RTLD_DEFAULT, name); }

static void aerie_test_cross(void *fn, uintptr_t state, void *evt, void *in, int n) {
	while (n-- > 0) ((int32_t (*)(uintptr_t, void *, void *))fn)(state, evt, in);
}
*/
import "C"

import (
	"testing"
	"unsafe"
)

// Nothing is a C function of the shape of parse_event that goes into Go, does
// nothing there and returns: what every crossing costs at least.
func Nothing() unsafe.Pointer { return C.aerie_test_nothing_fn() }

//export aerie_test_nothing
func aerie_test_nothing(uintptr, unsafe.Pointer, unsafe.Pointer) int32 { return 0 }

// Symbol is the C function of that name which the test's program exports.
func Symbol(t testing.TB, name string) unsafe.Pointer {
	p := C.aerie_test_symbol((*C.char)(String(t, name)))
	if p == nil {
		t.Fatalf("look %s up: the program does not export it", name)
	}
	return p
}

// Cross calls fn(state, evt, in) from C, n times.
func Cross(fn unsafe.Pointer, state uintptr, evt, in unsafe.Pointer, n int) {
	C.aerie_test_cross(fn, C.uintptr_t(state), evt, in, C.int(n))
}
