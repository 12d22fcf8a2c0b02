// SPDX-License-Identifier: Apache-2.0

package host

import (
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"io"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Recording is a capture file in memory.
type Recording struct {
	// Processes is the threads table at the time the file was opened, without
	// the fields that plugins added.
	Processes []Process
	// Events is first what plugins wrote of their state, then the events that
	// Next returned, async ones included.
	Events [][]byte
	// ID and Source are those of a feed, which no plugin is behind: 0 and "" if
	// there was none.
	ID     uint32
	Source string
}

func (r *Recording) add(raw []byte) { r.Events = append(r.Events, raw) }

// Record opens a capture file: the threads table is written, then the state of
// the plugins that dump theirs, in the order of their registration, and from
// then on each event that Next returns, until the inspector is closed or the
// recording stopped. There may be several at a time.
//
// first, if not nil, is the event that Next has just returned. sysdig opens its
// file when it has the first event to write, and so after that was parsed; with
// nil it is opened before.
func (n *Inspector) Record(first *Event) (*Recording, error) {
	if n.stream == nil {
		return nil, errors.New("record: the inspector is not open")
	}
	r := &Recording{Processes: n.threadsNow(), ID: n.fed.id, Source: n.fed.source}
	for _, p := range n.plugins {
		if p.Capabilities&CapAsync == 0 || p.state == nil {
			continue
		}
		events, err := p.DumpState()
		if err != nil {
			return nil, err
		}
		r.Events = append(r.Events, events...)
	}
	if first != nil {
		r.add(first.Bytes())
	}
	n.recordings = append(n.recordings, r)
	return r, nil
}

// StopRecording ends a recording.
func (n *Inspector) StopRecording(r *Recording) {
	for k, other := range n.recordings {
		if other == r {
			n.recordings = append(n.recordings[:k:k], n.recordings[k+1:]...)
			return
		}
	}
}

func (n *Inspector) threadsNow() []Process {
	defer n.tables.own()()
	return n.tables.threads.snapshot()
}

// Save writes the recording for another process to read.
func (r *Recording) Save(w io.Writer) error {
	if err := gob.NewEncoder(w).Encode(r); err != nil {
		return fmt.Errorf("save recording: %w", err)
	}
	return nil
}

// LoadRecording reads what Save wrote.
func LoadRecording(from io.Reader) (*Recording, error) {
	r := &Recording{}
	if err := gob.NewDecoder(from).Decode(r); err != nil {
		return nil, fmt.Errorf("load recording: %w", err)
	}
	return r, nil
}

// OpenReplay opens the inspector on a recording. The file's first events that
// tell of state (async, container, user and group events) are numbered and
// parsed, and not returned, before capture listeners are told of the capture.
// Sources are not opened, and async handlers not set.
func (n *Inspector) OpenReplay(r *Recording) error {
	if n.stream != nil {
		return errOpen
	}
	if err := n.prepare(); err != nil {
		return err
	}
	n.replayed = true
	n.fed = feed{id: r.ID, source: r.Source}
	left := r.Events
	next := func() ([]byte, abi.RC, error) {
		if len(left) == 0 {
			return nil, abi.EOF, nil
		}
		raw := left[0]
		left = left[1:]
		return raw, abi.Success, nil
	}
	s := &given{next: next}
	n.stream, n.evtnum, n.lastTime = s, 0, 0
	if err := n.populate(r.Processes); err != nil {
		return err
	}
	for len(left) > 0 && tellsState(left[0]) {
		e, rc, err := n.fetch()
		if rc != abi.Success {
			return fmt.Errorf("open replay: %w", err)
		}
		if _, err := n.see(e); err != nil {
			return fmt.Errorf("open replay: %w", err)
		}
	}
	return n.tellListeners()
}

// tellsState reports whether an event at the start of a file is part of the
// state that the file begins with.
func tellsState(raw []byte) bool {
	const firstUser, lastGroup = 354, 360 // users and groups added and deleted
	if len(raw) < abi.HeaderSize {
		return false
	}
	t := binary.NativeEndian.Uint16(raw[abi.EventType:])
	return t == abi.TypeAsyncEvent || t == typeContainerEvent || t >= firstUser && t <= lastGroup
}
