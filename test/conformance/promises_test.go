// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
)

func steps(s ...string) string {
	quoted := make([]string, len(s))
	for i := range s {
		quoted[i] = strconv.Quote(s[i])
	}
	return `{"steps":[` + strings.Join(quoted, ",") + `]}`
}

func TestTheKitTellsWhoAPluginIs(t *testing.T) {
	r := start(t)
	assert.Equal(t, "kit", r.Name)
	assert.Equal(t, "1.2.3", r.Version)
	assert.EqualValues(t, 999, r.ID)
	assert.Equal(t, "kit", r.EventSource)
	assert.Equal(t, host.CapSourcing|host.CapExtraction, r.Capabilities)
	assert.Equal(t, []uint16{322, 402}, r.ExtractEventTypes())
	assert.Equal(t, "4.0.0", r.RequiredEventSchema(), "async events count as more than plugin events")
	params, ok, err := r.OpenParams()
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, []host.OpenParam{{Value: `{"steps":["a"]}`, Desc: "one event"}}, params)
	r.logged("initialised count=3")
}

func TestEveryFieldTypeCrossesTheABI(t *testing.T) {
	r := start(t)
	addr, addr6 := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")
	for _, c := range []struct {
		field, arg string
		written    bool
		want       []any
	}{
		{"kit.word", "", false, []any{"horse"}},
		{"kit.letters", "", false, []any{"h", "o", "r", "s", "e"}},
		{"kit.size", "", false, []any{uint64(5)}},
		{"kit.sizes", "", false, []any{uint64(0), uint64(1), uint64(2), uint64(3), uint64(4)}},
		{"kit.long", "", false, []any{true}},
		{"kit.span", "", false, []any{uint64(5 * time.Second)}},
		{"kit.time", "", false, []any{uint64(42)}},
		{"kit.addr", "", false, []any{addr}},
		{"kit.addrs", "", false, []any{addr, addr6}},
		{"kit.net", "", false, []any{addr}},
		{"kit.letter", "2", true, []any{"r"}},
		{"kit.letter", "9", true, nil},
		{"kit.has", "ors", true, []any{true}},
		{"kit.has", "", false, nil},
		{"kit.either", "3", true, []any{`"3" true 3 true`}},
		{"kit.either", "x", true, []any{`"x" true 18446744073709551615 false`}},
		{"kit.either", "", false, []any{`"" false 18446744073709551615 false`}},
		{"kit.source", "", false, []any{"kit"}},
		{"kit.nothing", "", false, nil},
	} {
		got, err := r.value("horse", c.field, c.arg, c.written)
		require.NoError(t, err, c.field)
		assert.Equal(t, abi.Success, got.RC, c.field)
		assert.Equal(t, c.want, got.Results[0].Values, "%s[%s]", c.field, c.arg)
	}
	got, err := r.value("ab", "kit.letters", "", false)
	require.NoError(t, err)
	assert.Equal(t, []host.Offset{{Start: 38, Length: 1}, {Start: 39, Length: 1}}, got.Results[0].Offsets)
}

func TestAViewerMayAskForAllFieldsAtOnce(t *testing.T) {
	r := start(t)
	e := host.NewPluginEvent(999, 1, []byte("panic"))
	defer e.Free()
	fields, rc, err := r.ExtractAll(e)
	require.NoError(t, err)
	assert.Equal(t, abi.Success, rc, "one failing field does not take the others along")
	assert.Len(t, fields, len(r.Fields))
}

func TestPromise1APanicFailsTheCallAndTheNextOneWorks(t *testing.T) {
	r := newRig(t)
	assert.EqualError(t, r.init(`{"fail":"panic"}`), "could not initialize plugin: init: panic: panicked as asked")
	r.Destroy()

	r = start(t)
	_, err := r.Open(`{"fail":"panic"}`)
	assert.ErrorContains(t, err, "open: panic: panicked as asked")

	in, err := r.Open(steps("one", "panic!in next", "go!in a goroutine", "two", "eof!"))
	require.NoError(t, err)
	got, rc, err := words(t, in)
	assert.Equal(t, []string{"one"}, got)
	assert.Equal(t, abi.Failure, rc)
	assert.EqualError(t, err, "next_batch: panic: in next")
	_, rc, _ = words(t, in)
	assert.Equal(t, abi.Failure, rc, "a framework reports an end without events twice")
	got, rc, _ = words(t, in)
	assert.Equal(t, []string{"two"}, got)
	assert.Equal(t, abi.EOF, rc)
	r.Close(in)

	x, err := r.value("panic", "kit.word", "", false)
	require.NoError(t, err)
	assert.Equal(t, abi.Failure, x.RC)
	assert.Equal(t, "extract_fields kit.word: panic: panicked as asked", r.LastError())
	x, err = r.value("calm", "kit.word", "", false)
	require.NoError(t, err)
	assert.Equal(t, []any{"calm"}, x.Results[0].Values)
	require.Eventually(t, func() bool { return r.metric("panics") == uint64(4) }, 10*time.Second, time.Millisecond,
		"open, next_batch, a goroutine and extract_fields")
}

