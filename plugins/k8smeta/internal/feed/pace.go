// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aerie-falco/aerie/shared/plugin/async"
)

const (
	// An event is missed when nothing has come back for so long. An idle
	// stream delivers events within tens of milliseconds.
	firstPatience = 5 * time.Second
	lastPatience  = time.Minute

	firstPause = time.Second // after the framework did not take an event
	lastPause  = 30 * time.Second

	maxTries = 5 // of one state
)

// pace is what is on its way to the framework and back. The framework delivers
// its queue in order and says nothing about what it drops when that is full. So
// an event that has not come back while a later one has is lost, and the later
// ones of a lost tail are found out by emitting one of them once more: when that
// one comes back, the queue moves, and what still does not come is lost too. A
// stream that stands still, on the other hand, gets nothing but this one.
type pace struct {
	queue    []*entry      // whose turn comes, in order; some may have nothing to say any more
	flights  []*entry      // emitted and not come back, in the order of emission
	airborne int           // bytes of them
	waiting  int           // bytes of all texts in the ledger
	room     chan struct{} // closed when those may go on that wait for waiting to shrink
	blocked  int           // how many they are

	silentSince time.Time // nothing has come back since, while something was under way
	patience    time.Duration
	probed      bool // one of the flights was emitted once more
	moved       bool // something has come back since

	resting time.Time // the framework takes no events; do not try before
	pause   time.Duration
	taken   bool // an event was taken since the last one that was not
}

func newPace() pace {
	return pace{room: make(chan struct{}), patience: firstPatience, pause: firstPause}
}

// enqueue gives an entry its turn, unless it has one or waits for what is under
// way. The caller holds mu.
func (f *Feed) enqueue(en *entry) {
	if en.next == nil || en.flight != nil || en.queued {
		return
	}
	// Resources that came and went before their turn leave their places behind.
	if len(f.queue) > 2*len(f.ledger)+1024 {
		f.queue = slices.DeleteFunc(f.queue, func(en *entry) bool {
			en.queued = en.next != nil
			return !en.queued
		})
	}
	en.queued = true
	f.queue = append(f.queue, en)
	signal(f.wake)
}

// restart emits again what an earlier run has left under way. The caller holds mu.
func (f *Feed) restart() {
	f.resting, f.pause = time.Time{}, firstPause
	for _, en := range slices.Clone(f.flights) {
		en.tries = 0
		f.lose(en)
	}
	signal(f.wake)
}

// tell emits what there is to say until ctx is done.
func (f *Feed) tell(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		en, text, again, deadline := f.turn()
		if text != nil {
			f.emitted(en, text, again, f.emit(text))
			continue
		}
		timer.Reset(time.Until(deadline))
		select {
		case <-ctx.Done():
		case <-f.wake:
		case <-timer.C:
		}
	}
}

// turn is what tell does next: it emits a text, or waits until deadline if there
// is none.
func (f *Feed) turn() (en *entry, text []byte, again bool, deadline time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	en, text, again = f.take(time.Now())
	return en, text, again, f.deadline()
}

// take returns the next text to emit, or nil, and whether it was emitted before
// and may still come back. It is under way already when this returns: parsing
// may be faster than the call that emits. The caller holds mu.
func (f *Feed) take(now time.Time) (en *entry, text []byte, again bool) {
	if now.Before(f.resting) {
		return nil, nil, false
	}
	if len(f.flights) > 0 && !now.Before(f.silentSince.Add(f.patience)) {
		if en := f.overdue(now); en != nil {
			return en, en.flight, true
		}
	}
	for len(f.queue) > 0 {
		en := f.queue[0]
		if en.next != nil && len(f.flights) > 0 &&
			(len(f.flights) >= MaxOutstanding || f.airborne+len(en.next) > maxOutstandingBytes) {
			return nil, nil, false
		}
		f.queue[0] = nil
		if f.queue = f.queue[1:]; len(f.queue) == 0 {
			f.queue = nil // the array behind it may be huge
		}
		en.queued = false
		if en.next == nil {
			continue
		}
		if len(f.flights) == 0 {
			f.silentSince, f.patience, f.probed = now, firstPatience, false
		}
		en.flight, en.flightState, en.flightTold, en.next = en.next, en.newest, en.told, nil
		f.airborne += len(en.flight)
		f.flights = append(f.flights, en)
		return en, en.flight, false
	}
	return nil, nil, false
}

