// SPDX-License-Identifier: Apache-2.0

package feed_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed"
)

const (
	notReached = "Kubernetes metadata: source not reached; trying again until it is there"
	lost       = "Kubernetes metadata: source lost, fields stay as they are; trying again until it is there"
	connected  = "Kubernetes metadata: source connected"
	deleted    = "Kubernetes metadata: deleted what went away while the source was not connected"
)

func (r *rig) keys() []string { return slices.Sorted(maps.Keys(r.tables.All())) }

func TestAttemptsAreSpacedFromOneSecondToTwoMinutes(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.run()
		r.after(20 * time.Minute)
		waits := r.source.waits()
		require.Greater(t, len(waits), 12)
		for i, base := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 80, 80, 80, 80, 80} {
			assert.GreaterOrEqual(t, waits[i], base*time.Second, "before attempt %d", i+2)
			assert.LessOrEqual(t, waits[i], base*time.Second*3/2, "before attempt %d", i+2)
		}
		assert.NotEqual(t, waits[8], waits[9], "there is jitter")
		assert.Equal(t, len(waits), r.counter("reconnects"))
		assert.Equal(t, []string{notReached}, r.lines.All())
		assert.Zero(t, r.gauge("connected"))
	})
}

func TestWhatMakesTheWaitShortAgain(t *testing.T) {
	for name, c := range map[string]struct {
		run   func(ctx context.Context, sink feed.Sink) error
		short bool
	}{
		"a message": {func(ctx context.Context, sink feed.Sink) error {
			sink.Event(ctx, pod("a", ""))
			return nil
		}, true},
		"ten seconds of an open stream": {func(_ context.Context, sink feed.Sink) error {
			sink.Opened()
			time.Sleep(10 * time.Second)
			return errAway
		}, true},
		"not a stream that ends sooner": {func(_ context.Context, sink feed.Sink) error {
			sink.Opened()
			time.Sleep(9 * time.Second)
			return nil
		}, false},
		"not ten seconds of trying": {func(context.Context, feed.Sink) error {
			time.Sleep(10 * time.Second)
			return errAway
		}, false},
		"not garbage": {func(ctx context.Context, sink feed.Sink) error {
			sink.Event(ctx, gone(""))
			return nil
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				for range 4 {
					r.source.then(func(context.Context, feed.Sink) error { return errAway })
				}
				var ended time.Time
				r.source.then(func(ctx context.Context, sink feed.Sink) error {
					defer func() { ended = time.Now() }()
					return c.run(ctx, sink)
				})
				r.run()
				r.after(2 * time.Minute)
				wait := r.source.attempts[5].Sub(ended)
				if c.short {
					assert.LessOrEqual(t, wait, 1500*time.Millisecond)
				} else {
					assert.GreaterOrEqual(t, wait, 16*time.Second)
				}
			})
		})
	}
}

func TestTheLogHasOneLineAChange(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.source.then(func(ctx context.Context, sink feed.Sink) error {
			sink.Event(ctx, pod("a", ""))
			return nil // an orderly end is one all the same
		})
		for range 100 { // comes and goes
			r.source.then(func(ctx context.Context, sink feed.Sink) error {
				sink.Event(ctx, pod("a", ""))
				return errAway
			})
		}
		r.source.stays(pod("a", ""))
		r.run()
		r.after(5 * time.Minute)
		assert.Equal(t, []string{connected, lost, connected}, r.lines.All())
		assert.Equal(t, 101, r.counter("reconnects"))
		assert.Equal(t, 1, r.gauge("connected"))
		assert.Equal(t, 1, r.tables.Stats().Emitted)
	})
}

func TestAPeerDoesNotSayHowLongALineIs(t *testing.T) {
	inBubble(t, func(r *rig) {
		var log bytes.Buffer
		r.feed = feed.New(feed.Options{Emit: r.tables.Emit, Log: slog.New(slog.NewTextHandler(&log, nil))}, r.source)
		r.source.then(func(ctx context.Context, sink feed.Sink) error {
			sink.Refuse(errors.New(strings.Repeat("x", 1<<20)))
			return errors.New(strings.Repeat("y", 1<<20))
		})
		stop := r.run()
		r.after(time.Millisecond)
		stop()
		assert.Contains(t, log.String(), "xxx")
		assert.Contains(t, log.String(), "yyy")
		assert.Less(t, log.Len(), 2000)
	})
}

