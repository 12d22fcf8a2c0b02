// SPDX-License-Identifier: Apache-2.0

package rulesdiff

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/archive"
	"github.com/aerie-falco/aerie/build/plughost"
)

const sample = `
- required_engine_version: 0.31.0
- required_plugin_versions:
    - name: sample
      version: 1.2.0
      alternatives:
        - {name: simple, version: 0.4.0}
- list: verbs
  items: [get, list]
- macro: reading
  condition: sample.verb in (verbs)
- rule: Somebody reads
  desc: Somebody reads something.
  condition: reading and sample.user exists
  output: Read (user=%sample.user)
  priority: WARNING
  source: sample
  tags: [reading, network]
`

func parsed(t *testing.T, files ...string) Rules {
	t.Helper()
	var all []archive.File
	for _, text := range files {
		all = append(all, archive.File{Name: "sample.yaml", Content: []byte(text)})
	}
	r, err := Parse(all)
	require.NoError(t, err)
	return r
}

func TestEveryChangeHasItsBump(t *testing.T) {
	one := func(bump, subject, text string) []plughost.Change {
		return []plughost.Change{{Subject: subject, Text: text, Bump: bump}}
	}
	const rule = "rule Somebody reads"
	for name, c := range map[string]struct {
		old, new string // replaced by the other
		want     []plughost.Change
	}{
		"nothing":                       {"sample", "sample", nil},
		"the layout of a condition":     {"condition: reading and sample.user exists", "condition: >\n    reading\n    and sample.user exists", nil},
		"an engine that is lowered":     {"0.31.0", "30", one(plughost.Patch, "required_engine_version", "0.31.0 -> 0.30.0")},
		"an engine that is raised":      {"0.31.0", "0.32.0", one(plughost.Minor, "required_engine_version", "0.31.0 -> 0.32.0")},
		"an engine that is dropped":     {"- required_engine_version: 0.31.0", "", one(plughost.Patch, "required_engine_version", "0.31.0 dropped")},
		"a plugin that is lowered":      {"version: 1.2.0", "version: 1.1.0", one(plughost.Patch, "required plugin sample", "1.2.0 -> 1.1.0")},
		"a plugin that is raised":       {"version: 1.2.0", "version: 1.10.0", one(plughost.Minor, "required plugin sample", "1.2.0 -> 1.10.0")},
		"a plugin that is added":        {"- list: verbs", "- required_plugin_versions: [{name: json, version: 0.7.0}]\n- list: verbs", one(plughost.Minor, "required plugin json", "added")},
		"another plugin":                {"- name: sample", "- name: swapped", append(one(plughost.Patch, "required plugin sample", "dropped"), one(plughost.Minor, "required plugin swapped", "added")...)},
		"an alternative that is added":  {"- {name: simple", "- {name: other, version: 1.0.0}\n        - {name: simple", one(plughost.Patch, "required plugin sample", "alternative other added")},
		"an alternative that is gone":   {"- {name: simple, version: 0.4.0}", "[]", one(plughost.Major, "required plugin sample", "alternative simple dropped")},
		"an alternative that is raised": {"0.4.0", "0.5.0", one(plughost.Minor, "required plugin sample", "alternative simple 0.4.0 -> 0.5.0")},
		"items of a list":               {"[get, list]", "[get]", one(plughost.Patch, "list verbs", "items changed")},
		"a list that is renamed":        {"list: verbs", "list: words", append(one(plughost.Major, "list verbs", "removed"), one(plughost.Minor, "list words", "added")...)},
		"a macro's condition":           {"sample.verb in (verbs)", "sample.verb = get", one(plughost.Major, "macro reading", "condition changed: rules that others wrote may use it")},
		"a rule that is added":          {"- macro", "- rule: More\n- macro", one(plughost.Minor, "rule More", "added")},
		"a rule's output":               {"Read (", "Was read (", one(plughost.Patch, rule, "output changed")},
		"a rule's source":               {"source: sample", "source: other", one(plughost.Major, rule, "source sample -> other")},
		"a rule that is disabled":       {"source: sample", "source: sample\n  enabled: false", one(plughost.Major, rule, "disabled by default")},
		"a default that is written":     {"source: sample", "source: sample\n  enabled: true", nil},
		"a priority that is urgent":     {"WARNING", "critical", one(plughost.Patch, rule, "priority WARNING -> critical: more urgent")},
		"a priority that is calm":       {"WARNING", "INFO", one(plughost.Major, rule, "priority WARNING -> INFO: less urgent")},
		"a priority spelled otherwise":  {"WARNING", "warning", nil},
		"a tag that is added":           {"[reading", "[more, reading", one(plughost.Patch, rule, "tag more added")},
		"a tag that is gone":            {", network", "", one(plughost.Major, rule, "tag network removed")},
		"exceptions":                    {"source: sample", "source: sample\n  exceptions: [{name: a}]", one(plughost.Patch, rule, "exceptions changed")},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, sample, c.old)
			text := strings.Replace(sample, c.old, c.new, 1)
			if c.new == "[]" {
				text = strings.Replace(sample, "alternatives:\n        - {name: simple, version: 0.4.0}", "alternatives: []", 1)
			}
			assert.Equal(t, c.want, Diff(parsed(t, sample), parsed(t, text)))
		})
	}
}

func TestARulesConditionIsForAPersonToJudge(t *testing.T) {
	got := Diff(parsed(t, sample), parsed(t, strings.Replace(sample, "user exists", "user != x", 1)))
	require.Len(t, got, 1)
	assert.Equal(t, "rule Somebody reads", got[0].Subject)
	assert.Equal(t, plughost.Patch, got[0].Bump)
	assert.Contains(t, got[0].Review, "is its purpose the same")
}

func TestARuleThatIsEnabledAgain(t *testing.T) {
	off := strings.Replace(sample, "source: sample", "source: sample\n  enabled: false", 1)
	assert.Equal(t, []plughost.Change{{Subject: "rule Somebody reads", Text: "enabled by default", Bump: plughost.Patch}}, Diff(parsed(t, off), parsed(t, sample)))
}

func TestFilesAddUp(t *testing.T) {
	r := parsed(t, "- required_engine_version: 9\n- required_plugin_versions: [{name: a, version: 1.2.0}]\n- rule: x\n",
		"- required_engine_version: 0.10.0\n- required_plugin_versions: [{name: a, version: 1.10.0}]\n- rule: x\n  append: true\n")
	assert.Equal(t, "0.10.0", r.Engine)
	version, ok := r.Plugin("a")
	assert.True(t, ok)
	assert.Equal(t, "1.10.0", version)
	assert.Equal(t, []plughost.Change{{Subject: "rule x (2)", Text: "removed", Bump: plughost.Major}},
		Diff(r, parsed(t, "- required_engine_version: 10\n- required_plugin_versions: [{name: a, version: 1.10.0}]\n- rule: x\n")))
}

func TestWhatIsNoRulesFileIsNamed(t *testing.T) {
	for text, want := range map[string]string{
		"a: b":                           "reading the requirements of sample.yaml: ",
		"- desc: x":                      "reading rules sample.yaml: item 1: it is none of a rule, a macro, a list and a requirement: it has the keys desc",
		"- required_engine_version: new": "required_engine_version \"new\" is neither X.Y.Z nor a number",
	} {
		_, err := Parse([]archive.File{{Name: "sample.yaml", Content: []byte(text)}})
		require.ErrorContains(t, err, want)
	}
}
