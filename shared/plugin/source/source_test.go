// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/internal/abitest"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
)

// scripted is a source whose callbacks a test writes.
type scripted struct {
	open     func(ctx context.Context, params string) (Instance, error)
	next     func(ctx context.Context, b *Batch) error
	closed   int
	onClose  func() error
	progress float64
	ctx      context.Context
}

func (s *scripted) Init(*plugin.Host, string) error { return nil }
func (s *scripted) Destroy()                        {}
func (s *scripted) Open(ctx context.Context, params string) (Instance, error) {
	s.ctx = ctx
	if s.open != nil {
		return s.open(ctx, params)
	}
	return s, nil
}
func (s *scripted) Next(ctx context.Context, b *Batch) error { return s.next(ctx, b) }
func (s *scripted) Close() error {
	s.closed++
	if s.onClose != nil {
		return s.onClose()
	}
	return nil
}
func (s *scripted) Progress() (float64, string) { return s.progress, "somewhere" }
func (s *scripted) OpenParams() ([]sdk.OpenParam, error) {
	return []sdk.OpenParam{{Value: "v", Desc: "d"}}, nil
}
func (s *scripted) EventString(e *event.Event) (string, error) {
	b, _ := e.Payload()
	if string(b) == "panic" {
		panic("boom")
	}
	return string(b), nil
}

// rig is one state of a scripted source and its open instance.
type rig struct {
	*scripted
	st    *core.State
	state uintptr
	inst  uintptr
}

func newRig(t testing.TB, o Options, s *scripted) *rig {
	core.Reset()
	r := plugin.Register(plugin.Info{Name: "scripted", Description: "d", Contact: "c", Version: "1.0.0", ID: 999, EventSource: "scripted"}, func() *scripted { return s })
	Register(r, o)
	t.Cleanup(core.Reset)
	st := core.NewState(core.Registered(), plugin.Log(t.Context()))
	require.NoError(t, st.Init(""))
	rg := &rig{scripted: s, st: st, state: core.States.Put(st)}
	t.Cleanup(rg.destroy)
	return rg
}

func (r *rig) destroy() {
	if st := core.States.Drop(r.state); st != nil {
		st.Destroy()
	}
}

func (r *rig) mustOpen(t testing.TB) *rig {
	var rc int32 = 99
	r.inst = plugin_open(r.state, nil, &rc)
	require.Equal(t, abi.Success, rc)
	require.NotZero(t, r.inst)
	return r
}

// read calls next_batch and returns what a framework would see.
func (r *rig) read() (payloads []string, rc abi.RC) {
	n, events := uint32(77), unsafe.Pointer(r)
	rc = plugin_next_batch(r.state, r.inst, &n, &events)
	for _, p := range unsafe.Slice((*unsafe.Pointer)(events), int(n)) {
		in := abi.EventInput{Evt: p}
		e := event.FromInput(unsafe.Pointer(&in))
		b, _ := e.Payload()
		payloads = append(payloads, string(b))
		// The framework writes into events it is given.
		*(*uint64)(p), *(*uint64)(unsafe.Add(p, 8)) = 1, 2
		*(*uint32)(unsafe.Add(p, 34)) = 999
	}
	return payloads, rc
}

func (r *rig) lastError() string { return cmem.GoString(r.st.LastError()) }

func (r *rig) metric(name string) uint64 { return r.st.Metrics.Counter(name).Value() }

func idle(ctx context.Context, _ *Batch) error { <-ctx.Done(); return nil }

// steps runs one function per Next, then idles.
func steps(fs ...func(ctx context.Context, b *Batch) error) func(context.Context, *Batch) error {
	i := 0
	return func(ctx context.Context, b *Batch) error {
		if i == len(fs) {
			return idle(ctx, b)
		}
		i++
		return fs[i-1](ctx, b)
	}
}

func add(err error, payloads ...string) func(context.Context, *Batch) error {
	return func(_ context.Context, b *Batch) error {
		for _, p := range payloads {
			if e := b.Add([]byte(p), 5); e != nil {
				return e
			}
		}
		return err
	}
}

func TestEventsOfABatchAreDeliveredBeforeItsError(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		rc   abi.RC
		text string
	}{
		"a fatal error":  {Fatal(errors.New("disk gone")), abi.Failure, "next_batch: disk gone"},
		"the end":        {io.EOF, abi.EOF, ""},
		"the SDK's end":  {sdk.ErrEOF, abi.EOF, ""},
		"a wrapped end":  {fmt.Errorf("read: %w", io.EOF), abi.EOF, ""},
		"an unclear one": {errors.New("hiccup"), abi.Timeout, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{}, &scripted{next: steps(add(c.err, "a", "b"))}).mustOpen(t)
			got, rc := r.read()
			assert.Equal(t, abi.Success, rc)
			assert.Equal(t, []string{"a", "b"}, got)
			got, rc = r.read()
			assert.Empty(t, got)
			assert.Equal(t, c.rc, rc)
			assert.Equal(t, c.text, r.lastError())
		})
	}
}

