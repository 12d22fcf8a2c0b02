// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/source"
)

// patience bounds what must happen; nothing waits for it to pass.
const patience = 30 * time.Second

func batch(t testing.TB, maxEvent, maxBytes int) *source.Batch {
	b := source.NewBatch(maxEvent, maxBytes)
	t.Cleanup(b.Free)
	return b
}

func entry(payloads ...string) *Entry {
	e := NewEntry()
	for _, p := range payloads {
		e.Events = append(e.Events, Event{Payload: []byte(p)})
	}
	return e
}

func contents(b *source.Batch) []string {
	got := []string{}
	b.Events(func(payload []byte, ts uint64) bool {
		got = append(got, string(payload))
		return true
	})
	return got
}

// next reads one batch; the events must be there already.
func next(t testing.TB, q *Queue, b *source.Batch) []string {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, q.Next(ctx, b))
	return contents(b)
}

func unanswered(t testing.TB, e *Entry) {
	t.Helper()
	select {
	case o := <-e.Done():
		require.Fail(t, "the entry has an outcome already", "%d", o)
	default:
	}
}

func outcome(t testing.TB, e *Entry) Outcome {
	t.Helper()
	select {
	case o := <-e.Done():
		return o
	case <-time.After(patience):
		require.Fail(t, "the entry got no outcome")
		return 0
	}
}

func TestEventsComeOutInOrderAndAreConfirmedOnDelivery(t *testing.T) {
	q, b := New(WhenDelivered), batch(t, 100, 1<<20)
	first, second := entry("a", "b"), entry("c")
	require.NoError(t, q.Put(first))
	require.NoError(t, q.Put(second))
	assert.Equal(t, 2, q.Len())
	assert.Equal(t, []string{"a", "b", "c"}, next(t, q, b))
	assert.Equal(t, 0, q.Len())
	unanswered(t, first)
	unanswered(t, second)
	b.Deliver(true)
	assert.Equal(t, Confirmed, outcome(t, first))
	assert.Equal(t, Confirmed, outcome(t, second))
}

func TestAnEntryIsConfirmedWhenTakenIfSoChosen(t *testing.T) {
	q, b := New(WhenTaken), batch(t, 100, 1<<20)
	e := entry("a")
	require.NoError(t, q.Put(e))
	assert.Equal(t, []string{"a"}, next(t, q, b))
	assert.Equal(t, Confirmed, outcome(t, e))
}

func TestAnUndeliveredBatchLeavesItsEntriesUnconfirmed(t *testing.T) {
	q, b := New(WhenDelivered), batch(t, 100, 1<<20)
	e := entry("a")
	require.NoError(t, q.Put(e))
	next(t, q, b)
	b.Deliver(false)
	assert.Equal(t, Unconfirmed, outcome(t, e))
}

func TestAnEntryLargerThanABatchIsConfirmedWithItsLastEvent(t *testing.T) {
	q := New(WhenDelivered)
	big := strings.Repeat("x", 400)
	e, after := entry(big+"1", big+"2", big+"3", big+"4", big+"5"), entry("z")
	gone := 0
	e.Left = func() { gone++ }
	require.NoError(t, q.Put(e))
	require.NoError(t, q.Put(after))
	b := batch(t, 500, 1000)
	var got []string
	for len(got) < 5 {
		require.Zero(t, gone, "the payloads are still needed")
		part := next(t, q, b)
		require.LessOrEqual(t, len(part), 2)
		got = append(got, part...)
		unanswered(t, e)
		b.Deliver(true)
	}
	assert.Equal(t, []string{big + "1", big + "2", big + "3", big + "4", big + "5", "z"}, got)
	assert.Equal(t, 1, gone)
	assert.Equal(t, Confirmed, outcome(t, e))
	assert.Equal(t, Confirmed, outcome(t, after))
}

func TestOneUndeliveredBatchOfSeveralLeavesTheEntryUnconfirmed(t *testing.T) {
	q, b := New(WhenDelivered), batch(t, 500, 500)
	e := entry(strings.Repeat("x", 400), strings.Repeat("y", 400))
	require.NoError(t, q.Put(e))
	next(t, q, b)
	b.Deliver(false)
	next(t, q, b)
	b.Deliver(true)
	assert.Equal(t, Unconfirmed, outcome(t, e))
}

