// SPDX-License-Identifier: Apache-2.0

package async

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/internal/abitest"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
)

// plain emits and has no state to dump.
type plain struct{ events *Emitter }

func (p *plain) Init(h *plugin.Host, _ string) error { p.events = EmitterOf(h); return nil }
func (p *plain) Destroy()                            {}

// scripted also dumps what a test says.
type scripted struct {
	plain
	dump func(d *Dump) error
}

func (s *scripted) DumpState(d *Dump) error { return s.dump(d) }

var (
	info = plugin.Info{Name: "scripted", Description: "d", Contact: "c", Version: "1.0.0"}
	both = Options{Events: []string{"tick", "tock"}}
)

// rig is one state of a plugin and what the framework would hold.
type rig struct {
	*Emitter
	*abitest.AsyncSink
	st    *core.State
	state uintptr
}

func newRig[P plugin.Plugin](t testing.TB, info plugin.Info, o Options, author P) *rig {
	core.Reset()
	Register(plugin.Register(info, func() P { return author }), o)
	t.Cleanup(core.Reset)
	st := core.NewState(core.Registered(), plugin.Log(t.Context()))
	require.NoError(t, st.Init(""))
	r := &rig{st: st, state: core.States.Put(st), AsyncSink: abitest.NewAsyncSink(t), Emitter: st.Async.(*asyncer).Emitter}
	t.Cleanup(r.destroy)
	return r
}

func (r *rig) destroy() {
	if st := core.States.Drop(r.state); st != nil {
		st.Destroy()
	}
}

// set makes the sink the handler, unset takes it away.
func (r *rig) set() abi.RC   { return plugin_set_async_event_handler(r.state, r.Owner(), r.Handler()) }
func (r *rig) unset() abi.RC { return plugin_set_async_event_handler(r.state, r.Owner(), nil) }

func (r *rig) metric(name string) uint64 { return r.st.Metrics.Counter(name).Value() }
func (r *rig) lastError() string         { return cmem.GoString(r.st.LastError()) }

// decoded is one event as others see it.
type decoded struct {
	id      uint32
	name    string
	data    string
	ts, tid uint64
}

func decode(t testing.TB, raw []byte) decoded {
	e := event.New(raw, 1, "")
	id, name, data, ok := e.Async()
	require.True(t, ok, "an asynchronous event that others can read: %x", raw)
	require.Len(t, raw, len(e.Bytes()))
	return decoded{id, name, string(data), e.Timestamp(), e.ThreadID()}
}

func (r *rig) decoded(t testing.TB) (out []decoded) {
	for _, raw := range r.Events() {
		out = append(out, decode(t, raw))
	}
	return out
}

func TestEventsReachTheHandlerAsTheAPIWantsThem(t *testing.T) {
	author := &plain{}
	r := newRig(t, info, both, author)
	assert.Same(t, r.Emitter, author.events)
	require.Equal(t, abi.Success, r.set())
	require.NoError(t, r.Emit("tick", []byte("data")))
	require.NoError(t, r.Emit("tock", nil))
	require.NoError(t, r.Send(Event{Name: "tick", Data: []byte("x"), Timestamp: 123, ThreadID: 42}))
	require.NoError(t, r.Send(Event{Name: "tick", Timestamp: NoTimestamp}))
	assert.Equal(t, []decoded{
		{0, "tick", "data", abi.NoTimestamp, abi.NoThread},
		{0, "tock", "", abi.NoTimestamp, abi.NoThread},
		{0, "tick", "x", 123, 42},
		{0, "tick", "", abi.NoTimestamp, abi.NoThread},
	}, r.decoded(t))
	assert.EqualValues(t, 4, r.metric("async_events_sent"))
	assert.Zero(t, r.metric("async_events_dropped"))
}