func TestTheEndIsReportedAgainToWhoGoesOnReading(t *testing.T) {
	r := newRig(t, Options{}, &scripted{next: steps(add(io.EOF))}).mustOpen(t)
	for range 3 {
		got, rc := r.read()
		assert.Empty(t, got)
		assert.Equal(t, abi.EOF, rc)
	}
}

func TestAPanicInNextFailsTheCallAfterItsEventsAndTheNextCallWorks(t *testing.T) {
	r := newRig(t, Options{}, &scripted{next: steps(
		func(_ context.Context, b *Batch) error { _ = b.Add([]byte("a"), 0); panic("boom") },
		add(nil, "b"),
	)}).mustOpen(t)
	got, rc := r.read()
	assert.Equal(t, []string{"a"}, got)
	assert.Equal(t, abi.Success, rc)
	got, rc = r.read()
	assert.Empty(t, got)
	assert.Equal(t, abi.Failure, rc)
	assert.Equal(t, "next_batch: panic: boom", r.lastError())
	assert.EqualValues(t, 1, r.metric("panics"))
	got, rc = r.read()
	assert.Equal(t, []string{"b"}, got)
	assert.Equal(t, abi.Success, rc)
}

func TestPanicsInOtherCallbacksFailTheCall(t *testing.T) {
	s := &scripted{next: idle}
	r := newRig(t, Options{}, s)
	s.open = func(context.Context, string) (Instance, error) { panic("no port") }
	var rc int32 = 99
	assert.Zero(t, plugin_open(r.state, nil, &rc))
	assert.Equal(t, abi.Failure, rc)
	assert.Equal(t, "open: panic: no port", r.lastError())
	plugin_close(r.state, 0) // frameworks do, after an open that failed

	s.open = nil
	r.mustOpen(t)
	assert.Nil(t, plugin_event_to_string(r.state, abitest.Event(t, event.Encode(999, 0, []byte("panic")), 1, "")))
	assert.Equal(t, "event_to_string: panic: boom", r.lastError())
	s.onClose = func() error { panic("close") }
	plugin_close(r.state, r.inst)
	assert.EqualValues(t, 3, r.metric("panics"))
}

func TestSkippedEventsAreCountedAndTheStreamGoesOn(t *testing.T) {
	bad := Skip(errors.New("not for us"))
	r := newRig(t, Options{}, &scripted{next: steps(add(bad, "a"), add(bad), add(nil, "b"))}).mustOpen(t)
	got, rc := r.read()
	assert.Equal(t, []string{"a"}, got)
	assert.Equal(t, abi.Success, rc)
	got, rc = r.read()
	assert.Equal(t, []string{"b"}, got)
	assert.Equal(t, abi.Success, rc)
	assert.EqualValues(t, 2, r.metric("events_skipped"))
}

func TestTroubleIsRetriedAfterAGrowingPause(t *testing.T) {
	var calls []time.Time
	fail := func(context.Context, *Batch) error {
		calls = append(calls, time.Now())
		return Retry(errors.New("away"))
	}
	r := newRig(t, Options{}, &scripted{next: steps(fail, fail, fail, add(nil, "back"))}).mustOpen(t)
	var got []string
	for len(got) == 0 {
		var rc abi.RC
		got, rc = r.read()
		require.Contains(t, []abi.RC{abi.Timeout, abi.Success}, rc)
	}
	assert.Equal(t, []string{"back"}, got)
	assert.EqualValues(t, 3, r.metric("source_retries"))
	assert.GreaterOrEqual(t, calls[1].Sub(calls[0]), minBackoff)
	assert.GreaterOrEqual(t, calls[2].Sub(calls[1]), 2*minBackoff)
}

func TestAnIdleTurnWaitsEvenIfTheSourceDoesNot(t *testing.T) {
	r := newRig(t, Options{Idle: 20 * time.Millisecond}, &scripted{next: func(context.Context, *Batch) error { return nil }}).mustOpen(t)
	began := time.Now()
	got, rc := r.read()
	assert.Empty(t, got)
	assert.Equal(t, abi.Timeout, rc)
	assert.GreaterOrEqual(t, time.Since(began), 20*time.Millisecond)
}

