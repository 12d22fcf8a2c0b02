// SPDX-License-Identifier: Apache-2.0

package scenario_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/sinsp/scenario"
)

func TestSamplesOfRulesAreRead(t *testing.T) {
	dir := declared(t, map[string]string{"sample": "s", "rules.yaml": `
One:
  fires: [a]
  spares: [b, {file: sample}]
  local: [{rules: '- list: l', spares: [{file: sample}]}]
Two:
  captures: [{file: x/y.scap, config: '{}', fires: 3}, {file: z.scap, fires: some}, {file: z.scap, fires: never}]
`})
	samples, err := scenario.ReadRules(dir)
	require.NoError(t, err)
	text := func(s string) scenario.Payload { return scenario.Payload(s) }
	assert.Equal(t, map[string]scenario.RuleSamples{
		"One": {
			Fires: []scenario.Payload{text("a")}, Spares: []scenario.Payload{text("b"), text("s")},
			Local: []scenario.LocalSamples{{Rules: "- list: l", Spares: []scenario.Payload{text("s")}}},
		},
		"Two": {Captures: []scenario.Capture{
			{File: filepath.Join(dir, "testdata/x/y.scap"), Config: "{}", Fires: 3},
			{File: filepath.Join(dir, "testdata/z.scap"), Fires: scenario.Some},
			{File: filepath.Join(dir, "testdata/z.scap"), Fires: 0},
		}},
	}, samples)
}

func TestTimesAreNumbersOrWords(t *testing.T) {
	for _, tt := range []struct {
		times scenario.Times
		text  string
		right []int
		wrong []int
	}{
		{scenario.Some, "some", []int{1, 7}, []int{0}},
		{0, "never", []int{0}, []int{1}},
		{3, "3", []int{3}, []int{0, 2, 4}},
	} {
		assert.Equal(t, tt.text, tt.times.String())
		for _, n := range tt.right {
			assert.True(t, tt.times.Allows(n), "%s allows %d", tt.times, n)
		}
		for _, n := range tt.wrong {
			assert.False(t, tt.times.Allows(n), "%s allows %d", tt.times, n)
		}
	}
}

func TestWhatSamplesLackIsSaid(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"no near miss":                       {"R: {fires: [a]}", `rule "R": it needs at least one event that fires it and one that does not`},
		"nothing that fires":                 {"R: {spares: [a]}", `it needs at least one event that fires it`},
		"captures that all fire":             {"R: {captures: [{file: x, fires: some}]}", `it needs a capture that fires it, and one`},
		"captures that never fire":           {"R: {captures: [{file: x, fires: 0}]}", `it needs a capture that fires it, and one`},
		"events and captures":                {"R: {fires: [a], spares: [b], captures: [{file: x, fires: 1}]}", `use events or captures, not both`},
		"a number that is none":              {"R: {captures: [{file: x, fires: often}]}", `a rule fires "often"; use a number, some or never`},
		"a capture of somebody else":         {"R: {captures: [{file: ../x, fires: 1}]}", `capture "../x" is outside`},
		"local rules without events":         {"R: {fires: [a], spares: [b], local: [{rules: x}]}", `local 1 needs rules, and events`},
		"local events without rules":         {"R: {fires: [a], spares: [b], local: [{fires: [x]}]}", `local 1 needs rules, and events`},
		"a key that the declaration ignores": {"R: {fires: [a], spares: [b], fire: [c]}", `field fire not found`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := scenario.ReadRules(declared(t, map[string]string{"rules.yaml": tt.text}))
			assert.ErrorContains(t, err, tt.want)
		})
	}
}