func TestPromise2OneBadEventNeverEndsAStream(t *testing.T) {
	r := start(t)
	in, err := r.Open(steps("one", "skip!bad", "two", "big!", "retry!away", "three", "fatal!gone"))
	require.NoError(t, err)
	defer r.Close(in)
	var got []string
	for {
		more, rc, err := words(t, in)
		got = append(got, more...)
		if rc != abi.Timeout {
			assert.Equal(t, abi.Failure, rc)
			assert.EqualError(t, err, "next_batch: gone")
			break
		}
	}
	assert.Equal(t, []string{"one", "two", "three"}, got, "each delivered before the error that came after it")
	assert.EqualValues(t, 1, r.metric("events_skipped"))
	assert.EqualValues(t, 1, r.metric("source_retries"))
	r.logged("next_batch: skipped an event: bad")
}

func TestPromise3MemoryDoesNotGrowWithTheStream(t *testing.T) {
	r := start(t)
	in, err := r.Open(`{"loop":true,"steps":["` + strings.Repeat("b", 900) + `"]}`)
	require.NoError(t, err)
	defer r.Close(in)
	req, err := r.Request("kit.word", "", false)
	require.NoError(t, err)
	read := func(n int) {
		for range n {
			e, rc, err := in.Next()
			require.NoError(t, err)
			require.Equal(t, abi.Success, rc)
			if e.Num()%16 == 0 {
				_, err = r.Extract(e, req, true)
				require.NoError(t, err)
			}
		}
	}
	read(20_000)
	runtime.GC()
	before := resident(t)
	read(100_000)
	runtime.GC()
	assert.Less(t, resident(t)-before, 16<<20, "bytes of growth over 100,000 events")
}

// resident is the process's memory in use, in bytes.
func resident(t *testing.T) int {
	status, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	var size, pages int
	_, err = fmt.Sscan(string(status), &size, &pages)
	require.NoError(t, err)
	return pages * os.Getpagesize()
}

func TestPromise4ABatchIsBoundByBytesAndAnEventOverTheLimitIsDropped(t *testing.T) {
	r := start(t)
	in, err := r.Open(steps(strings.Repeat("x", 1000), "big!", strings.Repeat("y", 1000), strings.Repeat("z", 1000), strings.Repeat("w", 1000), "v", "eof!"))
	require.NoError(t, err)
	defer r.Close(in)
	b, err := in.NextBatch(0)
	require.NoError(t, err)
	assert.EqualValues(t, 3, b.N, "a fourth thousand bytes would exceed the 4096 of a batch")
	assert.EqualValues(t, 1, r.metric("events_too_large"))
}

func TestPromise5DeliveryIsKnownOnceTheFrameworkComesBack(t *testing.T) {
	r := start(t)
	in, err := r.Open(steps("one", "turn!", "two"))
	require.NoError(t, err)
	e, _, err := in.Next()
	require.NoError(t, err)
	payload, _ := e.Payload()
	assert.Equal(t, "one", string(payload))
	for _, l := range r.log {
		assert.NotContains(t, l.Text, "delivery", "it has the event, and may still be at it")
	}
	_, _, err = in.Next()
	require.NoError(t, err)
	r.logged("delivery word=one ok=true")
	r.Close(in)
	r.logged("delivery word=two ok=false")
}

func TestPromise6StatesAreIndependentAndUsableFromManyThreads(t *testing.T) {
	newRig(t) // build outside the goroutines
	var wg sync.WaitGroup
	for i := range 300 { // the official SDK holds 255 handles
		r := newRig(t)
		require.NoError(t, r.init(fmt.Sprintf(`{"count":%d}`, i%100)))
		t.Cleanup(r.Destroy)
		if i%20 != 0 {
			continue
		}
		wg.Go(func() {
			in, err := r.Open(steps("w"+strconv.Itoa(i), "eof!"))
			if !assert.NoError(t, err) {
				return
			}
			defer r.Close(in)
			got, rc, _ := words(t, in)
			assert.Equal(t, []string{"w" + strconv.Itoa(i)}, got)
			assert.Equal(t, abi.EOF, rc)
			for range 1000 {
				x, err := r.value("v"+strconv.Itoa(i), "kit.word", "", false)
				assert.NoError(t, err)
				assert.Equal(t, []any{"v" + strconv.Itoa(i)}, x.Results[0].Values)
			}
			assert.EqualValues(t, i%100, r.metric("count"))
		})
	}
	wg.Wait()
}

