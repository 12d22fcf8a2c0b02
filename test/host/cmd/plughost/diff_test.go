// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/face"
	"github.com/aerie-falco/aerie/test/host/internal/fixture"
)

// keep writes text to a file of the test's own.
func keep(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

func TestTheFaceHasWhatOthersRelyOn(t *testing.T) {
	schema := keep(t, "open.json", `{"type": "string"}`)
	got := plughost(t, "inspect", "--face", full(t), "--open-params-schema", schema)
	require.Equal(t, exitDone, got.code, got.stderr)
	f, err := face.Decode([]byte(got.stdout))
	require.NoError(t, err)
	assert.Equal(t, "full", f.Name)
	assert.Equal(t, uint32(777), f.ID)
	require.Len(t, f.Fields, 25)
	assert.Equal(t, face.Field{Name: "full.echo", Type: "string", Desc: "d", Arg: face.Argument{Key: true, Index: true}, Properties: []string{}}, f.Fields[1])
	assert.Equal(t, []string{"3", "5"}, f.OpenParams)
	assert.JSONEq(t, `{"type": "string"}`, string(f.OpenSchema))
	assert.Contains(t, string(f.InitSchema), `"additionalProperties"`)
	assert.NotContains(t, got.stdout, filepath.Dir(schema), "it is the same on every machine")

	got = plughost(t, "inspect", "--face", full(t), "--config", `{"fail": "with-state"}`)
	assert.Equal(t, exitFault, got.code)
	assert.Contains(t, got.stderr, "could not initialize plugin: told to fail; a plugin that needs a configuration gets it with --config")
	got = plughost(t, "inspect", "--face", full(t), "--open-params-schema", keep(t, "broken.json", "{"))
	assert.Equal(t, exitUsage, got.code)
	assert.Contains(t, got.stderr, "is no JSON")
}

func TestTheTablesThatAPluginAddsAreShown(t *testing.T) {
	lib := fixture.Build(t, "../../testdata/owned.c")
	r := inspectJSON(t, exitDone, lib)
	require.Len(t, r.Tables, 1)
	assert.Equal(t, "own", r.Tables[0].Name)
	assert.Contains(t, plughost(t, "inspect", lib).stdout, "state table    own[string]: n uint64, s string, in table (read-only)\n")
}

func TestTwoVersionsAreCompared(t *testing.T) {
	field := func(text string) string { return fixture.Quoted("FIELDS", text) }
	old := small(t, field(`[{"type":"string","name":"small.x","desc":"an x"}]`))
	changed := small(t, field(`[{"type":"uint64","name":"small.x","desc":"the x"},{"type":"string","name":"small.y","desc":"y"}]`))
	got := plughost(t, "diff", old, changed)
	require.Equal(t, exitDone, got.code, got.stderr)
	assert.Equal(t, []string{
		"major  field small.x: type string -> uint64",
		`patch  field small.x: description "an x" -> "the x" — did its meaning change?`,
		"minor  field small.y: added",
	}, got.lines()[:3])
	assert.Regexp(t, `(?m)^needs \d+\.\d+\.\d+ after \d+\.\d+\.\d+`, got.stdout)
	assert.Contains(t, got.stdout, "\nnot so: version ")

	kept := keep(t, "face.json", plughost(t, "inspect", "--face", old).stdout)
	again := plughost(t, "diff", kept, changed)
	assert.Equal(t, got.stdout, again.stdout, "a face does as well as the plugin")
	assert.Regexp(t, `^nothing that others rely on changed between`, plughost(t, "diff", kept, old).stdout)

	more := keep(t, "more.json", `[{"subject": "payload", "text": "is another", "bump": "refused"}]`)
	got = plughost(t, "diff", "--json", "--with", more, kept, old)
	require.Equal(t, exitDone, got.code, got.stderr)
	var v face.Verdict
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &v))
	assert.Equal(t, face.Refused, v.Needed)
	assert.Equal(t, "payload: is another", v.Problems[0])
	assert.Contains(t, plughost(t, "diff", "--with", more, kept, old).stdout, "no version of this plugin may have these changes")
}

