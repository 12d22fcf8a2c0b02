// SPDX-License-Identifier: Apache-2.0

package async

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
)

// Emitter injects events into the stream of one state. It may be used from any
// goroutine, and as long as the plugin likes: when nobody takes events, or the
// state is gone, it says so.
type Emitter struct {
	declared      *emission
	sent, dropped *metrics.Counter
	gone          <-chan struct{} // closed with the state

	// mu is held for reading through every call of the framework's handler and
	// for writing while the handler changes: once it has changed, no call of
	// the old one is under way, and none follows.
	mu             sync.RWMutex
	owner, handler unsafe.Pointer
	open           chan struct{} // closed while there is a handler
	taken          chan struct{} // closed when there is none any more; nil without one
}

// emission is the capability as registered, the same for all states.
type emission struct {
	names  []string // sorted
	limit  int      // bytes of data
	plugin string
	linked bool // the capability was registered
}

func newEmitter(e *emission, m *metrics.Registry, gone <-chan struct{}) *Emitter {
	return &Emitter{
		declared: e, gone: gone, open: make(chan struct{}),
		sent:    m.Counter("async_events_sent"),
		dropped: m.Counter("async_events_dropped"),
	}
}

// EmitterOf returns the emitter of a state, always the same. For a plugin that
// did not register the capability it is one that refuses every event.
func EmitterOf(h *plugin.Host) *Emitter {
	if st := core.FromContext(h.Context()); st != nil {
		if a, ok := st.Async.(*asyncer); ok {
			return a.Emitter
		}
	}
	return newEmitter(&emission{}, h.Metrics(), h.Context().Done())
}

// Emit injects an event that is delivered promptly: Send without a time and a
// thread.
func (m *Emitter) Emit(name string, data []byte) error {
	return m.Send(Event{Name: name, Data: data})
}

// Send injects e. When it returns nil, the framework has the event. An error
// means that the event is dropped and counted; trying again at once helps with
// none of them. Send waits for nobody but a change of handler under way.
func (m *Emitter) Send(e Event) error {
	if err := m.declared.check(&e); err != nil {
		return m.drop(&e, err)
	}
	if e.Timestamp == 0 {
		e.Timestamp = NoTimestamp
	}
	if e.Timestamp != NoTimestamp && tooFarAhead(e.Timestamp) {
		return m.drop(&e, fmt.Errorf("%w: %s", ErrFuture, time.Unix(0, int64(min(e.Timestamp, math.MaxInt64))).UTC().Format(time.RFC3339)))
	}
	m.mu.RLock()
	if m.handler == nil {
		m.mu.RUnlock()
		return m.drop(&e, ErrNoCapture)
	}
	// The framework writes the ID of the stream that the event joins.
	err := send(m.handler, m.owner, 0, &e)
	m.mu.RUnlock()
	if err != nil {
		return m.drop(&e, err)
	}
	m.sent.Inc()
	return nil
}

// farAhead is how far ahead of the clock libsinsp takes events. It discards
// those beyond and reports success, so they are refused here.
const farAhead = 10 * time.Second

func tooFarAhead(ts uint64) bool {
	return ts > uint64(time.Now().Add(farAhead).UnixNano())
}

func (m *Emitter) drop(e *Event, err error) error {
	m.dropped.Inc()
	return fmt.Errorf("emit event %q: %w", e.Name, err)
}

// Wait returns nil as soon as events are taken, at once while they are. Else it
// returns the error of ctx, or ErrNoCapture when the state is gone.
func (m *Emitter) Wait(ctx context.Context) error {
	m.mu.RLock()
	open := m.open
	m.mu.RUnlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-m.gone:
		return ErrNoCapture
	}
}

// During calls f once for each capture that takes events, until ctx is done or
// the state is gone: for goroutines whose work is of use only meanwhile. f gets
// a context that is done when the capture takes no more events, and has to
// return then. During does not return before f has.
func (m *Emitter) During(ctx context.Context, f func(ctx context.Context)) {
	for m.Wait(ctx) == nil {
		m.mu.RLock()
		taken := m.taken
		m.mu.RUnlock()
		if taken == nil { // gone again
			continue
		}
		m.during(ctx, taken, f)
	}
}

func (m *Emitter) during(ctx context.Context, taken <-chan struct{}, f func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-taken:
		case <-m.gone:
		case <-ended:
		}
		cancel()
	}()
	f(ctx)
	<-ctx.Done() // an f that returned early has nothing more to do for this capture
}

// setHandler makes handler the one that events go to, nil for none. It waits
// for calls of the one before.
func (m *Emitter) setHandler(owner, handler unsafe.Pointer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case handler != nil && m.handler == nil:
		close(m.open)
		m.taken = make(chan struct{})
	case handler == nil && m.handler != nil:
		m.open = make(chan struct{})
		close(m.taken)
		m.taken = nil
	}
	m.owner, m.handler = owner, handler
}

// live tells whether a live capture takes events.
func (m *Emitter) live() bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.handler != nil
}

// check refuses what no framework would take, before anything crosses to it.
func (s *emission) check(e *Event) error {
	if _, ok := slices.BinarySearch(s.names, e.Name); !ok {
		if !s.linked {
			return fmt.Errorf("%w: the plugin does not register the capability async", ErrUnknownName)
		}
		return fmt.Errorf("%w: %s declares %s", ErrUnknownName, s.plugin, strings.Join(s.names, ", "))
	}
	if len(e.Data) > s.limit {
		return fmt.Errorf("%w: %d bytes of data where the limit is %d", ErrTooLarge, len(e.Data), s.limit)
	}
	return nil
}