func TestATurnEndsByItsContext(t *testing.T) {
	r := newRig(t, Options{}, &scripted{next: func(ctx context.Context, _ *Batch) error {
		if _, ok := ctx.Deadline(); !ok {
			return Fatal(errors.New("no deadline"))
		}
		<-ctx.Done()
		return ctx.Err()
	}}).mustOpen(t)
	got, rc := r.read()
	assert.Empty(t, got)
	assert.Equal(t, abi.Timeout, rc)
}

func TestABatchIsBoundByBytesAndCount(t *testing.T) {
	b := newBatch(Options{MaxEventSize: 1000, MaxBatchBytes: 1000, MaxBatchEvents: 3}, func(int, int) {})
	t.Cleanup(b.Free)
	require.NoError(t, b.Add(make([]byte, 1000), 0), "one event may fill a batch on its own")
	assert.ErrorIs(t, b.Add(nil, 0), ErrFull)
	b.Deliver(true)
	for range 3 {
		require.NoError(t, b.Add([]byte("x"), 0))
	}
	assert.True(t, b.Full())
	assert.ErrorIs(t, b.Add([]byte("x"), 0), ErrFull)
	assert.Equal(t, 3, b.Len())
	b.Deliver(true)
	require.NoError(t, b.Add(make([]byte, 900), 0))
	assert.ErrorIs(t, b.Add(make([]byte, 100), 0), ErrFull)
	assert.NoError(t, b.Add(make([]byte, 10), 0))
}

func TestAnEventOverTheLimitIsDroppedCountedAndNotFatal(t *testing.T) {
	r := newRig(t, Options{MaxEventSize: 3}, &scripted{next: steps(func(_ context.Context, b *Batch) error {
		require.NoError(t, b.Add([]byte("abc"), 0))
		require.ErrorIs(t, b.Add([]byte("abcd"), 0), ErrTooLarge)
		return b.Add([]byte("ok"), 0)
	})}).mustOpen(t)
	got, rc := r.read()
	assert.Equal(t, []string{"abc", "ok"}, got)
	assert.Equal(t, abi.Success, rc)
	assert.EqualValues(t, 1, r.metric("events_too_large"))
}

func TestDeliveryIsKnownWhenTheFrameworkComesBack(t *testing.T) {
	var log []string
	with := func(name string) func(context.Context, *Batch) error {
		return func(_ context.Context, b *Batch) error {
			b.OnDelivered(func(ok bool) { log = append(log, fmt.Sprint(name, " ", ok)) })
			return b.Add([]byte(name), 0)
		}
	}
	r := newRig(t, Options{}, &scripted{next: steps(with("a"), with("b"))}).mustOpen(t)
	r.read()
	assert.Empty(t, log, "handed over is not yet taken")
	r.read()
	assert.Equal(t, []string{"a true"}, log)
	plugin_close(r.state, r.inst)
	assert.Equal(t, []string{"a true", "b false"}, log, "what is out when the source closes was perhaps never read")
}

func TestEventsCarryWhatAFrameworkExpectsInThem(t *testing.T) {
	b := NewBatch(0, 0)
	t.Cleanup(b.Free)
	require.NoError(t, b.Add([]byte("payload"), 123))
	b.Deliver(true)
	require.NoError(t, b.Add([]byte("again"), NoTimestamp), "a used buffer is made new")
	p := *(*unsafe.Pointer)(b.events)
	assert.Equal(t, event.Encode(0, NoTimestamp, []byte("again")), unsafe.Slice((*byte)(p), abi.PayloadOffset+5))
	b.Events(func(payload []byte, ts uint64) bool {
		assert.Equal(t, "again", string(payload))
		assert.EqualValues(t, uint64(NoTimestamp), ts)
		return true
	})
}

func TestCallsOnWhatIsGoneFailWithoutHarm(t *testing.T) {
	r := newRig(t, Options{}, &scripted{next: idle}).mustOpen(t)
	plugin_close(r.state, r.inst)
	plugin_close(r.state, r.inst)
	plugin_close(r.state, 0)
	plugin_close(0, r.inst)
	assert.Equal(t, 1, r.closed)
	got, rc := r.read()
	assert.Empty(t, got)
	assert.Equal(t, abi.Failure, rc)
	assert.Equal(t, "next_batch: the instance is closed or was never opened", r.lastError())
	var pct uint32 = 7
	assert.Nil(t, plugin_get_progress(r.state, r.inst, &pct))
	assert.Zero(t, pct)
	r.destroy()
	got, rc = r.read()
	assert.Empty(t, got)
	assert.Equal(t, abi.Failure, rc)
}

