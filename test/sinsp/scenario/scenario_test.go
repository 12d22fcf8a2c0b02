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

func TestTheFolderOfSamplesAndTheTypeOfAPost(t *testing.T) {
	dir := declared(t, map[string]string{"scenarios.yaml": `
scenarios:
  - {name: a, open: 'file://${testdata}/log'}
  - {name: b, open: 'http://${address}', post: {path: /, type: text/plain, payloads: [x]}}
`})
	d, err := scenario.Read(dir)
	require.NoError(t, err)
	assert.Equal(t, "file://"+filepath.Join(dir, "testdata")+"/log", *d.Scenarios[0].Open)
	assert.Equal(t, "http://${address}", *d.Scenarios[1].Open)
	assert.Equal(t, "text/plain", d.Scenarios[1].Post.Type)
}

func TestRecordedSystemCallsAreRead(t *testing.T) {
	d, err := scenario.Read(declared(t, map[string]string{"scenarios.yaml": `
scenarios: [{name: n, open: x}]
captures:
  - name: pods
    capture: pods.scap.gz
    server: {run: cmd/x, args: [a]}
    live: [{await: {table: pods, rows: 1, with: {name: x}}}, {play: 7, groups: [{where: f = 1, events: 2, fields: {a.c: 1}}]}, {tell: down}, {play: rest}]
    groups: [{where: g = 1, events: 3, fields: {a.b: ~}}, {where: f = 1, events: 4}]
`}))
	require.NoError(t, err)
	r := d.Captures[0]
	assert.Equal(t, []string{"a.b", "a.c"}, r.Fields())
	assert.Equal(t, []string{"f = 1", "g = 1"}, r.Filters())
	assert.EqualValues(t, 7, r.Live[1].Play)
	assert.Equal(t, scenario.Rest, r.Live[3].Play)
}

func TestWhatARecordedScenarioLacksIsSaid(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"no name":                        {"capture: x, groups: [{where: f}]", `the name "" is empty`},
		"a capture of somebody else":     {"name: m, capture: ../x, groups: [{where: f}]", "not a file below"},
		"nothing to see":                 {"name: m, capture: x", "no groups"},
		"a server beside a replay":       {"name: m, capture: x, groups: [{where: f}], server: {run: y}", "a server needs a live capture"},
		"events among those that happen": {"name: m, capture: x, groups: [{where: f}], live: [{play: 1}], among: [{name: k}]", "this one is live"},
		"a step of two":                  {"name: m, capture: x, groups: [{where: f}], live: [{play: 1, tell: y}]", "step 1: use one of"},
		"nobody to tell":                 {"name: m, capture: x, groups: [{where: f}], live: [{tell: y}]", "there is no server"},
		"nothing awaited":                {"name: m, capture: x, groups: [{where: f}], live: [{await: {rows: 1}}]", "await a table or a metric"},
		"a metric without a number":      {"name: m, capture: x, groups: [{where: f}], live: [{await: {metric: a.b}}]", "at least, or at most"},
		"a play of no number":            {"name: m, capture: x, groups: [{where: f}], live: [{play: some}]", `play "some"`},
		"groups of a wait":               {"name: m, capture: x, live: [{await: {table: t}, groups: [{where: f}]}]", "groups are of events that are played"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := scenario.Read(declared(t, map[string]string{"scenarios.yaml": "scenarios: [{name: n, open: x}]\ncaptures: [{" + tt.text + "}]\n"}))
			assert.ErrorContains(t, err, tt.want)
		})
	}
}
