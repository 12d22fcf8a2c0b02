// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/elfgate"
)

// entry is a correct entry with other values for some of its lines; a value of "-" drops the line.
func entry(changes map[string]string) string {
	var b strings.Builder
	for i, line := range []struct{ key, text string }{
		{"name", "name: json"},
		{"description", "description: Reads JSON"},
		{"authors", "authors: The Authors"},
		{"contact", "contact: https://example.org/contact"},
		{"url", "url: https://example.org/json"},
		{"license", "license: Apache-2.0"},
		{"capabilities", "capabilities: {extraction: {supported: true}}"},
	} {
		text := line.text
		if change, ok := changes[line.key]; ok {
			text = line.key + ": " + change
			if change == "-" {
				text = "keywords: [dropped]"
				if line.key != "name" {
					text = "# " + line.key
				}
			}
		}
		b.WriteString(map[bool]string{true: "  - ", false: "    "}[i == 0] + text + "\n")
	}
	return b.String()
}

func load(t *testing.T, text string) (*Registry, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), FileName)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	return Load(file)
}

const head = "reserved_sources: [syscall, internal]\nplugins:\n" // two lines: the first entry begins on line 3

func TestACorrectRegistryIsReadWhole(t *testing.T) {
	r, err := load(t, head+entry(nil)+entry(map[string]string{
		"name": "events", "contact": "jo@example.org",
		"capabilities": "{sourcing: {supported: true, id: 24, source: events}, extraction: {supported: true, sources: [events, syscall]}," +
			" parsing: {supported: true, sources: [syscall]}, async: {supported: true, sources: [syscall], events: [pod]}, capture: {supported: true}}",
	})+"  - {name: held, reserved: true, capabilities: {sourcing: {supported: true, id: 7, source: held}}}\n")
	require.NoError(t, err)
	assert.Equal(t, []string{"syscall", "internal"}, r.ReservedSources)
	require.Len(t, r.Plugins, 3)
	assert.True(t, r.Plugins[2].Reserved)

	json, ok := r.Entry("json")
	require.True(t, ok)
	assert.Equal(t, []elfgate.Capability{elfgate.Extract}, json.Capabilities)

	events, ok := r.Entry("events")
	require.True(t, ok)
	assert.Equal(t, Entry{
		Name: "events", Description: "Reads JSON", Authors: "The Authors", Contact: "jo@example.org", URL: "https://example.org/json",
		License: "Apache-2.0", ID: 24, Source: "events", Capabilities: elfgate.Capabilities,
		ExtractSources: []string{"events", "syscall"}, ParseSources: []string{"syscall"}, AsyncSources: []string{"syscall"}, AsyncEvents: []string{"pod"},
		line: 10,
	}, events)
	_, ok = r.Entry("nobody")
	assert.False(t, ok)
}