func TestWhatNoFrameworkWouldTakeDoesNotCross(t *testing.T) {
	r := newRig(t, info, Options{Events: []string{"tick", "tock"}, MaxEventSize: 3}, &plain{})
	r.set()
	for name, c := range map[string]struct {
		event Event
		is    error
		text  string
	}{
		"an undeclared name": {Event{Name: "boom"}, ErrUnknownName, `emit event "boom": undeclared event name: scripted declares tick, tock`},
		"no name":            {Event{}, ErrUnknownName, `emit event "": undeclared event name: scripted declares tick, tock`},
		"a longer name":      {Event{Name: "tick\x00"}, ErrUnknownName, `emit event "tick\x00": undeclared event name: scripted declares tick, tock`},
		"too much data":      {Event{Name: "tick", Data: []byte("four")}, ErrTooLarge, `emit event "tick": event is too large: 4 bytes of data where the limit is 3`},
		"a far future":       {Event{Name: "tick", Timestamp: 9e18}, ErrFuture, `emit event "tick": event is of the future: 2255-03-14T16:00:00Z`},
	} {
		t.Run(name, func(t *testing.T) {
			before := r.metric("async_events_dropped")
			err := r.Send(c.event)
			assert.ErrorIs(t, err, c.is)
			assert.EqualError(t, err, c.text)
			assert.Equal(t, before+1, r.metric("async_events_dropped"))
		})
	}
	assert.Empty(t, r.Events())
	require.NoError(t, r.Emit("tick", []byte("max")))
}

func TestTheFrameworksReasonIsTheError(t *testing.T) {
	r := newRig(t, info, both, &plain{})
	r.set()
	full := strings.Repeat("x", abi.MaxErrLen) // no NUL at its end
	for name, c := range map[string]struct {
		text string
		rc   abi.RC
		want string
	}{
		"a reason":             {"queue is closed\x00rest", abi.Failure, "queue is closed"},
		"no reason":            {"", abi.Failure, "the framework refused it with code 1 and gave no reason"},
		"another code":         {"", abi.Timeout, "the framework refused it with code -1 and gave no reason"},
		"a buffer without end": {full, abi.Failure, full[1:]},
	} {
		t.Run(name, func(t *testing.T) {
			before := r.metric("async_events_dropped")
			r.Refuse(func([]byte) ([]byte, abi.RC) { return []byte(c.text), c.rc })
			assert.EqualError(t, r.Emit("tick", nil), `emit event "tick": `+c.want)
			assert.Equal(t, before+1, r.metric("async_events_dropped"))
		})
	}
	r.Refuse(nil)
	assert.NoError(t, r.Emit("tick", nil), "an earlier reason does not stay")
}

func TestWithoutACaptureEventsAreCountedDrops(t *testing.T) {
	r := newRig(t, info, both, &plain{})
	refused := func(when string) {
		err := r.Emit("tick", nil)
		assert.ErrorIs(t, err, ErrNoCapture, when)
		assert.EqualError(t, err, `emit event "tick": no capture takes events now`, when)
	}
	refused("before the first capture")
	assert.Equal(t, abi.Success, r.unset(), "an opening that failed is followed by its closing half")
	refused("after a capture that was none")
	r.set()
	require.NoError(t, r.Emit("tick", nil))
	r.unset()
	refused("between captures")
	r.set()
	require.NoError(t, r.Emit("tick", nil))
	r.destroy()
	refused("after destroy")
	assert.Len(t, r.Events(), 2)
	assert.EqualValues(t, 2, r.metric("async_events_sent"))
	assert.EqualValues(t, 4, r.metric("async_events_dropped"))
}

func TestANewHandlerTakesOverAtOnce(t *testing.T) {
	r := newRig(t, info, both, &plain{})
	other := abitest.NewAsyncSink(t)
	r.set()
	require.NoError(t, r.Emit("tick", nil))
	require.Equal(t, abi.Success, plugin_set_async_event_handler(r.state, other.Owner(), other.Handler()))
	r.Close()
	require.NoError(t, r.Emit("tock", nil))
	assert.Len(t, r.Events(), 1)
	assert.Len(t, other.Events(), 1)
	assert.Zero(t, r.Late())
}

