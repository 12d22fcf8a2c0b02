// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/aerie-falco/aerie/shared/plugin/metrics"
)

// acquire starts an Acquire and waits until it is in the line.
func acquire(b *Budget, n int64) <-chan bool {
	b.mu.Lock()
	line := len(b.waiters)
	b.mu.Unlock()
	got := make(chan bool, 1)
	go func() { got <- b.Acquire(n, time.Now().Add(patience)) }()
	for {
		b.mu.Lock()
		waiting := len(b.waiters)
		b.mu.Unlock()
		if waiting > line {
			return got
		}
		runtime.Gosched()
	}
}

func TestABudgetIsNeverExceeded(t *testing.T) {
	gauge := new(metrics.Gauge)
	b := NewBudget(10, gauge)
	assert.True(t, b.TryAcquire(7))
	assert.False(t, b.TryAcquire(4))
	assert.True(t, b.TryAcquire(3))
	assert.EqualValues(t, 10, b.Used())
	assert.EqualValues(t, 10, gauge.Value())
	b.Release(7)
	assert.EqualValues(t, 3, gauge.Value())
	assert.True(t, b.TryAcquire(7))
}

func TestWaitersAreServedInOrder(t *testing.T) {
	b := NewBudget(10, nil)
	assert.True(t, b.TryAcquire(10))
	large := acquire(b, 8)
	small := acquire(b, 1)
	assert.True(t, b.Contended())
	b.Release(2)
	assert.False(t, b.TryAcquire(1), "those who wait come first")
	select {
	case <-small:
		assert.Fail(t, "the small one overtook the large one")
	default:
	}
	b.Release(7)
	assert.True(t, <-large)
	assert.True(t, <-small)
	assert.False(t, b.Contended())
	assert.EqualValues(t, 10, b.Used())
}

func TestAWaitEndsAtItsTime(t *testing.T) {
	b := NewBudget(10, nil)
	assert.True(t, b.TryAcquire(10))
	assert.False(t, b.Acquire(1, time.Now().Add(time.Millisecond)))
	assert.False(t, b.Contended())
	b.Release(10)
	assert.Zero(t, b.Used(), "a wait that ended holds nothing")
}

func TestAWaitThatEndsMakesWayForThoseBehind(t *testing.T) {
	b := NewBudget(10, nil)
	assert.True(t, b.TryAcquire(5))
	large := make(chan bool, 1)
	go func() { large <- b.Acquire(8, time.Now().Add(100*time.Millisecond)) }()
	for !b.Contended() {
		runtime.Gosched()
	}
	small := acquire(b, 3)
	assert.False(t, <-large)
	assert.True(t, <-small)
}

func TestMoreThanTheWholeBudgetIsRefusedAtOnce(t *testing.T) {
	b := NewBudget(10, nil)
	assert.False(t, b.Acquire(11, time.Now().Add(patience)))
}

func TestClosingABudgetEndsAllWaits(t *testing.T) {
	b := NewBudget(10, nil)
	assert.True(t, b.TryAcquire(10))
	one, two := acquire(b, 1), acquire(b, 1)
	b.Close()
	assert.False(t, <-one)
	assert.False(t, <-two)
	b.Release(10)
	assert.False(t, b.TryAcquire(1))
	assert.False(t, b.Acquire(1, time.Now().Add(patience)))
}
