// SPDX-License-Identifier: Apache-2.0

package feed_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed/feedtest"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
)

// scripted is a source whose runs are the test's. Without one it is out of reach.
type scripted struct {
	mu       sync.Mutex
	runs     []func(ctx context.Context, sink feed.Sink) error
	attempts []time.Time
}

var errAway = errors.New("connection refused")

func (s *scripted) String() string { return "the script" }

func (s *scripted) Run(ctx context.Context, sink feed.Sink) error {
	s.mu.Lock()
	s.attempts = append(s.attempts, time.Now())
	var run func(context.Context, feed.Sink) error
	if len(s.runs) > 0 {
		run, s.runs = s.runs[0], s.runs[1:]
	}
	s.mu.Unlock()
	if run == nil {
		return errAway
	}
	return run(ctx, sink)
}

// then adds a run.
func (s *scripted) then(run func(ctx context.Context, sink feed.Sink) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs = append(s.runs, run)
}

// stays adds a run that tells events and then nothing more, until it is stopped.
func (s *scripted) stays(events ...*metadata.Event) {
	s.then(func(ctx context.Context, sink feed.Sink) error {
		sink.Opened()
		tell(ctx, sink, events...)
		<-ctx.Done()
		return ctx.Err()
	})
}

func tell(ctx context.Context, sink feed.Sink, events ...*metadata.Event) {
	for _, e := range events {
		sink.Event(ctx, e)
	}
}

// waits returns the times between the attempts.
func (s *scripted) waits() (out []time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := 1; i < len(s.attempts); i++ {
		out = append(out, s.attempts[i].Sub(s.attempts[i-1]))
	}
	return out
}

// rig is a feed from a scripted source into tables, in a bubble whose time goes
// on when nothing else does.
type rig struct {
	*testing.T
	source  *scripted
	tables  *feedtest.Tables
	lines   *feedtest.Lines
	metrics *metrics.Registry
	feed    *feed.Feed
}

func inBubble(t *testing.T, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(newRig(t)) })
}

func newRig(t *testing.T) *rig {
	r := &rig{T: t, source: &scripted{}, tables: feedtest.NewTables(), lines: feedtest.NewLines(), metrics: metrics.New()}
	r.feed = feed.New(feed.Options{Emit: r.tables.Emit, Log: r.lines.Log(), Metrics: r.metrics}, r.source)
	r.tables.Parsed = r.feed.Parsed
	return r
}

// run starts the feed, and returns what stops it.
func (r *rig) run() (stop func()) {
	ctx, cancel := context.WithCancel(r.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); r.feed.Run(ctx) }()
	stop = func() { cancel(); <-ended }
	r.Cleanup(stop)
	return stop
}

// after lets time go by, and what happens meanwhile happen.
func (r *rig) after(d time.Duration) {
	time.Sleep(d) // the bubble's
	synctest.Wait()
}

func (r *rig) counter(name string) int { return int(r.metrics.Counter(name).Value()) }
func (r *rig) gauge(name string) int   { return int(r.metrics.Gauge(name).Value()) }

func pod(uid, label string) *metadata.Event {
	return &metadata.Event{
		Reason: metadata.Create, Kind: metadata.Pod, Uid: uid, Status: new("{}"),
		Meta: new(fmt.Sprintf(`{"name":"pod-%s","namespace":"n","labels":{"l":"%s"}}`, uid, label)),
		Refs: &metadata.References{Resources: map[string]*metadata.ListOfStrings{"Namespace": {List: []string{"n"}}}},
	}
}

func update(e *metadata.Event) *metadata.Event { e.Reason = metadata.Update; return e }

func gone(uid string) *metadata.Event {
	return &metadata.Event{Reason: metadata.Delete, Kind: metadata.Pod, Uid: uid}
}

func podsOf(n int) (out []*metadata.Event) {
	for i := range n {
		out = append(out, pod(fmt.Sprint(i), "x"))
	}
	return out
}
