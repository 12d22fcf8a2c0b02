// SPDX-License-Identifier: Apache-2.0

package host

/*
#include <stdlib.h>
#include "calls.h"
*/
import "C"

import (
	"bytes"
	"encoding/binary"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Event is one event as plugins see it: bytes in C memory, with a number and
// an event source beside them. One that an Instance or an Inspector returned
// is the source plugin's memory and valid until the next event is asked for;
// one made here is the host's and valid until Free.
type Event struct {
	ptr    unsafe.Pointer
	size   uint32
	owned  bool
	num    uint64
	source string
}

// NewEvent makes an event of any type from its header and parameters.
func NewEvent(eventType uint16, ts, tid uint64, params ...[]byte) *Event {
	return NewRawEvent(EncodeEvent(eventType, ts, tid, params...))
}

// NewPluginEvent makes a plugin event with a payload. ts is in nanoseconds
// since the epoch, or abi.NoTimestamp.
func NewPluginEvent(pluginID uint32, ts uint64, payload []byte) *Event {
	return NewEvent(abi.TypePluginEvent, ts, abi.NoThread, binary.NativeEndian.AppendUint32(nil, pluginID), payload)
}

// NewAsyncEvent makes an async event.
func NewAsyncEvent(pluginID uint32, ts uint64, name string, data []byte) *Event {
	return NewEvent(abi.TypeAsyncEvent, ts, abi.NoThread, binary.NativeEndian.AppendUint32(nil, pluginID), append([]byte(name), 0), data)
}

// NewRawEvent makes an event of exactly these bytes, be they well formed or
// not. Memory ends where they end.
func NewRawEvent(raw []byte) *Event {
	p := C.malloc(C.size_t(max(len(raw), 1)))
	copy(unsafe.Slice((*byte)(p), len(raw)), raw)
	return &Event{ptr: p, size: uint32(len(raw)), owned: true}
}

// EncodeEvent is the encoding of an event: a 26-byte header, the parameters'
// lengths, the parameters. Lengths have four bytes in plugin, async and
// container events and two in all others, where a parameter of 64 KiB or more
// gets a length that is wrong.
func EncodeEvent(eventType uint16, ts, tid uint64, params ...[]byte) []byte {
	size := abi.HeaderSize
	for _, p := range params {
		size += lengthSize(eventType) + len(p)
	}
	b := make([]byte, 0, size)
	b = binary.NativeEndian.AppendUint64(b, ts)
	b = binary.NativeEndian.AppendUint64(b, tid)
	b = binary.NativeEndian.AppendUint32(b, uint32(size))
	b = binary.NativeEndian.AppendUint16(b, eventType)
	b = binary.NativeEndian.AppendUint32(b, uint32(len(params)))
	for _, p := range params {
		if lengthSize(eventType) == 4 {
			b = binary.NativeEndian.AppendUint32(b, uint32(len(p)))
		} else {
			b = binary.NativeEndian.AppendUint16(b, uint16(len(p)))
		}
	}
	for _, p := range params {
		b = append(b, p...)
	}
	return b
}

// typeContainerEvent is, with plugin and async events, one of the large types.
const typeContainerEvent = 324

func lengthSize(eventType uint16) int {
	switch eventType {
	case abi.TypePluginEvent, abi.TypeAsyncEvent, typeContainerEvent:
		return 4
	}
	return 2
}

// Free poisons and frees an event made here, once; on others it does nothing.
func (e *Event) Free() {
	if e.owned && e.ptr != nil {
		C.aerie_host_poison_free(e.ptr, C.size_t(max(e.size, 1)))
		e.ptr = nil
	}
}

// Copy is an event of the host's own with the same bytes, number and source.
func (e *Event) Copy() *Event {
	c := NewRawEvent(e.view())
	c.num, c.source = e.num, e.source
	return c
}

// view is the event in place.
func (e *Event) view() []byte { return unsafe.Slice((*byte)(e.ptr), e.size) }

// Bytes is a copy of the whole event.
func (e *Event) Bytes() []byte { return append([]byte(nil), e.view()...) }

// Num is the event's number as extraction gets it.
func (e *Event) Num() uint64 { return e.num }

// SetNum sets the event's number.
func (e *Event) SetNum(n uint64) { e.num = n }

// Source is the event's source, "" for none.
func (e *Event) Source() string { return e.source }

// SetSource sets the event's source; plugins get NULL for "".
func (e *Event) SetSource(s string) { e.source = s }

// Timestamp is in nanoseconds since the epoch; 0 in an event too short for one.
func (e *Event) Timestamp() uint64 { return e.u64(abi.EventTS) }

// ThreadID is the event's thread; 0 in an event too short for one.
func (e *Event) ThreadID() uint64 { return e.u64(abi.EventTID) }

// Type is the event's type; 0 in an event too short for one.
func (e *Event) Type() uint16 {
	if len(e.view()) < abi.EventType+2 {
		return 0
	}
	return binary.NativeEndian.Uint16(e.view()[abi.EventType:])
}

func (e *Event) u64(at int) uint64 {
	if len(e.view()) < at+8 {
		return 0
	}
	return binary.NativeEndian.Uint64(e.view()[at:])
}

// nparams is the number of parameters that the header says.
func (e *Event) nparams() uint32 {
	if len(e.view()) < abi.HeaderSize {
		return 0
	}
	return binary.NativeEndian.Uint32(e.view()[abi.EventNParams:])
}

// Async is the name and the data of an async event.
func (e *Event) Async() (name string, data []byte, ok bool) {
	if e.Type() != abi.TypeAsyncEvent {
		return "", nil, false
	}
	text, named := e.Param(1)
	data, ok = e.Param(2)
	return string(bytes.TrimSuffix(text, []byte{0})), data, ok && named
}

// PluginID is the plugin ID in a plugin or async event.
func (e *Event) PluginID() (uint32, bool) {
	id, ok := e.Param(0)
	if !ok || len(id) != 4 || (e.Type() != abi.TypePluginEvent && e.Type() != abi.TypeAsyncEvent) {
		return 0, false
	}
	return binary.NativeEndian.Uint32(id), true
}

// Payload is a copy of the payload of a plugin event.
func (e *Event) Payload() ([]byte, bool) {
	if e.Type() != abi.TypePluginEvent {
		return nil, false
	}
	return e.Param(1)
}

// Param is a copy of parameter i; false where the event has none, or not all of it.
func (e *Event) Param(i int) ([]byte, bool) {
	b := e.view()
	if len(b) < abi.HeaderSize {
		return nil, false
	}
	n, width := uint64(binary.NativeEndian.Uint32(b[abi.EventNParams:])), lengthSize(e.Type())
	if i < 0 || uint64(i) >= n || uint64(len(b)-abi.HeaderSize) < n*uint64(width) {
		return nil, false
	}
	start := uint64(abi.HeaderSize) + n*uint64(width)
	for k := 0; ; k++ {
		size := paramLength(b, width, k)
		if uint64(len(b))-start < size {
			return nil, false
		}
		if k == i {
			return append([]byte{}, b[start:start+size]...), true
		}
		start += size
	}
}

// paramLength reads the length of parameter k, which must lie inside b.
func paramLength(b []byte, width, k int) uint64 {
	at := b[abi.HeaderSize+k*width:]
	if width == 4 {
		return uint64(binary.NativeEndian.Uint32(at))
	}
	return uint64(binary.NativeEndian.Uint16(at))
}
