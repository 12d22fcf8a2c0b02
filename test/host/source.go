// SPDX-License-Identifier: Apache-2.0

package host

/*
#include <stdlib.h>
#include "calls.h"
*/
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Instance is an open event source.
type Instance struct {
	plugin *Plugin
	ptr    unsafe.Pointer
	// batch is the host's C memory and lives as long as the Instance, not just
	// until Close: a next_batch may still be running then.
	batch *C.struct_aerie_batch
	pos   uint32
	last  abi.RC
	event Event
}

// maxSourceError is what libscap keeps of the error text of open and
// next_batch, in bytes.
const maxSourceError = 255

func cutError(text string) string {
	if len(text) > maxSourceError {
		return text[:maxSourceError]
	}
	return text
}

// Open opens the plugin's source. After a failure it closes the NULL instance,
// as the framework does.
func (p *Plugin) Open(params string) (*Instance, error) {
	i, err := p.open(params)
	if err != nil && p.lib.Has(SymClose) {
		p.Close(nil)
	}
	return i, err
}

func (p *Plugin) open(params string) (*Instance, error) {
	if !p.lib.Has(SymOpen) {
		return nil, p.lib.lacks(SymOpen)
	}
	var in inputs
	defer in.release()
	rc := alloc[int32](&in)
	*rc = abi.Failure // as libscap sets it
	text := in.text(params)
	p.lib.enter(SymOpen, 0)
	ptr := C.aerie_call_open(p.lib.api, p.state, (*C.char)(text), (*C.int32_t)(rc))
	if *rc != abi.Success {
		return nil, fmt.Errorf("open %s with %q: %s", p.Name, params, cutError(p.LastError()))
	}
	i := &Instance{plugin: p, ptr: ptr, batch: (*C.struct_aerie_batch)(C.calloc(1, C.sizeof_struct_aerie_batch))}
	runtime.AddCleanup(i, func(b *C.struct_aerie_batch) { C.free(unsafe.Pointer(b)) }, i.batch)
	return i, nil
}

// Close ends an instance, or calls close with NULL for nil. Events of the
// instance are dead afterwards. A nil Plugin.Close is what a failed open gets.
func (p *Plugin) Close(i *Instance) {
	if !p.lib.Has(SymClose) {
		return
	}
	var ptr unsafe.Pointer
	if i != nil {
		ptr = i.ptr
	}
	p.lib.enter(SymClose, 0)
	C.aerie_call_close(p.lib.api, p.state, ptr)
}

// Batch is what one next_batch call left.
type Batch struct {
	RC abi.RC
	// N is the count as it stands after the call, written by it or not.
	N uint32
}

// NextBatch makes one next_batch call and applies none of the framework's
// rules. n is what the count holds before the call; the framework leaves the
// last batch's there. The batch's events follow through Next.
func (i *Instance) NextBatch(n uint32) (Batch, error) {
	p := i.plugin
	if !p.lib.Has(SymNextBatch) {
		return Batch{}, p.lib.lacks(SymNextBatch)
	}
	i.batch.n = C.uint32_t(n)
	p.lib.enter(SymNextBatch, 0)
	rc := abi.RC(C.aerie_call_next_batch(p.lib.api, p.state, i.ptr, i.batch))
	runtime.KeepAlive(i)
	i.last, i.pos = rc, 0
	return Batch{RC: rc, N: uint32(i.batch.n)}, nil
}

// Progress asks how far the source has come, in hundredths of a percent, and
// for a text about it. ok is false where the plugin cannot say.
func (i *Instance) Progress() (hundredths uint32, text string, ok bool) {
	p := i.plugin
	if !p.lib.Has(SymGetProgress) {
		return 0, "", false
	}
	var in inputs
	defer in.release()
	pct := alloc[uint32](&in)
	p.lib.enter(SymGetProgress, 0)
	text = C.GoString(C.aerie_call_get_progress(p.lib.api, p.state, i.ptr, (*C.uint32_t)(pct)))
	return *pct, text, true
}

// OpenParam is one value that a plugin suggests for opening it.
type OpenParam struct {
	Value     string `json:"value"`
	Desc      string `json:"desc"`
	Separator string `json:"separator"`
}

// OpenParams asks which open parameters there are. ok is false where the
// plugin cannot say.
func (p *Plugin) OpenParams() (params []OpenParam, ok bool, err error) {
	if !p.lib.Has(SymListOpenParams) {
		return nil, false, nil
	}
	var in inputs
	defer in.release()
	rc := alloc[int32](&in)
	*rc = abi.Failure
	p.lib.enter(SymListOpenParams, 0)
	text := C.aerie_call_list_open_params(p.lib.api, p.state, (*C.int32_t)(rc))
	if *rc != abi.Success {
		return nil, true, fmt.Errorf("list open parameters of plugin %s: %s", p.Name, p.LastError())
	}
	if params, err = parseOpenParams(C.GoString(text)); err != nil {
		return nil, true, fmt.Errorf("list open parameters of plugin %s: %w", p.Name, err)
	}
	return params, true, nil
}

func parseOpenParams(text string) ([]OpenParam, error) {
	if text == "" {
		return nil, nil
	}
	v, err := decodeLeading(text)
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("a JSON %s; use an array of objects", jsonKind(v))
	}
	params := make([]OpenParam, len(list))
	for k, item := range list {
		o, ok := item.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("parameter %d is a JSON %s; use an object", k, jsonKind(item))
		}
		for key, into := range map[string]*string{
			"value": &params[k].Value, "desc": &params[k].Desc, "separator": &params[k].Separator,
		} {
			if err := readMember(o, key, "string", into); err != nil {
				return nil, fmt.Errorf("parameter %d: %w", k, err)
			}
		}
		if params[k].Value == "" {
			return nil, fmt.Errorf("parameter %d has no value, which may not be empty", k)
		}
	}
	return params, nil
}

// EventText asks the plugin for an event's one-line text. ok is false where it
// cannot say, or returns NULL or nothing.
func (p *Plugin) EventText(e *Event) (text string, ok bool) {
	if !p.lib.Has(SymEventToString) {
		return "", false
	}
	var in inputs
	defer in.release()
	p.lib.enter(SymEventToString, e.num)
	text = C.GoString(C.aerie_call_event_to_string(p.lib.api, p.state, (*C.struct_aerie_event_input)(unsafe.Pointer(eventInput(&in, e)))))
	return text, text != ""
}

// eventInput is an event as plugins are handed it.
func eventInput(in *inputs, e *Event) *abi.EventInput {
	arg := alloc[abi.EventInput](in)
	arg.Evt = e.ptr
	arg.EvtNum = e.num
	if e.source != "" {
		arg.EvtSrc = in.text(e.source)
	}
	return arg
}
