// SPDX-License-Identifier: Apache-2.0

package ruleset

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/archive"
)

func files(texts ...string) []archive.File {
	var all []archive.File
	for i, text := range texts {
		all = append(all, archive.File{Name: string(rune('a'+i)) + "_rules.yaml", Content: []byte(text)})
	}
	return all
}

func TestRequirementsOfAllFilesAddUp(t *testing.T) {
	got, err := Read(files(`
- required_engine_version: 26
- required_plugin_versions:
  - name: sample
    version: 1.2.0
  - name: json
    version: 0.7.0
    alternatives: [{name: jsonish, version: 0.2.0}]
- macro: m
  condition: evt.num > 0
`, `
- required_engine_version: 0.31.0
- required_plugin_versions:
    - {name: json, version: 0.10.0, alternatives: [{name: another, version: 2.0.0}, {name: jsonish, version: 0.1.0}]}
- rule: r
  required: no
`), Plugin{"sample", "1.3.0"})
	require.NoError(t, err)
	assert.Equal(t, Requirements{Engine: "0.31.0", Plugins: []Dependency{
		{Plugin{"json", "0.10.0"}, []Plugin{{"another", "2.0.0"}, {"jsonish", "0.2.0"}}},
		{Plugin{"sample", "1.2.0"}, nil},
	}}, got)
}

func TestRulesOfAPreReleaseMayAskForItsFinalVersion(t *testing.T) {
	_, err := Read(files("- required_plugin_versions: [{name: sample, version: 1.2.0}]"), Plugin{"sample", "1.2.0-rc1"})
	assert.NoError(t, err)
}

func TestRequirementsThatCannotHoldAreRefused(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{
			"the plugin itself is missing", "- required_plugin_versions: [{name: json, version: 1.0.0}]",
			"reading the requirements of the rules of sample: none of their files has it under required_plugin_versions; add: name: sample, version: 1.2.3",
		},
		{
			"more than there is", "- required_plugin_versions: [{name: sample, version: 1.2.4}]",
			"reading the requirements of the rules of sample: they require sample 1.2.4, but it is at 1.2.3",
		},
		{
			"two major versions", "- required_plugin_versions: [{name: json, version: 1.0.0}]\n- required_plugin_versions: [{name: json, version: 2.0.0}]",
			"reading the requirements of a_rules.yaml: plugin json is required as 1.0.0 and as 2.0.0; no version satisfies two major versions",
		},
		{
			"a plugin twice in an entry", "- required_plugin_versions: [{name: json, version: 1.0.0}, {name: json, version: 1.1.0}]",
			`reading the requirements of a_rules.yaml: plugin "json" is required twice in one entry, which Falco refuses`,
		},
		{
			"no three numbers", "- required_plugin_versions: [{name: json, version: 1.0}]",
			`reading the requirements of a_rules.yaml: required plugin "json" has version "1.0"; give a name and three numbers X.Y.Z`,
		},
		{
			"an engine version that is none", "- required_engine_version: new",
			`reading the requirements of a_rules.yaml: required_engine_version "new" is neither X.Y.Z nor a number`,
		},
		{"no YAML list", "rule: r", "reading the requirements of a_rules.yaml: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read(files(c.text), Plugin{"sample", "1.2.3"})
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestFilesAreTheYAMLFilesOfTheFolder(t *testing.T) {
	dir := t.TempDir()
	none, err := Files(filepath.Join(dir, "rules"))
	require.NoError(t, err)
	assert.Empty(t, none)
	for _, name := range []string{"b.yaml", "a.yaml", "README.md"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644))
	}
	got, err := Files(dir)
	require.NoError(t, err)
	assert.Equal(t, []archive.File{{Name: "a.yaml", Content: []byte("a.yaml")}, {Name: "b.yaml", Content: []byte("b.yaml")}}, got)

	require.NoError(t, os.Symlink("a.yaml", filepath.Join(dir, "c.yaml")))
	_, err = Files(dir)
	assert.EqualError(t, err, "reading rules: c.yaml is no regular file; rules are *.yaml files right in "+dir)
}
