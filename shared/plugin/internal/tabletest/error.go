// SPDX-License-Identifier: Apache-2.0

package tabletest

/*
#cgo CFLAGS: -I${SRCDIR}/../../abi
#include "framework.h"

extern void *aerie_tabletest_last_error(uintptr_t state);

static const char *last_error(void *state) { return aerie_tabletest_last_error((uintptr_t)state); }
static void attach(struct fw *fw, uintptr_t state) {
	fw->last_error = last_error;
	fw->state = (void *)state;
}
*/
import "C"

import (
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
)

// Attach makes the framework the one of st, as init does. Tables that are
// offered from now on are st's.
func (f *Framework) Attach(st *core.State) {
	st.Owner, st.OwnerError, st.Tables = f.Owner(), f.OwnerError(), core.CopyTables(f.Tables())
	h := core.States.Put(st)
	f.t.Cleanup(func() { core.States.Drop(h) })
	C.attach(f.p, C.uintptr_t(h))
}

//export aerie_tabletest_last_error
func aerie_tabletest_last_error(state uintptr) unsafe.Pointer {
	return core.States.Get(state).LastError()
}
