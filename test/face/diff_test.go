// SPDX-License-Identifier: Apache-2.0

package face

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sample is a plugin with something of everything. Each call makes a new one.
func sample() Face {
	return Face{
		Name: "sample", Version: "1.2.3", Description: "A sample", Contact: "jo@example.org", RequiredAPI: "3.3.1", ID: 7, EventSource: "sample",
		Capabilities: []string{"sourcing", "extraction", "parsing", "async"},
		Fields: []Field{
			{Name: "sample.one", Type: "string", Desc: "One.", Display: "One"},
			{Name: "sample.two", Type: "uint64", Desc: "Two.", Arg: Argument{Key: true}},
			{Name: "sample.three", Type: "bool", Desc: "Three.", Arg: Argument{Key: true, Index: true, Required: true}, Properties: []string{"info"}},
		},
		ExtractSources: []string{"sample", "other"}, ExtractTypes: []uint16{322},
		ParseSources: []string{"sample"}, ParseTypes: []uint16{322, 402},
		AsyncSources: []string{"sample"}, AsyncEvents: []string{"pod"},
		InitSchema: json.RawMessage(`{"type": "object", "properties": {"a": {"type": ["string", "null"], "default": "x", "description": "A."}}}`),
		OpenParams: []string{"one"},
		Metrics:    []Metric{{"events", "counter"}},
		Tables:     []Table{{"pods", "string", []TableField{{"ip", "string", false}, {"uid", "string", true}}}},
	}
}

