// SPDX-License-Identifier: Apache-2.0

package async

import (
	"errors"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Errors of Emit and Send that a caller may branch on.
var (
	// ErrNoCapture says that nobody takes events now: no live capture is open,
	// it is being closed, or a capture file is replayed. Wait tells when one is.
	ErrNoCapture = errors.New("no capture takes events now")

	// ErrTooLarge says that the event's data is over the limit.
	ErrTooLarge = errors.New("event is too large")

	// ErrFuture says that the event's own time is more than ten seconds ahead.
	ErrFuture = errors.New("event is of the future")

	// ErrUnknownName says that the event's name was not declared in Options.
	ErrUnknownName = errors.New("undeclared event name")
)

// NoTimestamp as an event's time lets the framework stamp the event.
const NoTimestamp = abi.NoTimestamp

// Event is one event to inject.
type Event struct {
	// Name is one of those in Options.
	Name string

	// Data is what the event says, of any form. It is copied.
	Data []byte

	// Timestamp is in nanoseconds since the Unix epoch. 0 and NoTimestamp have
	// the event delivered promptly, stamped with the time of the event before
	// it. An event with a time of its own is held back until the stream gets to
	// that time, which on an idle stream may be never; one of more than ten
	// seconds ahead is refused. So what matters of a real time belongs into Data.
	Timestamp uint64

	// ThreadID is the system's thread that the event is about, 0 for none. Only
	// streams of system calls take one.
	ThreadID uint64
}

// DefaultMaxEventSize is the limit where Options give none.
const DefaultMaxEventSize = 256 << 10

// Options say what a plugin emits.
type Options struct {
	// Events are the names of all events that the plugin emits, at least one.
	// Lists of event names in libsinsp show the first 31 bytes.
	Events []string

	// Sources are the event sources whose streams the events may join, "syscall"
	// among them; the plugin's own is always. None, for a plugin without a
	// source of its own, means every stream.
	Sources []string

	// MaxEventSize is the largest data in bytes; 0 means DefaultMaxEventSize.
	MaxEventSize int
}

// Dumper is implemented by plugins whose state a capture file needs at its
// start, because the events that built it came before.
type Dumper interface {
	// DumpState tells the state by events that go straight into the capture
	// file. It is called on the framework's event thread whenever a file is
	// begun, which may be in the middle of a capture and any number of times.
	//
	// An error is counted and logged. The framework is not told: Falco would
	// end over it, and the file is good but for the state.
	DumpState(d *Dump) error
}
