// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/abitest"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
	"github.com/aerie-falco/aerie/shared/plugin/internal/hostlog"
)

// dummy is a plugin whose callbacks a test writes.
type dummy struct {
	init      func(h *Host, config string) error
	setConfig func(config string) error
	destroyed int
}

func (d *dummy) Init(h *Host, config string) error {
	if d.init != nil {
		return d.init(h, config)
	}
	return nil
}
func (d *dummy) Destroy()                 { d.destroyed++ }
func (d *dummy) SetConfig(c string) error { return d.setConfig(c) }

// plain takes no new configuration while it runs.
type plain struct{}

func (plain) Init(*Host, string) error { return nil }
func (plain) Destroy()                 {}

var info = Info{Name: "dummy", Description: "d", Contact: "c", Version: "1.2.3"}

func register[P Plugin](t *testing.T, create func() P) {
	core.Reset()
	Register(info, create)
	t.Cleanup(core.Reset)
}

func initState(t *testing.T, config string) (uintptr, abi.RC) {
	var rc int32 = 99
	h := plugin_init(abitest.Init(t, config), &rc)
	t.Cleanup(func() { plugin_destroy(h) })
	return h, rc
}

func lastError(h uintptr) string { return cmem.GoString(plugin_get_last_error(h)) }

func TestAStateIsInitialisedAndDestroyedOnce(t *testing.T) {
	d := &dummy{}
	var got string
	var ctx context.Context
	d.init = func(h *Host, config string) error { got, ctx = config, h.Context(); return nil }
	register(t, func() *dummy { return d })
	h, rc := initState(t, "some text")
	require.Equal(t, abi.Success, rc)
	assert.Equal(t, "some text", got)
	assert.Empty(t, lastError(h))
	require.NoError(t, ctx.Err())
	plugin_destroy(h)
	plugin_destroy(h)
	plugin_destroy(0)
	assert.Equal(t, 1, d.destroyed)
	assert.Error(t, ctx.Err())
	assert.Contains(t, lastError(h), "no such state")
}

func TestAFailedInitSaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		init func(*Host, string) error
		want string
	}{
		"an error": {func(*Host, string) error { return errors.New(`key "a": 1: want a text`) }, `key "a": 1: want a text`},
		"a panic":  {func(*Host, string) error { panic("boom") }, "init: panic: boom"},
	} {
		t.Run(name, func(t *testing.T) {
			d := &dummy{init: c.init}
			register(t, func() *dummy { return d })
			h, rc := initState(t, "")
			assert.Equal(t, abi.Failure, rc)
			require.NotZero(t, h, "a framework asks the state for the error")
			assert.Equal(t, c.want, lastError(h))
			plugin_destroy(h)
			assert.Zero(t, d.destroyed)
		})
	}
}

func TestALinkedCapabilityMustBeRegistered(t *testing.T) {
	core.Linked("teleport")
	t.Cleanup(func() { core.Unlink("teleport") })
	register(t, func() plain { return plain{} })
	h, rc := initState(t, "")
	assert.Equal(t, abi.Failure, rc)
	assert.Contains(t, lastError(h), "links the capability teleport but does not register it")
}

func TestStaticAnswersDoNotChange(t *testing.T) {
	register(t, func() plain { return plain{} })
	for want, f := range map[string]func() unsafe.Pointer{
		"dummy": plugin_get_name, "d": plugin_get_description, "c": plugin_get_contact, "1.2.3": plugin_get_version,
		"3.3.0": plugin_get_required_api_version,
	} {
		assert.Equal(t, want, cmem.GoString(f()))
		assert.Equal(t, f(), f())
	}
	var kind uint32 = 9
	assert.Empty(t, cmem.GoString(plugin_get_init_schema(&kind)))
	assert.Equal(t, abi.SchemaNone, kind)
	assert.Nil(t, plugin_get_required_event_schema_version(0))
}

func TestAConfigStructIsPublishedAsItsSchema(t *testing.T) {
	core.Reset()
	t.Cleanup(core.Reset)
	with := info
	with.Config = &struct {
		Level string `json:"level" default:"low" desc:"How much."`
	}{}
	Register(with, func() plain { return plain{} })
	var kind uint32
	assert.Contains(t, cmem.GoString(plugin_get_init_schema(&kind)), `"level"`)
	assert.Equal(t, abi.SchemaJSON, kind)
}

func TestALibraryWithoutARegistrationIsRefusedNotCrashed(t *testing.T) {
	core.Reset()
	assert.Empty(t, cmem.GoString(plugin_get_required_api_version()))
	assert.Empty(t, cmem.GoString(plugin_get_version()))
	var rc int32
	assert.Zero(t, plugin_init(abitest.Init(t, ""), &rc))
	assert.Equal(t, abi.Failure, rc)
}

func TestUnusableInfoIsRefusedWhenRegistered(t *testing.T) {
	for want, spoil := range map[string]func(*Info){
		"name, description and contact": func(i *Info) { i.Contact = "" },
		`version "1.2"`:                 func(i *Info) { i.Version = "1.2" },
		"give both or neither":          func(i *Info) { i.ID = 7 },
		"belongs to the framework":      func(i *Info) { i.ID, i.EventSource = 7, "syscall" },
	} {
		i := info
		spoil(&i)
		assert.ErrorContains(t, i.check(), want)
	}
	register(t, func() plain { return plain{} })
	assert.PanicsWithValue(t, `plugin "dummy": this library already registered "dummy"; one library holds one plugin`,
		func() { Register(info, func() plain { return plain{} }) })
}

