// SPDX-License-Identifier: Apache-2.0

// Package feedtest plays the framework and the plugin's parsing for tests of
// feeds and their sources.
package feedtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Tables are what parsing makes of the events that a feed emits. Events are
// parsed at once unless Hold says otherwise.
type Tables struct {
	// Parsed is called for each event that is parsed, as Feed.Parsed is.
	Parsed func(kind, uid string, text []byte)

	mu      sync.Mutex
	has     map[string]Resource // by kind and uid
	queue   [][]byte
	held    bool
	refuse  error
	drop    func(text []byte) bool
	changed chan struct{} // closed at the next change
	stats   Stats
	parsing sync.Mutex // one event at a time, in order
}

// Resource is one entry of the tables.
type Resource struct {
	Reason, Kind, UID  string
	Meta, Spec, Status string
	Refs               map[string][]string
}

// Stats are what has passed so far.
type Stats struct {
	Emitted, Parsed int
	Waiting         int // emitted and not parsed
	MostWaiting     int
	Creates         int
	Deletes         int
}

// NewTables returns empty tables.
func NewTables() *Tables {
	return &Tables{has: make(map[string]Resource), changed: make(chan struct{})}
}

// Emit takes an event of a feed.
func (t *Tables) Emit(text []byte) error {
	t.mu.Lock()
	if t.refuse != nil {
		defer t.mu.Unlock()
		return t.refuse
	}
	t.stats.Emitted++
	if t.drop != nil && t.drop(text) {
		defer t.mu.Unlock()
		t.wake()
		return nil
	}
	t.queue = append(t.queue, slices.Clone(text))
	t.stats.Waiting = len(t.queue)
	t.stats.MostWaiting = max(t.stats.MostWaiting, len(t.queue))
	held := t.held
	t.wake()
	t.mu.Unlock()
	if !held {
		t.Parse(-1)
	}
	return nil
}

// Hold lets events wait in the queue until Parse, or stops that.
func (t *Tables) Hold(held bool) {
	t.mu.Lock()
	t.held = held
	t.mu.Unlock()
}

// Refuse makes Emit fail, nil succeed again.
func (t *Tables) Refuse(err error) {
	t.mu.Lock()
	t.refuse = err
	t.mu.Unlock()
}

// Drop loses the events that it is true for, as a full queue does; nil loses none.
func (t *Tables) Drop(which func(text []byte) bool) {
	t.mu.Lock()
	t.drop = which
	t.mu.Unlock()
}

// Parse parses the first n waiting events, all if n is negative.
func (t *Tables) Parse(n int) {
	t.parsing.Lock()
	defer t.parsing.Unlock()
	for ; n != 0; n-- {
		t.mu.Lock()
		if len(t.queue) == 0 {
			t.mu.Unlock()
			return
		}
		text := t.queue[0]
		t.queue = t.queue[1:]
		t.stats.Waiting = len(t.queue)
		t.stats.Parsed++
		r, err := Read(text)
		if err != nil {
			panic(err) // a feed never emits what parsing does not understand
		}
		if r.Reason == "Delete" {
			t.stats.Deletes++
			delete(t.has, r.Kind+" "+r.UID)
		} else {
			t.stats.Creates++
			t.has[r.Kind+" "+r.UID] = r
		}
		t.wake()
		t.mu.Unlock()
		if t.Parsed != nil {
			t.Parsed(r.Kind, r.UID, text)
		}
	}
}

func (t *Tables) wake() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// Stats returns what has passed.
func (t *Tables) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stats
}

// All returns the entries by kind and UID, with a blank between.
func (t *Tables) All() map[string]Resource {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.has)
}

// Changed returns what is closed at the next change, of the tables or the queue.
func (t *Tables) Changed() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.changed
}

// Await returns once the tables are as wanted, with what they have, and fails
// when stop is closed before.
func (t *Tables) Await(stop <-chan struct{}, wanted func(all map[string]Resource) bool) (map[string]Resource, error) {
	for {
		t.mu.Lock()
		all, changed := maps.Clone(t.has), t.changed
		t.mu.Unlock()
		if wanted(all) {
			return all, nil
		}
		select {
		case <-changed:
		case <-stop:
			return all, fmt.Errorf("the tables did not become what was awaited; they have %v", slices.Sorted(maps.Keys(all)))
		}
	}
}

// Read reads an event as parsing does.
func Read(text []byte) (Resource, error) {
	var e struct {
		Reason, UID, Kind  string
		Meta, Spec, Status *string
		Refs               struct {
			Resources map[string]struct{ List []string }
		}
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return Resource{}, fmt.Errorf("read event %q: %w", text, err)
	}
	if e.Reason == "" || e.UID == "" || e.Kind == "" {
		return Resource{}, errors.New("an event without reason, uid or kind: " + string(text))
	}
	r := Resource{Reason: e.Reason, Kind: e.Kind, UID: e.UID}
	for from, to := range map[*string]*string{e.Meta: &r.Meta, e.Spec: &r.Spec, e.Status: &r.Status} {
		if from == nil {
			continue
		}
		if *to = *from; !json.Valid([]byte(*from)) {
			return Resource{}, fmt.Errorf("an event with invalid JSON inside: %s", text)
		}
	}
	for kind, l := range e.Refs.Resources {
		if r.Refs == nil {
			r.Refs = make(map[string][]string)
		}
		r.Refs[kind] = append([]string{}, l.List...)
	}
	return r, nil
}
