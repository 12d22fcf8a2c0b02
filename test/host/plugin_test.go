// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
	"github.com/aerie-falco/aerie/test/host/internal/fixture"
)

func TestInitCallsInTheFrameworksOrder(t *testing.T) {
	var calls []host.Symbol
	lib, err := host.Load(build(t, "small.c", "TYPES=322,402"), &host.LoadOptions{Observe: func(s host.Symbol, _ uint64) { calls = append(calls, s) }})
	require.NoError(t, err)
	p, err := host.Register(lib)
	require.NoError(t, err)
	calls = nil
	require.NoError(t, p.Init(host.InitOptions{}))
	p.Destroy()
	p.Destroy()
	assert.Equal(t, []host.Symbol{host.SymInit, host.SymGetExtractEventTypes, host.SymDestroy}, calls, "a dead state is not destroyed again")
	assert.Equal(t, []uint16{322, 402}, p.ExtractEventTypes())
}

func TestInitHandsOverTheConfigAsItIs(t *testing.T) {
	lib := load(t, "full.c")
	for config, want := range map[string]string{
		"":                         "{}", // the plugin has a JSON schema
		`{"size": 3} // a comment`: `{"size": 3} // a comment`,
	} {
		p := initialised(t, lib, host.InitOptions{Config: config})
		assert.Equal(t, []any{want}, value(t, p, "full.config", ""))
	}
}

func TestInitFailures(t *testing.T) {
	lib := load(t, "full.c")
	tests := map[string]struct {
		config, want string
		state        bool
	}{
		"with a state, whose error is asked for": {`{"fail": "with-state"}`, "could not initialize plugin: told to fail", true},
		"without a state":                        {`{"fail": "no-state"}`, "could not initialize plugin: no state", false},
		"with the result code unwritten":         {`{"fail": "forget-rc"}`, "plugin_init broke the plugin interface: it left the result code unwritten", false},
		"of the schema, without a call":          {`{"size": 0}`, `error in plugin full init config: In <root>["size"], `, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := host.Register(lib)
			require.NoError(t, err)
			assert.ErrorContains(t, p.Init(host.InitOptions{Config: tt.config}), tt.want)
			assert.Equal(t, tt.state, p.HasState())
			p.Destroy()
			assert.False(t, p.HasState())
		})
	}
}

func TestASchemaCanBeSkipped(t *testing.T) {
	p := initialised(t, load(t, "full.c"), host.InitOptions{Config: `{"size": 0}`, SkipSchema: true})
	assert.Equal(t, []any{`{"size": 0}`}, value(t, p, "full.config", ""))
}

func TestAnOwnerIsInitialisedOnce(t *testing.T) {
	p := full(t)
	assert.EqualError(t, p.Init(host.InitOptions{}), "plugin has been initialized twice: full")
}

func TestAPluginWithoutExtractionAndParsingGetsNoTables(t *testing.T) {
	initialised(t, load(t, "small.c", "NO_EXTRACT", "NO_TABLES", fixture.Quoted("ASYNC", "[]")), host.InitOptions{})
}

func TestEventTypesOfTheFutureAreRefused(t *testing.T) {
	p, err := host.Register(load(t, "small.c", "TYPES=322,455"))
	require.NoError(t, err)
	assert.ErrorContains(t, p.Init(host.InitOptions{}), "event type 455 of plugin_get_extract_event_types is unknown to this framework; the greatest is 454")
	p.Destroy()

	p, err = host.Register(load(t, "small.c", "NULL_TYPES"))
	require.NoError(t, err)
	var broken *host.Violation
	require.ErrorAs(t, p.Init(host.InitOptions{}), &broken)
	assert.Equal(t, host.SymGetExtractEventTypes, broken.Call)
	assert.Contains(t, broken.Detail, "NULL with a count of 3")
	p.Destroy()
}

func TestWhichEventsAPluginIsAskedFor(t *testing.T) {
	const execve = 293
	tests := map[string]struct {
		macros []string
		sees   map[string][]uint16
		not    map[string][]uint16
	}{
		"no lists": {
			sees: map[string][]uint16{"a": {322, 402}, "syscall": {execve, 402}},
			not:  map[string][]uint16{"": {322}},
		},
		"a source": {
			macros: []string{fixture.Quoted("SOURCES", `["a"]`)},
			sees:   map[string][]uint16{"a": {322}},
			not:    map[string][]uint16{"a": {402}, "b": {322}, "syscall": {execve}},
		},
		"system calls": {
			macros: []string{fixture.Quoted("SOURCES", `["syscall"]`)},
			sees:   map[string][]uint16{"syscall": {execve, 402}},
			not:    map[string][]uint16{"a": {322}},
		},
		"a source and types": {
			macros: []string{fixture.Quoted("SOURCES", `["a"]`), "TYPES=322,402"},
			sees:   map[string][]uint16{"a": {322, 402}},
			not:    map[string][]uint16{"b": {322}, "a": {execve}},
		},
		"types alone": {
			macros: []string{"TYPES=322"},
			sees:   map[string][]uint16{"a": {322}, "b": {322}},
			not:    map[string][]uint16{"syscall": {execve}, "a": {402}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := initialised(t, load(t, "small.c", tt.macros...), host.InitOptions{})
			for source, types := range tt.sees {
				for _, et := range types {
					assert.True(t, p.Extracts(et, source), "type %d of source %q", et, source)
				}
			}
			for source, types := range tt.not {
				for _, et := range types {
					assert.False(t, p.Extracts(et, source), "type %d of source %q", et, source)
				}
			}
		})
	}
}

