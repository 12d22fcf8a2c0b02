// SPDX-License-Identifier: Apache-2.0

package async

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
)

// Dump takes the events that stand for a plugin's state at the start of a
// capture file. It is valid until DumpState returns.
type Dump struct {
	// PluginID says which stream the events are part of; the framework writes
	// it to the file as it stands. The kit sets the plugin's own ID, the right
	// one in the plugin's own stream, and 0 for a plugin without one, right in a
	// stream of system calls. A plugin whose events join another stream than
	// that sets the ID of that stream's source: with a wrong one, replay takes
	// the events for those of another source.
	PluginID uint32

	// Timestamp is the time of events that have none of their own, in
	// nanoseconds since the Unix epoch. The kit sets the time now, or, where a
	// replayed capture is written out again, that of the event parsed last.
	Timestamp uint64

	out *asyncer

	mu             sync.Mutex // the handler writes a file
	owner, handler unsafe.Pointer
}

var errDumped = errors.New("the dump is over; use it only until DumpState returns")

// Emit writes an event to the capture file.
func (d *Dump) Emit(name string, data []byte) error {
	return d.Send(Event{Name: name, Data: data})
}

// Send is Emit for an event with a time or a thread of its own.
func (d *Dump) Send(e Event) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.out.declared.check(&e)
	if err == nil {
		err = d.write(&e)
	}
	if err != nil {
		d.out.dropped.Inc()
		return fmt.Errorf("dump event %q: %w", e.Name, err)
	}
	d.out.dumped.Inc()
	return nil
}

func (d *Dump) write(e *Event) error {
	if d.handler == nil {
		return errDumped
	}
	if e.Timestamp == 0 || e.Timestamp == NoTimestamp {
		e.Timestamp = d.Timestamp
	}
	return send(d.handler, d.owner, d.PluginID, e)
}

func (d *Dump) end() {
	d.mu.Lock()
	d.handler = nil
	d.mu.Unlock()
}

// asyncer is the half of one state that injects events.
type asyncer struct {
	*Emitter
	st     *core.State
	dumper Dumper // nil if the plugin is none

	dumped, dumpErrors *metrics.Counter
}

// SetHandler implements core.Asyncer.
func (a *asyncer) SetHandler(owner, handler unsafe.Pointer) error {
	a.setHandler(owner, handler)
	return nil
}

// DumpState implements core.Asyncer.
func (a *asyncer) DumpState(owner, handler unsafe.Pointer) error {
	if a.dumper == nil || handler == nil {
		return nil
	}
	d := &Dump{PluginID: a.st.Record.ID, Timestamp: a.now(), out: a, owner: owner, handler: handler}
	defer d.end()
	if err := a.dump(d); err != nil {
		a.dumpErrors.Inc()
		a.st.LogLimited(slog.LevelError, "dump", "dump_state: the capture file lacks state of the plugin: "+err.Error())
		return err
	}
	return nil
}

func (a *asyncer) dump(d *Dump) (err error) {
	defer a.st.Contain("dump_state", &err)
	return a.dumper.DumpState(d)
}

// now is the time in the stream. Frameworks set no handler on replay, where
// the clock has nothing to do with the events.
func (a *asyncer) now() uint64 {
	if last := a.st.LastEvent; last != 0 && !a.live() {
		return last
	}
	return uint64(time.Now().UnixNano())
}

// Free implements core.Asyncer: nothing is sent from here on.
func (a *asyncer) Free() { a.setHandler(nil, nil) }
