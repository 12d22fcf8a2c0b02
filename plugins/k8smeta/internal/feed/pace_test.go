// SPDX-License-Identifier: Apache-2.0

package feed_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
	"github.com/aerie-falco/aerie/shared/plugin/async"
)

// big is a pod of about n bytes.
func big(i, n int) *metadata.Event {
	e := pod(fmt.Sprint(i), strings.Repeat("x", n))
	return e
}

func TestTheFrameworksQueueIsNeverOverrun(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.tables.Hold(true)
		r.source.stays(podsOf(5000)...)
		r.run()
		for range 500 {
			r.after(30 * time.Millisecond)
			r.tables.Parse(10)
		}
		r.after(time.Second)
		stats := r.tables.Stats()
		assert.Equal(t, 5000, stats.Parsed)
		assert.Equal(t, 5000, stats.Emitted)
		assert.Equal(t, feed.MaxOutstanding, stats.MostWaiting)
		assert.Equal(t, 5000, len(r.tables.All()))
	})
}

func TestLargeEventsAreNeverManyAtATime(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.tables.Hold(true)
		read := 0
		r.source.then(func(ctx context.Context, sink feed.Sink) error {
			for i := range 20 {
				tell(ctx, sink, big(i, 1<<20))
				read++
			}
			<-ctx.Done()
			return ctx.Err()
		})
		r.run()
		r.after(time.Second)
		assert.Equal(t, 7, r.tables.Stats().Waiting, "8 MiB at most")
		assert.LessOrEqual(t, read, 16, "reading waits, too")
		for range 20 {
			r.tables.Parse(1)
			r.after(time.Millisecond)
		}
		assert.Equal(t, 20, len(r.tables.All()))
	})
}

func TestAnEventThatIsLostAmongOthersIsEmittedAgainAtOnce(t *testing.T) {
	inBubble(t, func(r *rig) {
		lost := 0
		r.tables.Drop(func(text []byte) bool {
			drop := lost < 3 && bytes.Contains(text, []byte(`"uid":"5"`))
			if drop {
				lost++
			}
			return drop
		})
		r.source.stays(podsOf(10)...)
		r.run()
		r.after(time.Millisecond)
		assert.Equal(t, 9, len(r.tables.All()), "twice nothing came behind it")
		r.after(15 * time.Second)
		assert.Equal(t, 10, len(r.tables.All()))
		assert.Equal(t, 3, r.counter("events_resent"))
	})
}

func TestATailThatIsLostIsFoundByOneEvent(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.tables.Drop(func([]byte) bool { return true })
		r.source.stays(podsOf(300)...)
		r.run()
		r.after(time.Second)
		r.tables.Drop(nil)
		require.Empty(t, r.tables.All())
		r.after(5 * time.Second)
		assert.Equal(t, 1, len(r.tables.All()))
		r.after(5 * time.Second)
		assert.Equal(t, 300, len(r.tables.All()))
	})
}

func TestAStreamThatStandsStillGetsNoMore(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.tables.Hold(true)
		r.source.stays(podsOf(5000)...)
		r.run()
		r.after(time.Hour)
		assert.Less(t, r.tables.Stats().Waiting, feed.MaxOutstanding+70, "one a minute")
		r.tables.Hold(false)
		r.tables.Parse(-1)
		r.after(20 * time.Second)
		assert.Equal(t, 5000, len(r.tables.All()))
		assert.Less(t, r.tables.Stats().Emitted, 5000+70)
	})
}

func TestAnEventThatNeverComesBackIsGivenUpUntilItIsToldAgain(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.tables.Drop(func(text []byte) bool { return bytes.Contains(text, []byte(`"uid":"poison"`)) })
		r.source.then(func(ctx context.Context, sink feed.Sink) error {
			tell(ctx, sink, pod("poison", ""))
			for i := range 3600 {
				tell(ctx, sink, pod("good", fmt.Sprint(i)))
				time.Sleep(time.Second)
			}
			r.tables.Drop(nil)
			return errAway
		})
		r.source.stays(pod("poison", ""), pod("good", "3599"))
		r.run()
		r.after(time.Hour - time.Second)
		assert.Equal(t, []string{"Pod good"}, r.keys())
		assert.Equal(t, 1, r.counter("events_refused"))
		assert.Equal(t, 5, r.counter("events_resent"))
		assert.Equal(t, 3600+5, r.tables.Stats().Emitted)
		r.after(3 * time.Second)
		assert.Equal(t, []string{"Pod good", "Pod poison"}, r.keys())
	})
}

