// SPDX-License-Identifier: Apache-2.0

package parse

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/internal/abitest"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// scripted is a parser whose Parse a test writes.
type scripted struct {
	parse func(e *event.Event, t *table.Access) error
}

func (s *scripted) Init(*plugin.Host, string) error { return nil }
func (s *scripted) Destroy()                        {}
func (s *scripted) Parse(e *event.Event, t *table.Access) error {
	return s.parse(e, t)
}

func register(t testing.TB, o Options, create func() *scripted) {
	core.Reset()
	r := plugin.Register(plugin.Info{Name: "scripted", Description: "d", Contact: "c", Version: "1.0.0"}, create)
	Register(r, o)
	t.Cleanup(core.Reset)
}

// newState makes a state of the registered plugin, as init does.
func newState(t testing.TB) uintptr {
	st := core.NewState(core.Registered(), plugin.Log(t.Context()))
	require.NoError(t, st.Init(""))
	h := core.States.Put(st)
	t.Cleanup(func() { core.States.Drop(h); st.Destroy() })
	return h
}

func start(t testing.TB, parse func(e *event.Event, t *table.Access) error) uintptr {
	register(t, Options{}, func() *scripted { return &scripted{parse} })
	return newState(t)
}

func lastError(h uintptr) string { return cmem.GoString(core.States.Get(h).LastError()) }

func metric(h uintptr, name string) uint64 { return core.States.Get(h).Metrics.Counter(name).Value() }

func payloadOf(e *event.Event) string {
	b, _ := e.Payload()
	return string(b)
}

func TestEveryEventReachesTheParserAsItIs(t *testing.T) {
	var got []string
	h := start(t, func(e *event.Event, _ *table.Access) error {
		got = append(got, fmt.Sprint(e.Type(), " ", e.Num(), " ", e.Source(), " ", e.Timestamp(), " ", payloadOf(e)))
		return nil
	})
	for i, raw := range [][]byte{
		event.Encode(7, 100, []byte("a")),
		event.EncodeAsync(7, 200, "news", []byte("b")),
	} {
		assert.Equal(t, abi.Success, plugin_parse_event(h, abitest.Event(t, raw, uint64(i+1), "src"), abitest.Parse(t)))
		assert.EqualValues(t, 100*(i+1), core.States.Get(h).LastEvent)
	}
	assert.Equal(t, []string{"322 1 src 100 a", "402 2 src 200 "}, got)
}

func TestAFailingParseIsAFailureOfThatEventOnly(t *testing.T) {
	h := start(t, func(e *event.Event, _ *table.Access) error {
		switch payloadOf(e) {
		case "error":
			return errors.New("not for us")
		case "panic":
			panic("boom")
		case "fault":
			_ = []int{}[len(e.Source())]
		}
		return nil
	})
	for _, c := range []struct {
		payload        string
		rc             abi.RC
		errors, panics uint64
		last           string
	}{
		{"fine", abi.Success, 0, 0, ""},
		{"error", abi.Failure, 1, 0, "parse_event: not for us"},
		{"fine", abi.Success, 1, 0, "parse_event: not for us"},
		{"panic", abi.Failure, 2, 1, "parse_event: panic: boom"},
		{"fault", abi.Failure, 3, 2, "parse_event: panic: runtime error: index out of range [3] with length 0"},
		{"fine", abi.Success, 3, 2, "parse_event: panic: runtime error: index out of range [3] with length 0"},
	} {
		evt := abitest.Event(t, event.Encode(1, 0, []byte(c.payload)), 1, "src")
		assert.Equal(t, c.rc, plugin_parse_event(h, evt, abitest.Parse(t)), c.payload)
		assert.Equal(t, c.errors, metric(h, "parse_errors"), c.payload)
		assert.Equal(t, c.panics, metric(h, "panics"), c.payload)
		assert.Equal(t, c.last, lastError(h), c.payload)
	}
}

func TestWhatIsMissingIsAnErrorAndNotACrash(t *testing.T) {
	calls := 0
	h := start(t, func(_ *event.Event, a *table.Access) error {
		calls++
		return nil
	})
	evt := abitest.Event(t, event.Encode(1, 0, nil), 1, "src")
	empty := abitest.Alloc(t, int(unsafe.Sizeof(abi.EventInput{})))
	*(*abi.EventInput)(empty) = abi.EventInput{}
	assert.Equal(t, abi.Success, plugin_parse_event(h, evt, nil), "an input without tables")
	assert.Equal(t, abi.Failure, plugin_parse_event(h, nil, abitest.Parse(t)))
	assert.Equal(t, abi.Failure, plugin_parse_event(h, empty, abitest.Parse(t)))
	assert.Equal(t, "parse_event: the framework passed no event", lastError(h))
	for _, gone := range []uintptr{0, 1, h + 1} {
		assert.Equal(t, abi.Failure, plugin_parse_event(gone, evt, abitest.Parse(t)))
	}
	assert.Equal(t, 1, calls)
}

func TestWhatAParserKeepsShowsNothingAfterTheCall(t *testing.T) {
	var kept *event.Event
	h := start(t, func(e *event.Event, a *table.Access) error {
		kept = e
		if payloadOf(e) == "panic" {
			panic("boom")
		}
		return nil
	})
	for _, payload := range []string{"fine", "panic"} {
		plugin_parse_event(h, abitest.Event(t, event.Encode(1, 5, []byte(payload)), 3, "src"), abitest.Parse(t))
		assert.Nil(t, kept.Bytes(), payload)
		assert.Zero(t, kept.Num(), payload)
		assert.Empty(t, kept.Source(), payload)
	}
}

