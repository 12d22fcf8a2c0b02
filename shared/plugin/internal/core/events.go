// SPDX-License-Identifier: Apache-2.0

package core

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
)

// Events are what a capability asked to see. They are as static as the
// registration.
type Events struct {
	types   unsafe.Pointer // C array of n event types
	n       int
	sources string // JSON
}

// Subscribe notes the event types (plugin events if there are none) and the
// sources that a capability of r asks for, and the event schema that the types
// need. what is the list of sources in errors.
func (r *Record) Subscribe(types []uint16, what string, sources []string) (*Events, error) {
	list, err := NameList(what, sources)
	if err != nil {
		return nil, err
	}
	if len(types) == 0 {
		types = []uint16{event.TypePlugin}
	}
	if schema := event.SchemaFor(types); schema != "" {
		r.EventSchema = schema // else as another capability needs it
	}
	e := &Events{types: cmem.Alloc(2 * len(types)), n: len(types), sources: list}
	copy(unsafe.Slice((*uint16)(e.types), e.n), types)
	return e, nil
}

// SubscribeAll is Subscribe for the events of all types, those that are newer
// than the kit too: the list of types stays empty. Frameworks take that for all
// types only where streams of system calls are among the sources.
func (r *Record) SubscribeAll(what string, sources []string) (*Events, error) {
	list, err := NameList(what, sources)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(sources, "syscall") && (len(sources) > 0 || r.EventSource != "") {
		return nil, fmt.Errorf("%s: events of every type are given to plugins whose sources include \"syscall\"; to others, list the types", what)
	}
	r.EventSchema = event.MinSchema
	return &Events{sources: list}, nil
}

// Types is the C array of event types, and its length; none for nil, and none
// where all types were asked for.
func (e *Events) Types(n *uint32) unsafe.Pointer {
	*n = 0
	if e == nil {
		return nil
	}
	*n = uint32(e.n)
	return e.types
}

// Sources is the list of event sources as JSON; "" for nil.
func (e *Events) Sources() string {
	if e == nil {
		return ""
	}
	return e.sources
}
