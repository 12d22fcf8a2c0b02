// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"fmt"
	"hash/maphash"
	"math"
	"strings"
	"time"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
)

type key struct{ kind, uid string }

// entry is one resource. States are known by the hash of their text, which is
// kept only until the framework has parsed it; 0 is the state of not being there.
type entry struct {
	key    key
	gen    uint32    // of the connection that mentioned it last
	told   time.Time // when the newest state came
	newest uint64    // what the source says
	parsed uint64    // what has come back from the framework, or unsure
	// next is the event for the newest state while it waits for its turn; nil if
	// that state is under way or parsed.
	next   []byte
	queued bool // it is in pace.queue

	// What is under way, at most one event a resource. nil: nothing.
	flight      []byte
	flightState uint64
	flightTold  time.Time
	tries       int // of emitting this very state, without it having come back
}

// unsure is the state of no resource: what parsing knows is this or that, so
// whatever the source says next is emitted.
const unsure = math.MaxUint64

// note takes in an event from the source. The caller holds mu.
func (f *Feed) note(e *metadata.Event, text []byte, gen uint32) {
	en := f.ledger[key{e.Kind, e.Uid}]
	if e.Reason == metadata.Delete {
		// What was never mentioned is not in the tables either.
		if en != nil {
			f.change(en, 0, text)
		}
		return
	}
	if en == nil {
		if len(f.ledger) >= f.limit {
			f.refuse(fmt.Errorf("%s %.64q: more than %d resources", e.Kind, e.Uid, f.limit))
			return
		}
		// The event's own strings may be parts of something big.
		en = &entry{key: key{kindOf(e.Kind), strings.Clone(e.Uid)}}
		f.ledger[en.key] = en
		f.resources.Set(int64(len(f.ledger)))
	}
	en.gen = gen
	f.change(en, stateOf(e.Reason, text), text)
}

// change gives a resource a new state. The caller holds mu.
func (f *Feed) change(en *entry, state uint64, text []byte) {
	if state == en.newest && (state == en.parsed || en.flight != nil || en.next != nil) {
		return
	}
	en.newest = state
	en.tries = 0
	en.told = time.Now()
	f.waiting -= len(en.next)
	en.next = nil
	if en.flight != nil && en.flightState == state {
		return
	}
	if en.flight == nil && en.parsed == state {
		if state == 0 {
			f.forget(en) // the framework has never heard of it
		}
		return
	}
	en.next = text
	f.waiting += len(text)
	f.enqueue(en)
}

// forget removes a resource that is gone and of which nothing is to be said.
// The caller holds mu.
func (f *Feed) forget(en *entry) {
	delete(f.ledger, en.key)
	f.resources.Set(int64(len(f.ledger)))
}

// reconcile deletes what the connection gen has not mentioned. The caller holds mu.
func (f *Feed) reconcile(gen uint32) {
	n := 0
	for _, en := range f.ledger {
		if en.gen == gen || en.newest == 0 && (en.flight != nil || en.next != nil) {
			continue
		}
		n++
		f.change(en, 0, metadata.AppendJSON(nil, &metadata.Event{Reason: metadata.Delete, Kind: en.key.kind, Uid: en.key.uid}))
	}
	if n > 0 {
		f.log.Info("Kubernetes metadata: deleted what went away while the source was not connected", "source", f.source.String(), "resources", n)
	}
}

// kindOf returns the one copy of a known kind's name.
func kindOf(kind string) string {
	for _, known := range metadata.Kinds() {
		if known == kind {
			return known
		}
	}
	return kind
}

var seed = maphash.MakeSeed()

// stateOf is a hash of all but the reason: Create and Update of the same state
// are the same.
func stateOf(reason string, text []byte) uint64 {
	return min(max(1, maphash.Bytes(seed, text[len(`{"reason":"",`)+len(reason):])), unsure-1)
}
