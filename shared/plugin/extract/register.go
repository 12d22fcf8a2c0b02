// SPDX-License-Identifier: Apache-2.0

package extract

import "C"

import (
	"encoding/json"
	"fmt"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
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
	types := o.EventTypes
	if len(types) == 0 {
		types = []uint16{event.TypePlugin}
	}
	if schema := event.SchemaFor(types); schema != "" {
		rec.EventSchema = schema
	}
	sources, err := json.Marshal(append([]string{}, o.Sources...))
	if err != nil {
		panic(fmt.Errorf("plugin %q: extract sources: %w", rec.Name, err))
	}
	rec.Static("get_fields", text)
	rec.Static("get_extract_event_sources", string(sources))
	array := cmem.Alloc(2 * len(types)) // as static as the registration
	copy(unsafe.Slice((*uint16)(array), len(types)), types)
	rec.ExtractTypes, rec.NumExtractTypes = array, len(types)
	rec.Extract = t
	rec.Claim(capability)
}

// offsetsMinor is the API minor version that has value offsets.
const offsetsMinor = 11

//export plugin_get_fields
func plugin_get_fields() unsafe.Pointer {
	return answer("get_fields")
}

//export plugin_get_extract_event_sources
func plugin_get_extract_event_sources() unsafe.Pointer {
	return answer("get_extract_event_sources")
}

func answer(key string) unsafe.Pointer {
	r := core.Registered()
	if r == nil {
		return nil
	}
	return r.Static(key, "")
}

//export plugin_get_extract_event_types
func plugin_get_extract_event_types(n *uint32, _ uintptr) unsafe.Pointer {
	*n = 0
	r := core.Registered()
	if r == nil || r.Extract == nil {
		return nil
	}
	*n = uint32(r.NumExtractTypes)
	return r.ExtractTypes
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