func TestAnOversizeEventIsToldAndStopsNothing(t *testing.T) {
	q, b := New(WhenDelivered), batch(t, 3, 1<<20)
	e, after := entry("abc", "abcd", "ab"), entry("x")
	require.NoError(t, q.Put(e))
	require.NoError(t, q.Put(after))
	assert.Equal(t, []string{"abc", "ab", "x"}, next(t, q, b))
	b.Deliver(true)
	assert.Equal(t, Oversize, outcome(t, e))
	assert.Equal(t, Confirmed, outcome(t, after))
}

func TestWithdraw(t *testing.T) {
	big := strings.Repeat("x", 400)
	t.Run("an entry that waits is withdrawn, its neighbours stay", func(t *testing.T) {
		q, b := New(WhenDelivered), batch(t, 100, 1<<20)
		entries := []*Entry{entry("a"), entry("b"), entry("c"), entry("d")}
		gone := false
		entries[1].Left = func() { gone = true }
		for _, e := range entries {
			require.NoError(t, q.Put(e))
		}
		assert.Equal(t, Withdrawn, q.Withdraw(entries[1]))
		assert.True(t, gone)
		assert.Equal(t, Withdrawn, q.Withdraw(entries[3]))
		assert.Equal(t, 2, q.Len())
		assert.Equal(t, []string{"a", "c"}, next(t, q, b))
	})
	t.Run("an entry in a batch is unconfirmed", func(t *testing.T) {
		q, b := New(WhenDelivered), batch(t, 100, 1<<20)
		e := entry("a")
		require.NoError(t, q.Put(e))
		next(t, q, b)
		assert.Equal(t, Unconfirmed, q.Withdraw(e))
		b.Deliver(true)
	})
	t.Run("the rest of an entry that is partly in a batch is not delivered", func(t *testing.T) {
		q, b := New(WhenDelivered), batch(t, 500, 500)
		e, after := entry(big, big), entry("z")
		require.NoError(t, q.Put(e))
		require.NoError(t, q.Put(after))
		assert.Equal(t, []string{big}, next(t, q, b))
		assert.Equal(t, Unconfirmed, q.Withdraw(e))
		b.Deliver(true)
		assert.Equal(t, []string{"z"}, next(t, q, b))
	})
	t.Run("an entry that found no room in the last batch is withdrawn", func(t *testing.T) {
		q, b := New(WhenDelivered), batch(t, 500, 500)
		first, second := entry(big), entry(big)
		require.NoError(t, q.Put(first))
		require.NoError(t, q.Put(second))
		next(t, q, b)
		assert.Equal(t, Withdrawn, q.Withdraw(second))
		b.Deliver(true)
		assert.Equal(t, Confirmed, outcome(t, first))
		q.Close()
		assert.ErrorIs(t, q.Next(t.Context(), b), io.EOF)
	})
	t.Run("an outcome that is there already is returned", func(t *testing.T) {
		q, b := New(WhenDelivered), batch(t, 100, 1<<20)
		e := entry("a")
		require.NoError(t, q.Put(e))
		next(t, q, b)
		b.Deliver(true)
		assert.Equal(t, Confirmed, q.Withdraw(e))
	})
}

func TestClose(t *testing.T) {
	q, b := New(WhenDelivered), batch(t, 500, 500)
	big := strings.Repeat("x", 300)
	inBatch, partly, waits := entry("a"), entry("b", big, big), entry("c")
	left := 0
	for _, e := range []*Entry{inBatch, partly, waits} {
		e.Left = func() { left++ }
		require.NoError(t, q.Put(e))
	}
	assert.Equal(t, []string{"a", "b", big}, next(t, q, b))
	q.Close()
	assert.Equal(t, Unconfirmed, outcome(t, inBatch))
	assert.Equal(t, Unconfirmed, outcome(t, partly))
	assert.Equal(t, Withdrawn, outcome(t, waits))
	assert.Equal(t, 3, left)
	assert.ErrorIs(t, q.Put(entry("d")), ErrClosed)
	b.Deliver(false)
	assert.ErrorIs(t, q.Next(t.Context(), b), io.EOF)
	assert.Zero(t, b.Len())
}

func TestCloseWakesNext(t *testing.T) {
	q, b := New(WhenDelivered), batch(t, 500, 500)
	ended := make(chan error)
	go func() { ended <- q.Next(t.Context(), b) }()
	q.Close()
	assert.ErrorIs(t, <-ended, io.EOF)
}