func TestEveryChangeHasItsBump(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Face)
		want   []Change
	}{
		"nothing changes": {func(f *Face) { f.Version = "9.9.9" }, nil},
		"a field is added": {
			func(f *Face) { f.Fields = append(f.Fields, Field{Name: "sample.four", Type: "string"}) },
			[]Change{{"field sample.four", "added", Minor, ""}},
		},
		"a field is removed": {
			func(f *Face) { f.Fields = f.Fields[:2] },
			[]Change{{"field sample.three", "removed", Major, ""}},
		},
		"a field is renamed": {
			func(f *Face) { f.Fields[1].Name = "sample.zwei" },
			[]Change{
				{"field sample.two", "removed; renamed to sample.zwei? Type and argument are the same", Major, ""},
				{"field sample.zwei", "added", Minor, ""},
			},
		},
		"a field becomes another type": {
			func(f *Face) { f.Fields[0].Type = "uint64" },
			[]Change{{"field sample.one", "type string -> uint64", Major, ""}},
		},
		"a field becomes a list": {
			func(f *Face) { f.Fields[0].List = true },
			[]Change{{"field sample.one", "type string -> list of string", Major, ""}},
		},
		"a field may take an argument": {
			func(f *Face) { f.Fields[0].Arg = Argument{Index: true} },
			[]Change{{"field sample.one", "argument none -> optional index", Minor, ""}},
		},
		"a field must take an argument": {
			func(f *Face) { f.Fields[0].Arg = Argument{Index: true, Required: true} },
			[]Change{{"field sample.one", "argument none -> required index", Major, ""}},
		},
		"an argument may be left out": {
			func(f *Face) { f.Fields[2].Arg.Required = false },
			[]Change{{"field sample.three", "argument required index or key -> optional index or key", Minor, ""}},
		},
		"an argument may not be left out any more": {
			func(f *Face) { f.Fields[1].Arg.Required = true },
			[]Change{{"field sample.two", "argument optional key -> required key", Major, ""}},
		},
		"an argument may be an index too": {
			func(f *Face) { f.Fields[1].Arg.Index = true },
			[]Change{{"field sample.two", "argument optional key -> optional index or key", Minor, ""}},
		},
		"an argument may not be a key any more": {
			func(f *Face) { f.Fields[2].Arg.Key = false },
			[]Change{{"field sample.three", "argument required index or key -> required index", Major, ""}},
		},
		"an argument is dropped": {
			func(f *Face) { f.Fields[1].Arg = Argument{} },
			[]Change{{"field sample.two", "argument optional key -> none", Major, ""}},
		},
		"a field is described anew": {
			func(f *Face) { f.Fields[0].Desc = "Uno." },
			[]Change{{"field sample.one", `description "One." -> "Uno."`, Patch, "did its meaning change?"}},
		},
		"a field is displayed anew": {
			func(f *Face) { f.Fields[0].Display = "Uno" },
			[]Change{{"field sample.one", `display name "One" -> "Uno"`, Patch, ""}},
		},
		"fields stand in another order": {
			func(f *Face) { f.Fields[0], f.Fields[1] = f.Fields[1], f.Fields[0] },
			[]Change{{"fields", "in another order", Patch, ""}},
		},
		"a field is added to outputs": {
			func(f *Face) { f.Fields[0].AddOutput = true },
			[]Change{{"field sample.one", "addOutput false -> true", Minor, ""}},
		},
		"a field is hidden": {
			func(f *Face) { f.Fields[2].Properties = []string{"hidden", "info"} },
			[]Change{{"field sample.three", "properties [info] -> [hidden, info]", Minor, ""}},
		},
		"an extraction source is added":   {func(f *Face) { f.ExtractSources = append(f.ExtractSources, "x") }, []Change{{"extraction source x", "added", Minor, ""}}},
		"an extraction source is removed": {func(f *Face) { f.ExtractSources = []string{"sample"} }, []Change{{"extraction source other", "removed", Major, ""}}},
		"extraction works on all sources": {func(f *Face) { f.ExtractSources = nil }, []Change{{"extraction sources", "sample, other -> all", Minor, ""}}},
		"a capability is removed": {
			func(f *Face) { f.Capabilities = f.Capabilities[:3] },
			[]Change{{"capability async", "removed", Major, ""}},
		},
		"a capability is added":       {func(f *Face) { f.Capabilities = append(f.Capabilities, "capture") }, []Change{{"capability capture", "added", Minor, ""}}},
		"an async event is added":     {func(f *Face) { f.AsyncEvents = append(f.AsyncEvents, "node") }, []Change{{"async event node", "added", Minor, ""}}},
		"an async event is removed":   {func(f *Face) { f.AsyncEvents = nil }, []Change{{"async event pod", "removed", Major, ""}}},
		"a parse source is added":     {func(f *Face) { f.ParseSources = append(f.ParseSources, "x") }, []Change{{"parse source x", "added", Minor, ""}}},
		"a parse source is replaced":  {func(f *Face) { f.ParseSources = []string{"x"} }, []Change{{"parse source sample", "removed", Major, ""}, {"parse source x", "added", Minor, ""}}},
		"a parse type is added":       {func(f *Face) { f.ParseTypes = append(f.ParseTypes, 16) }, []Change{{"parse event type 16", "added", Minor, ""}}},
		"a parse type is removed":     {func(f *Face) { f.ParseTypes = f.ParseTypes[:1] }, []Change{{"parse event type 402", "removed", Major, ""}}},
		"an open value is added":      {func(f *Face) { f.OpenParams = append(f.OpenParams, "two") }, []Change{{"open parameter value two", "added", Minor, ""}}},
		"an open value is removed":    {func(f *Face) { f.OpenParams = nil }, []Change{{"open parameter value one", "removed", Major, ""}}},
		"a metric is added":           {func(f *Face) { f.Metrics = append(f.Metrics, Metric{"drops", "counter"}) }, []Change{{"metric drops", "added", Minor, ""}}},
		"a metric is removed":         {func(f *Face) { f.Metrics = nil }, []Change{{"metric events", "removed", Major, ""}}},
		"a metric changes its kind":   {func(f *Face) { f.Metrics[0].Kind = "gauge" }, []Change{{"metric events", "counter -> gauge", Major, ""}}},
		"a table is added":            {func(f *Face) { f.Tables = append(f.Tables, Table{Name: "nodes"}) }, []Change{{"table nodes", "added", Minor, ""}}},
		"a table is removed":          {func(f *Face) { f.Tables = nil }, []Change{{"table pods", "removed", Major, ""}}},
		"a table's key changes":       {func(f *Face) { f.Tables[0].Key = "uint64" }, []Change{{"table pods", "type of its key string -> uint64", Major, ""}}},
		"a table's field is added":    {func(f *Face) { f.Tables[0].Fields = append(f.Tables[0].Fields, TableField{Name: "x"}) }, []Change{{"field of table pods: x", "added", Minor, ""}}},
		"a table's field is removed":  {func(f *Face) { f.Tables[0].Fields = f.Tables[0].Fields[1:] }, []Change{{"field of table pods: ip", "removed", Major, ""}}},
		"a table's field is retyped":  {func(f *Face) { f.Tables[0].Fields[0].Type = "bool" }, []Change{{"field of table pods: ip", "type string -> bool", Major, ""}}},
		"a table's field is locked":   {func(f *Face) { f.Tables[0].Fields[0].ReadOnly = true }, []Change{{"field of table pods: ip", "became read-only", Major, ""}}},
		"a table's field is unlocked": {func(f *Face) { f.Tables[0].Fields[1].ReadOnly = false }, []Change{{"field of table pods: uid", "became writable", Minor, ""}}},
		"a newer API is required":     {func(f *Face) { f.RequiredAPI = "3.12.0" }, []Change{{"required API", "3.3.1 -> 3.12.0", Minor, ""}}},
		"another API is required":     {func(f *Face) { f.RequiredAPI = "4.0.0" }, []Change{{"required API", "3.3.1 -> 4.0.0", Major, ""}}},
		"an API patch is required":    {func(f *Face) { f.RequiredAPI = "3.3.2" }, []Change{{"required API", "3.3.1 -> 3.3.2", Patch, ""}}},
		"an older API is enough":      {func(f *Face) { f.RequiredAPI = "3.0.0" }, []Change{{"required API", "3.3.1 -> 3.0.0", Patch, ""}}},
		"the contact changes":         {func(f *Face) { f.Contact = "al@example.org" }, []Change{{"contact", `"jo@example.org" -> "al@example.org"`, Patch, ""}}},
		"the description changes":     {func(f *Face) { f.Description = "B" }, []Change{{"description", `"A sample" -> "B"`, Patch, ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			changed := sample()
			c.change(&changed)
			assert.Equal(t, c.want, Diff(sample(), changed))
		})
	}
}

