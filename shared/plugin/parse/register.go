// SPDX-License-Identifier: Apache-2.0

package parse

import "C"

import (
	"fmt"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
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
	sources, err := core.NameList("parse event sources", o.Sources)
	if err != nil {
		panic(fmt.Errorf("plugin %q: %w", rec.Name, err))
	}
	types := o.EventTypes
	if len(types) == 0 {
		types = []uint16{event.TypePlugin}
	}
	if schema := event.SchemaFor(types); schema != "" {
		rec.EventSchema = schema // else as another capability needs it
	}
	rec.Static("get_parse_event_sources", sources)
	c := &parsing{types: cmem.Alloc(2 * len(types)), n: len(types)} // as static as the registration
	copy(unsafe.Slice((*uint16)(c.types), c.n), types)
	rec.Parse = c
	rec.Claim(capability)
}

// parsing is the capability as registered, the same for all states.
type parsing struct {
	types unsafe.Pointer // C array of n event types
	n     int
}

//export plugin_get_parse_event_sources
func plugin_get_parse_event_sources() unsafe.Pointer {
	r := core.Registered()
	if r == nil {
		return nil
	}
	return r.Static("get_parse_event_sources", "")
}

//export plugin_get_parse_event_types
func plugin_get_parse_event_types(n *uint32, _ uintptr) unsafe.Pointer {
	*n = 0
	r := core.Registered()
	if r == nil {
		return nil
	}
	c, ok := r.Parse.(*parsing)
	if !ok {
		return nil
	}
	*n = uint32(c.n)
	return c.types
}

//export plugin_parse_event
func plugin_parse_event(state uintptr, evt, input unsafe.Pointer) int32 {
	st := core.States.Get(state)
	if st == nil || st.Parse == nil {
		return abi.Failure
	}
	return st.Parse.ParseEvent(evt, input)
}
