// SPDX-License-Identifier: Apache-2.0

package scenario_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/sinsp/scenario"
)

// declared writes files below a plugin's testdata and gives the plugin's folder.
func declared(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "testdata"), 0o755))
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "testdata", name), []byte(text), 0o644))
	}
	return dir
}

func TestPayloadsAreReadInEveryForm(t *testing.T) {
	dir := declared(t, map[string]string{"sample": "a\x00\xFF", "scenarios.yaml": `
scenarios:
  - name: n
    feed:
      source: s
      payloads: [text, '', 12, {hex: "00ff"}, {repeat: ab, times: 3}, {join: ['"', {repeat: x, times: 2}, {file: sample}]}]
    events: [{a.b: 1, a.c: ~}, {a.a: [x]}]
`})
	d, err := scenario.Read(dir)
	require.NoError(t, err)
	s := d.Scenarios[0]
	var got []string
	for _, p := range s.Feed.Payloads {
		got = append(got, string(p))
	}
	assert.Equal(t, []string{"text", "", "12", "\x00\xFF", "ababab", "\"xxa\x00\xFF"}, got)
	assert.EqualValues(t, scenario.TestID, s.Feed.ID)
	assert.Equal(t, []string{"a.a", "a.b", "a.c"}, s.Fields())
}

func TestWhatADeclarationLacksIsSaid(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"nothing":                     {"", "it is empty"},
		"no scenario":                 {"refuses: []\n", "no scenario"},
		"an unknown key":              {"scenarios: [{name: n, opens: x}]\n", "opens"},
		"no name":                     {"scenarios: [{open: x}]\n", `the name "" is empty`},
		"a name twice":                {"scenarios: [{name: n, open: x}, {name: n, open: x}]\n", `"n" is empty or another's`},
		"no events":                   {"scenarios: [{name: n}]\n", "use one of feed and open"},
		"a feed without a source":     {"scenarios: [{name: n, feed: {payloads: [x]}}]\n", "feed needs a source"},
		"a post to nowhere":           {"scenarios: [{name: n, feed: {source: s}, post: {path: /}}]\n", "post needs open"},
		"a file that is not there":    {"scenarios: [{name: n, feed: {source: s, payloads: [{file: none}]}}]\n", "none"},
		"a file of somebody else":     {"scenarios: [{name: n, feed: {source: s, payloads: [{file: ../x}]}}]\n", "outside"},
		"a payload of no known form":  {"scenarios: [{name: n, feed: {source: s, payloads: [{times: 3}]}}]\n", "a payload is a string"},
		"a payload that is no number": {"scenarios: [{name: n, feed: {source: s, payloads: [{hex: xy}]}}]\n", "invalid byte"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := scenario.Read(declared(t, map[string]string{"scenarios.yaml": tt.text}))
			assert.ErrorContains(t, err, tt.want)
		})
	}
	_, err := scenario.Read(t.TempDir())
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestEveryRuleNeedsBothKindsOfSamples(t *testing.T) {
	samples, err := scenario.ReadRules(declared(t, map[string]string{"rules.yaml": "R one: {fires: [a], spares: [b, c]}\n"}))
	require.NoError(t, err)
	assert.Equal(t, map[string]scenario.RuleSamples{"R one": {Fires: []scenario.Payload{scenario.Payload("a")}, Spares: []scenario.Payload{scenario.Payload("b"), scenario.Payload("c")}}}, samples)
	_, err = scenario.ReadRules(declared(t, map[string]string{"rules.yaml": "R: {fires: [a]}\n"}))
	assert.ErrorContains(t, err, `rule "R" needs at least one event`)
}
