// SPDX-License-Identifier: Apache-2.0

package async

/*
#cgo CFLAGS: -I${SRCDIR}/../abi
#include "abi.h"

// Hands evt to the framework's handler, which copies what it keeps and may
// write a reason of AERIE_MAX_ERRLEN bytes to err.
static int32_t aerie_async_send(void *handler, void *owner, void *evt, void *err) {
	return ((aerie_async_handler_fn)handler)(owner, evt, err);
}
*/
import "C"

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
)

// send hands e to handler, as an event in C memory that is freed before send
// returns.
func send(handler, owner unsafe.Pointer, pluginID uint32, e *Event) error {
	n, err := event.AsyncSize(e.Name, len(e.Data))
	if err != nil {
		return err
	}
	reason := cmem.Alloc(abi.MaxErrLen + n)
	defer cmem.Free(reason)
	evt := unsafe.Add(reason, abi.MaxErrLen)
	raw := unsafe.Slice((*byte)(evt), n)
	event.PutAsync(raw, pluginID, e.Timestamp, e.Name, e.Data)
	if e.ThreadID != 0 {
		binary.NativeEndian.PutUint64(raw[abi.EventTID:], e.ThreadID)
	}
	rc := C.aerie_async_send(handler, owner, evt, reason)
	if rc == 0 {
		return nil
	}
	*(*byte)(unsafe.Add(reason, abi.MaxErrLen-1)) = 0
	if text := cmem.GoString(reason); text != "" {
		return errors.New(text)
	}
	return fmt.Errorf("the framework refused it with code %d and gave no reason", int32(rc))
}
