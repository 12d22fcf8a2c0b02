// SPDX-License-Identifier: Apache-2.0

package sinsp_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/sinsp/scenario"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

func TestHostAndFrameworkPlayAScenarioAlike(t *testing.T) {
	each(t, func(t *testing.T, p plugin, s scenario.Scenario) {
		on, played := framework(t), host(t)
		prepare(t, on, "a", p, s)
		prepare(t, played, "a", p, s)
		real, ours := perform(t, on, "a", p, s), perform(t, played, "a", p, s)
		assert.Equal(t, real.Result, ours.Result)
		assert.Equal(t, real.Error, ours.Error)
		assert.Equal(t, real.Answers, ours.Answers)
		require.Len(t, ours.Events, len(real.Events))
		for k := range real.Events {
			if s.Post != nil || s.Timed || s.Asynchronous { // these carry the time they came at
				ours.Events[k].TS = real.Events[k].TS
			}
			assert.Equal(t, real.Events[k], ours.Events[k], "event %d", k+1)
		}
		metrics := stage.Command{Do: "metrics", Inspector: "a"}
		assert.Equal(t, do(t, on, metrics).Done.Metrics, do(t, played, metrics).Done.Metrics)
		background := slices.Contains(register(t, framework(t), "b", p).Capabilities, "async")
		lines := logged(t, on, p)
		if !background { // else what it has come to say depends on the time
			assert.Equal(t, lines, logged(t, played, p))
		}
		for _, part := range s.Logs {
			assert.True(t, slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, part) }), "%q is logged, in %q", part, lines)
		}
	})
}

var port = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// logged ends a process and lists what a plugin logged, in any order: it may log on several threads.
func logged(t *testing.T, on *stage.Process, p plugin) []string {
	t.Helper()
	do(t, on, stage.Command{Do: "drop", Inspector: "a"})
	require.NoError(t, on.Close())
	var lines []string
	for _, l := range on.Logs {
		if strings.HasPrefix(string(l.Text), p.Plugin+": ") {
			line := port.ReplaceAllString(string(l.Text), "127.0.0.1:0")
			line, _, _ = strings.Cut(line, " stack=") // of the plugin's threads, which it does not choose
			lines = append(lines, fmt.Sprint(l.Severity, " ", line))
		}
	}
	slices.Sort(lines)
	return lines
}

func TestHostAndFrameworkFilterAlike(t *testing.T) {
	each(t, func(t *testing.T, p plugin, s scenario.Scenario) {
		if len(s.Passes) == 0 {
			return // the scenario is about something else
		}
		played := host(t)
		for filter, passes := range s.Passes {
			prepare(t, played, filter, p, s)
			do(t, played, stage.Command{Do: "filter", Inspector: filter, Filter: filter})
			var through []int
			for _, e := range perform(t, played, filter, p, s).Events {
				through = append(through, int(e.Num))
			}
			assert.ElementsMatch(t, passes, through, "events that pass %s", filter)
		}
	})
}