// overdue deals with silence: it returns an entry whose event is to be emitted
// once more, or gives up on all that is under way. The caller holds mu.
func (f *Feed) overdue(now time.Time) *entry {
	f.silentSince = now
	if f.probed && f.moved {
		f.probed, f.patience = false, firstPatience
		for _, en := range slices.Clone(f.flights) {
			f.lose(en)
		}
		return nil
	}
	f.probed, f.moved = true, false
	f.patience = min(2*f.patience, lastPatience)
	f.resent.Inc()
	return f.flights[0]
}

// deadline is when take has something to do that no wake announces. The caller
// holds mu.
func (f *Feed) deadline() time.Time {
	now := time.Now()
	at := now.Add(time.Hour)
	if len(f.flights) > 0 {
		at = f.silentSince.Add(f.patience)
	}
	if now.Before(f.resting) && (len(f.queue) > 0 || f.resting.After(at)) {
		at = f.resting
	}
	return at
}

// emitted notes how emitting went.
func (f *Feed) emitted(en *entry, text []byte, again bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		if !f.taken && f.pause > firstPause {
			f.log.Info("Kubernetes metadata: the framework takes events again")
		}
		f.taken, f.pause = true, firstPause
		return
	}
	f.resting = time.Now().Add(f.pause)
	if !errors.Is(err, async.ErrNoCapture) { // else the capture has ended, and this run is about to
		f.turnedDown(en, err)
	}
	// Between the call and now, a later event may have come back and shown this
	// one to be missing.
	if !again && len(en.flight) > 0 && &en.flight[0] == &text[0] {
		f.giveBack(en)
	}
}

// turnedDown notes that the framework has not taken an event. The caller holds mu.
func (f *Feed) turnedDown(en *entry, err error) {
	f.notTaken.Inc()
	if f.pause == firstPause {
		f.log.Warn("Kubernetes metadata: the framework does not take an event; it is kept and tried again", "error", err)
	}
	if f.taken {
		en.tries++ // not for what all events suffer
	}
	f.taken = false
	f.pause = min(2*f.pause, lastPause)
}

// lose deals with an event that the framework has not delivered, for all that is
// known: one that an ended capture left in the queue may come with the next. The
// caller holds mu.
func (f *Feed) lose(en *entry) {
	en.tries++
	en.parsed = unsure
	f.resent.Inc()
	f.giveBack(en)
}

// giveBack puts what is under way back into the queue, unless there is newer to
// say, or it has been tried too often. The caller holds mu.
func (f *Feed) giveBack(en *entry) {
	text, state := en.flight, en.flightState
	f.land(en)
	switch {
	case en.newest != state: // what is newer takes its turn
		f.waiting -= len(text)
		f.enqueue(en)
		f.makeRoom()
	case en.tries >= maxTries: // until the source tells it again
		f.refuse(fmt.Errorf("%s %.64q: the framework has lost or refused this event %d times", en.key.kind, en.key.uid, en.tries))
		f.waiting -= len(text)
		f.makeRoom()
	default:
		en.next = text
		f.enqueue(en)
	}
}

// land takes an entry out of what is under way. The caller holds mu.
func (f *Feed) land(en *entry) {
	if i := slices.Index(f.flights, en); i >= 0 {
		f.flights = slices.Delete(f.flights, i, i+1)
	}
	f.airborne -= len(en.flight)
	en.flight = nil
	signal(f.wake)
}

// Parsed tells that a k8s event of the stream has been parsed, whether or not
// it was any good. Of those that this feed has emitted, it thereby knows that
// they have arrived; all others mean nothing to it. It is called on the
// framework's thread, and is quick.
func (f *Feed) Parsed(kind, uid string, text []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	en := f.ledger[key{kind, uid}]
	if en == nil || en.flight == nil || !bytes.Equal(en.flight, text) {
		return
	}
	now := time.Now()
	f.silentSince, f.patience, f.moved = now, firstPatience, true
	f.lag.Set(now.Sub(en.flightTold).Milliseconds())
	// What was emitted before it and is not back is lost.
	for len(f.flights) > 0 && f.flights[0] != en {
		f.lose(f.flights[0])
	}
	state := en.flightState
	f.waiting -= len(en.flight)
	f.land(en)
	f.arrived(en, state)
}

// arrived notes that the tables have a state now. The caller holds mu.
func (f *Feed) arrived(en *entry, state uint64) {
	en.parsed = state
	if en.newest == state {
		en.tries = 0
	}
	if state == 0 && en.newest == 0 && en.next == nil {
		f.forget(en)
	}
	f.enqueue(en)
	f.makeRoom()
}

// makeRoom lets calls of Event go on that wait. The caller holds mu.
func (f *Feed) makeRoom() {
	if f.blocked > 0 && f.waiting < maxWaitingBytes {
		close(f.room)
		f.room = make(chan struct{})
	}
}
