// SPDX-License-Identifier: Apache-2.0

// Package event reads events as the framework hands them to a plugin, and
// writes those that plugins make.
//
// Parameters have numbers, from 0, and names, which package schema lists for
// each type. The typed readers of Event take the number and answer false where
// the parameter is absent: the event has fewer of them (older captures lack those
// that were added since), the driver could not read the value and left it empty,
// or its bytes are not of the type asked for. They allocate nothing. Malformed
// tells broken events from such gaps:
//
//	path, ok := e.String(2)
//	if !ok {
//		return e.Malformed() // nil: there is just no path
//	}
package event

import (
	"encoding/binary"
	"math"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
)

// Types of the events that plugins make themselves.
const (
	TypePlugin = abi.TypePluginEvent // an event of a plugin's source
	TypeAsync  = abi.TypeAsyncEvent  // an event injected beside a source
)

// Event is a view of one event in the framework's memory. It is valid during
// the plugin call that it was given to and must not be kept; so are all slices
// and strings it returns, which are also not to be written to. Nothing is
// copied, and every length is checked against the event's own.
type Event struct {
	p      unsafe.Pointer
	num    uint64
	source unsafe.Pointer
	text   string // source, where it is not C memory
}

// FromInput views the event of an ss_plugin_event_input in C memory.
func FromInput(in unsafe.Pointer) Event {
	i := (*abi.EventInput)(in)
	return Event{p: i.Evt, num: i.EvtNum, source: i.EvtSrc}
}

// New views raw, a whole event, as number num of the given source. It is for
// tests: raw must not change while the event is in use, and must hold at least
// a header with a true length.
func New(raw []byte, num uint64, source string) Event {
	if len(raw) < abi.HeaderSize {
		return Event{num: num, text: source}
	}
	return Event{p: unsafe.Pointer(unsafe.SliceData(raw)), num: num, text: source}
}

// Num counts the events of one capture from 1. It restarts with every capture
// and repeats among inspectors, so it does not identify an event.
func (e *Event) Num() uint64 { return e.num }

// Source is the event source's name, "" where the host gives none.
func (e *Event) Source() string {
	if e.source == nil {
		return e.text
	}
	b := cmem.Bytes(e.source)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// Timestamp is the event's time in nanoseconds since the Unix epoch.
func (e *Event) Timestamp() uint64 { return e.u64(abi.EventTS) }

// ThreadID is the thread that caused the event; plugin events have
// abi.NoThread.
func (e *Event) ThreadID() uint64 { return e.u64(abi.EventTID) }

// Type is the event's type number.
func (e *Event) Type() uint16 {
	if e.p == nil {
		return 0
	}
	return binary.NativeEndian.Uint16(e.header()[abi.EventType:])
}

// NumParams is how many parameters the header claims.
func (e *Event) NumParams() int {
	if e.p == nil {
		return 0
	}
	n := binary.NativeEndian.Uint32(e.header()[abi.EventNParams:])
	return int(min(n, math.MaxInt32))
}

// Bytes is the whole event, header included; nil where the event says that it
// is shorter than its own header.
func (e *Event) Bytes() []byte {
	if e.p == nil {
		return nil
	}
	n := binary.NativeEndian.Uint32(e.header()[abi.EventLen:])
	if n < abi.HeaderSize {
		return nil
	}
	return unsafe.Slice((*byte)(e.p), int(n))
}

// Param is parameter i, from 0; false if there is none or the event's lengths
// contradict each other.
func (e *Event) Param(i int) ([]byte, bool) {
	raw, n := e.Bytes(), e.NumParams()
	if i < 0 || i >= n || raw == nil {
		return nil, false
	}
	width := lengthWidth(e.Type())
	lengths := raw[abi.HeaderSize:]
	if n > len(lengths)/width {
		return nil, false
	}
	data := lengths[n*width:]
	for k := 0; ; k++ {
		l := paramLen(lengths, k, width)
		if l > len(data) {
			return nil, false
		}
		if k == i {
			return data[:l:l], true
		}
		data = data[l:]
	}
}

// lengthWidth is the size of a parameter's length in bytes.
func lengthWidth(typ uint16) int {
	switch typ {
	case TypePlugin, TypeAsync, TypeContainerJsonE:
		return 4
	}
	return 2
}

// paramLen is the length of parameter k in bytes.
func paramLen(lengths []byte, k, width int) int {
	if width == 2 {
		return int(binary.NativeEndian.Uint16(lengths[2*k:]))
	}
	return int(binary.NativeEndian.Uint32(lengths[4*k:]))
}

// Payload is what the source plugin put into a plugin event; false for events
// of other types and for malformed ones.
func (e *Event) Payload() ([]byte, bool) {
	raw := e.pluginEvent()
	if raw == nil {
		return nil, false
	}
	n := int(binary.NativeEndian.Uint32(raw[30:]))
	if n > len(raw)-abi.PayloadOffset {
		return nil, false
	}
	end := abi.PayloadOffset + n
	return raw[abi.PayloadOffset:end:end], true
}

// PluginID is the ID of the source plugin that made a plugin event.
func (e *Event) PluginID() (uint32, bool) {
	raw := e.pluginEvent()
	if raw == nil {
		return 0, false
	}
	return binary.NativeEndian.Uint32(raw[34:]), true
}

// pluginEvent is the raw event if it is shaped like a plugin event: two
// parameters, the first of them a four-byte ID.
func (e *Event) pluginEvent() []byte {
	if e.p == nil {
		return nil
	}
	h := e.header()
	if binary.NativeEndian.Uint16(h[abi.EventType:]) != TypePlugin || binary.NativeEndian.Uint32(h[abi.EventNParams:]) != 2 {
		return nil
	}
	raw := e.Bytes()
	if len(raw) < abi.PayloadOffset || binary.NativeEndian.Uint32(raw[26:]) != 4 {
		return nil
	}
	return raw
}

func (e *Event) header() []byte { return unsafe.Slice((*byte)(e.p), abi.HeaderSize) }

func (e *Event) u64(off int) uint64 {
	if e.p == nil {
		return 0
	}
	return binary.NativeEndian.Uint64(e.header()[off:])
}
