// SPDX-License-Identifier: Apache-2.0

package sinsp_test

import (
	"debug/elf"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/sinsp/scenario"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// eachPlugin runs f over every plugin.
func eachPlugin(t *testing.T, f func(t *testing.T, p plugin)) {
	for _, p := range plugins(t) {
		t.Run(p.Plugin, func(t *testing.T) { f(t, p) })
	}
}

// register loads a plugin into an inspector and says what the framework learnt.
func register(t *testing.T, on *stage.Process, inspector string, p plugin) *stage.Plugin {
	t.Helper()
	r := do(t, on, stage.Command{Do: "register", Inspector: inspector, Library: p.Library(p.Plugin)})
	require.NotNil(t, r.Done.Plugin)
	return r.Done.Plugin
}

func TestG1FrameworkAndHostLearnTheSameOfAPlugin(t *testing.T) {
	eachPlugin(t, func(t *testing.T, p plugin) {
		learnt := register(t, framework(t), "a", p)
		assert.Equal(t, learnt, register(t, host(t), "a", p))
		assert.Equal(t, p.Plugin, learnt.Name, "a plugin is named as its folder")
	})
}

func TestG5RequiredVersionIsOfTheFrameworksMajor(t *testing.T) {
	eachPlugin(t, func(t *testing.T, p plugin) {
		assert.Regexp(t, `^3\.\d+\.\d+$`, register(t, framework(t), "a", p).RequiredAPI)
	})
}

func TestG1AStateIsMadeOncePerInspectorAndDestroyedLast(t *testing.T) {
	eachPlugin(t, func(t *testing.T, p plugin) {
		on := framework(t)
		config := p.Scenarios[0].Config
		for k := range 3 {
			name := fmt.Sprint(k)
			register(t, on, name, p)
			do(t, on, stage.Command{Do: "init", Inspector: name, Plugin: p.Plugin, Config: config})
			_, err := try(t, on, stage.Command{Do: "init", Inspector: name, Plugin: p.Plugin, Config: config})
			require.ErrorIs(t, err, stage.ErrRefused)
			assert.ErrorContains(t, err, "initialized twice")
		}
		// an inspector without a state goes as well
		register(t, on, "none", p)
		for _, name := range []string{"1", "none", "0", "2"} {
			do(t, on, stage.Command{Do: "drop", Inspector: name})
		}
	})
}

func TestConfigurationsAreCheckedAgainstTheSchema(t *testing.T) {
	eachPlugin(t, func(t *testing.T, p plugin) {
		on, played := framework(t), host(t)
		for k, r := range p.Refuses {
			name := fmt.Sprint(k)
			init := stage.Command{Do: "init", Inspector: name, Plugin: p.Plugin, Config: r.Config}
			register(t, on, name, p)
			_, err := try(t, on, init)
			require.ErrorIs(t, err, stage.ErrRefused, "the framework takes %s", r.Config)
			assert.ErrorContains(t, err, r.Error)
			register(t, played, name, p)
			_, err = try(t, played, init)
			assert.ErrorIs(t, err, stage.ErrRefused, "the test host takes %s", r.Config)
		}
	})
}

func TestG2OpenParametersThatAPluginRefusesFailTheOpenAndNothingElse(t *testing.T) {
	eachPlugin(t, func(t *testing.T, p plugin) {
		if len(p.CannotOpen) == 0 {
			return // no source, or none that refuses
		}
		for engine, on := range map[string]*stage.Process{"framework": framework(t), "host": host(t)} {
			for k, u := range p.CannotOpen {
				name := fmt.Sprint(k)
				register(t, on, name, p)
				do(t, on, stage.Command{Do: "init", Inspector: name, Plugin: p.Plugin, Config: u.Config})
				_, err := try(t, on, stage.Command{Do: "open", Inspector: name, Plugin: p.Plugin, Params: u.Params})
				require.ErrorIs(t, err, stage.ErrRefused, "the %s opens %s", engine, u.Params)
				assert.ErrorContains(t, err, u.Error, engine)
				do(t, on, stage.Command{Do: "close", Inspector: name})
			}
		}
	})
}

// exports lists the functions of the plugin API that a library has.
func exports(t *testing.T, library string) map[string]bool {
	f, err := elf.Open(library)
	require.NoError(t, err)
	defer f.Close()
	symbols, err := f.DynamicSymbols()
	require.NoError(t, err)
	all := map[string]bool{}
	for _, s := range symbols {
		if name, ok := strings.CutPrefix(s.Name, "plugin_"); ok && s.Section != elf.SHN_UNDEF {
			all[name] = true
		}
	}
	return all
}

func TestG6FunctionsLeftOutHaveTheFrameworksDefaults(t *testing.T) {
	eachPlugin(t, func(t *testing.T, p plugin) {
		has := exports(t, p.Library(p.Plugin))
		on := framework(t)
		learnt := register(t, on, "a", p)
		do(t, on, stage.Command{Do: "init", Inspector: "a", Plugin: p.Plugin, Config: p.Scenarios[0].Config})
		metrics := do(t, on, stage.Command{Do: "metrics", Inspector: "a"}).Done.Metrics
		params := do(t, on, stage.Command{Do: "open_params", Inspector: "a", Plugin: p.Plugin}).Done.OpenParams
		ok := do(t, on, stage.Command{Do: "set_config", Inspector: "a", Plugin: p.Plugin, Config: p.Scenarios[0].Config}).Done.OK
		for function, left := range map[string]bool{
			"get_init_schema":          learnt.Schema == "",
			"get_fields":               len(learnt.Fields) == 0,
			"get_id":                   learnt.ID == 0,
			"get_event_source":         learnt.Source == "",
			"open":                     !slices.Contains(learnt.Capabilities, "sourcing"),
			"extract_fields":           !slices.Contains(learnt.Capabilities, "extraction"),
			"parse_event":              !slices.Contains(learnt.Capabilities, "parsing"),
			"get_async_events":         !slices.Contains(learnt.Capabilities, "async"),
			"capture_open":             !slices.Contains(learnt.Capabilities, "capture"),
			"get_metrics":              len(metrics) == 0,
			"list_open_params":         len(params) == 0,
			"set_config":               !ok,
			"get_last_error":           false, // never left out
			"init":                     false,
			"get_required_api_version": learnt.RequiredAPI == "",
		} {
			if !has[function] {
				assert.True(t, left, "plugin_%s is left out, and the framework acts as if it was there", function)
			}
		}
	})
}

func TestG6EventsWithoutATextAreShownByTheirPayload(t *testing.T) {
	p := plugins(t)[0]
	s := scenario.Scenario{
		Feed:   &scenario.Feed{ID: 7, Source: "other", Payloads: []scenario.Payload{scenario.Payload("some text")}},
		Events: []map[string]any{{"evt.plugininfo": "datalen=9 data=some text", "evt.pluginname": stage.Feeder}},
	}
	on := framework(t)
	prepare(t, on, "a", p, s)
	checkEvents(t, s, perform(t, on, "a", p, s).Events)
}
