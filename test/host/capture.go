// SPDX-License-Identifier: Apache-2.0

package host

/*
#include <stdlib.h>
#include "calls.h"

// Returns the address of the function that starts a routine, static.
static void *host_subscribe(void) { return (void *)aerie_host_subscribe; }
// Returns the address of the function that ends a routine, static.
static void *host_unsubscribe(void) { return (void *)aerie_host_unsubscribe; }
*/
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// CaptureOpen tells the plugin that a capture begins. The error is its failure
// or a *Violation.
func (p *Plugin) CaptureOpen() error {
	return p.listen(SymCaptureOpen, "capture_open", func(arg *C.struct_aerie_capture_listen_input) C.int32_t {
		return C.aerie_call_capture_open(p.lib.api, p.state, arg)
	})
}

// CaptureClose tells the plugin that a capture is over, whether it was told of
// its beginning or not. The error is as for CaptureOpen.
func (p *Plugin) CaptureClose() error {
	return p.listen(SymCaptureClose, "capture_close", func(arg *C.struct_aerie_capture_listen_input) C.int32_t {
		return C.aerie_call_capture_close(p.lib.api, p.state, arg)
	})
}

func (p *Plugin) listen(s Symbol, name string, call func(*C.struct_aerie_capture_listen_input) C.int32_t) error {
	if !p.lib.Has(s) {
		return p.lib.lacks(s)
	}
	var in inputs
	defer in.release()
	routines := alloc[abi.RoutineVtable](&in)
	routines.Subscribe, routines.Unsubscribe = C.host_subscribe(), C.host_unsubscribe()
	arg := alloc[abi.CaptureListenInput](&in)
	arg.Owner = unsafe.Pointer(p.owner.c)
	arg.Routine = unsafe.Pointer(routines)
	arg.TableReaderExt = lend[abi.ReaderVtableExt](&in, hostReader())
	arg.TableWriterExt = lend[abi.WriterVtable](&in, hostWriter())
	arg.GetOwnerLastError = hostOwnerError()
	p.lib.enter(s, 0)
	p.begin(s)
	rc := abi.RC(call((*C.struct_aerie_capture_listen_input)(unsafe.Pointer(arg))))
	if err := p.end(s); err != nil {
		return err
	}
	if rc != abi.Success {
		return fmt.Errorf("%s error for plugin '%s' : %s", name, p.Name, p.LastError())
	}
	return nil
}