func TestAnAllThatBecomesAListIsAMajorChange(t *testing.T) {
	old, changed := sample(), sample()
	old.ExtractSources, old.ParseTypes = nil, nil
	assert.Equal(t, []Change{{"extraction sources", "all -> sample, other", Major, ""}, {"parse event types", "all -> 322, 402", Major, ""}}, Diff(old, changed))
}

func TestAnotherNameIDOrSourceIsRefused(t *testing.T) {
	changed := sample()
	changed.Name, changed.ID, changed.EventSource = "simple", 8, "simple"
	got := Diff(sample(), changed)
	require.Len(t, got, 3)
	for k, begins := range []string{`name: "sample" -> "simple"; `, "ID: 7 -> 8; ", `event source: "sample" -> "simple"; `} {
		assert.Equal(t, Refused, got[k].Bump)
		assert.True(t, strings.HasPrefix(got[k].String(), begins+"that makes it another plugin"), got[k].String())
	}
}

func TestAnExtractorMayBecomeASource(t *testing.T) {
	old := sample()
	old.ID, old.EventSource, old.Capabilities = 0, "", []string{"extraction", "parsing", "async"}
	assert.Equal(t, []Change{{"capability sourcing", "added", Minor, ""}}, Diff(old, sample()))
}

func TestAFaceIsReadAsItWasWritten(t *testing.T) {
	text, err := sample().Encode()
	require.NoError(t, err)
	again, err := Decode(text)
	require.NoError(t, err)
	assert.Empty(t, Diff(sample(), again))
	assert.Equal(t, "1.2.3", again.Version)
	twice, err := again.Encode()
	require.NoError(t, err)
	assert.Equal(t, string(text), string(twice))

	_, err = Decode([]byte("{"))
	require.ErrorContains(t, err, "reading a plugin's face: ")
	_, err = Decode([]byte("{}"))
	require.EqualError(t, err, "reading a plugin's face: it has no name or no version")
}
