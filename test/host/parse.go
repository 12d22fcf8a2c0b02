// SPDX-License-Identifier: Apache-2.0

package host

/*
#include <stdlib.h>
#include "calls.h"
*/
import "C"

import (
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// ParseEvent makes one parse_event call. What the plugin returns is of no
// consequence in the framework, which does not ask for an error text either.
// The error is a *Violation.
func (p *Plugin) ParseEvent(e *Event) (abi.RC, error) {
	if !p.lib.Has(SymParseEvent) {
		return abi.Failure, p.lib.lacks(SymParseEvent)
	}
	var in inputs
	defer in.release()
	arg := p.parseInput(&in)
	p.lib.enter(SymParseEvent, e.num)
	p.begin(SymParseEvent)
	rc := abi.RC(C.aerie_call_parse_event(p.lib.api, p.state,
		(*C.struct_aerie_event_input)(unsafe.Pointer(eventInput(&in, e))), (*C.struct_aerie_event_parse_input)(unsafe.Pointer(arg))))
	return rc, p.end(SymParseEvent)
}

func (p *Plugin) parseInput(in *inputs) *abi.EventParseInput {
	arg := alloc[abi.EventParseInput](in)
	arg.Owner = unsafe.Pointer(p.owner.c)
	arg.GetOwnerLastError = hostOwnerError()
	arg.TableReader = *(*abi.ReaderVtable)(hostReader())
	arg.TableWriter = *(*abi.WriterVtable)(hostWriter())
	arg.TableReaderExt = lend[abi.ReaderVtableExt](in, hostReader())
	arg.TableWriterExt = lend[abi.WriterVtable](in, hostWriter())
	return arg
}
