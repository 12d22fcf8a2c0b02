// SPDX-License-Identifier: Apache-2.0

package sinsp_test

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/sinsp/act"
	"github.com/aerie-falco/aerie/test/sinsp/rules"
	"github.com/aerie-falco/aerie/test/sinsp/scenario"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// ruleset is a rules file of a plugin.
type ruleset struct {
	*rules.File
	dir        string // the plugin's
	text       []rules.Text
	extractors []plugin // of those that the file requires
}

// owner is the name of the plugin that the file is shipped with.
func (r *ruleset) owner() string { return filepath.Base(r.dir) }

// eachRulesFile runs f over every rules file of every plugin of the checkout.
func eachRulesFile(t *testing.T, f func(t *testing.T, all []plugin, file *ruleset)) {
	all := plugins(t)
	paths, err := filepath.Glob("../../plugins/*/rules/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			r := &ruleset{dir: filepath.Dir(filepath.Dir(path))}
			r.text, err = rules.Load(path)
			require.NoError(t, err)
			r.File, err = rules.Parse(r.text...)
			require.NoError(t, err)
			require.NotEmpty(t, r.Rules)
			f(t, all, r)
		})
	}
}

// meet finds the plugins that meet the file's requirements, and of these the ones that extract: for trials, events
// come from elsewhere, whatever source the plugins may be as well.
func (r *ruleset) meet(t *testing.T, all []plugin, on *stage.Process) {
	t.Helper()
	for k, any := range r.Plugins {
		p, learnt := meet(t, all, on, fmt.Sprint("requirement ", k+1), any)
		known := slices.ContainsFunc(r.extractors, func(e plugin) bool { return e.Plugin == p.Plugin })
		if slices.Contains(learnt.Capabilities, "extraction") && !known {
			r.extractors = append(r.extractors, p)
		}
	}
}

// meet picks the plugin that meets a requirement: the first of those named that
// is there must be recent enough.
func meet(t *testing.T, all []plugin, on *stage.Process, inspector string, any []rules.Requirement) (plugin, *stage.Plugin) {
	t.Helper()
	for _, r := range any {
		k := slices.IndexFunc(all, func(p plugin) bool { return p.Plugin == r.Name })
		if k < 0 {
			continue
		}
		learnt := register(t, on, inspector, all[k])
		assert.NoError(t, r.Met(learnt.Version))
		return all[k], learnt
	}
	require.Fail(t, "no plugin of the checkout meets a requirement", "%v", any)
	return plugin{}, nil
}

// load makes the fields of the required plugins known to an inspector.
func (r *ruleset) load(t *testing.T, on *stage.Process, inspector string, config map[string]string) {
	t.Helper()
	for _, p := range r.extractors {
		register(t, on, inspector, p)
		do(t, on, stage.Command{Do: "init", Inspector: inspector, Plugin: p.Plugin, Config: config[p.Plugin]})
	}
}

// everyField is what Falco puts before outputs, so that libsinsp shows those whose fields have no values too.
const everyField = "*"

// compile has libsinsp compile a rule.
func compile(t *testing.T, on *stage.Process, inspector string, r rules.Rule) {
	t.Helper()
	_, err := try(t, on, stage.Command{Do: "rule", Inspector: inspector, Name: r.Name, Condition: r.Condition, Output: everyField + r.Output})
	require.NoError(t, err, "%s: rule %q does not compile.\nCondition: %s\nOutput: %s", r.At, r.Name, r.Condition, r.Output)
}

func TestRulesRequireTheirOwnPluginAndHaveNoIdleParts(t *testing.T) {
	eachRulesFile(t, func(t *testing.T, _ []plugin, file *ruleset) {
		assert.Empty(t, file.Warnings)
		own := func(any []rules.Requirement) bool { return any[0].Name == file.owner() }
		assert.True(t, slices.ContainsFunc(file.Plugins, own), "required_plugin_versions does not name %s itself", file.owner())
		for _, r := range file.Rules {
			assert.NotEmpty(t, r.Tags, "%s: rule %q has no tags", r.At, r.Name)
		}
	})
}

