// SPDX-License-Identifier: Apache-2.0

// Package feed brings the metadata of Kubernetes resources into the stream of
// events, from whatever source of it: it connects again whenever the source
// has ended, tells the framework each resource's newest state as an event, and
// sees to it that the event arrives.
//
//	source ── Sink ──▶ ledger ── Emit ──▶ the framework's queue ── parsing ── Parsed ──▶ ledger
//
// The ledger knows of each resource what the source said last and what has come
// back from the framework. So a state that is said twice is emitted once, one
// that is outdated before its turn never, and one that the framework has lost
// again; and what the source does not mention any more after it was away is deleted.
package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
)

// Times and limits that sources and users may count on.
const (
	// MaxText is the longest event in bytes; longer ones are refused.
	MaxText = 4 << 20
	// MaxResources is how many resources are known at a time; more are refused.
	// A node has a few hundred.
	MaxResources = 1 << 17
	// MaxOutstanding is how many events the framework has got and not parsed
	// yet. Its queue has room for 4096, of all plugins, and drops what is more.
	MaxOutstanding = 512

	maxOutstandingBytes = 8 << 20
	maxWaitingBytes     = 16 << 20 // of states not parsed yet; reading waits above

	firstWait = time.Second      // before the second attempt
	lastWait  = 80 * time.Second // doubling ends here; with jitter 80 to 120 s
	steady    = 10 * time.Second // a stream open for so long was a success

	// After a reconnect, resources that were not mentioned are deleted when no
	// resource was introduced for quiet, and in any case settled after the
	// stream was opened: a source that says nothing at all may well be one
	// whose own view is not ready yet.
	quiet   = 30 * time.Second
	settled = 5 * time.Minute
)

// Emit hands one event to the framework. The text is its own again when it
// returns. An error means that the event was not taken.
type Emit func(text []byte) error

// Source is where metadata comes from.
type Source interface {
	// Run connects, tells the sink everything and then what changes, until the
	// source ends, fails or ctx is done. It is called again each time, and then
	// tells everything again. It returns nil when the source ended in good
	// order. When it returns, all that it started has ended.
	Run(ctx context.Context, sink Sink) error
	// String names the source in the log: "collector host:port".
	String() string
}

// Sink is told what a source has learned. Its methods may be called from any
// goroutine of Run's, and not after Run has returned.
type Sink interface {
	// Opened tells that the source has been reached. News imply it.
	Opened()
	// Event tells a resource's new state, or that it is gone. What is no proper
	// event is counted and dropped. Event waits while too much is waiting for
	// the framework, at most until ctx is done. The event must not change later.
	Event(ctx context.Context, e *metadata.Event)
	// Refuse counts something that should have been an event and is not usable.
	Refuse(err error)
	// Synced tells that all there is has been told. Sources that never know do
	// not call it; the feed then judges by silence.
	Synced()
}

// Options are what a feed needs.
type Options struct {
	Emit    Emit
	Log     *slog.Logger      // nil: none
	Metrics *metrics.Registry // nil: none
	// MaxResources replaces the limit of that name; 0: the limit.
	MaxResources int
}

// Feed brings the metadata of one source to one state of the plugin.
type Feed struct {
	source Source
	emit   Emit
	log    *slog.Logger
	limit  int // of resources

	received, refused, resent, notTaken, reconnects *metrics.Counter
	connected, lag, resources                       *metrics.Gauge

	running sync.Mutex // held by Run

	mu     sync.Mutex
	ledger map[key]*entry
	wake   chan struct{} // has an element when there is something for the teller
	gen    uint32        // of the current connection
	pace
	refusals
}

// New returns a feed that Run brings to life.
func New(o Options, s Source) *Feed {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = metrics.New()
	}
	if o.MaxResources <= 0 {
		o.MaxResources = MaxResources
	}
	m := o.Metrics
	return &Feed{
		source: s, emit: o.Emit, log: o.Log, limit: o.MaxResources,
		received:   m.Counter("events_received"),
		refused:    m.Counter("events_refused"),
		resent:     m.Counter("events_resent"),
		notTaken:   m.Counter("events_not_taken"),
		reconnects: m.Counter("reconnects"),
		connected:  m.Gauge("connected"),
		lag:        m.Gauge("lag_ms"),
		resources:  m.Gauge("resources_known"),
		ledger:     make(map[key]*entry),
		wake:       make(chan struct{}, 1),
		pace:       newPace(),
	}
}

// Run keeps the feed going until ctx is done. When it returns, everything that
// it started has ended, and Emit is not called any more. It may be called again
// then, with the ledger as it was: what was under way is emitted again, and what
// the source has dropped meanwhile is deleted as after any reconnect.
func (f *Feed) Run(ctx context.Context) {
	f.running.Lock()
	defer f.running.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f.mu.Lock()
	f.restart()
	f.mu.Unlock()

	var done sync.WaitGroup
	defer done.Wait()
	start(ctx, &done, "telling of Kubernetes metadata", f.tell)
	f.keepConnected(ctx)
	cancel()
}

// start runs f in a goroutine of the plugin's, and counts it in done.
func start(ctx context.Context, done *sync.WaitGroup, name string, f func(context.Context)) {
	done.Add(1)
	plugin.Go(ctx, name, func(ctx context.Context) {
		defer done.Done()
		f(ctx)
	})
}

var errEnded = errors.New("it ended the stream")

// keepConnected runs the source again and again until ctx is done.
func (f *Feed) keepConnected(ctx context.Context) {
	said := false
	wait := firstWait
	for first := true; ctx.Err() == nil; first = false {
		if !first {
			f.reconnects.Inc()
		}
		c := f.connect(said, first)
		err := c.run(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errEnded
		}
		said = c.said
		if c.good() {
			wait = firstWait
		}
		pause := jitter(wait)
		// One line a change: a source that comes and goes is lost until it stays.
		level, what := slog.LevelDebug, "source not reached"
		if said || first {
			level = slog.LevelWarn
		}
		if said {
			what = "source lost, fields stay as they are"
		}
		said = false
		f.log.Log(ctx, level, "Kubernetes metadata: "+what+"; trying again until it is there", "source", f.source.String(), "error", brief(err), "wait", pause.Round(time.Millisecond))
		wait = min(2*wait, lastWait)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// brief is what a line of the log has of an error: a peer may have had the words.
func brief(err error) string { return fmt.Sprintf("%.500s", err) }

// jitter spreads the subscribers of a source that was away.
func jitter(wait time.Duration) time.Duration {
	return wait + rand.N(wait/2)
}