func TestTheListsTellTheFrameworkWhatIsParsed(t *testing.T) {
	types := func() []uint16 {
		var n uint32 = 77
		p := plugin_get_parse_event_types(&n, 0)
		return append([]uint16(nil), unsafe.Slice((*uint16)(p), int(n))...)
	}
	sources := func() string { return cmem.GoString(plugin_get_parse_event_sources()) }
	none := func() *scripted { return &scripted{} }

	register(t, Options{}, none)
	assert.Equal(t, []uint16{322}, types(), "plugin events only")
	assert.JSONEq(t, `[]`, sources())
	assert.Empty(t, core.Registered().EventSchema)
	assert.Equal(t, "3.3.0", core.Registered().APIVersion())

	register(t, Options{EventTypes: []uint16{322}}, none)
	assert.Empty(t, core.Registered().EventSchema)

	register(t, Options{EventTypes: []uint16{293, 402}, Sources: []string{"syscall", "b"}}, none)
	assert.Equal(t, []uint16{293, 402}, types(), "exactly these")
	assert.JSONEq(t, `["syscall","b"]`, sources())
	assert.Equal(t, event.MinSchema, core.Registered().EventSchema)

	core.Reset()
	assert.Empty(t, types())
	assert.Empty(t, sources())
}

func TestParsingKeepsTheEventSchemaThatAnotherCapabilityNeeds(t *testing.T) {
	core.Reset()
	t.Cleanup(core.Reset)
	r := plugin.Register(plugin.Info{Name: "scripted", Description: "d", Contact: "c", Version: "1.0.0"}, func() *scripted { return &scripted{} })
	r.Record().EventSchema = "4.1.0"
	Register(r, Options{})
	assert.Equal(t, "4.1.0", r.Record().EventSchema)
}

func TestUnusableOptionsAreRefusedWhenRegistered(t *testing.T) {
	for want, sources := range map[string][]string{
		`plugin "scripted": parse event sources: name 1 is empty; leave it out`:               {"a", ""},
		`plugin "scripted": parse event sources: "a" is listed twice`:                         {"a", "a"},
		`plugin "scripted": parse event sources: "a\x00b": want UTF-8 text without NUL bytes`: {"a\x00b"},
	} {
		assert.PanicsWithError(t, want, func() { register(t, Options{Sources: sources}, func() *scripted { return nil }) })
	}
}

func TestTheCapabilityMustBeRegisteredWhereItIsLinked(t *testing.T) {
	core.Reset()
	t.Cleanup(core.Reset)
	plugin.Register(plugin.Info{Name: "scripted", Description: "d", Contact: "c", Version: "1.0.0"}, func() *scripted { return &scripted{} })
	assert.ErrorContains(t, core.NewState(core.Registered(), plugin.Log(t.Context())).Init(""), "links the capability parse but does not register it")
}

func TestStatesParseIndependentlyAcrossThreads(t *testing.T) {
	seen := sync.Map{} // *scripted to the payloads it saw
	register(t, Options{}, func() *scripted {
		s := &scripted{}
		s.parse = func(e *event.Event, _ *table.Access) error {
			n, _ := seen.LoadOrStore(s, map[string]int{})
			n.(map[string]int)[payloadOf(e)]++
			if n.(map[string]int)[payloadOf(e)]%10 == 0 {
				panic("every tenth")
			}
			return nil
		}
		return s
	})
	var wg sync.WaitGroup
	for i := range 16 {
		h, payload := newState(t), fmt.Sprint("of thread ", i)
		evt, in := abitest.Event(t, event.Encode(1, 0, []byte(payload)), 1, "src"), abitest.Parse(t)
		wg.Go(func() {
			for range 200 {
				plugin_parse_event(h, evt, in)
			}
			mine, _ := seen.Load(core.States.Get(h).Author.Unwrap())
			assert.Equal(t, map[string]int{payload: 200}, mine)
			assert.EqualValues(t, 20, metric(h, "panics"))
		})
	}
	wg.Wait()
}

func TestAnEventThatMeansNothingNeedsNoMemory(t *testing.T) {
	h := start(t, func(*event.Event, *table.Access) error { return nil })
	evt, in := abitest.Event(t, event.Encode(1, 0, []byte("x")), 1, "src"), abitest.Parse(t)
	assert.Zero(t, testing.AllocsPerRun(1000, func() { plugin_parse_event(h, evt, in) }))
}

// BenchmarkUninterestingEvent says what an event costs that means nothing to
// the plugin, in crossings that do nothing: the goal is 1.5. Both are measured
// in turns, and the best round of each counts, since other load only adds.
func BenchmarkUninterestingEvent(b *testing.B) {
	matters := 0
	h := start(b, func(e *event.Event, _ *table.Access) error {
		if e.Type() == event.TypePlugin {
			matters++
		}
		return nil
	})
	evt, in := abitest.Event(b, event.EncodeAsync(1, 0, "x", nil), 1, "src"), abitest.Parse(b)
	f := abitest.Symbol(b, "plugin_parse_event")
	const round = 2000
	best := func(sofar time.Duration, f unsafe.Pointer) time.Duration {
		began := time.Now()
		abitest.Cross(f, h, evt, in, round)
		return min(sofar, time.Since(began))
	}
	crossing, parsing := time.Hour, time.Hour
	for b.Loop() {
		crossing, parsing = best(crossing, abitest.Nothing()), best(parsing, f)
	}
	require.Zero(b, matters)
	b.ReportMetric(float64(parsing)/float64(crossing), "crossings/event")
	b.ReportMetric(float64(parsing)/round, "ns/event")
}
