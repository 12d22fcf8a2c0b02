// SPDX-License-Identifier: Apache-2.0

package sinsp_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/sinsp/act"
	"github.com/aerie-falco/aerie/test/sinsp/scenario"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// each runs f over every scenario of every plugin.
func each(t *testing.T, f func(t *testing.T, p plugin, s scenario.Scenario)) {
	for _, p := range plugins(t) {
		for _, s := range p.Scenarios {
			t.Run(p.Plugin+"/"+s.Name, func(t *testing.T) { f(t, p, s) })
		}
	}
}

// prepare sets up a new inspector for a scenario.
func prepare(t *testing.T, on *stage.Process, inspector string, p plugin, s scenario.Scenario) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), act.Patience)
	defer cancel()
	require.NoError(t, p.Prepare(ctx, on, inspector, s))
}

// perform opens the scenario's source in a prepared inspector, and reads.
func perform(t *testing.T, on *stage.Process, inspector string, p plugin, s scenario.Scenario) act.Performance {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), act.Patience)
	defer cancel()
	went, err := p.Perform(ctx, on, inspector, s)
	require.NoError(t, err)
	return went
}

// checkEvents compares what came with what is declared, value by value.
func checkEvents(t *testing.T, s scenario.Scenario, events []stage.Event) {
	t.Helper()
	require.Len(t, events, len(s.Events), "number of events")
	for k, want := range s.Events {
		assert.EqualValues(t, k+1, events[k].Num, "events are numbered from 1 without a gap")
		for field, value := range want {
			got, has := events[k].Values[field]
			if value == nil {
				assert.False(t, has, "event %d: %s has the value %v, and should have none", k+1, field, got)
				continue
			}
			assert.Equal(t, stage.Canonical(value), got, "event %d: %s", k+1, field)
		}
	}
}

// checkEnd compares how the stream ended.
func checkEnd(t *testing.T, s scenario.Scenario, went act.Performance) {
	t.Helper()
	switch {
	case s.Fails != "":
		assert.Equal(t, "failure", went.Result)
		assert.Contains(t, went.Error, s.Fails)
	case s.Post != nil || s.Blocks:
		assert.Equal(t, "timeout", went.Result, "the source goes on, and lets the framework have its turns")
	default:
		assert.Equal(t, "eof", went.Result)
	}
	if s.Post != nil {
		answers := s.Post.Answers
		if answers == nil {
			answers = slices.Repeat([]int{200}, len(s.Post.Payloads))
		}
		assert.Equal(t, answers, went.Answers)
	}
}

// declareRules makes each filter of the scenario a rule, as Falco would try it.
func declareRules(t *testing.T, on *stage.Process, inspector string, s scenario.Scenario) {
	for condition := range s.Passes {
		do(t, on, stage.Command{Do: "rule", Inspector: inspector, Name: condition, Condition: condition, Output: "event %evt.num"})
	}
}

func checkRules(t *testing.T, s scenario.Scenario, events []stage.Event) {
	for condition, passes := range s.Passes {
		var fired []int
		for _, e := range events {
			if output, ok := e.Rules[condition]; ok {
				assert.EqualValues(t, fmt.Sprintf("event %d", e.Num), output)
				fired = append(fired, int(e.Num))
			}
		}
		assert.ElementsMatch(t, passes, fired, "events that fire %s", condition)
	}
}

func TestG2G3G7LiveEventsHaveTheirValuesAndFireTheirRules(t *testing.T) {
	each(t, func(t *testing.T, p plugin, s scenario.Scenario) {
		on := framework(t)
		prepare(t, on, "a", p, s)
		declareRules(t, on, "a", s)
		went := perform(t, on, "a", p, s)
		checkEvents(t, s, went.Events)
		checkRules(t, s, went.Events)
		checkEnd(t, s, went)
		do(t, on, stage.Command{Do: "close", Inspector: "a"})
		do(t, on, stage.Command{Do: "drop", Inspector: "a"})
	})
}

func TestFiltersLetTheirEventsThrough(t *testing.T) {
	each(t, func(t *testing.T, p plugin, s scenario.Scenario) {
		if len(s.Passes) == 0 {
			return // the scenario is about something else
		}
		on := framework(t)
		for filter, passes := range s.Passes {
			prepare(t, on, filter, p, s)
			do(t, on, stage.Command{Do: "filter", Inspector: filter, Filter: filter})
			went := perform(t, on, filter, p, s)
			var through []int
			for _, e := range went.Events {
				through = append(through, int(e.Num))
			}
			assert.ElementsMatch(t, passes, through, "events that pass %s", filter)
			do(t, on, stage.Command{Do: "drop", Inspector: filter})
		}
	})
}

func TestG2AnInspectorOpenedAgainStartsOver(t *testing.T) {
	each(t, func(t *testing.T, p plugin, s scenario.Scenario) {
		on := framework(t)
		prepare(t, on, "a", p, s)
		for range 3 {
			went := perform(t, on, "a", p, s)
			checkEvents(t, s, went.Events)
			checkEnd(t, s, went)
			do(t, on, stage.Command{Do: "close", Inspector: "a"})
		}
	})
}

func TestG4G7InspectorsOfOneProcessDoNotMeet(t *testing.T) {
	each(t, func(t *testing.T, p plugin, s scenario.Scenario) {
		if s.Post != nil || s.Blocks {
			return // these need the test's attention one at a time
		}
		on := framework(t)
		var opened []stage.Command
		var reading []stage.Command
		for _, name := range []string{"a", "b", "c"} {
			prepare(t, on, name, p, s)
			open, err := p.Opening(name, s)
			require.NoError(t, err)
			opened = append(opened, open)
			reading = append(reading, stage.Command{Do: "next", Inspector: name, Events: 1 << 40, Idle: 1 << 40})
		}
		for _, open := range opened {
			do(t, on, open)
		}
		r, err := try(t, on, stage.Command{Do: "together", Steps: reading})
		if s.Fails == "" {
			require.NoError(t, err)
		}
		events := map[string][]stage.Event{}
		for _, e := range r.Events {
			events[e.Inspector] = append(events[e.Inspector], e)
		}
		for _, name := range []string{"b", "a", "c"} { // b's states go first, the others' work on
			checkEvents(t, s, events[name])
			do(t, on, stage.Command{Do: "drop", Inspector: name})
		}
	})
}
