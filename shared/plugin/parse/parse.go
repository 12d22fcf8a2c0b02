// SPDX-License-Identifier: Apache-2.0

package parse

import (
	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// Parser is implemented by plugins that parse events.
type Parser interface {
	plugin.Plugin

	// Parse reads one event. It is called once for each event of the types and
	// sources that the plugin registered, in the order of the stream, on the
	// framework's event thread: the stream waits for it. Both arguments are
	// valid until it returns and are not for other goroutines.
	//
	// On replay of a capture file the first events, those that carry initial
	// state, come before the capture is opened (package capture). Under a
	// command-line filter of sysdig, fields of an event may be extracted before
	// it is parsed.
	Parse(e *event.Event, t *table.Access) error
}

// Options say what a plugin parses.
type Options struct {
	// EventTypes are the types of the events to parse, exactly these. None
	// means plugin events only (event.TypePlugin). Asynchronous events, those
	// of the plugin's own stream too, come only if event.TypeAsync is listed.
	//
	// Falco makes the kernel driver capture the system calls that are listed,
	// so a needless type costs the whole machine. Any type but
	// event.TypePlugin ties the plugin to a version of the event schema.
	EventTypes []uint16

	// Sources are the event sources to parse; the plugin's own is always among
	// them. None, for a plugin without a source of its own, means every source.
	Sources []string
}