func TestWhatCannotBeComparedIsSaid(t *testing.T) {
	lib := small(t)
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"a file that is not there": {[]string{"/nosuch", lib}, exitUsage, "reading a plugin or its face: open /nosuch"},
		"a JSON that is no face":   {[]string{keep(t, "x.json", "{}"), lib}, exitUsage, "it has no name or no version"},
		"a text":                   {[]string{lib, keep(t, "x.txt", "plugin")}, exitFault, "load plugin library"},
		"a plugin that is refused": {[]string{lib, small(t, "NO_FIELDS")}, exitFault, "broken plugin capabilities"},
		"changes that are none":    {[]string{"--with", keep(t, "y.json", `[{"bump": "huge"}]`), lib, lib}, exitUsage, `bump "huge" is none of`},
		"changes that are nowhere": {[]string{"--with", "/nosuch", lib, lib}, exitUsage, "--with: open /nosuch"},
	} {
		t.Run(name, func(t *testing.T) {
			got := plughost(t, append([]string{"diff"}, c.args...)...)
			assert.Equal(t, c.code, got.code)
			assert.Contains(t, got.stderr, c.want)
			assert.Empty(t, got.stdout)
		})
	}
}

// good is full without the fields that break the interface.
func good(t *testing.T) string { return fixture.Build(t, "../../testdata/full.c", "GOOD") }

func TestWhatAPluginMakesOfPayloadsIsRecordedAndCompared(t *testing.T) {
	given := keep(t, "given.json", `{"source": "full_source", "events": [{"async": "x", "text": "first"}, {"text": "{\"seq\": 7}"}, {"hex": "00ff"}],
		"fields": ["full.payload", "evt.plugininfo", "full.nosuch"]}`)
	got := plughost(t, "payloads", good(t), given)
	require.Equal(t, exitDone, got.code, got.stderr)
	var f struct {
		Recorded struct {
			Values []map[string]any
			Empty  map[string]any
		}
	}
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &f))
	require.Len(t, f.Recorded.Values, 3)
	assert.Nil(t, f.Recorded.Values[0], "the framework parses it before the first event that it returns")
	assert.Equal(t, []any{true}, []any{f.Recorded.Values[1]["full.fails"].(map[string]any)["failed"]})
	assert.Equal(t, "10.1.2.3", f.Recorded.Values[1]["full.ip"])
	assert.Equal(t, `{"seq": 7}`, f.Recorded.Values[1]["full.payload"])
	assert.NotContains(t, f.Recorded.Values[1], "full.nosuch")
	assert.NotNil(t, f.Recorded.Empty)
	assert.Equal(t, got.stdout, plughost(t, "payloads", good(t), keep(t, "again.json", got.stdout)).stdout, "the same each time")

	same := keep(t, "recorded.json", got.stdout)
	assert.Equal(t, "[]\n", plughost(t, "payloads", "--compare", good(t), same).stdout)
	other := keep(t, "other.json", strings.Replace(got.stdout, `"full.payload": "{\"seq\": 7}"`, `"full.payload": "{\"seq\": 8}"`, 1))
	compared := plughost(t, "payloads", "--compare", "--name", "other.json", good(t), other)
	var changes []face.Change
	require.NoError(t, json.Unmarshal([]byte(compared.stdout), &changes))
	assert.Equal(t, []face.Change{{
		Subject: "value of full.payload", Text: `event 2 of other.json gives "{\"seq\": 7}", where it gave "{\"seq\": 8}"`, Bump: face.Major,
	}}, changes)

	got = plughost(t, "payloads", "--compare", good(t), given)
	assert.Equal(t, exitUsage, got.code)
	assert.Contains(t, got.stderr, "nothing is recorded in it")
}

func TestWhatASourceMakesIsRecorded(t *testing.T) {
	open := keep(t, "open.json", `{"open": "3", "fields": ["full.payload"]}`)
	got := plughost(t, "payloads", good(t), open)
	require.Equal(t, exitDone, got.code, got.stderr)
	var f struct {
		Recorded struct {
			Emitted []map[string]string
			Values  []map[string]any
		}
	}
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &f))
	require.Len(t, f.Recorded.Emitted, 3)
	assert.Equal(t, map[string]string{"text": `{"seq": 1}`}, f.Recorded.Emitted[0])
	assert.Equal(t, `{"seq": 3}`, f.Recorded.Values[2]["full.payload"])

	fewer := keep(t, "fewer.json", `{"open": "3", "count": 2}`)
	require.NoError(t, json.Unmarshal([]byte(plughost(t, "payloads", good(t), fewer).stdout), &f))
	assert.Len(t, f.Recorded.Emitted, 2)
	got = plughost(t, "payloads", good(t), keep(t, "refused.json", `{"open": "refuse"}`))
	assert.Equal(t, exitFault, got.code)
	assert.Contains(t, got.stderr, `open full with "refuse"`)
}
