// SPDX-License-Identifier: Apache-2.0

package extract

import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
)

// The kit exports its own extraction symbols: the official SDK's end the
// process on events that are not plugin events, know neither offsets nor
// addOutput, and may hand Go memory to C.

const capability = "extract"

func init() { core.Linked(capability) }

// Options say what a plugin extracts, and from what.
type Options[P plugin.Plugin] struct {
	// Fields is the table, in the order in which users see it.
	Fields []Field[P]

	// EventTypes are the types of events that the fields are asked for. Nil
	// means plugin events only; a plugin that also reads asynchronous events
	// lists both. Types newer than the running framework make init fail there.
	EventTypes []uint16
	// EveryEventType asks for events of all types, those that are newer than the
	// kit too, in place of EventTypes. It needs "syscall" among the sources, or no
	// source at all. A function is then asked about any event of the machine.
	EveryEventType bool

	// Sources are the event sources that the fields work on; the plugin's own
	// is always among them. None, for a plugin without a source of its own,
	// means every source: such fields must stand any bytes.
	Sources []string
}

// Register adds the capability to r. It panics over a table that no framework
// could use; a first load of the library shows it.
func Register[P plugin.Plugin](r *plugin.Registration[P], o Options[P]) {
	rec := r.Record()
	text, err := describe(o.Fields)
	if err != nil {
		panic(fmt.Errorf("plugin %q: %w", rec.Name, err))
	}
	t := &fieldTable[P]{fields: o.Fields}
	for i := range o.Fields {
		t.offsets = t.offsets || o.Fields[i].Value.offsets
	}
	if t.offsets {
		rec.Require(offsetsMinor)
	}
	events, err := o.subscribe(rec)
	if err != nil {
		panic(fmt.Errorf("plugin %q: %w", rec.Name, err))
	}
	rec.ExtractEvents = events
	rec.Static("get_fields", text)
	rec.Extract = t
	rec.Claim(capability)
}

// subscribe notes which events are asked for.
func (o *Options[P]) subscribe(rec *core.Record) (*core.Events, error) {
	const what = "extract event sources"
	switch {
	case !o.EveryEventType:
		return rec.Subscribe(o.EventTypes, what, o.Sources)
	case len(o.EventTypes) > 0:
		return nil, errors.New("extract event types: EveryEventType is set; leave EventTypes out")
	}
	return rec.SubscribeAll(what, o.Sources)
}

// offsetsMinor is the API minor version that has value offsets.
const offsetsMinor = 11

//export plugin_get_fields
func plugin_get_fields() unsafe.Pointer {
	return core.Answer("get_fields", func(*core.Record) string { return "" })
}

//export plugin_get_extract_event_sources
func plugin_get_extract_event_sources() unsafe.Pointer {
	return core.Answer("get_extract_event_sources", func(r *core.Record) string { return r.ExtractEvents.Sources() })
}

//export plugin_get_extract_event_types
func plugin_get_extract_event_types(n *uint32, _ uintptr) unsafe.Pointer {
	return core.Registration().ExtractEvents.Types(n)
}

//export plugin_extract_fields
func plugin_extract_fields(state uintptr, evt, input unsafe.Pointer) int32 {
	st := core.States.Get(state)
	if st == nil || st.Extract == nil {
		return noExtraction(input)
	}
	return st.Extract.ExtractFields(evt, input)
}

// noExtraction answers a call on a state that is gone or never came up: no
// values, for hosts read the counts whatever the result.
func noExtraction(input unsafe.Pointer) int32 {
	in := (*abi.FieldExtractInput)(input)
	fields := unsafe.Slice((*abi.ExtractField)(in.Fields), int(in.NumFields))
	for i := range fields {
		fields[i].ResLen = 0
	}
	return abi.Failure
}
