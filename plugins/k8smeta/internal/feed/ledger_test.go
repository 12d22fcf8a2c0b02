// SPDX-License-Identifier: Apache-2.0

package feed_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
)

func TestDuplicatesAndEventsOutOfOrder(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.source.stays(
			gone("never"),
			update(pod("a", "1")), pod("a", "1"), update(pod("a", "1")), // an update may come first
			pod("b", "1"), gone("b"), gone("b"),
			pod("c", "1"), gone("c"), pod("c", "1"),
		)
		r.run()
		r.after(time.Second)
		assert.Equal(t, []string{"Pod a", "Pod c"}, r.keys())
		assert.Zero(t, r.counter("events_refused"))
		assert.Equal(t, 10, r.counter("events_received"))
		assert.LessOrEqual(t, r.tables.Stats().Emitted, 6)
	})
}

func TestGarbageLeavesTheLastGoodState(t *testing.T) {
	for name, garbage := range map[string]*metadata.Event{
		"no kind":                    {Reason: "Create", Uid: "a"},
		"no uid":                     {Reason: "Create", Kind: "Pod"},
		"a uid that is none":         {Reason: "Create", Kind: "Pod", Uid: strings.Repeat("x", 1025)},
		"no reason":                  {Kind: "Pod", Uid: "a"},
		"an unknown reason":          {Reason: "Explode", Kind: "Pod", Uid: "a"},
		"meta that is no JSON":       {Reason: "Update", Kind: "Pod", Uid: "a", Meta: new("\x00{")},
		"meta that is cut":           {Reason: "Update", Kind: "Pod", Uid: "a", Meta: new(`{"name":"x`)},
		"meta that is empty":         {Reason: "Update", Kind: "Pod", Uid: "a", Meta: new("")},
		"meta that is a list":        {Reason: "Update", Kind: "Pod", Uid: "a", Meta: new("[]")},
		"meta that is null":          {Reason: "Update", Kind: "Pod", Uid: "a", Meta: new("null")},
		"status that is a number":    {Reason: "Update", Kind: "Pod", Uid: "a", Meta: new("{}"), Status: new("7")},
		"spec that is two objects":   {Reason: "Update", Kind: "Pod", Uid: "a", Spec: new("{}{}")},
		"meta that is nested deeply": {Reason: "Update", Kind: "Pod", Uid: "a", Meta: new(`{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}")},
		"meta that is too long":      {Reason: "Update", Kind: "Pod", Uid: "a", Meta: new(`{"a":"` + strings.Repeat("x", feed.MaxText) + `"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				r.source.stays(pod("a", "good"), garbage, garbage, garbage)
				r.run()
				r.after(time.Second)
				assert.Contains(t, r.tables.All()["Pod a"].Meta, `"l":"good"`)
				assert.Equal(t, 1, r.tables.Stats().Emitted)
				assert.Equal(t, 3, r.counter("events_refused"))
				assert.Equal(t, []string{connected, "Kubernetes metadata: the source sent something unusable; what is known stays as it is"}, r.lines.All())
			})
		})
	}
}

func TestWhatIsOddButUsable(t *testing.T) {
	inBubble(t, func(r *rig) {
		labels := make([]string, 20_000)
		for i := range labels {
			labels[i] = fmt.Sprintf(`"label-%d":"%d"`, i, i)
		}
		huge := `{"name":"huge","labels":{` + strings.Join(labels, ",") + `}}`
		r.source.stays(
			&metadata.Event{Reason: "Create", Kind: "Pod", Uid: "huge", Meta: &huge},
			&metadata.Event{Reason: "Create", Kind: "Service", Uid: "bare"},
			&metadata.Event{Reason: "Create", Kind: "Service", Uid: "blanks", Meta: new(" {} ")},
			&metadata.Event{Reason: "Create", Kind: "Service", Uid: "strings", Meta: new(`{"a":"` + strings.Repeat(`[\"\\`, 200) + `"}`)},
			&metadata.Event{Reason: "Create", Kind: "DaemonSet", Uid: "x", Meta: new("garbage, of a kind that nobody wants")},
			&metadata.Event{Reason: "Delete", Kind: "Service", Uid: "bare", Meta: new("garbage that says nothing")},
		)
		r.run()
		r.after(time.Second)
		assert.Equal(t, []string{"Pod huge", "Service blanks", "Service strings"}, r.keys())
		assert.Equal(t, huge, r.tables.All()["Pod huge"].Meta)
		assert.Zero(t, r.counter("events_refused"))
	})
}

func TestMoreResourcesThanThereCanBeAreRefused(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.feed = feed.New(feed.Options{Emit: r.tables.Emit, Metrics: r.metrics, MaxResources: 100}, r.source)
		r.tables.Parsed = r.feed.Parsed
		r.source.then(func(ctx context.Context, sink feed.Sink) error {
			tell(ctx, sink, podsOf(110)...)
			tell(ctx, sink, update(pod("7", "still known")), gone("8"))
			time.Sleep(time.Second) // until the tables have it
			tell(ctx, sink, pod("another", ""))
			<-ctx.Done()
			return ctx.Err()
		})
		r.run()
		r.after(2 * time.Second)
		all := r.tables.All()
		assert.Equal(t, 100, len(all))
		assert.Contains(t, all["Pod 7"].Meta, "still known")
		assert.Contains(t, r.keys(), "Pod another")
		assert.Equal(t, 10, r.counter("events_refused"))
	})
}

// An event that an ended capture leaves in the framework's queue counts as lost,
// and is parsed in the next one all the same.
func TestWhatComesLateIsDeletedToo(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.tables.Hold(true)
		r.source.stays(pod("a", ""))
		stop := r.run()
		r.after(time.Second)
		stop()
		r.tables.Refuse(errAway)
		r.source.then(func(ctx context.Context, sink feed.Sink) error {
			sink.Synced() // a went away meanwhile
			<-ctx.Done()
			return ctx.Err()
		})
		r.run()
		r.after(time.Second)
		r.tables.Hold(false)
		r.tables.Parse(-1)
		assert.Equal(t, []string{"Pod a"}, r.keys())
		r.tables.Refuse(nil)
		r.after(time.Minute)
		assert.Empty(t, r.keys())
		assert.Zero(t, r.gauge("resources_known"))
	})
}

// A source that churns through pods, with the framework taking all events or
// none: what is kept is of those that there are.
func TestPodsThatComeAndGoLeaveNothing(t *testing.T) {
	for name, held := range map[string]bool{"taken at once": false, "not taken": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.tables.Hold(held)
				told := make(chan struct{})
				r.source.then(func(ctx context.Context, sink feed.Sink) error {
					var uid string
					for i := range churned {
						uid = fmt.Sprintf("%08x", i)
						sink.Event(ctx, pod(uid, "x"))
						sink.Event(ctx, gone(uid))
					}
					tell(ctx, sink, pod("last", ""))
					close(told)
					<-ctx.Done()
					return ctx.Err()
				})
				before := heap()
				r.run()
				<-told
				synctest.Wait()
				assert.Less(t, heap()-before, 8<<20, "bytes")
				assert.LessOrEqual(t, r.gauge("resources_known"), feed.MaxOutstanding+1)
				r.tables.Hold(false)
				r.tables.Parse(-1)
				r.after(time.Minute)
				assert.Equal(t, []string{"Pod last"}, r.keys())
				assert.Equal(t, 1, r.gauge("resources_known"))
				assert.Zero(t, r.counter("events_resent"))
			})
		})
	}
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