func TestADeleteThatWasLostTooOftenIsToldAfterTheNextReconnect(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.source.then(func(ctx context.Context, sink feed.Sink) error {
			tell(ctx, sink, pod("a", ""))
			r.tables.Drop(func(text []byte) bool { return bytes.Contains(text, []byte(`"Delete"`)) })
			time.Sleep(time.Second)
			tell(ctx, sink, gone("a"))
			for i := range 100 {
				tell(ctx, sink, pod("good", fmt.Sprint(i)))
				time.Sleep(time.Second)
			}
			r.tables.Drop(nil)
			return errAway
		})
		r.source.stays(pod("good", "99"))
		r.run()
		r.after(100 * time.Second)
		assert.Equal(t, []string{"Pod a", "Pod good"}, r.keys())
		r.after(time.Minute)
		assert.Equal(t, []string{"Pod good"}, r.keys())
		assert.Equal(t, 1, r.gauge("resources_known"))
	})
}

func TestReadingGoesOnWhateverTheFrameworkAnswers(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.tables.Refuse(errors.New("async event sent with NULL handler"))
		r.source.stays(append(podsOf(2000), update(pod("3", "new")), gone("4"))...)
		r.run()
		r.after(5 * time.Minute)
		assert.Equal(t, 2002, r.counter("events_received"))
		assert.Less(t, r.counter("events_not_taken"), 20)
		r.tables.Refuse(nil)
		r.after(31 * time.Second)
		all := r.tables.All()
		assert.Equal(t, 1999, len(all))
		assert.Contains(t, all["Pod 3"].Meta, `"l":"new"`)
		assert.Equal(t, 1999, r.tables.Stats().Emitted)
		assert.Equal(t, []string{
			connected, "Kubernetes metadata: the framework does not take an event; it is kept and tried again",
			"Kubernetes metadata: the framework takes events again",
		}, r.lines.All())
	})
}

func TestTheEndOfACaptureIsNoTrouble(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.tables.Refuse(fmt.Errorf("emit: %w", async.ErrNoCapture))
		r.source.stays(pod("a", ""))
		r.run()
		r.after(time.Minute)
		assert.Zero(t, r.counter("events_not_taken"))
		assert.Equal(t, []string{connected}, r.lines.All())
		r.tables.Refuse(nil)
		r.after(time.Second)
		assert.Equal(t, []string{"Pod a"}, r.keys())
	})
}

func TestOnlyTheNewestStateIsEmitted(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.tables.Hold(true)
		r.source.then(func(ctx context.Context, sink feed.Sink) error {
			tell(ctx, sink, podsOf(feed.MaxOutstanding)...) // the queue is full
			for i := range 1000 {
				tell(ctx, sink, update(pod("busy", fmt.Sprint(i))), update(pod("0", fmt.Sprint(i))))
			}
			tell(ctx, sink, pod("short", ""), gone("short"), pod("1", "other"), pod("1", "x"), gone("2"), gone("3"), pod("3", "back"))
			<-ctx.Done()
			return ctx.Err()
		})
		r.run()
		r.after(time.Second)
		r.tables.Hold(false)
		r.tables.Parse(-1)
		r.after(time.Second)
		all := r.tables.All()
		assert.Equal(t, feed.MaxOutstanding, len(all))
		assert.Contains(t, all["Pod busy"].Meta, `"l":"999"`)
		assert.Contains(t, all["Pod 0"].Meta, `"l":"999"`)
		assert.Contains(t, all["Pod 1"].Meta, `"l":"x"`)
		assert.Contains(t, all["Pod 3"].Meta, `"l":"back"`)
		assert.NotContains(t, all, "Pod 2")
		assert.NotContains(t, all, "Pod short")
		assert.Equal(t, feed.MaxOutstanding+4, r.tables.Stats().Emitted, "busy, 0, 2 and 3")
	})
}

func TestTheLagIsTheTimeFromReceiptToParsing(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.tables.Hold(true)
		r.source.stays(pod("a", ""))
		r.run()
		r.after(1234 * time.Millisecond)
		r.feed.Parsed("Pod", "a", []byte(`{"reason":"Create","uid":"a","kind":"Pod"}`)) // somebody else's
		r.feed.Parsed("Pod", "b", nil)
		assert.Zero(t, r.gauge("lag_ms"))
		r.tables.Parse(1)
		assert.Equal(t, 1234, r.gauge("lag_ms"))
	})
}