func TestWhatIsNotMentionedAfterAReconnectIsDeletedOnceItIsQuiet(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.source.then(func(ctx context.Context, sink feed.Sink) error {
			tell(ctx, sink, pod("a", ""), pod("b", ""), pod("c", ""))
			return nil
		})
		r.source.then(func(ctx context.Context, sink feed.Sink) error {
			tell(ctx, sink, pod("a", ""))
			time.Sleep(20 * time.Second)
			tell(ctx, sink, pod("b", "changed"))
			for range 12 { // updates of what is known do not put it off
				time.Sleep(5 * time.Second)
				tell(ctx, sink, update(pod("a", time.Now().String())))
			}
			<-ctx.Done()
			return ctx.Err()
		})
		r.run()
		r.after(2*time.Second + 49*time.Second)
		assert.Equal(t, []string{"Pod a", "Pod b", "Pod c"}, r.keys(), "the last good state, so far")
		assert.Zero(t, r.tables.Stats().Deletes)
		r.after(2 * time.Second)
		assert.Equal(t, []string{"Pod a", "Pod b"}, r.keys())
		assert.Equal(t, 1, r.tables.Stats().Deletes)
		assert.Equal(t, 2, r.gauge("resources_known"))
		r.after(time.Hour)
		assert.Equal(t, []string{connected, lost, connected, deleted}, r.lines.All())
	})
}

func TestAReconnectThatSaysNothingIsBelievedAfterFiveMinutes(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.source.then(func(ctx context.Context, sink feed.Sink) error {
			tell(ctx, sink, pod("a", ""))
			return nil
		})
		r.source.stays()
		r.run()
		r.after(5 * time.Minute)
		assert.Equal(t, []string{"Pod a"}, r.keys())
		r.after(2 * time.Second)
		assert.Empty(t, r.keys())
	})
}

func TestASourceThatKnowsWhenItHasToldEverythingIsBelievedAtOnce(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.source.then(func(ctx context.Context, sink feed.Sink) error {
			tell(ctx, sink, pod("a", ""), pod("b", ""))
			return nil
		})
		r.source.then(func(ctx context.Context, sink feed.Sink) error {
			tell(ctx, sink, pod("b", ""))
			sink.Synced()
			<-ctx.Done()
			return ctx.Err()
		})
		r.run()
		r.after(2 * time.Second)
		assert.Equal(t, []string{"Pod b"}, r.keys())
	})
}

func TestConnectionsThatAreLostBeforeItIsQuietDeleteNothing(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.source.then(func(ctx context.Context, sink feed.Sink) error {
			tell(ctx, sink, pod("a", ""), pod("b", ""))
			return nil
		})
		for range 20 {
			r.source.then(func(ctx context.Context, sink feed.Sink) error {
				tell(ctx, sink, pod("a", ""))
				time.Sleep(29 * time.Second)
				return errAway
			})
		}
		r.source.stays(pod("b", ""))
		r.run()
		r.after(605 * time.Second)
		assert.Equal(t, []string{"Pod a", "Pod b"}, r.keys())
		r.after(time.Minute)
		assert.Equal(t, []string{"Pod b"}, r.keys(), "the last connection has never mentioned the other")
	})
}

func TestAFeedMayRunAgain(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.tables.Hold(true)
		r.source.stays(pod("a", ""), pod("b", ""))
		stop := r.run()
		r.after(time.Second)
		r.tables.Parse(1)
		stop()
		assert.Equal(t, 2, r.tables.Stats().Emitted)
		r.tables.Drop(func([]byte) bool { return false })
		r.source.stays(pod("b", ""))
		r.run()
		r.after(time.Second)
		assert.Equal(t, 3, r.tables.Stats().Emitted, "what had not come back is emitted again")
		r.tables.Hold(false)
		r.tables.Parse(-1)
		r.after(time.Minute)
		assert.Equal(t, []string{"Pod b"}, r.keys(), "what went away meanwhile is deleted")
	})
}

func TestStoppingIsPromptWhateverTheFeedIsDoing(t *testing.T) {
	for name, prepare := range map[string]func(r *rig){
		"waiting for the next attempt": func(*rig) {},
		"reading":                      func(r *rig) { r.source.stays(podsOf(10)...) },
		"waiting for the framework":    func(r *rig) { r.tables.Hold(true); r.source.stays(podsOf(1000)...) },
		"refused by the framework":     func(r *rig) { r.tables.Refuse(errAway); r.source.stays(podsOf(10)...) },
		"waiting for room": func(r *rig) {
			r.tables.Hold(true)
			r.source.then(func(ctx context.Context, sink feed.Sink) error {
				for i := range 18 {
					tell(ctx, sink, big(i, 1<<20))
				}
				return ctx.Err()
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				prepare(r)
				stop := r.run()
				r.after(90 * time.Second)
				emitted := r.tables.Stats().Emitted
				before := time.Now()
				stop()
				assert.Zero(t, time.Since(before), "by the bubble's clock")
				r.after(time.Hour)
				assert.Equal(t, emitted, r.tables.Stats().Emitted, "nothing is emitted after the end")
			})
		})
	}
}

func TestAThousandRoundsLeaveNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
		r := newRig(t)
		for i := range 1000 {
			r.source.stays(podsOf(i % 7)...)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() { defer close(ended); r.feed.Run(ctx) }()
			synctest.Wait()
			cancel()
			<-ended
		}
		synctest.Wait()
		assert.Equal(t, 6, len(r.keys()))
	})
}
