// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"sync"
	"time"

	"github.com/aerie-falco/aerie/shared/plugin/metrics"
)

// Budget bounds how much of something is held at a time. It is safe for
// concurrent use.
type Budget struct {
	mu      sync.Mutex
	max     int64
	used    int64
	closed  bool
	waiters []*waiter // in order of arrival
	gauge   *metrics.Gauge
}

type waiter struct {
	n     int64
	ready chan struct{} // closed when n was acquired, or the budget was closed
	ok    bool
}

// NewBudget makes a budget of max units. What is used of it is added to the
// gauge, if there is one.
func NewBudget(max int64, gauge *metrics.Gauge) *Budget {
	if gauge == nil {
		gauge = new(metrics.Gauge)
	}
	return &Budget{max: max, gauge: gauge}
}

// TryAcquire takes n units if they are free and nobody waits for any.
func (b *Budget) TryAcquire(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.take(n)
}

// Acquire takes n units, and waits for them until the given time. It reports
// whether it has them; a budget that is closed, or smaller than n, has none.
func (b *Budget) Acquire(n int64, until time.Time) bool {
	b.mu.Lock()
	if b.take(n) {
		b.mu.Unlock()
		return true
	}
	if b.closed || n > b.max {
		b.mu.Unlock()
		return false
	}
	w := &waiter{n: n, ready: make(chan struct{})}
	b.waiters = append(b.waiters, w)
	b.mu.Unlock()

	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-w.ready:
	case <-timer.C:
		b.leave(w)
	}
	return w.ok
}

// leave ends a wait. The units may have come at the last moment.
func (b *Budget) leave(w *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, other := range b.waiters {
		if other == w {
			b.waiters = append(b.waiters[:i], b.waiters[i+1:]...)
			b.serve() // those behind w may need less
			return
		}
	}
}

// Release gives n units back.
func (b *Budget) Release(n int64) {
	if n == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= n
	b.gauge.Add(-n)
	b.serve()
}

// Contended tells whether somebody waits for units.
func (b *Budget) Contended() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiters) > 0
}

// Used returns how many units are taken.
func (b *Budget) Used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// Close ends all waits, without success, and lets nobody acquire any more.
func (b *Budget) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, w := range b.waiters {
		close(w.ready)
	}
	b.waiters = nil
}

// take and serve are called with mu held.

func (b *Budget) take(n int64) bool {
	if b.closed || len(b.waiters) > 0 || b.used+n > b.max {
		return false
	}
	b.used += n
	b.gauge.Add(n)
	return true
}

func (b *Budget) serve() {
	for len(b.waiters) > 0 {
		w := b.waiters[0]
		if b.used+w.n > b.max {
			return
		}
		b.used += w.n
		b.gauge.Add(w.n)
		w.ok = true
		close(w.ready)
		b.waiters[0] = nil
		b.waiters = b.waiters[1:]
	}
}
