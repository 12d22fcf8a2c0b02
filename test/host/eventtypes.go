// SPDX-License-Identifier: Apache-2.0

package host

/*
#include <stdlib.h>
#include "calls.h"
*/
import "C"

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// maxEventType is the greatest event type of the framework played.
const maxEventType = 454

// readEventTypes asks for the event type lists, right after a successful init.
func (p *Plugin) readEventTypes() (err error) {
	if p.Capabilities&CapExtraction != 0 {
		if p.extractTypes, err = p.eventTypes(SymGetExtractEventTypes); err != nil {
			return err
		}
	}
	if p.Capabilities&CapParsing != 0 {
		p.parseTypes, err = p.eventTypes(SymGetParseEventTypes)
	}
	return err
}

func (p *Plugin) eventTypes(s Symbol) ([]uint16, error) {
	f := p.lib.textFunc(s)
	if f == nil {
		return nil, nil
	}
	var in inputs
	defer in.release()
	n := alloc[uint32](&in)
	p.lib.enter(s, 0)
	list := C.aerie_call_get_event_types(f, (*C.uint32_t)(n), p.state)
	if *n == 0 {
		return nil, nil
	}
	if list == nil {
		return nil, violate(s, "NULL with a count of %d; return the list, or a count of 0", *n)
	}
	// Every event type has at most one place in the list, so more is no count.
	if *n > 1<<16 {
		return nil, violate(s, "a count of %d; there are only %d event types", *n, maxEventType)
	}
	types := slices.Clone(unsafe.Slice((*uint16)(unsafe.Pointer(list)), *n))
	for _, t := range types {
		if t > maxEventType {
			return nil, fmt.Errorf("initialize plugin %s: event type %d of %s is unknown to this framework; the greatest is %d", p.Name, t, s, maxEventType)
		}
	}
	return types, nil
}

// sees reports whether a plugin with these lists of event types and sources
// is called for an event. Without a list of types, only plugins for system
// calls and for every source see events other than plugin events.
func sees(types []uint16, sources []string, eventType uint16, source string) bool {
	switch {
	case source == "" || !covers(sources, source):
		return false
	case len(types) > 0:
		return slices.Contains(types, eventType)
	case covers(sources, sourceSyscall):
		return true
	}
	return eventType == abi.TypePluginEvent
}

// Extracts reports whether the framework asks this plugin for fields of an
// event of that type and source.
func (p *Plugin) Extracts(eventType uint16, source string) bool {
	return p.Capabilities&CapExtraction != 0 && sees(p.extractTypes, p.ExtractSources, eventType, source)
}

// Parses reports whether the framework has this plugin parse events of that
// type and source.
func (p *Plugin) Parses(eventType uint16, source string) bool {
	return p.Capabilities&CapParsing != 0 && sees(p.parseTypes, p.ParseSources, eventType, source)
}

// RequiredEventSchema is the schema version that the plugin says it was made
// for, "" where it does not.
func (p *Plugin) RequiredEventSchema() string {
	if !p.lib.Has(SymGetRequiredEventSchemaVersion) {
		return ""
	}
	p.lib.enter(SymGetRequiredEventSchemaVersion, 0)
	return C.GoString(C.aerie_call_get_required_event_schema_version(p.lib.api, p.state))
}

// CheckEventSchema tells whether a capture with a kernel driver would refuse
// the plugin. It must be initialised. Only plugins that see events other than
// plugin events are asked, async events included.
func (p *Plugin) CheckEventSchema() error {
	if !p.seesOthers(CapExtraction, p.extractTypes, p.ExtractSources) && !p.seesOthers(CapParsing, p.parseTypes, p.ParseSources) {
		return nil
	}
	required, text := oldestSchema, p.RequiredEventSchema()
	if text != "" {
		var ok bool
		if required, ok = ParseVersion(text); !ok {
			return fmt.Errorf("open kernel driver with plugin %s: required event schema version %q is no version; use three numbers", p.Name, text)
		}
	}
	if !driverSchema.Serves(required) {
		return fmt.Errorf("open kernel driver with plugin %s: it is made for event schema %s and the driver has %s; %s must return one that the driver serves",
			p.Name, required, driverSchema, SymGetRequiredEventSchemaVersion)
	}
	return nil
}

func (p *Plugin) seesOthers(c Capability, types []uint16, sources []string) bool {
	if p.Capabilities&c == 0 {
		return false
	}
	if len(types) == 0 {
		return covers(sources, sourceSyscall)
	}
	return slices.ContainsFunc(types, func(t uint16) bool { return t != abi.TypePluginEvent })
}
