// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/host/internal/fixture"
)

func benchJSON(t *testing.T, code int, args ...string) ([]measure, ended) {
	t.Helper()
	got := plughost(t, append([]string{"bench", "--json", "--time", "1ms"}, args...)...)
	require.Equal(t, code, got.code, got.stderr)
	var rows []measure
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &rows))
	return rows, got
}

func names(rows []measure) []string {
	var names []string
	for _, m := range rows {
		names = append(names, m.Name)
	}
	return names
}

// constants are the first rows of every bench of the fixture.
var constants = []string{
	"plugin_get_required_api_version", "plugin_get_name", "plugin_get_description", "plugin_get_contact", "plugin_get_version",
	"plugin_get_id", "plugin_get_event_source", "plugin_extract_fields of no field",
}

func TestBenchMeasuresFieldsBesideANoOp(t *testing.T) {
	rows, _ := benchJSON(t, exitDone, full(t), "--fields", "full.num,full.none,full.echo[x,y]", "--fields", "full.index[3]")
	assert.Equal(t, append(append([]string{}, constants...),
		"full.num, seen event", "full.num, new event", "full.none, seen event", "full.none, new event",
		"full.echo[x,y], seen event", "full.echo[x,y], new event", "full.index[3], seen event", "full.index[3], new event",
	), names(rows))
	var base measure
	for _, m := range rows {
		assert.Positive(t, m.Calls, m.Name)
		assert.Positive(t, m.NS, m.Name)
		if m.Note == "no-op crossing" {
			assert.Empty(t, base.Name, "there is one baseline")
			base = m
		}
	}
	for k, m := range rows {
		assert.InDelta(t, m.NS/m.CrossingNS, m.Ratio, 1e-9, m.Name)
		assert.Positive(t, m.CrossingNS, m.Name)
		if k < len(constants) {
			assert.GreaterOrEqual(t, m.NS, base.NS, "the fastest is the baseline")
		}
	}
	assert.Empty(t, rows[8].Note)
	assert.Equal(t, "no value in 100% of the calls", rows[10].Note)
}

func TestTheBaselineOfABenchCanBeChosen(t *testing.T) {
	rows, _ := benchJSON(t, exitDone, full(t), "--fields", "full.num", "--baseline", "plugin_extract_fields of no field")
	assert.Equal(t, 1.0, rows[7].Ratio)
	assert.Equal(t, "no-op crossing", rows[7].Note)
	got := plughost(t, "bench", full(t), "--time", "1ms", "--baseline", "plugin_init")
	assert.Equal(t, exitUsage, got.code)
	assert.Contains(t, got.stderr, "--baseline plugin_init: it is none of the calls measured")
}

func TestBenchMeasuresFieldsTogetherAndAParse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "events")
	require.NoError(t, os.WriteFile(file, []byte("{}\n[1]\n"), 0o600))
	rows, _ := benchJSON(t, exitDone, full(t), "--fields", "full.num,full.none", "--together", "--parse", "--events", file)
	assert.Equal(t, append(append([]string{}, constants...),
		"full.num, seen event", "full.num, new event", "full.none, seen event", "full.none, new event",
		"2 fields in one call, seen event", "2 fields in 2 calls, seen event", "2 fields in one call, new event", "2 fields in 2 calls, new event",
		"a JSON parse, new event",
	), names(rows))
	assert.Equal(t, "50% of the fields have no value", rows[len(constants)+4].Note)

	require.NoError(t, os.WriteFile(file, []byte("{}\n{\n"), 0o600))
	got := plughost(t, "bench", full(t), "--time", "1ms", "--fields", "full.num", "--parse", "--events", file)
	assert.Equal(t, exitUsage, got.code)
	assert.Contains(t, got.stderr, "--parse: cannot parse")
}

func TestBenchWithOnePayloadHasNoNewEvents(t *testing.T) {
	file := filepath.Join(t.TempDir(), "events")
	require.NoError(t, os.WriteFile(file, []byte("same\nsame\n"), 0o600))
	rows, _ := benchJSON(t, exitDone, full(t), "--fields", "full.num", "--events", file)
	assert.Equal(t, append(append([]string{}, constants...), "full.num, seen event"), names(rows))
}

func TestBenchMeasuresASource(t *testing.T) {
	rows, _ := benchJSON(t, exitDone, full(t), "--fields", "full.num", "--open", "10 0:timeout 20 30", "--count", "60")
	require.Len(t, rows, 12)
	assert.Equal(t, "next_batch", rows[10].Name)
	assert.Equal(t, 3, rows[10].Calls)
	assert.Equal(t, "60 events in 3 batches, 1 calls without events", rows[10].Note)
	assert.Equal(t, "next_batch, per event", rows[11].Name)
	assert.Equal(t, 60, rows[11].Calls)

	_, got := benchJSON(t, exitDone, full(t), "--fields", "full.num", "--open", "")
	assert.Contains(t, got.stderr, "--open: the source gave no events: 0 events in 0 batches, 1 calls without events")
}

func TestBenchFeedsAnOpenSource(t *testing.T) {
	flag := filepath.Join(t.TempDir(), "fed")
	rows, _ := benchJSON(t, exitDone, full(t), "--fields", "full.num", "--open", "1 file="+flag, "--count", "2", "--duration", "1m",
		"--feed", "touch "+flag+"; exec sleep 1000")
	assert.Equal(t, 2, rows[len(rows)-1].Calls, "the event that the command caused is there, and the command was ended")
}

func TestBenchKeepsItsRowsOverACrash(t *testing.T) {
	rows, got := benchJSON(t, exitCrash, full(t), "--fields", "full.num,bad.abort")
	assert.Equal(t, append(append([]string{}, constants...), "full.num, seen event", "full.num, new event"), names(rows))
	assert.Contains(t, got.stderr, "was killed by SIGABRT (last call: plugin_extract_fields of ")
}

func TestBenchPrintsATable(t *testing.T) {
	got := plughost(t, "bench", full(t), "--time", "1ms", "--fields", "full.none", "--baseline", "plugin_get_name")
	require.Equal(t, exitDone, got.code)
	assert.Regexp(t, `(?s)^ +calls +ns/op +ratio *\n`+
		` +\d+ +\d+\.\d +\d+\.\d\d +plugin_get_required_api_version\n`+
		` +\d+ +\d+\.\d +1\.00 +plugin_get_name  \(no-op crossing\)\n`+
		`.* +\d+ +\d+\.\d +\d+\.\d\d +full\.none, seen event  \(no value in 100% of the calls\)\n`, got.stdout)
}

func TestAnArgumentIsTakenFromTheFirstPayload(t *testing.T) {
	for document, want := range map[string]string{
		`{"b":1,"a":{"x/y~":[null,"v"]}}`:   "/a/x~1y~0/1",
		`{"a":null,"b":{},"c":[],"d":true}`: "/d",
		`{"with space":1}`:                  "0",
		`{"a]":1}`:                          "0",
		`"text"`:                            "0",
		`no JSON`:                           "0",
		`[]`:                                "0",
	} {
		assert.Equal(t, want, firstPointer(document, "0"), document)
	}
	payloads := samplePayloads()
	for k, p := range payloads {
		assert.True(t, json.Valid(p), "%s", p)
		assert.NotEqual(t, payloads[(k+1)%len(payloads)], p)
	}
}

func TestBenchMeasuresParsing(t *testing.T) {
	rows, _ := benchJSON(t, exitDone, fixture.Build(t, "../../testdata/owned.c"))
	last := rows[len(rows)-1]
	assert.Equal(t, "plugin_parse_event, seen event", last.Name)
	assert.Positive(t, last.NS)
}