func TestCloseDuringAReadEndsIt(t *testing.T) {
	entered := make(chan struct{})
	r := newRig(t, Options{Idle: MaxIdle}, &scripted{}).mustOpen(t)
	r.next = func(ctx context.Context, b *Batch) error {
		_ = b.Add([]byte("x"), 0)
		close(entered)
		<-r.ctx.Done() // longer than the turn: only closing ends it
		return nil
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		got, rc := r.read()
		assert.Empty(t, got, "what close is about to free is not handed out")
		assert.Equal(t, abi.Timeout, rc)
	})
	<-entered
	_, rc := r.read()
	assert.Equal(t, abi.Failure, rc, "two reads at once")
	plugin_close(r.state, r.inst)
	wg.Wait()
	assert.Equal(t, 1, r.closed)
}

func TestDestroyClosesWhatIsOpen(t *testing.T) {
	delivered := []bool{}
	r := newRig(t, Options{}, &scripted{next: steps(func(_ context.Context, b *Batch) error {
		b.OnDelivered(func(ok bool) { delivered = append(delivered, ok) })
		return b.Add([]byte("x"), 0)
	})}).mustOpen(t).mustOpen(t)
	r.read()
	r.destroy()
	assert.Equal(t, 2, r.closed)
	assert.Equal(t, []bool{false}, delivered)
	assert.Error(t, r.ctx.Err())
}

func TestAThousandRoundsOfOpenAndCloseLeakNothing(t *testing.T) {
	r := newRig(t, Options{}, &scripted{})
	r.next = func(ctx context.Context, b *Batch) error { return b.Add([]byte("x"), 0) }
	round := func() {
		r.mustOpen(t)
		r.read()
		plugin_close(r.state, r.inst)
	}
	round()
	before := runtime.NumGoroutine()
	for range 1000 {
		round()
	}
	// Far fewer than one a round: Eventually itself runs some.
	require.Eventually(t, func() bool { return runtime.NumGoroutine() < before+20 }, 10*time.Second, time.Millisecond)
	assert.Empty(t, r.st.Source.(*sourcer).open)
}

func TestMemoryDoesNotGrowWithTheStream(t *testing.T) {
	payload := make([]byte, 300)
	r := newRig(t, Options{MaxBatchBytes: 64 << 10}, &scripted{}).mustOpen(t)
	r.next = func(_ context.Context, b *Batch) error {
		for {
			if err := b.Add(payload, 0); err != nil {
				return err
			}
		}
	}
	in := instances.Get(r.inst)
	total, size := 0, 0
	for total < 500_000 {
		var n uint32
		var events unsafe.Pointer
		require.Equal(t, abi.Success, plugin_next_batch(r.state, r.inst, &n, &events))
		total += int(n)
		if size == 0 && total > 1000 {
			size = in.batch.arena.Size()
		}
	}
	assert.LessOrEqual(t, in.batch.arena.Size(), size)
	assert.LessOrEqual(t, in.batch.arena.Size(), 2*64<<10)
}

func TestProgressParamsAndTextReachTheFramework(t *testing.T) {
	r := newRig(t, Options{}, &scripted{next: idle, progress: 0.5}).mustOpen(t)
	var pct uint32
	assert.Equal(t, "somewhere", cmem.GoString(plugin_get_progress(r.state, r.inst, &pct)))
	assert.EqualValues(t, 5000, pct)
	var rc int32 = 9
	assert.JSONEq(t, `[{"value":"v","desc":"d","separator":""}]`, cmem.GoString(plugin_list_open_params(r.state, &rc)))
	assert.Equal(t, abi.Success, rc)
	assert.Equal(t, "text", cmem.GoString(plugin_event_to_string(r.state, abitest.Event(t, event.Encode(999, 0, []byte("text")), 1, ""))))
	assert.EqualValues(t, 999, plugin_get_id())
	assert.Equal(t, "scripted", cmem.GoString(plugin_get_event_source()))
}

func TestStatesAreIndependentAcrossThreads(t *testing.T) {
	core.Reset()
	t.Cleanup(core.Reset)
	r := plugin.Register(plugin.Info{Name: "many", Description: "d", Contact: "c", Version: "1.0.0", ID: 999, EventSource: "many"}, func() *scripted {
		s := &scripted{}
		s.next = func(_ context.Context, b *Batch) error { return b.Add([]byte(fmt.Sprintf("%p", s)), 0) }
		return s
	})
	Register(r, Options{})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 20 {
				st := core.NewState(core.Registered(), plugin.Log(t.Context()))
				if !assert.NoError(t, st.Init("")) {
					return
				}
				rg := &rig{st: st, state: core.States.Put(st)}
				var rc int32
				rg.inst = plugin_open(rg.state, nil, &rc)
				want := fmt.Sprintf("%p", st.Author.Unwrap())
				for range 20 {
					got, _ := rg.read()
					assert.Equal(t, []string{want}, got)
				}
				rg.destroy()
			}
		})
	}
	wg.Wait()
}