func TestFailEndsNextWithItsErrorAfterTheEventsTaken(t *testing.T) {
	q, b := New(WhenDelivered), batch(t, 500, 500)
	broken := errors.New("broken")
	q.Fail(broken)
	q.Close()
	assert.Equal(t, broken, q.Next(t.Context(), b))
}

func TestNextIsIdleWhenItsContextIsDone(t *testing.T) {
	q, b := New(WhenDelivered), batch(t, 500, 500)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.NoError(t, q.Next(ctx, b))
	assert.Zero(t, b.Len())
}

func TestPutWakesNext(t *testing.T) {
	q, b := New(WhenDelivered), batch(t, 500, 500)
	got := make(chan []string)
	go func() { got <- next(t, q, b) }()
	require.NoError(t, q.Put(entry("a")))
	assert.Equal(t, []string{"a"}, <-got)
}

func TestStampsNeverDecrease(t *testing.T) {
	q, b := New(WhenDelivered), batch(t, 100, 1<<20)
	for _, received := range []uint64{100, 90, 120, 119} {
		e := entry("x")
		e.Received = received
		require.NoError(t, q.Put(e))
	}
	own := entry("own")
	own.Events[0].Time = 5
	require.NoError(t, q.Put(own))
	next(t, q, b)
	var stamps []uint64
	b.Events(func(_ []byte, ts uint64) bool { stamps = append(stamps, ts); return true })
	assert.Equal(t, []uint64{100, 100, 120, 120, 5}, stamps)
}

func TestAnEntryIsUsedAgainAfterReset(t *testing.T) {
	q, b := New(WhenDelivered), batch(t, 100, 1<<20)
	e := entry("a")
	for i := range 3 {
		require.NoError(t, q.Put(e))
		next(t, q, b)
		b.Deliver(true)
		require.Equal(t, Confirmed, outcome(t, e))
		e.Reset()
		require.Empty(t, e.Events)
		e.Events = append(e.Events, Event{Payload: fmt.Append(nil, i)})
	}
}

// TestManySendersOneReader has senders that withdraw at random moments: what is
// confirmed was delivered, what is withdrawn was not, and nothing comes twice.
func TestManySendersOneReader(t *testing.T) {
	const senders, each = 8, 400
	q := New(WhenDelivered)
	delivered := make(map[string]int)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b := source.NewBatch(64, 300)
		defer b.Free()
		for q.Next(t.Context(), b) == nil {
			for _, payload := range contents(b) {
				delivered[payload]++
			}
			b.Deliver(true)
		}
	}()
	type result struct {
		names   []string
		outcome Outcome
	}
	results := make([][]result, senders)
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				var names []string
				for k := range 1 + i%5 {
					names = append(names, fmt.Sprintf("%d-%d-%d", s, i, k))
				}
				e := entry(names...)
				if q.Put(e) != nil {
					return
				}
				var o Outcome
				if (s+i)%3 == 0 {
					o = q.Withdraw(e)
				} else {
					o = <-e.Done()
				}
				results[s] = append(results[s], result{names, o})
			}
		})
	}
	wg.Wait()
	q.Close()
	<-ended
	confirmed := 0
	for _, list := range results {
		require.Len(t, list, each)
		for _, r := range list {
			for _, name := range r.names {
				switch n := delivered[name]; r.outcome {
				case Confirmed:
					require.Equal(t, 1, n, name)
					confirmed++
				case Withdrawn:
					require.Zero(t, n, name)
				default:
					require.LessOrEqual(t, n, 1, name)
				}
			}
		}
	}
	assert.NotZero(t, confirmed)
}

// BenchmarkPutNextDeliver is eight entries through the queue: what it adds to
// the cost of a request.
func BenchmarkPutNextDeliver(b *testing.B) {
	payload := []byte(strings.Repeat("x", 1700))
	q, out := New(WhenDelivered), batch(b, 4096, 1<<20)
	entries := make([]*Entry, 8)
	for i := range entries {
		entries[i] = NewEntry()
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, e := range entries {
			e.Events = append(e.Events, Event{Payload: payload})
			if err := q.Put(e); err != nil {
				b.Fatal(err)
			}
		}
		if err := q.Next(b.Context(), out); err != nil {
			b.Fatal(err)
		}
		out.Deliver(true)
		for _, e := range entries {
			<-e.Done()
			e.Reset()
		}
	}
}