func TestClosingWaitsForCallsUnderWay(t *testing.T) {
	r := newRig(t, info, both, &plain{})
	r.set()
	entered, leave := make(chan struct{}), make(chan struct{})
	r.Inside(func() { close(entered); <-leave })
	var wg sync.WaitGroup
	wg.Go(func() { assert.NoError(t, r.Emit("tick", nil)) })
	<-entered
	var unset atomic.Bool
	wg.Go(func() {
		r.unset()
		unset.Store(true)
		r.Close()
	})
	// Once the closing waits, newcomers wait behind it and then find nothing.
	require.Eventually(t, func() bool {
		if r.mu.TryRLock() {
			r.mu.RUnlock()
			return false
		}
		return true
	}, 10*time.Second, time.Millisecond)
	assert.False(t, unset.Load(), "a call of the handler is under way")
	wg.Go(func() { assert.ErrorIs(t, r.Emit("tock", nil), ErrNoCapture) })
	close(leave)
	wg.Wait()
	assert.Len(t, r.Events(), 1)
	assert.Zero(t, r.Late())
}

func TestThirtyTwoGoroutinesEmitWhileCapturesOpenAndClose(t *testing.T) {
	r := newRig(t, info, both, &plain{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var sent, dropped atomic.Uint64
	var wg sync.WaitGroup
	for i := range 32 {
		data := []byte(fmt.Sprint("of goroutine ", i))
		wg.Go(func() {
			for ctx.Err() == nil {
				switch err := r.Emit("tick", data); {
				case err == nil:
					sent.Add(1)
				case errors.Is(err, ErrNoCapture):
					dropped.Add(1)
					_ = r.Wait(ctx)
				default:
					assert.NoError(t, err)
				}
			}
		})
	}
	const captures = 20
	var taken uint64
	for range captures {
		sink := abitest.NewAsyncSink(t)
		require.Equal(t, abi.Success, plugin_set_async_event_handler(r.state, sink.Owner(), sink.Handler()))
		require.Eventually(t, func() bool { return len(sink.Events()) >= 200 }, 60*time.Second, time.Millisecond)
		require.Equal(t, abi.Success, r.unset())
		sink.Close()
		defer func() { assert.Zero(t, sink.Late()) }()
		for _, raw := range sink.Events() {
			d := decode(t, raw)
			assert.Equal(t, "tick", d.name)
			assert.Contains(t, d.data, "of goroutine ")
		}
		taken += uint64(len(sink.Events()))
	}
	r.destroy()
	cancel()
	wg.Wait()
	assert.Equal(t, taken, sent.Load(), "none is lost and none is counted twice")
	assert.Equal(t, sent.Load(), r.metric("async_events_sent"))
	assert.Equal(t, dropped.Load(), r.metric("async_events_dropped"))
}

func TestWaitTellsWhenACaptureTakesEvents(t *testing.T) {
	r := newRig(t, info, both, &plain{})
	ctx, cancel := context.WithCancel(t.Context())
	wait := func(ctx context.Context) <-chan error {
		got := make(chan error, 1)
		go func() { got <- r.Wait(ctx) }()
		return got
	}
	waiting := wait(t.Context())
	r.set()
	require.NoError(t, <-waiting)
	require.NoError(t, r.Wait(t.Context()), "and at once while it does")
	other := abitest.NewAsyncSink(t)
	plugin_set_async_event_handler(r.state, other.Owner(), other.Handler())
	require.NoError(t, r.Wait(t.Context()))
	r.unset()
	cancelled := wait(ctx)
	cancel()
	require.ErrorIs(t, <-cancelled, context.Canceled)
	left := wait(context.Background())
	r.destroy()
	require.ErrorIs(t, <-left, ErrNoCapture)
}

func TestAnEmitterOfAPluginWithoutTheCapabilityRefuses(t *testing.T) {
	core.Reset()
	t.Cleanup(core.Reset)
	author := &plain{}
	r := plugin.Register(info, func() *plain { return author })
	r.Record().Claim(capability)
	st := core.NewState(core.Registered(), plugin.Log(t.Context()))
	require.NoError(t, st.Init(""))
	defer st.Destroy()
	err := author.events.Emit("tick", nil)
	assert.ErrorIs(t, err, ErrUnknownName)
	assert.EqualError(t, err, `emit event "tick": undeclared event name: the plugin does not register the capability async`)
	state := core.States.Put(st)
	defer core.States.Drop(state)
	for _, h := range []uintptr{state, 0, 1} {
		assert.Equal(t, abi.Failure, plugin_set_async_event_handler(h, nil, nil))
		assert.Equal(t, abi.Failure, plugin_dump_state(h, nil, nil))
	}
}

func TestADumpCarriesTheIDAndATimeThatACaptureFileNeeds(t *testing.T) {
	source := info
	source.ID, source.EventSource = 999, "scripted"
	for name, c := range map[string]struct {
		info plugin.Info
		dump func(d *Dump) error
		id   uint32
	}{
		"no ID for a stream of system calls":    {info, nil, 0},
		"its own ID for a plugin with a source": {source, nil, 999},
		"the ID that the plugin says":           {source, func(d *Dump) error { d.PluginID = 7; return nil }, 7},
	} {
		t.Run(name, func(t *testing.T) {
			author := &scripted{}
			author.dump = func(d *Dump) error {
				if c.dump != nil {
					require.NoError(t, c.dump(d))
				}
				return errors.Join(d.Emit("tick", []byte("a")),
					d.Send(Event{Name: "tock", Data: []byte("b"), Timestamp: 77, ThreadID: 42}),
					d.Send(Event{Name: "tock", Timestamp: NoTimestamp}))
			}
			r := newRig(t, c.info, both, author)
			live := abitest.NewAsyncSink(t)
			plugin_set_async_event_handler(r.state, live.Owner(), live.Handler())
			before := uint64(time.Now().UnixNano())
			require.Equal(t, abi.Success, plugin_dump_state(r.state, r.Owner(), r.Handler()))
			after := uint64(time.Now().UnixNano())
			got := r.decoded(t)
			require.Len(t, got, 3)
			now := got[0].ts
			assert.True(t, before <= now && now <= after, "the time now")
			assert.Equal(t, []decoded{
				{c.id, "tick", "a", now, abi.NoThread},
				{c.id, "tock", "b", 77, 42},
				{c.id, "tock", "", now, abi.NoThread},
			}, got)
			assert.Empty(t, live.Events(), "the stream gets none of it")
			assert.EqualValues(t, 3, r.metric("async_events_dumped"))
			assert.Zero(t, r.metric("async_events_sent"))
		})
	}
}

func TestADumpOfAReplayedCaptureIsOfTheCapturesTime(t *testing.T) {
	author := &scripted{dump: func(d *Dump) error { return d.Emit("tick", nil) }}
	r := newRig(t, info, both, author)
	r.st.LastEvent = 1234 // as parsing notes it
	require.Equal(t, abi.Success, plugin_dump_state(r.state, r.Owner(), r.Handler()))
	r.set()
	require.Equal(t, abi.Success, plugin_dump_state(r.state, r.Owner(), r.Handler()))
	got := r.decoded(t)
	assert.EqualValues(t, 1234, got[0].ts)
	assert.Greater(t, got[1].ts, uint64(1234), "a live one is of now")
}

func TestADumpThatFailsIsSaidButNeverFatal(t *testing.T) {
	author := &scripted{}
	r := newRig(t, info, both, author)
	for i, c := range []struct {
		dump func(d *Dump) error
		last string
	}{
		{func(*Dump) error { return errors.New("not ready") }, "dump_state: not ready"},
		{func(*Dump) error { panic("boom") }, "dump_state: panic: boom"},
		{func(d *Dump) error { return d.Emit("boom", nil) }, `dump_state: dump event "boom": undeclared event name: scripted declares tick, tock`},
		{func(d *Dump) error {
			r.Refuse(func([]byte) ([]byte, abi.RC) { return []byte("disk full"), abi.Failure })
			return d.Emit("tick", nil)
		}, `dump_state: dump event "tick": disk full`},
	} {
		author.dump = c.dump
		assert.Equal(t, abi.Success, plugin_dump_state(r.state, r.Owner(), r.Handler()), c.last)
		assert.Equal(t, c.last, r.lastError())
		assert.EqualValues(t, i+1, r.metric("dump_errors"))
	}
	assert.EqualValues(t, 2, r.metric("async_events_dropped"))
	assert.EqualValues(t, 1, r.metric("panics"))
}

func TestADumpIsOverWhenItsCallReturns(t *testing.T) {
	var kept *Dump
	for _, fails := range []bool{false, true} {
		r := newRig(t, info, both, &scripted{dump: func(d *Dump) error {
			kept = d
			if fails {
				panic("boom")
			}
			return nil
		}})
		plugin_dump_state(r.state, r.Owner(), r.Handler())
		r.Close()
		assert.EqualError(t, kept.Emit("tick", nil), `dump event "tick": the dump is over; use it only until DumpState returns`)
		assert.Zero(t, r.Late())
	}
}

func TestAPluginWithoutStateDumpsNothing(t *testing.T) {
	r := newRig(t, info, both, &plain{})
	assert.Equal(t, abi.Success, plugin_dump_state(r.state, r.Owner(), r.Handler()))
	assert.Empty(t, r.Events())

	called := false
	r = newRig(t, info, both, &scripted{dump: func(*Dump) error { called = true; return nil }})
	assert.Equal(t, abi.Success, plugin_dump_state(r.state, r.Owner(), nil))
	assert.False(t, called, "without a handler there is nothing to dump to")
}

func TestTheListsTellTheFrameworkWhatIsEmitted(t *testing.T) {
	newRig(t, info, Options{Events: []string{"tock", "tick"}, Sources: []string{"syscall", "b"}}, &plain{})
	assert.JSONEq(t, `["tock","tick"]`, cmem.GoString(plugin_get_async_events()))
	assert.JSONEq(t, `["syscall","b"]`, cmem.GoString(plugin_get_async_event_sources()))
	assert.Equal(t, "3.3.0", core.Registered().APIVersion())

	newRig(t, info, both, &scripted{})
	assert.JSONEq(t, `[]`, cmem.GoString(plugin_get_async_event_sources()))
	assert.Equal(t, "3.3.0", core.Registered().APIVersion(), "a dump is for frameworks that ask for it")

	core.Reset()
	assert.JSONEq(t, `[]`, cmem.GoString(plugin_get_async_events()), "init says what is missing")
}

func TestUnusableOptionsAreRefusedWhenRegistered(t *testing.T) {
	for want, o := range map[string]Options{
		`plugin "scripted": asynchronous events: at least one name is needed in Events`:                                                                   {},
		`plugin "scripted": asynchronous events: name 0 is empty; leave it out`:                                                                           {Events: []string{""}},
		`plugin "scripted": asynchronous events: "a\x00": want UTF-8 text without NUL bytes`:                                                              {Events: []string{"a\x00"}},
		`plugin "scripted": asynchronous events: "a" is listed twice`:                                                                                     {Events: []string{"a", "a"}},
		`plugin "scripted": sources of asynchronous events: "\xff": want UTF-8 text without NUL bytes`:                                                    {Events: []string{"a"}, Sources: []string{"\xff"}},
		`plugin "scripted": asynchronous events: MaxEventSize 4294967296: encode async event "a": 4294967296 bytes of data; an event has less than 2 GiB`: {Events: []string{"a"}, MaxEventSize: 1 << 32},
	} {
		assert.PanicsWithError(t, want, func() { newRig(t, info, o, &plain{}) })
	}
}

func BenchmarkEmit(b *testing.B) {
	r := newRig(b, info, both, &plain{})
	r.set()
	r.Refuse(func([]byte) ([]byte, abi.RC) { return nil, abi.Success }) // keeps nothing
	data := []byte("some data of an event")
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Emit("tick", data); err != nil {
			b.Fatal(err)
		}
	}
}