func TestTheEventSchemaIsCheckedAsAKernelDriverWould(t *testing.T) {
	tests := map[string]struct {
		macros []string
		want   string
	}{
		"only plugin events":          {[]string{"TYPES=322"}, ""},
		"one source by default":       {[]string{fixture.Quoted("SOURCES", `["a"]`)}, ""},
		"async events and no version": {[]string{"TYPES=322,402"}, "made for event schema 3.0.0 and the driver has 4.5.1"},
		"all sources and no version":  {nil, "made for event schema 3.0.0"},
		"a NULL version":              {[]string{"SCHEMA_VERSION=NULL"}, "made for event schema 3.0.0"},
		"an older version":            {[]string{fixture.Quoted("SCHEMA_VERSION", "4.0.0")}, ""},
		"a later version":             {[]string{fixture.Quoted("SCHEMA_VERSION", "4.6.0")}, "made for event schema 4.6.0"},
		"no version at all":           {[]string{fixture.Quoted("SCHEMA_VERSION", "four")}, `required event schema version "four" is no version`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := initialised(t, load(t, "small.c", tt.macros...), host.InitOptions{})
			err := p.CheckEventSchema()
			if tt.want == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, tt.want)
			}
		})
	}
}

func TestLogLinesNameTheirWriter(t *testing.T) {
	var log lines
	initialised(t, load(t, "full.c"), host.InitOptions{Log: log.add})
	assert.Equal(t, []string{"full: initialised", "part: of it"}, log.texts())
	assert.EqualValues(t, abi.SeverityInfo, log.all[0].Severity)
	assert.Equal(t, "part", log.all[1].Component)
	assert.Empty(t, log.all[0].Fault)
}

func TestALogLineAfterDestroyIsAFault(t *testing.T) {
	var log lines
	lib := load(t, "full.c")
	p, err := host.Register(lib)
	require.NoError(t, err)
	require.NoError(t, p.Init(host.InitOptions{Log: log.add}))
	p.Destroy()
	_, err = host.Register(lib) // makes the fixture log once more
	require.NoError(t, err)
	require.Len(t, log.all, 3)
	assert.Equal(t, "full: too late", log.all[2].String())
	assert.Equal(t, "logged after destroy", log.all[2].Fault)
}

func TestSetConfigIsCheckedAndHandedOver(t *testing.T) {
	p := full(t)
	ok, err := p.SetConfig(`{"size": 9}`, false)
	assert.True(t, ok)
	require.NoError(t, err)
	assert.Equal(t, []any{`{"size": 9}`}, value(t, p, "full.config", ""))

	_, err = p.SetConfig(`{"size": 0}`, false)
	assert.ErrorIs(t, err, host.ErrConfig)
	_, err = p.SetConfig(`{"fail": "refuse"}`, false)
	assert.EqualError(t, err, "set config of plugin full: config refused")
	assert.Equal(t, []any{`{"size": 9}`}, value(t, p, "full.config", ""))

	ok, err = initialised(t, load(t, "small.c"), host.InitOptions{}).SetConfig("{}", false)
	assert.False(t, ok, "the plugin has no set_config")
	assert.NoError(t, err)
}

func TestMetricsOfEveryTypeAreRead(t *testing.T) {
	p := full(t)
	metrics, err := p.Metrics()
	require.NoError(t, err)
	assert.Equal(t, []host.Metric{
		{Name: "u32", Monotonic: true, Value: uint32(4294967295)},
		{Name: "s32", Value: int32(-2)},
		{Name: "u64", Monotonic: true, Value: uint64(18446744073709551615)},
		{Name: "s64", Value: int64(-3)},
		{Name: "d", Value: 0.5},
		{Name: "f", Value: float32(0.25)},
		{Name: "i", Value: int32(-4)},
	}, metrics)

	none, err := initialised(t, load(t, "small.c"), host.InitOptions{}).Metrics()
	require.NoError(t, err)
	assert.Empty(t, none)
}

func TestBadMetricsAreViolations(t *testing.T) {
	lib := load(t, "full.c")
	for config, want := range map[string]string{
		"no-name": "metric 6 has no name", "odd-type": `metric "i" has value type 99`, "no-metrics": "NULL with a count of 7",
	} {
		p := initialised(t, lib, host.InitOptions{Config: config, SkipSchema: true})
		_, err := p.Metrics()
		var broken *host.Violation
		require.ErrorAs(t, err, &broken)
		assert.Contains(t, broken.Detail, want)
	}
}

func TestStatesOfOneLibraryAreIndependent(t *testing.T) {
	lib := load(t, "full.c")
	var wg sync.WaitGroup
	for k := range 8 {
		p := initialised(t, lib, host.InitOptions{Config: `{"size": 1` + strings.Repeat("0", k) + `}`})
		wg.Go(func() {
			e := host.NewPluginEvent(777, 1, []byte("x"))
			defer e.Free()
			for range 200 {
				r, err := p.Request("full.config", "", false)
				assert.NoError(t, err)
				x, err := p.Extract(e, r, false)
				assert.NoError(t, err)
				assert.Equal(t, []any{`{"size": 1` + strings.Repeat("0", k) + `}`}, x.Results[0].Values)
				_, err = p.Metrics()
				assert.NoError(t, err)
			}
		})
	}
	wg.Wait()
}

// value extracts one field from an event with payload "x" and number 1.
func value(t *testing.T, p *host.Plugin, field, argument string) []any {
	t.Helper()
	e := host.NewPluginEvent(777, 1, []byte("x"))
	defer e.Free()
	e.SetNum(1)
	e.SetSource("full_source")
	r, err := p.Request(field, argument, argument != "")
	require.NoError(t, err)
	x, err := p.Extract(e, r, false)
	require.NoError(t, err)
	require.Equal(t, abi.Success, x.RC)
	return x.Results[0].Values
}