func TestRulesFireOnTheirSamplesAndSpareNearMisses(t *testing.T) {
	eachRulesFile(t, func(t *testing.T, all []plugin, file *ruleset) {
		samples, err := scenario.ReadRules(file.dir)
		require.NoError(t, err, "samples for the rules of a plugin stand in %s", scenario.RulesFile)
		for _, r := range file.Rules {
			s, ok := samples[r.Name]
			require.True(t, ok, "%s: rule %q has no samples in %s", r.At, r.Name, scenario.RulesFile)
			require.Equal(t, r.Source == systemCalls, len(s.Captures) > 0, "%s: rule %q: rules for system calls are tried on captures, others on events", r.At, r.Name)
		}
		on, played := framework(t), host(t)
		file.meet(t, all, on)
		for _, source := range sources(file.File) {
			if source == systemCalls {
				file.tryOnCaptures(t, on, samples)
				continue
			}
			var try trial
			for _, r := range file.Rules {
				if r.Source == source {
					try.add(r, samples[r.Name].Fires, true)
					try.add(r, samples[r.Name].Spares, false)
				}
			}
			file.tryOnEvents(t, on, played, "events of "+source, try)
		}
		file.tryWithLocalRules(t, on, played, samples)
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

// tryWithLocalRules puts an operator's rules on top of the file.
func (r *ruleset) tryWithLocalRules(t *testing.T, on, played *stage.Process, samples map[string]scenario.RuleSamples) {
	for _, original := range r.Rules {
		for k, local := range samples[original.Name].Local {
			name := fmt.Sprintf("local %d of rule %q", k+1, original.Name)
			changed, err := rules.Parse(append(slices.Clip(r.text), rules.Text{Name: name, Content: []byte(local.Rules)})...)
			require.NoError(t, err)
			at := slices.IndexFunc(changed.Rules, func(r rules.Rule) bool { return r.Name == original.Name })
			require.GreaterOrEqual(t, at, 0)
			var try trial
			try.add(changed.Rules[at], local.Fires, true)
			try.add(changed.Rules[at], local.Spares, false)
			r.tryOnEvents(t, on, played, name, try)
		}
	}
}

// trial is a stream of samples, and which rule looks at which of them. All rules are of one source.
type trial struct {
	rules []rules.Rule
	feed  []stage.Fed
	looks []int // at a sample: index of a rule
	fires []bool
}

func (c *trial) add(rule rules.Rule, payloads []scenario.Payload, fires bool) {
	if len(c.rules) == 0 || c.rules[len(c.rules)-1].Name != rule.Name {
		c.rules = append(c.rules, rule)
	}
	for _, p := range payloads {
		c.feed = append(c.feed, stage.Fed{TS: act.FirstTime + uint64(len(c.feed))*act.TimeStep, Hex: hex.EncodeToString(p)})
		c.looks, c.fires = append(c.looks, len(c.rules)-1), append(c.fires, fires)
	}
}

// tryOnEvents runs a trial in an inspector of that name, and on the test host.
func (r *ruleset) tryOnEvents(t *testing.T, on, played *stage.Process, inspector string, c trial) {
	t.Helper()
	r.perform(t, on, inspector, c, compile)
	events := do(t, on, stage.Command{Do: "next", Inspector: inspector, Events: 1 << 40, Idle: 1}).Events
	require.Len(t, events, len(c.feed))
	for k, e := range events {
		payload, err := c.feed[k].Payload()
		require.NoError(t, err)
		rule := c.rules[c.looks[k]]
		output, fired := e.Rules[rule.Name]
		assert.Equal(t, c.fires[k], fired, "%s: %s: rule %q fires on %.1000s", rule.At, inspector, rule.Name, payload)
		if fired {
			assert.NotEmpty(t, output)
		}
	}

	// plughost says the same, of every rule and every event
	r.perform(t, played, inspector, c, func(t *testing.T, on *stage.Process, inspector string, r rules.Rule) {
		do(t, on, stage.Command{Do: "rule", Inspector: inspector, Name: r.Name, Condition: r.Condition, Output: r.Output})
	})
	said := do(t, played, stage.Command{Do: "next", Inspector: inspector, Events: 1 << 40, Idle: 1}).Events
	require.Len(t, said, len(events))
	for k, e := range said {
		assert.Equal(t, events[k].Rules, e.Rules, "event %d", k+1)
	}
}

// perform opens a trial's stream.
func (r *ruleset) perform(t *testing.T, on *stage.Process, inspector string, c trial, compile func(*testing.T, *stage.Process, string, rules.Rule)) {
	t.Helper()
	do(t, on, stage.Command{Do: "feeder", Inspector: inspector, ID: scenario.TestID, Source: c.rules[0].Source})
	do(t, on, stage.Command{Do: "init", Inspector: inspector, Plugin: stage.Feeder})
	r.load(t, on, inspector, nil)
	for _, rule := range c.rules {
		compile(t, on, inspector, rule)
	}
	do(t, on, stage.Command{Do: "open", Inspector: inspector, Plugin: stage.Feeder, Feed: c.feed})
}

func TestRulesHaveNoSamplesOfRulesThatAreGone(t *testing.T) {
	present := map[string]map[string]bool{}
	eachRulesFile(t, func(_ *testing.T, _ []plugin, file *ruleset) {
		if present[file.dir] == nil {
			present[file.dir] = map[string]bool{}
		}
		for _, r := range file.Rules {
			present[file.dir][r.Name] = true
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
