// SPDX-License-Identifier: Apache-2.0

package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// prepare is what comes before a source is opened.
func (n *Inspector) prepare() error {
	defer n.tables.own()()
	n.begun, n.replayed, n.exited = true, false, 0
	return n.tables.threads.clear()
}

// start is what follows once a source of events is open: the platform fills
// the threads table, numbers start at 1, async handlers are set, and capture
// listeners are told.
func (n *Inspector) start(s stream, platform []Process, id uint32, source string) error {
	n.stream, n.evtnum, n.lastTime = s, 0, 0
	if err := n.populate(platform); err != nil {
		return err
	}
	for _, p := range n.plugins {
		if p.Capabilities&CapAsync == 0 || p.state == nil {
			continue
		}
		if err := p.setAsyncHandler(&n.async, id, source); err != nil {
			return fmt.Errorf("open: %w", err)
		}
	}
	return n.tellListeners()
}

func (n *Inspector) populate(platform []Process) error {
	defer n.tables.own()()
	for _, p := range platform {
		if err := n.tables.threads.process(p); err != nil {
			return fmt.Errorf("open: %w", err)
		}
	}
	return nil
}

func (n *Inspector) tellListeners() error {
	for _, p := range n.plugins {
		if p.Capabilities&CapCapture == 0 || p.state == nil {
			continue
		}
		if err := p.CaptureOpen(); err != nil {
			return fmt.Errorf("open: %w", err)
		}
	}
	return n.violation()
}

// violation is what a plugin did wrong and nobody was told of.
func (n *Inspector) violation() error {
	for _, p := range n.plugins {
		if err := p.owner.faults.take(); err != nil {
			return fmt.Errorf("plugin %s: %w", p.Name, err)
		}
	}
	return nil
}

// Close closes the open source, if any, whose last event is dead afterwards.
// Then plugins are told: those that send async events, and those that listen
// to captures, be it that they were told of an open or, after one that failed,
// not. Routines end last. The error joins the failures of plugins; all steps
// are taken in spite of them.
func (n *Inspector) Close() error {
	if n.late != nil {
		n.late.Free()
	}
	n.late, n.kept, n.recordings = nil, nil, nil
	if n.stream != nil {
		n.stream.close()
	}
	n.stream, n.fed = nil, feed{}
	if !n.begun {
		return nil
	}
	n.begun = false
	errs := []error{n.clearThreads()}
	for _, p := range n.plugins {
		if p.Capabilities&CapAsync != 0 && p.state != nil && !n.replayed {
			errs = append(errs, p.setAsyncHandler(nil, 0, ""))
		}
	}
	for _, p := range n.plugins {
		if p.Capabilities&CapCapture != 0 && p.state != nil {
			errs = append(errs, p.CaptureClose())
		}
	}
	if n.pool != nil {
		n.pool.purge(nil)
	}
	errs = append(errs, n.violation())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

func (n *Inspector) clearThreads() error {
	defer n.tables.own()()
	return n.tables.threads.clear()
}

// Next is the next event of the open source or of the async queue, numbered,
// with its source, and parsed by the plugins that parse such events; or a
// result code without an event. See Instance.Next for a source's rules and for
// how long the event is valid. A plugin that breaks the interface is a failure
// here, whether it did so in parsing or on a thread of its own; what parsing
// itself returns is ignored.
func (n *Inspector) Next() (*Event, abi.RC, error) {
	if n.stream == nil {
		return nil, abi.Failure, errors.New("read next event: the inspector is not open")
	}
	for {
		e, rc, err := n.fetch()
		if rc != abi.Success {
			if broken := n.violation(); broken != nil {
				return nil, abi.Failure, broken
			}
			return nil, rc, err
		}
		wanted, err := n.see(e)
		if err != nil {
			return nil, abi.Failure, err
		}
		if wanted {
			for _, r := range n.recordings {
				r.add(e.Bytes())
			}
			return e, abi.Success, nil
		}
	}
}

// see numbers an event, looks whether the filter holds for it, and has it
// parsed, which happens in either case.
func (n *Inspector) see(e *Event) (wanted bool, err error) {
	n.evtnum++
	e.num = n.evtnum
	n.lastTime = e.Timestamp()
	e.source = n.sourceOf(e)
	if n.follows && e.source == sourceSyscall {
		if err := n.follow(e); err != nil {
			return false, err
		}
	}
	wanted = true
	if n.filter != nil {
		r, err := n.Value(e, n.filter.Check)
		if err != nil && !errors.Is(err, ErrExtraction) {
			return false, err
		}
		wanted = n.filter.Match(r.Values)
	}
	for _, p := range n.plugins {
		if p.state == nil || !p.Parses(e.Type(), e.source) {
			continue
		}
		if _, err := p.ParseEvent(e); err != nil {
			return false, fmt.Errorf("plugin %s: %w", p.Name, err)
		}
	}
	return wanted, n.violation()
}

// fetch is the next event, which is an async event if one is due: one without a
// time always, others once the source has come to their time. On an idle source
// the time is that of the last event.
func (n *Inspector) fetch() (*Event, abi.RC, error) {
	if n.late != nil {
		n.late.Free()
		n.late = nil
	}
	e := n.kept
	if e == nil {
		var rc abi.RC
		var err error
		switch e, rc, err = n.stream.Next(); rc {
		case abi.Success:
		case abi.Timeout:
			raw, due := n.async.pop(n.now)
			if !due {
				return nil, rc, err
			}
			return n.deliver(raw), abi.Success, nil
		default:
			return nil, rc, err
		}
	}
	if raw, due := n.async.pop(e.Timestamp); due {
		n.kept = e
		return n.deliver(raw), abi.Success, nil
	}
	n.kept = nil
	return e, abi.Success, nil
}

// now is the time of the last event, whatever the clock says.
func (n *Inspector) now() uint64 {
	if n.lastTime == 0 {
		return uint64(time.Now().UnixNano())
	}
	return n.lastTime
}

// deliver makes an event of an async event that was waiting.
func (n *Inspector) deliver(raw []byte) *Event {
	if binary.NativeEndian.Uint64(raw[abi.EventTS:]) == abi.NoTimestamp {
		binary.NativeEndian.PutUint64(raw[abi.EventTS:], n.now())
	}
	n.late = NewRawEvent(raw)
	return n.late
}
