// SPDX-License-Identifier: Apache-2.0

package sinsp_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/sinsp/rules"
	"github.com/aerie-falco/aerie/test/sinsp/scenario"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// captured is a capture to replay with a configuration of the plugin, and the rules that look at it.
type captured struct {
	file, config string
}

// tryOnCaptures replays captures, each once for all rules that are tried on it.
func (r *ruleset) tryOnCaptures(t *testing.T, on *stage.Process, samples map[string]scenario.RuleSamples) {
	t.Helper()
	want := map[captured]map[string]scenario.Times{}
	for _, rule := range r.Rules {
		if rule.Source != systemCalls {
			continue
		}
		for _, c := range samples[rule.Name].Captures {
			replay := captured{c.File, c.Config}
			if want[replay] == nil {
				want[replay] = map[string]scenario.Times{}
			}
			want[replay][rule.Name] = c.Fires
		}
	}
	for replay, expected := range want {
		inspector := "replay of " + replay.file + " with " + replay.config
		do(t, on, stage.Command{Do: "syscalls", Inspector: inspector})
		r.load(t, on, inspector, map[string]string{r.owner(): replay.config})
		var looking []rules.Rule
		for _, rule := range r.Rules {
			if _, ok := expected[rule.Name]; ok {
				looking = append(looking, rule)
			}
		}
		fired := replayed(t, on, inspector, replay.file, looking)
		for _, rule := range looking {
			times := expected[rule.Name]
			assert.True(t, times.Allows(fired[rule.Name]), "%s: rule %q fires %d times in %s, not %s", rule.At, rule.Name, fired[rule.Name], replay.file, times)
		}
	}
}

// replayed counts how often rules fire in a capture. The inspector has the fields of
// system calls, and the plugins that they need.
func replayed(t *testing.T, on *stage.Process, inspector, file string, looking []rules.Rule) map[string]int {
	t.Helper()
	for _, rule := range looking {
		compile(t, on, inspector, rule)
	}
	do(t, on, stage.Command{Do: "replay", Inspector: inspector, File: file})
	done := do(t, on, stage.Command{Do: "next", Inspector: inspector, Events: 1 << 40, Idle: 1})
	require.Equal(t, "eof", done.Done.Result, "replaying %s: %s", file, done.Done.Error)
	require.NotEmpty(t, done.Events)
	fired := map[string]int{}
	for _, e := range done.Events {
		for name, output := range e.Rules {
			assert.NotEmpty(t, output)
			fired[name]++
		}
	}
	return fired
}

const systemCallRules = `
- list: readers
  items: [cat, grep]
- macro: started
  condition: evt.type in (execve, execveat)
- rule: Reader started
  desc: A program that reads files is started.
  condition: started and proc.name in (readers)
  output: Reader started (program=%proc.name file=%proc.args line=%threads.lineage)
  priority: INFO
  exceptions:
    - name: programs
      fields: [proc.pname, proc.name]
      comps: [=, in]
- rule: Reader started below a shell
  desc: A program that reads files is started by a program that a shell started.
  condition: started and proc.name in (readers) and threads.lineage contains /sh
  output: Reader started (program=%proc.name)
  priority: INFO
`

func TestRulesForSystemCallsAreTriedOnCaptures(t *testing.T) {
	on := framework(t)
	fires := func(inspector string, local string) map[string]int {
		f, err := rules.Parse(rules.Text{Name: "rules", Content: []byte(systemCallRules)}, rules.Text{Name: "local", Content: []byte(local)})
		require.NoError(t, err)
		do(t, on, stage.Command{Do: "syscalls", Inspector: inspector})
		load(t, on, inspector, threads)
		return replayed(t, on, inspector, pods(t), f.Rules)
	}
	// the programs that TestReferenceThreadsOfARealCapture counts
	assert.Equal(t, map[string]int{"Reader started": 15, "Reader started below a shell": 1}, fires("a", ""))
	assert.Equal(t, map[string]int{"Reader started": 12, "Reader started below a shell": 1}, fires("with an exception", `
- rule: Reader started
  exceptions: [{name: programs, values: [[log-shipper, [cat, tail]]]}]
  override: {exceptions: append}
`))
}
