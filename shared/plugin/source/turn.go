// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"time"
)

// turn is the context of one Next: it ends with the instance or at its
// deadline. Most turns find events waiting and never ask for Done, so the
// timer behind it is made on first use. Not for concurrent use by itself;
// contexts derived from it are ordinary ones.
type turn struct {
	context.Context // the instance's
	deadline        time.Time
	timed           context.Context
	cancel          context.CancelFunc
}

func (t *turn) begin(idle time.Duration) {
	t.deadline = time.Now().Add(idle)
}

// end releases the timer, if there was one.
func (t *turn) end() {
	if t.timed != nil {
		t.cancel()
		t.timed, t.cancel = nil, nil
	}
}

func (t *turn) start() context.Context {
	if t.timed == nil {
		t.timed, t.cancel = context.WithDeadline(t.Context, t.deadline)
	}
	return t.timed
}

// Deadline implements context.Context.
func (t *turn) Deadline() (time.Time, bool) { return t.deadline, true }

// Done implements context.Context.
func (t *turn) Done() <-chan struct{} { return t.start().Done() }

// Err implements context.Context.
func (t *turn) Err() error { return t.start().Err() }

// wait sleeps for the rest of the turn, at most d; less if the instance ends.
func (t *turn) wait(d time.Duration) {
	d = min(d, time.Until(t.deadline))
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context.Done():
	}
}