func TestANewConfigReachesThePluginsThatTakeOne(t *testing.T) {
	d := &dummy{}
	register(t, func() *dummy { return d })
	h, _ := initState(t, "")
	in := (*abi.SetConfigInput)(abitest.Alloc(t, 8))
	in.Config = abitest.String(t, "new")
	d.setConfig = func(c string) error { return errors.New("no " + c) }
	assert.Equal(t, abi.Failure, plugin_set_config(h, unsafe.Pointer(in)))
	assert.Equal(t, "set_config: no new", lastError(h))
	d.setConfig = func(string) error { panic("boom") }
	assert.Equal(t, abi.Failure, plugin_set_config(h, unsafe.Pointer(in)))
	assert.Equal(t, "set_config: panic: boom", lastError(h))
	d.setConfig = func(string) error { return nil }
	assert.Equal(t, abi.Success, plugin_set_config(h, unsafe.Pointer(in)))

	register(t, func() plain { return plain{} })
	h, _ = initState(t, "")
	assert.Equal(t, abi.Failure, plugin_set_config(h, unsafe.Pointer(in)))
	assert.Equal(t, "set_config: dummy takes no new configuration while it runs; restart it", lastError(h))
}

func TestMetricsAreReadFromAnyThread(t *testing.T) {
	var host *Host
	d := &dummy{init: func(h *Host, _ string) error { host = h; return nil }}
	register(t, func() *dummy { return d })
	h, _ := initState(t, "")
	host.Metrics().Counter("things").Add(3)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				var n uint32
				p := plugin_get_metrics(h, &n)
				all := map[string]uint64{}
				for _, m := range unsafe.Slice((*abi.Metric)(p), int(n)) {
					all[cmem.GoString(m.Name)] = m.Value
				}
				assert.Equal(t, map[string]uint64{"panics": 0, "things": 3}, all)
			}
		})
	}
	wg.Wait()
	var n uint32 = 9
	assert.Nil(t, plugin_get_metrics(0, &n))
	assert.Zero(t, n)
}

func TestAGoroutinesPanicEndsThatGoroutineOnly(t *testing.T) {
	var host *Host
	d := &dummy{init: func(h *Host, _ string) error { host = h; return nil }}
	register(t, func() *dummy { return d })
	_, _ = initState(t, "")
	ctx, cancel := context.WithCancel(host.Context())
	defer cancel()
	done := make(chan struct{})
	Go(ctx, "worker", func(context.Context) { defer close(done); panic("boom") })
	<-done
	require.Eventually(t, func() bool { return host.Metrics().Counter("panics").Value() == 1 }, 5*time.Second, time.Millisecond)
}

func TestDestroyWaitsForGoroutines(t *testing.T) {
	var host *Host
	d := &dummy{init: func(h *Host, _ string) error { host = h; return nil }}
	register(t, func() *dummy { return d })
	h, _ := initState(t, "")
	finished := false
	Go(host.Context(), "worker", func(ctx context.Context) {
		<-ctx.Done()
		runtime.Gosched()
		finished = true
	})
	plugin_destroy(h)
	assert.True(t, finished)
}

func TestContextsOutsideAStateAreHarmless(t *testing.T) {
	ctx := t.Context()
	Log(ctx).Info("nobody reads this")
	LogLimited(ctx, 0, "kind", "nor this")
	Metrics(ctx).Counter("nor_this").Inc()
	done := make(chan struct{})
	Go(ctx, "worker", func(context.Context) { close(done) })
	<-done
}

func TestRepeatedLinesAreHeldBack(t *testing.T) {
	var l core.Limit
	start := time.Now()
	_, ok := l.Allow(start, time.Second)
	assert.True(t, ok)
	for range 41 {
		_, ok = l.Allow(start.Add(time.Millisecond), time.Second)
		assert.False(t, ok)
	}
	held, ok := l.Allow(start.Add(time.Second), time.Second)
	assert.True(t, ok)
	assert.Equal(t, 41, held)
}

func TestTheLastErrorOfOneStateIsNotAnothers(t *testing.T) {
	register(t, func() *dummy {
		return &dummy{init: func(_ *Host, c string) error { return errors.New(strings.Repeat(c, 300)) }}
	})
	a, _ := initState(t, "a")
	b, _ := initState(t, "b")
	assert.Equal(t, strings.Repeat("a", 300), lastError(a))
	assert.Equal(t, strings.Repeat("b", 300), lastError(b))
}

func TestAPluginMaySetTheLevelOfItsLog(t *testing.T) {
	sink := hostlog.NewSink(nil, nil, "probe")
	st := core.NewState(&core.Record{Name: "probe"}, slog.New(hostlog.NewHandler(sink)))
	h := &Host{st: st}
	h.SetLogLevel(slog.LevelError)
	assert.True(t, h.Log().Enabled(t.Context(), slog.LevelDebug), "a state without a way to the framework's log")
	st.Sink = sink
	assert.True(t, h.Log().Enabled(t.Context(), slog.LevelDebug-4), "all, unless it says otherwise")
	h.SetLogLevel(slog.LevelError)
	assert.False(t, h.Log().Enabled(t.Context(), slog.LevelWarn))
	assert.True(t, h.Log().Enabled(t.Context(), slog.LevelError))
}
