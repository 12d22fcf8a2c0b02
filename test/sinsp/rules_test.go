// SPDX-License-Identifier: Apache-2.0

package sinsp_test

import (
	"encoding/hex"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/sinsp/act"
	"github.com/aerie-falco/aerie/test/sinsp/rules"
	"github.com/aerie-falco/aerie/test/sinsp/scenario"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// eachRulesFile runs f over every rules file of every plugin of the checkout.
func eachRulesFile(t *testing.T, f func(t *testing.T, all []plugin, dir string, file *rules.File)) {
	all := plugins(t)
	paths, err := filepath.Glob("../../plugins/*/rules/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			file, err := rules.Read(path)
			require.NoError(t, err)
			require.NotEmpty(t, file.Rules)
			f(t, all, filepath.Dir(filepath.Dir(path)), file)
		})
	}
}

// meet picks the plugin that meets a requirement: the first of those named that
// is there must be recent enough. It registers it in an inspector of its own.
func meet(t *testing.T, all []plugin, on *stage.Process, any []rules.Requirement) (plugin, *stage.Plugin) {
	t.Helper()
	for _, r := range any {
		k := slices.IndexFunc(all, func(p plugin) bool { return p.Plugin == r.Name })
		if k < 0 {
			continue
		}
		learnt := register(t, on, "requirement "+r.Name, all[k])
		loaded := numbers(t, learnt.Version)
		wanted := numbers(t, r.Version)
		assert.Equal(t, wanted[0], loaded[0], "%s: required version %s, built %v: another major version", r.Name, r.Version, loaded)
		assert.GreaterOrEqual(t, slices.Compare(loaded, wanted), 0, "%s: required version %s is later than the built %v", r.Name, r.Version, loaded)
		return all[k], learnt
	}
	require.Fail(t, "no plugin of the checkout meets a requirement", "%v", any)
	return plugin{}, nil
}

func numbers(t *testing.T, version string) []int {
	t.Helper()
	var out []int
	for _, part := range strings.Split(version, ".") {
		n, err := strconv.Atoi(part)
		require.NoError(t, err, "version %q; use N.N.N", version)
		out = append(out, n)
	}
	require.Len(t, out, 3, "version %q; use N.N.N", version)
	return out
}

func TestRulesFireOnTheirSamplesAndSpareNearMisses(t *testing.T) {
	eachRulesFile(t, func(t *testing.T, all []plugin, dir string, file *rules.File) {
		samples, err := scenario.ReadRules(dir)
		require.NoError(t, err, "samples for the rules of a plugin stand in %s", scenario.RulesFile)
		for _, source := range sources(file) {
			on := framework(t)
			do(t, on, stage.Command{Do: "feeder", Inspector: "a", ID: scenario.TestID, Source: source})
			do(t, on, stage.Command{Do: "init", Inspector: "a", Plugin: stage.Feeder})
			for _, any := range file.Plugins {
				// events come from the feeder, so only who extracts is needed, whatever source it may be as well
				if p, learnt := meet(t, all, on, any); slices.Contains(learnt.Capabilities, "extraction") {
					register(t, on, "a", p)
					do(t, on, stage.Command{Do: "init", Inspector: "a", Plugin: p.Plugin})
				}
			}
			var try trial
			for _, r := range file.Rules {
				if r.Source != source {
					continue
				}
				s, ok := samples[r.Name]
				require.True(t, ok, "rule %q has no samples in %s", r.Name, scenario.RulesFile)
				do(t, on, stage.Command{Do: "rule", Inspector: "a", Name: r.Name, Condition: r.Condition, Output: r.Output})
				try.add(r.Name, s.Fires, true)
				try.add(r.Name, s.Spares, false)
			}
			try.run(t, on)
		}
	})
}

func sources(file *rules.File) []string {
	var all []string
	for _, r := range file.Rules {
		all = append(all, r.Source)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// trial is a stream of all samples, and which rule looks at which of them.
type trial struct {
	feed  []stage.Fed
	rules []string
	fires []bool
}

func (c *trial) add(rule string, payloads []scenario.Payload, fires bool) {
	for _, p := range payloads {
		c.feed = append(c.feed, stage.Fed{TS: act.FirstTime + uint64(len(c.feed))*act.TimeStep, Hex: hex.EncodeToString(p)})
		c.rules, c.fires = append(c.rules, rule), append(c.fires, fires)
	}
}

func (c *trial) run(t *testing.T, on *stage.Process) {
	do(t, on, stage.Command{Do: "open", Inspector: "a", Plugin: stage.Feeder, Feed: c.feed})
	events := do(t, on, stage.Command{Do: "next", Inspector: "a", Events: 1 << 40, Idle: 1}).Events
	require.Len(t, events, len(c.feed))
	for k, e := range events {
		payload, err := c.feed[k].Payload()
		require.NoError(t, err)
		output, fired := e.Rules[c.rules[k]]
		assert.Equal(t, c.fires[k], fired, "rule %q fires on %.300s", c.rules[k], payload)
		if fired {
			assert.NotEmpty(t, output)
		}
	}
}

func TestRulesHaveNoSamplesOfRulesThatAreGone(t *testing.T) {
	present := map[string]map[string]bool{}
	eachRulesFile(t, func(_ *testing.T, _ []plugin, dir string, file *rules.File) {
		if present[dir] == nil {
			present[dir] = map[string]bool{}
		}
		for _, r := range file.Rules {
			present[dir][r.Name] = true
		}
	})
	for dir, there := range present {
		samples, err := scenario.ReadRules(dir)
		require.NoError(t, err)
		for name := range samples {
			assert.True(t, there[name], "%s: no rule is named %q", dir, name)
		}
	}
}
