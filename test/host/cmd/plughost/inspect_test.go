// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/host"
	"github.com/aerie-falco/aerie/test/host/internal/fixture"
)

func inspectJSON(t *testing.T, code int, args ...string) report {
	t.Helper()
	got := plughost(t, append([]string{"inspect", "--json"}, args...)...)
	require.Equal(t, code, got.code, got.stderr)
	var r report
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &r))
	return r
}

func TestInspectTellsEverythingAPluginSays(t *testing.T) {
	lib := full(t)
	r := inspectJSON(t, exitDone, lib)
	require.Len(t, r.Fields, 25)
	assert.Equal(t, host.Field{Name: "full.echo", Type: "string", Desc: "d", Arg: host.FieldArg{Key: true, Index: true}, Properties: []string{}}, r.Fields[1])
	assert.Contains(t, string(r.InitSchema), `"additionalProperties"`)
	assert.Len(t, r.Symbols, 22)
	require.Len(t, r.Metrics, 7)
	assert.Equal(t, []metric{{"u32", "counter"}, {"s32", "gauge"}}, r.Metrics[:2])
	r.Fields, r.InitSchema, r.Symbols, r.Metrics = nil, nil, nil, nil
	assert.Equal(t, report{
		Path: lib, Name: "full", Version: "1.2.3", Description: "Does as it is told", Contact: "the test", RequiredAPI: "3.11.0",
		ID: 777, EventSource: "full_source", Capabilities: []string{"sourcing", "extraction"},
		ExtractSources: []string{"other_source", "full_source"}, ExtractTypes: []uint16{},
		ParseSources: []string{}, ParseTypes: []uint16{}, AsyncSources: []string{}, AsyncEvents: []string{},
		OpenParams: []host.OpenParam{{Value: "3", Desc: "three events"}, {Value: "5"}},
		Tables:     []host.TableInfo{},
		Findings:   []string{},
	}, r)
}

func TestInspectSpellsFieldsAsTheAPI(t *testing.T) {
	got := plughost(t, "inspect", "--json", small(t, "TYPES=322,402"))
	require.Equal(t, exitDone, got.code)
	var r map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &r))
	assert.Equal(t, []any{map[string]any{
		"name": "small.x", "type": "string", "isList": false, "display": "", "desc": "x", "addOutput": false, "properties": []any{},
		"arg": map[string]any{"isRequired": false, "isIndex": false, "isKey": false},
	}}, r["fields"])
	assert.Equal(t, []any{322.0, 402.0}, r["extract_event_types"])
	assert.Nil(t, r["init_schema"])
	assert.Equal(t, []any{}, r["open_params"])
	assert.Contains(t, r["kernel_driver_refuses"], "made for event schema 3.0.0")
}

func TestInspectIsReadable(t *testing.T) {
	got := plughost(t, "inspect", small(t, fixture.Quoted("FIELDS",
		`[{"type":"string","name":"small.x","desc":"an \u001b[31mx","arg":{"isKey":true,"isRequired":true}},{"type":"ipaddr","isList":true,"name":"small.ips","desc":"some","arg":{"isIndex":true}}]`),
		fixture.Quoted("SOURCES", `["a","b"]`)))
	require.Equal(t, exitDone, got.code)
	assert.Contains(t, got.stdout, "capabilities  extraction\nextraction    events of a, b\n")
	assert.Contains(t, got.stdout, "Fields\n"+
		"  small.x[KEY]        string          an \\x1b[31mx\n"+
		"  small.ips([INDEX])  list of ipaddr  some\n")
	assert.Contains(t, got.stdout, "\nSymbols\n  plugin_get_required_api_version\n")
	assert.NotContains(t, got.stdout, "Init schema", "there is none")
	assert.Contains(t, plughost(t, "inspect", full(t)).stdout, "\nInit schema\n  {\n    \"$schema\"")
}

func TestInspectShowsARefusedPluginAsFarAsItGoes(t *testing.T) {
	r := inspectJSON(t, exitFault, small(t, "NO_FIELDS"))
	assert.Equal(t, "small", r.Name)
	require.Len(t, r.Findings, 1)
	assert.Contains(t, r.Findings[0], "broken plugin capabilities: field extraction has plugin_extract_fields but not plugin_get_fields")
	assert.Contains(t, r.Symbols, "plugin_extract_fields")

	r = inspectJSON(t, exitFault, "/nosuch/libx.so")
	assert.Contains(t, r.Findings[0], "load plugin library: ")
	assert.Equal(t, "/nosuch/libx.so", r.Path)
}

func TestInspectTellsWhyThereIsNoState(t *testing.T) {
	r := inspectJSON(t, exitDone, full(t), "--config", `{"fail": "with-state"}`)
	assert.Equal(t, "could not initialize plugin: told to fail", r.InitError)
	assert.Len(t, r.Fields, 25, "what needs no state is there")
	assert.Empty(t, r.Findings)

	r = inspectJSON(t, exitFault, full(t), "--config", `{"fail": "forget-rc"}`)
	assert.Contains(t, r.Findings[0], "plugin_init broke the plugin interface")
}

func TestInspectSurvivesACrash(t *testing.T) {
	r := inspectJSON(t, exitCrash, full(t), "--config", `{"fail": "abort"}`)
	require.Len(t, r.Findings, 1)
	assert.Contains(t, r.Findings[0], "the plugin's process was killed by SIGABRT (last call: plugin_init of libfull-")
}
