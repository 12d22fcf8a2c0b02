// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"strings"
)

// Capability is a set of things that a plugin can do.
type Capability uint32

// The capabilities. A set with CapBroken is that of a plugin that is refused.
const (
	CapSourcing   Capability = 1 << 0
	CapExtraction Capability = 1 << 1
	CapParsing    Capability = 1 << 2
	CapAsync      Capability = 1 << 3
	CapCapture    Capability = 1 << 4
	CapBroken     Capability = 1 << 31
)

// Names lists the capabilities of the set in the order of their bits.
func (c Capability) Names() []string {
	var names []string
	for _, n := range []struct {
		bit  Capability
		name string
	}{
		{CapSourcing, "sourcing"}, {CapExtraction, "extraction"}, {CapParsing, "parsing"},
		{CapAsync, "async"}, {CapCapture, "capture"}, {CapBroken, "broken"},
	} {
		if c&n.bit != 0 {
			names = append(names, n.name)
		}
	}
	return names
}

// String is the set's names with commas between them.
func (c Capability) String() string { return strings.Join(c.Names(), ", ") }

// capabilitiesOf tells capabilities by which functions are there. A function
// that makes sense only beside another is broken without it, or, if nothing
// would ever call it, silently ignored. id and source are what get_id and
// get_event_source return, or 0 and "". reasons says what is broken.
func capabilitiesOf(has func(Symbol) bool, id uint32, source string) (caps Capability, reasons []string) {
	broken := func(format string, args ...any) {
		caps |= CapBroken
		reasons = append(reasons, fmt.Sprintf(format, args...))
	}

	var sourcing, missing []string
	for _, s := range []Symbol{SymOpen, SymClose, SymNextBatch} {
		if has(s) {
			sourcing = append(sourcing, s.String())
		} else {
			missing = append(missing, s.String())
		}
	}
	switch {
	case len(sourcing) == 0:
	case len(missing) > 0:
		broken("event sourcing has %s but not %s", strings.Join(sourcing, " and "), strings.Join(missing, " and "))
	case id != 0 && source == "":
		broken("event sourcing has ID %d but no event source: both or neither", id)
	case id == 0 && source != "":
		broken("event sourcing has event source %q but no ID: both or neither", source)
	default:
		caps |= CapSourcing
	}

	pair := func(c Capability, what string, needed, other Symbol) {
		switch {
		case has(needed) && has(other):
			caps |= c
		case has(needed):
			broken("%s has %s but not %s", what, needed, other)
		}
	}
	pair(CapExtraction, "field extraction", SymExtractFields, SymGetFields)
	if has(SymParseEvent) {
		caps |= CapParsing
	}
	pair(CapAsync, "async events", SymSetAsyncEventHandler, SymGetAsyncEvents)
	pair(CapCapture, "capture listening", SymCaptureOpen, SymCaptureClose)
	return caps, reasons
}