func TestPromise9CloseReturnsWhateverTheSourceIsDoing(t *testing.T) {
	t.Run("waiting for the instance's end", func(t *testing.T) {
		r := start(t)
		in, err := r.Open(steps("one", "block!"))
		require.NoError(t, err)
		closeDuringNext(t, r, in)
	})
	t.Run("hanging for ever", func(t *testing.T) {
		r := start(t)
		in, err := r.Open(steps("hang!"))
		require.NoError(t, err)
		go func() { _, _ = in.NextBatch(0) }() // never returns
		r.logged("hanging")
		closed := make(chan struct{})
		go func() { r.Close(in); close(closed) }()
		<-closed // the test's own time limit is the deadline here
		r.logged("close: the source is still inside Next; its memory stays allocated waited=5s")
	})
	t.Run("a thousand times", func(t *testing.T) {
		r := start(t)
		files, threads := openFiles(t), 0
		for i := range 1000 {
			in, err := r.Open(steps("a", "b"))
			require.NoError(t, err)
			if i%2 == 0 {
				_, _ = in.NextBatch(0)
			}
			r.Close(in)
			if i == 100 {
				threads = osThreads(t)
			}
		}
		assert.LessOrEqual(t, openFiles(t), files)
		assert.LessOrEqual(t, osThreads(t), threads+4)
	})
}

func closeDuringNext(t *testing.T, r *rig, in *host.Instance) {
	var wg sync.WaitGroup
	wg.Go(func() {
		b, err := in.NextBatch(7)
		assert.NoError(t, err)
		assert.Equal(t, abi.Timeout, b.RC)
		assert.Zero(t, b.N, "nothing is handed out that close frees")
	})
	r.logged("blocking")
	b, err := in.NextBatch(3)
	require.NoError(t, err)
	assert.Equal(t, host.Batch{RC: abi.Failure}, b, "two reads at once")
	r.Close(in)
	wg.Wait()
	r.logged("closed steps=2")
}

func openFiles(t *testing.T) int {
	list, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(list)
}

func osThreads(t *testing.T) int {
	list, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	return len(list)
}

func TestPromise10AnIdleSourceUsesNoProcessor(t *testing.T) {
	r := start(t)
	in, err := r.Open(`{}`)
	require.NoError(t, err)
	defer r.Close(in)
	began, used := time.Now(), cpuTime(t)
	for range 20 {
		_, rc, err := in.Next()
		require.NoError(t, err)
		assert.Equal(t, abi.Timeout, rc)
	}
	wall := time.Since(began)
	assert.GreaterOrEqual(t, wall, 250*time.Millisecond, "ten turns of 30 ms: a host sees each result twice")
	assert.Less(t, cpuTime(t)-used, wall/2, "a turn is a wait, not a spin")
}

// cpuTime is the processor time of the calling process, in all threads.
func cpuTime(t *testing.T) time.Duration {
	raw, err := os.ReadFile("/proc/self/stat")
	require.NoError(t, err)
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')'):]))
	user, err := strconv.Atoi(fields[12])
	require.NoError(t, err)
	system, err := strconv.Atoi(fields[13])
	require.NoError(t, err)
	return time.Duration(user+system) * 10 * time.Millisecond // in hundredths of a second
}

func TestLifeCyclesOutOfOrderDoNoHarm(t *testing.T) {
	r := start(t)
	r.Close(nil)
	one, err := r.Open(steps("a"))
	require.NoError(t, err)
	two, err := r.Open(steps("b"))
	require.NoError(t, err)
	r.Close(one)
	r.Close(one)
	b, err := one.NextBatch(5)
	require.NoError(t, err)
	assert.Equal(t, host.Batch{RC: abi.Failure}, b)
	got, _, _ := words(t, two)
	assert.Equal(t, []string{"b"}, got, "opened twice, the other goes on")
	r.Destroy() // without closing two
	r.logged("closed steps=1")
	r.logged("destroyed")
	for _, l := range r.log {
		assert.Empty(t, l.Fault)
	}
}

func TestConfigurationsAreAcceptedAsFalcoRetypesThem(t *testing.T) {
	for _, config := range []string{"", "null", "{}", `{"count":3.0,"ratio":1,"pause":2,"on":null,"word":7,"list":null}`, `{"word":true,"list":["a",2]}`, `{"pause":"1m30s"}`} {
		r := newRig(t)
		assert.NoError(t, r.init(config), config)
		r.Destroy()
	}
	for config, want := range map[string]string{
		`{"cuont":1}`:      "cuont",
		`{"count":"a"}`:    "count",
		`{"count":101}`:    "count",
		`{"fail":"later"}`: "fail",
	} {
		r := newRig(t)
		assert.ErrorContains(t, r.init(config), want, "by the schema")
		err := newRig(t).Plugin.Init(host.InitOptions{Config: config, SkipSchema: true})
		assert.ErrorContains(t, err, want, "by the plugin itself")
	}
	r := start(t)
	ok, err := r.SetConfig(`{"count":5}`, false)
	assert.True(t, ok)
	assert.NoError(t, err)
	for params, want := range map[string]string{`{"stepz":[]}`: `did you mean "steps"`, `[`: "JSON", `{"loop":"maybe"}`: "loop"} {
		_, err := r.Open(params)
		assert.ErrorContains(t, err, want)
	}
}
