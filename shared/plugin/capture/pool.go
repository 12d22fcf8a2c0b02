// SPDX-License-Identifier: Apache-2.0

package capture

/*
#cgo CFLAGS: -I${SRCDIR}/../abi
#include "abi.h"

// Exported by Go, see register.go.
extern uint32_t aerie_capture_routine(uintptr_t state, uintptr_t routine);

// Has the pool call aerie_capture_routine with the handle, which is a number to
// both sides. The result is the pool's ticket for it, or NULL.
static void *aerie_capture_subscribe(void *fn, void *owner, uintptr_t handle) {
	return ((void *(*)(void *, aerie_routine_fn, void *))fn)(owner, (aerie_routine_fn)aerie_capture_routine, (void *)handle);
}

// Has the pool forget a routine. It does not wait for a run under way.
static int32_t aerie_capture_unsubscribe(void *fn, void *owner, void *ticket) {
	return ((int32_t (*)(void *, void *))fn)(owner, ticket);
}
*/
import "C"

import (
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// pool is the framework's thread pool: function pointers that are valid until
// destroy, copied from a structure that is not. The zero pool is none.
type pool struct{ owner, subscribeFn, unsubscribeFn unsafe.Pointer }

// poolOf copies what capture_open was given; nil for NULL.
func poolOf(owner, vtable unsafe.Pointer) pool {
	if vtable == nil {
		return pool{}
	}
	v := (*abi.RoutineVtable)(vtable)
	return pool{owner: owner, subscribeFn: v.Subscribe, unsubscribeFn: v.Unsubscribe}
}

func (p pool) exists() bool       { return p.subscribeFn != nil }
func (p pool) unsubscribes() bool { return p.unsubscribeFn != nil }

// subscribe returns the pool's ticket, nil if it takes no routine. Frameworks
// that are built without a pool have the function and always answer so.
func (p pool) subscribe(handle uintptr) unsafe.Pointer {
	return C.aerie_capture_subscribe(p.subscribeFn, p.owner, C.uintptr_t(handle))
}

func (p pool) unsubscribe(ticket unsafe.Pointer) {
	C.aerie_capture_unsubscribe(p.unsubscribeFn, p.owner, ticket)
}
