// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rulesFile writes a rules file and gives its path.
func rulesFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

const someRules = `
- required_plugin_versions:
    - {name: full, version: 1.2.0}
- list: wanted
  items: [2, 3]
- macro: late
  condition: evt.num in (wanted)
- rule: Late event
  desc: The event is not the first.
  condition: late and full.strings intersects (a)
  output: Late (event=%evt.num strings=%full.strings none=%full.none)
  priority: INFO
  source: full_source
- rule: Last event
  desc: The event is the third.
  condition: late and not evt.num < 3
  output: Last
  priority: WARNING
  source: full_source
- rule: Sleeping
  desc: It is not tried.
  condition: evt.num exists
  output: o
  priority: INFO
  source: full_source
  enabled: false
- rule: Elsewhere
  desc: It is not tried either, so that its fields need not be there.
  condition: proc.name exists
  output: o
  priority: INFO
`

func TestRunTriesRules(t *testing.T) {
	path := rulesFile(t, someRules)
	got := plughost(t, "run", full(t), "--open", "2 1", "--fields", "evt.num", "--rules", path)
	assert.Equal(t, exitDone, got.code, got.stderr)
	assert.Equal(t, []string{
		"evt.num  rules",
		"1        <NA>",
		"2        INFORMATIONAL Late (event=2 strings=(a,) none=<NA>)",
		"3        INFORMATIONAL Late (event=3 strings=(a,) none=<NA>); WARNING Last",
	}, got.lines())

	local := rulesFile(t, "- list: wanted\n  items: [3]\n- rule: Late event\n  enabled: false\n")
	got = plughost(t, "run", full(t), "--open", "2 1", "--json", "--fields", "evt.num", "--rules", path, "--rules", local)
	assert.Equal(t, []string{
		`{"evt.num":1,"rules":null}`,
		`{"evt.num":2,"rules":null}`,
		`{"evt.num":3,"rules":[{"rule":"Last event","priority":"WARNING","output":"Last"}]}`,
	}, got.lines())
}

func TestRulesThatCannotBeTriedAreRefused(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"no list":                  {"rule: r\n", "a rules file is a list of items"},
		"another plugin":           {"- required_plugin_versions: [{name: other, version: 1.0.0}]\n", "the rules require plugin other 1.0.0, which is not loaded"},
		"a newer plugin":           {"- required_plugin_versions: [{name: full, version: 99.0.0}]\n", "plugin full is required in version 99.0.0"},
		"rules of other sources":   {"- {rule: r, desc: d, condition: a.b exists, output: o, priority: INFO}\n", "no enabled rule is for events of full_source"},
		"a field that is not one":  {"- {rule: r, desc: d, condition: a.b exists, output: o, priority: INFO, source: full_source}\n", `rule "r": compile condition: compile filter "a.b exists": field "a.b" is unknown`},
		"a field in an output":     {"- {rule: r, desc: d, condition: evt.num exists, output: '%a.b', priority: INFO, source: full_source}\n", `field "a.b" is unknown`},
		"an operator that is none": {"- {rule: r, desc: d, condition: full.payload likes x, output: o, priority: INFO, source: full_source}\n", `operator "likes" is unknown`},
	} {
		t.Run(name, func(t *testing.T) {
			got := plughost(t, "run", full(t), "--open", "1", "--rules", rulesFile(t, tt.text))
			assert.Equal(t, exitUsage, got.code)
			assert.Contains(t, got.stderr, tt.want)
		})
	}
	got := plughost(t, "run", full(t), "--open", "1", "--rules", "/nowhere.yaml")
	assert.Equal(t, exitUsage, got.code)
	assert.Contains(t, got.stderr, "/nowhere.yaml: no such file")
}
