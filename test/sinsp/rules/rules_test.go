// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/sinsp/rules"
)

const file = `
- required_engine_version: 0.31.0
- required_plugin_versions:
    - {name: a, version: 0.1.0, alternatives: [{name: b, version: 0.2.0}]}
    - {name: c, version: 1.0.0}
- list: small
  items: [one, "two words"]
- list: large
  items: [small, "it's", three]
- macro: always
  condition: a.b exists
- macro: chosen
  condition: (always or not a.c[x y (,] in (large, four))
- rule: First rule
  desc: d
  condition: >
    chosen and
    a.d="always and (" and not (a.e in ("always", small) or a.f intersects ())
  output: o (%a.b)
  priority: INFO
  source: s
- rule: Second rule
  desc: d
  condition: evt.type = open
  output: o
  priority: INFO
  enabled: false
`

func TestConditionsAreExpanded(t *testing.T) {
	f, err := rules.Parse([]byte(file))
	require.NoError(t, err)
	assert.Equal(t, [][]rules.Requirement{{{Name: "a", Version: "0.1.0"}, {Name: "b", Version: "0.2.0"}}, {{Name: "c", Version: "1.0.0"}}}, f.Plugins)
	require.Len(t, f.Rules, 2)
	assert.Equal(t, rules.Rule{
		Name: "First rule",
		Condition: `(( (a.b exists) or not a.c[x y (,] in (one, "two words", "it's", three, four) )) and ` +
			`a.d= "always and (" and not ( a.e in ("always", one, "two words") or a.f intersects () )`,
		Output: "o (%a.b)", Priority: "INFO", Source: "s",
	}, f.Rules[0])
	assert.Equal(t, "syscall", f.Rules[1].Source)
}

func TestWhatCannotBeReadIsSaid(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"a macro that comes too late":     {"- macro: a\n  condition: b\n- macro: b\n  condition: x.y exists\n", `item 1: macro a: "b" is neither a field nor a macro`},
		"a string without an end":         {"- macro: a\n  condition: x.y = \"b\n", "has no end"},
		"an argument without an end":      {"- macro: a\n  condition: x.y[b exists\n", "has no end"},
		"values without an end":           {"- macro: a\n  condition: x.y in (b, c\n", "the values of in have no end"},
		"a key that the reader lacks":     {"- rule: r\n  exceptions: []\n", "exceptions"},
		"a rule without an output":        {"- rule: r\n  desc: d\n  condition: x.y exists\n  priority: INFO\n", `rule "r": it has no output`},
		"a rule that is there twice":      {"- &r {rule: r, desc: d, condition: x.y exists, output: o, priority: INFO}\n- *r\n", "twice"},
		"something that is none of these": {"- desc: d\n", "neither a rule, a macro, a list nor a requirement"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := rules.Parse([]byte(tt.text))
			assert.ErrorContains(t, err, tt.want)
		})
	}
}