func TestWhatIsWrongIsNamedWithItsLine(t *testing.T) {
	source := func(id, name string) string {
		return "{sourcing: {supported: true, id: " + id + ", source: " + name + "}}"
	}
	const allowed = "assigned IDs are below 1073741824, and from there to 2147483647 are those that anybody may use in house"
	second := func(changes map[string]string) string { return entry(nil) + entry(changes) } // begins on line 10
	for _, c := range []struct {
		name, text string
		want       []Problem
	}{
		{
			"unknown keys, all of them", entry(map[string]string{"authors": "x\n    author: y", "capabilities": "{extraction: {suported: true}}"}),
			[]Problem{{6, `unknown key "author"`}, {10, `unknown key "suported"`}},
		},
		{
			"a value of another type", entry(map[string]string{"capabilities": source("many", "json")}),
			[]Problem{{9, "cannot unmarshal !!str `many` into uint64"}},
		},
		{"a key given twice", entry(map[string]string{"authors": "x\n    authors: y"}), []Problem{{6, `mapping key "authors" already defined at line 5`}}},
		{"a name of another shape", entry(map[string]string{"name": "JSON"}), []Problem{{3, "name \"JSON\" does not match ^[a-z]+[a-z0-9-_]*$"}}},
		{"no name", entry(map[string]string{"name": "-"}), []Problem{{3, "entry has no name"}}},
		{"a name that is taken", second(nil), []Problem{{10, `name "json" is taken, see line 3`}}},
		{
			"nothing to show to people", entry(map[string]string{"description": "\"\"", "authors": "-", "contact": "\" \"", "url": "-", "license": "-"}),
			[]Problem{
				{3, `plugin "json" has no authors`}, {3, `plugin "json" has no url`}, {3, `plugin "json" has no license`},
				{4, `plugin "json" has no description`}, {6, `plugin "json" has no contact`}, {6, `contact " " is neither an https URL nor a mail address`},
			},
		},
		{"a description with a line break", entry(map[string]string{"description": `"one\ntwo"`}), []Problem{{4, `description of plugin "json" has a line break; use one line, tables show it`}}},
		{"a contact that leads nowhere", entry(map[string]string{"contact": "the office"}), []Problem{{6, `contact "the office" is neither an https URL nor a mail address`}}},
		{"a URL without a scheme", entry(map[string]string{"url": "example.org/json"}), []Problem{{7, `"example.org/json" is no https URL`}}},
		{"a licence without an SPDX identifier", entry(map[string]string{"license": "Apache"}), []Problem{{8, `license "Apache" is not one of the SPDX identifiers Apache-2.0, MIT, BSD-2-Clause, BSD-3-Clause, ISC, MPL-2.0`}}},
		{"no capability", entry(map[string]string{"capabilities": "{extraction: {supported: false}}"}), []Problem{{3, `plugin "json" supports no capability`}}},
		{
			"lists of what is not supported", entry(map[string]string{"capabilities": "{extraction: {supported: true}, parsing: {sources: [syscall]}}"}),
			[]Problem{{9, `parse lists "syscall", but is not supported`}},
		},
		{"sourcing without an id", entry(map[string]string{"capabilities": "{sourcing: {supported: true, source: json}}"}), []Problem{{9, `plugin "json" supports sourcing, but has no id`}}},
		{"sourcing without a source", entry(map[string]string{"capabilities": "{sourcing: {supported: true, id: 5}}"}), []Problem{{9, `plugin "json" supports sourcing, but has no source`}}},
		{"an id of 0", entry(map[string]string{"capabilities": source("0", "json")}), []Problem{{9, `id 0 means none; plugin "json" needs one of its own, from 1073741824 on if none is assigned to it`}}},
		{"an id of the reserved block", entry(map[string]string{"capabilities": source("2147483648", "json")}), []Problem{{9, "id 2147483648 is in the reserved block, which nobody may use; " + allowed}}},
		{"an id of the framework's block", entry(map[string]string{"capabilities": source("3221225472", "json")}), []Problem{{9, "id 3221225472 is in the block of the framework itself; " + allowed}}},
		{"an id of too many bits", entry(map[string]string{"capabilities": source("4294967296", "json")}), []Problem{{9, "id 4294967296 has more than 32 bits; " + allowed}}},
		{"the id for trying things", entry(map[string]string{"capabilities": source("999", "json")}), []Problem{{9, `id 999 is for trying things; captures of plugin "json" could not be told from those of others`}}},
		{"a name like that of rules", entry(map[string]string{"name": "json-rules"}), []Problem{{3, `name "json-rules" ends in -rules, as the rules of a plugin do when they are published`}}},
		{
			"an id that is taken", entry(map[string]string{"capabilities": source("5", "json")}) + entry(map[string]string{"name": "other", "capabilities": source("5", "other")}),
			[]Problem{{16, `id 5 is taken by "json", see line 9`}},
		},
		{"an id of a plugin without sourcing", entry(map[string]string{"capabilities": "{extraction: {supported: true}, sourcing: {id: 5}}"}), []Problem{{9, `plugin "json" has an ID or a source, but does not support sourcing`}}},
		{"a reserved source", entry(map[string]string{"capabilities": source("5", "internal")}), []Problem{{9, `source "internal" is reserved, see line 1`}}},
		{"a source of another shape", entry(map[string]string{"capabilities": source("5", "my-source")}), []Problem{{9, "source \"my-source\" does not match ^[a-z]+[a-z0-9_]*$"}}},
		{
			"a source that another plugin produces", entry(map[string]string{"capabilities": source("5", "json")}) + entry(map[string]string{"name": "other", "capabilities": source("6", "json")}),
			[]Problem{{16, `source "json" is produced by "json", see line 9; only a plugin with the identical payload may share it, and says so with same_payload_as: json`}},
		},
		{
			"a source said to be shared with nobody", entry(map[string]string{"capabilities": "{sourcing: {supported: true, id: 5, source: json, same_payload_as: other}}"}),
			[]Problem{{9, `same_payload_as "other": no earlier plugin produces source "json"`}},
		},
		{
			"extraction from a source that nobody produces", entry(map[string]string{"capabilities": "{extraction: {supported: true, sources: [syscall, jsn]}}"}),
			[]Problem{{9, `source "jsn" is produced by no plugin of this registry, nor by the framework (syscall)`}},
		},
		{"async events without names", entry(map[string]string{"capabilities": "{async: {supported: true}}"}), []Problem{{9, `plugin "json" emits async events, but lists none under events`}}},
		{"a maintainer without a mail address", entry(map[string]string{"authors": "x\n    maintainers: [{name: Jo, email: jo at home}, {}]"}), []Problem{{3, `a maintainer of plugin "json" has neither name nor email`}, {6, `email "jo at home" is no mail address`}}},
		{"no YAML", "    what: [\n", []Problem{{3, "did not find expected node content"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t, head+c.text)
			var invalid *Invalid
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, c.want, invalid.Problems)
		})
	}
}

func TestASharedSourceIsFineWhenSaidSo(t *testing.T) {
	_, err := load(t, head+
		entry(map[string]string{"capabilities": "{sourcing: {supported: true, id: 5, source: audit}}"})+
		entry(map[string]string{"name": "other", "capabilities": "{sourcing: {supported: true, id: 6, source: audit, same_payload_as: json}}"}))
	assert.NoError(t, err)
}

func TestTheErrorListsEveryProblem(t *testing.T) {
	_, err := load(t, head+entry(map[string]string{"license": "Apache", "url": "nowhere"}))
	assert.EqualError(t, err, "checking registry.yaml: 2 problems:\n"+
		"  - line 7: \"nowhere\" is no https URL\n"+
		"  - line 8: license \"Apache\" is not one of the SPDX identifiers Apache-2.0, MIT, BSD-2-Clause, BSD-3-Clause, ISC, MPL-2.0")
}

func TestTheRegistryOfThisRepositoryKeepsTheRules(t *testing.T) {
	r, err := Load(filepath.Join("..", "..", FileName))
	require.NoError(t, err)
	collector, ok := r.Entry("collector")
	require.True(t, ok)
	assert.Equal(t, uint32(24), collector.ID)
	assert.Equal(t, "collector", collector.Source)
}
