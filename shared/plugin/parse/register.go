// SPDX-License-Identifier: Apache-2.0

package parse

import "C"

import (
	"fmt"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
)

const capability = "parse"

func init() { core.Linked(capability) }

// Register adds the capability to r. It panics over options that no framework
// could use; a first load of the library shows it.
//
// Parsing exists since API 3.0, and its list of event types is asked for with
// a state since 3.2: all below what every plugin of the kit requires.
func Register[P Parser](r *plugin.Registration[P], o Options) {
	rec := r.Record()
	events, err := rec.Subscribe(o.EventTypes, "parse event sources", o.Sources)
	if err != nil {
		panic(fmt.Errorf("plugin %q: %w", rec.Name, err))
	}
	rec.ParseEvents = events
	rec.Parse = parsing{}
	rec.Claim(capability)
}

// parsing is the capability as registered; what it asks for is in the record.
type parsing struct{}

//export plugin_get_parse_event_sources
func plugin_get_parse_event_sources() unsafe.Pointer {
	return core.Answer("get_parse_event_sources", func(r *core.Record) string { return r.ParseEvents.Sources() })
}

//export plugin_get_parse_event_types
func plugin_get_parse_event_types(n *uint32, _ uintptr) unsafe.Pointer {
	return core.Registration().ParseEvents.Types(n)
}

//export plugin_parse_event
func plugin_parse_event(state uintptr, evt, input unsafe.Pointer) int32 {
	st := core.States.Get(state)
	if st == nil || st.Parse == nil {
		return abi.Failure
	}
	return st.Parse.ParseEvent(evt, input)
}
