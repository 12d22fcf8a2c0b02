// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"os"
	"path/filepath"
	"strings"
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
  items: [small, '"it''s"', three]
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
  tags: [t, u]
- rule: Second rule
  desc: d
  condition: evt.type = open
  output: o
  priority: Warning
  enabled: false
`

// parse reads texts as the files 1.yaml, 2.yaml and so on.
func parse(texts ...string) (*rules.File, error) {
	var all []rules.Text
	for k, t := range texts {
		all = append(all, rules.Text{Name: string(rune('1'+k)) + ".yaml", Content: []byte(t)})
	}
	return rules.Parse(all...)
}

func TestConditionsAreExpanded(t *testing.T) {
	f, err := parse(file)
	require.NoError(t, err)
	assert.Equal(t, "0.31.0", f.Engine)
	assert.Equal(t, [][]rules.Requirement{{{Name: "a", Version: "0.1.0"}, {Name: "b", Version: "0.2.0"}}, {{Name: "c", Version: "1.0.0"}}}, f.Plugins)
	require.Len(t, f.Rules, 2)
	assert.Equal(t, rules.Rule{
		Name: "First rule", Desc: "d",
		Condition: `(( (a.b exists) or not a.c[x y (,] in ( one, "two words", "it's", three , four ) )) and ` +
			`a.d = "always and (" and not ( a.e in ( "always" , one, "two words" ) or a.f intersects ( ) )`,
		Output: "o (%a.b)", Priority: "INFORMATIONAL", Source: "s", Tags: []string{"t", "u"}, Enabled: true,
		At: rules.Place{File: "1.yaml", Line: 14},
	}, f.Rules[0])
	assert.Equal(t, "syscall", f.Rules[1].Source)
	assert.Equal(t, "WARNING", f.Rules[1].Priority)
	assert.False(t, f.Rules[1].Enabled)
	assert.Empty(t, f.Warnings)
}

func TestFilesAreReadFromWhereTheyAre(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.yaml")
	require.NoError(t, os.WriteFile(path, []byte(file), 0o644))
	f, err := rules.Read(path)
	require.NoError(t, err)
	assert.Equal(t, path+":14", f.Rules[0].At.String())
	_, err = rules.Read(path + "x")
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// rule is a rules file with one rule, named r.
func rule(condition, further string) string {
	return "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: " + condition + "\n" + further
}

// condition is that of the only rule in texts.
func condition(t *testing.T, texts ...string) string {
	t.Helper()
	f, err := parse(texts...)
	require.NoError(t, err)
	require.Len(t, f.Rules, 1)
	return f.Rules[0].Condition
}

func TestEveryFormOfTheFilterLanguageIsPassedOn(t *testing.T) {
	for written, want := range map[string]string{
		`a.b=c and a.d!=e`:                          `a.b = c and a.d != e`,
		`not(a.b >= 3)or not not a.b<0x1F`:          `not ( a.b >= 3 ) or not not a.b < 0x1F`,
		`a.b != <NA>`:                               `a.b != <NA>`,
		`a.b regex [a-z]+\.x`:                       `a.b regex [a-z]+\.x`,
		`tolower(a.b[x y]) in (x,"y z" , 'w')`:      `tolower ( a.b[x y] ) in ( x , "y z" , 'w' )`,
		`a.b = val(toupper(a.c)) or len(a.b) > 10`:  `a.b = val ( toupper ( a.c ) ) or len ( a.b ) > 10`,
		`a.b["]"] exists and (a.c[0] pmatch (/a))`:  `a.b["]"] exists and ( a.c[0] pmatch ( /a ) )`,
		`a.b contains "say \"a and b\" (," and m`:   `a.b contains "say \"a and b\" (," and (x.y exists)`,
		`a.b in (l) or a.b = one or a.b in (l, z)`:  `a.b in ( x, y ) or a.b = z or a.b in ( x, y , z )`,
		`a.b in (none) or a.b in (w, none, none,v)`: `a.b in ( ) or a.b in ( w , v )`,
		`a.b in (none, w) or a.b in (w, none)`:      `a.b in ( w ) or a.b in ( w )`,
	} {
		t.Run(written, func(t *testing.T) {
			text := "'" + strings.ReplaceAll(written, "'", "''") + "'"
			assert.Equal(t, want, condition(t, rule(text,
				"- list: l\n  items: [x, y]\n- list: one\n  items: [z]\n- list: none\n  items: []\n- macro: m\n  condition: x.y exists\n")))
		})
	}
}

func TestDefinitionsAreSeenWhereFalcoSeesThem(t *testing.T) {
	assert.Equal(t, "(x.y exists)", condition(t, rule("m", "- macro: m\n  condition: x.y exists\n")),
		"a rule sees macros behind it")
	assert.Equal(t, "(x.y in ( a ))", condition(t, "- macro: m\n  condition: x.y in (l)\n"+rule("m", "- list: l\n  items: [a]\n")),
		"a macro sees lists behind it")
	assert.Equal(t, "x.y in ( b )", condition(t, "- list: k\n  items: [l]\n"+rule("x.y in (l)", "- list: l\n  items: [b]\n")),
		"a list does not see lists behind it")
	assert.Equal(t, "x.y in ( a, b )",
		condition(t, "- list: k\n  items: [a]\n"+rule("x.y in (k)", "- list: l\n  items: [b]\n- list: k\n  items: [l]\n  append: true\n")),
		"a list sees those before its last change")
	assert.Equal(t, "((x.y exists))",
		condition(t, "- macro: m\n  condition: x.y = 1\n"+rule("m", "- macro: n\n  condition: x.y exists\n"), "- macro: m\n  condition: n\n"),
		"a macro sees those before its last definition")
	assert.Equal(t, "(x.y in ( a, b ))",
		condition(t, "- list: l\n  items: [a]\n- macro: m\n  condition: x.y in (l)\n"+rule("m", "- list: l\n  items: [b]\n  override: {items: append}\n")),
		"a list is what it is at the end")
}

func TestLaterItemsChangeEarlierOnes(t *testing.T) {
	base := "- list: l\n  items: [a]\n- macro: m\n  condition: x.y = 1\n" + rule("m and x.z in (l)", "  tags: [s]\n")
	tests := map[string]struct{ local, condition string }{
		"a list that is appended to":  {"- list: l\n  items: [b]\n  append: true\n", `(x.y = 1) and x.z in ( a, b )`},
		"a list that is replaced":     {"- list: l\n  items: [b]\n  override: {items: replace}\n", `(x.y = 1) and x.z in ( b )`},
		"a list that is defined anew": {"- list: l\n  items: []\n", `(x.y = 1) and x.z in ( )`},
		"a macro that is appended to": {"- macro: m\n  condition: or x.y = 2\n  override: {condition: append}\n", `(x.y = 1 or x.y = 2) and x.z in ( a )`},
		"a macro that is replaced":    {"- macro: m\n  condition: never.ever exists\n", `(never.ever exists) and x.z in ( a )`},
		"a rule that is appended to":  {"- rule: r\n  condition: and not x.w exists\n  append: true\n", `(x.y = 1) and x.z in ( a ) and not x.w exists`},
		"a rule's new condition":      {"- rule: r\n  condition: x.w exists\n  override: {condition: replace}\n", `x.w exists`},
		"a rule's longer condition":   {"- rule: r\n  condition: or x.w exists\n  override: {condition: append}\n", `(x.y = 1) and x.z in ( a ) or x.w exists`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.condition, condition(t, base, tt.local))
		})
	}

	f, err := parse(base, `
- rule: r
  desc: e
  output: p
  tags: [t, s]
  priority: critical
  enabled: false
  warn_evttypes: false
  override: {desc: append, output: append, tags: append, priority: replace, enabled: replace, warn_evttypes: replace}
`)
	require.NoError(t, err)
	r := f.Rules[0]
	assert.Equal(t, []any{"d e", "o p", []string{"s", "t"}, "CRITICAL", false, 5}, []any{r.Desc, r.Output, r.Tags, r.Priority, r.Enabled, r.At.Line})
	f, err = parse(base, "- rule: r\n  enabled: false\n", "- rule: r\n  tags: [t]\n  desc: e\n  override: {tags: replace, desc: replace}\n")
	require.NoError(t, err)
	assert.Equal(t, []any{"e", []string{"t"}, false}, []any{f.Rules[0].Desc, f.Rules[0].Tags, f.Rules[0].Enabled})
	assert.Empty(t, f.Warnings)
	f, err = parse(base, rule("x.w exists", ""))
	require.NoError(t, err)
	require.Len(t, f.Rules, 1)
	assert.Equal(t, "x.w exists", f.Rules[0].Condition)
	assert.Len(t, f.Warnings, 2, "the list and the macro are used no more: %v", f.Warnings)
}

func TestWhatIsMostLikelyAMistakeIsAWarning(t *testing.T) {
	f, err := parse("- list: l\n  items: []\n- macro: m\n  condition: x.y exists\n- macro: m\n  condition: x.z exists\n"+rule("x.y exists", "")+rule("x.z exists", ""), "[]\n---\n")
	require.NoError(t, err)
	assert.Equal(t, []string{
		`1.yaml:5: macro "m" takes the place of the one in line 3`,
		`1.yaml:12: rule "r" takes the place of the one in line 7`,
		`1.yaml:1: list "l" is used nowhere`,
		`1.yaml:3: macro "m" is used nowhere`,
	}, f.Warnings)
}

func TestRequirementsOfAllFilesAddUp(t *testing.T) {
	f, err := parse(
		"- required_engine_version: 15\n- required_plugin_versions:\n  - {name: a, version: 1.2.3}\n",
		"- required_engine_version: 0.9.1\n- required_plugin_versions: [{name: a, version: 1.0.0}]\n")
	require.NoError(t, err)
	assert.Equal(t, "0.15.0", f.Engine)
	assert.Equal(t, [][]rules.Requirement{{{Name: "a", Version: "1.2.3"}}, {{Name: "a", Version: "1.0.0"}}}, f.Plugins)
	r := rules.Requirement{Name: "a", Version: "1.2.3"}
	for _, loaded := range []string{"1.2.3", "1.2.10", "1.10.0"} {
		assert.NoError(t, r.Met(loaded))
	}
	for _, loaded := range []string{"1.2.2", "1.1.9", "2.0.0", "0.9.9"} {
		assert.EqualError(t, r.Met(loaded), "plugin a is required in version 1.2.3, and loaded is "+loaded)
	}
	assert.ErrorContains(t, r.Met("1.2"), `"1.2" is no version; use X.Y.Z`)
}

func TestWhatCannotBeReadIsSaid(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"no YAML":                            {"- rule: [\n", "1.yaml: yaml: line "},
		"no list":                            {"rule: r\n", "1.yaml:1: a rules file is a list of items"},
		"something that is none of these":    {"- desc: d\n", "1.yaml:1: neither a rule, a macro, a list nor a requirement"},
		"an item that is no mapping":         {"\n- rule\n", "1.yaml:2: neither a rule"},
		"a macro that is not there":          {"- macro: a\n  condition: b\n", `1.yaml:1: macro "a": "b" is neither a field nor a macro`},
		"a macro that comes too late":        {"- macro: a\n  condition: b\n- macro: b\n  condition: x.y exists\n", `1.yaml:1: macro "a": macro "b" is used before it is defined, in 1.yaml:3`},
		"macros in a circle":                 {"- macro: a\n  condition: x.y exists\n- macro: b\n  condition: a\n- macro: a\n  condition: b\n", `1.yaml:1: macro "a": it comes back to itself, through a, b`},
		"a list where a condition has to be": {"- list: l\n  items: []\n" + rule("l", ""), `1.yaml:3: rule "r": "l" is a list`},
		"a list's name in a string":          {"- list: l\n  items: []\n" + rule(`x.y = "a l"`, ""), `rule "r": the string "a l" has the name of list "l" in it`},
		"a string without an end":            {"- macro: a\n  condition: x.y = \"b\n", "has no end"},
		"an argument without an end":         {"- macro: a\n  condition: x.y[b exists\n", `the argument of "x.y[b exists" has no end`},
		"values without an end":              {"- macro: a\n  condition: x.y in (b, c\n", `the bracket behind "x.y in (b, c" is not closed`},
		"brackets without an end":            {"- macro: a\n  condition: (x.y exists\n", "a bracket is not closed"},
		"one bracket too many":               {"- macro: a\n  condition: x.y exists)\n", `")" stands where the condition has to end`},
		"values without brackets":            {"- macro: a\n  condition: x.y in b\n", "in takes its values in brackets"},
		"no value":                           {"- macro: a\n  condition: x.y =\n", `a value is missing behind "x.y ="`},
		"no operator":                        {"- macro: a\n  condition: x.y\n", `stands where an operator has to, behind "x.y"`},
		"no check":                           {"- macro: a\n  condition: x.y exists and\n", `a check is missing, behind "x.y exists and"`},
		"two values":                         {"- macro: a\n  condition: x.y = a=b\n", `"=b" stands where the condition has to end`},
		"a number for a check":               {"- macro: a\n  condition: =3\n", `"=3" stands where a field or a macro has to`},
		"a name that the language lacks":     {"- macro: a-b\n  condition: x.y exists\n", `macro "a-b": the name has to look like`},
		"a list with a bracket in its name":  {"- list: a(\n  items: []\n", `list "a(": the name has to look like`},
		"a list without items":               {"- list: a\n", `1.yaml:1: list "a": it has no items; use [] for none`},
		"a list in a list":                   {"- list: a\n  items: [[b]]\n", `an element of items is no text`},
		"an item that falls apart":           {"- list: a\n  items: ['a,b']\n", `1.yaml:1: list "a": item "a,b" would not stay one word`},
		"an item that is empty":              {"- list: a\n  items: ['']\n", `an item is empty`},
		"an item with quotes and blanks":     {"- list: a\n  items: ['x \"y\" z']\n", `would not stay one word`},
		"a key that nobody knows":            {rule("x.y exists", "  tag: [a]\n"), `1.yaml:6: rule: unknown key "tag"; use rule, append, override, condition`},
		"a key that is there twice":          {rule("x.y exists", "  desc: e\n"), `rule: key "desc" is there twice`},
		"a rule without an output":           {"- rule: r\n  desc: d\n  condition: x.y exists\n  priority: INFO\n", `1.yaml:1: rule "r": it has no output`},
		"a rule with an empty output":        {"- rule: r\n  desc: d\n  condition: x.y exists\n  output: ''\n  priority: INFO\n", `1.yaml:4: rule "r": output is empty`},
		"a priority that nobody knows":       {"- rule: r\n  desc: d\n  condition: x.y exists\n  output: o\n  priority: HIGH\n", `1.yaml:5: rule "r": priority is "HIGH"; use one of EMERGENCY, ALERT`},
		"a switch that is neither":           {rule("x.y exists", "  enabled: maybe\n"), `1.yaml:6: rule "r": enabled is "maybe"; use true or false`},
		"a condition that is no text":        {rule("[x]", ""), `1.yaml:5: rule "r": condition is no text`},
		"tags that are no list":              {rule("x.y exists", "  tags: a\n"), `rule "r": tags is no list`},
		"another source the second time":     {rule("x.y exists", "") + rule("x.y exists", "  source: s\n"), `1.yaml:11: rule "r": source is s, and syscall where the rule was defined before, in 1.yaml:1`},
		"a change of nothing":                {"- rule: r\n  condition: and x.y exists\n  append: true\n", `1.yaml:1: rule "r": there is no rule of that name before it to change`},
		"a switch of nothing":                {"- rule: r\n  enabled: false\n", "there is no rule of that name before it"},
		"a rule that says nothing":           {rule("x.y exists", "- rule: r\n  tags: [t]\n"), `it changes nothing`},
		"a list appended to nothing":         {"- list: a\n  items: []\n  append: true\n", `list "a": there is no list of that name before it to append to`},
		"a macro appended to nothing":        {"- macro: a\n  condition: or x.y exists\n  override: {condition: append}\n", `there is no macro of that name before it`},
		"an addition of nothing":             {rule("x.y exists", "- rule: r\n  output: o\n  append: true\n"), `append takes a condition or exceptions`},
		"append and override":                {rule("x.y exists", "- rule: r\n  output: o\n  append: true\n  override: {output: append}\n"), `use one of append and override, not both`},
		"an override of what is not there":   {rule("x.y exists", "- rule: r\n  output: o\n  override: {output: append, desc: replace}\n"), `rule "r": override: desc is to be changed, and is not there`},
		"a change without an override":       {rule("x.y exists", "- rule: r\n  output: o\n  desc: d\n  override: {output: append}\n"), `1.yaml:8: rule "r": override does not say what to do with desc`},
		"an override that cannot be":         {rule("x.y exists", "- rule: r\n  priority: INFO\n  override: {priority: append}\n"), `priority cannot be appended to; use replace`},
		"an override of another kind":        {rule("x.y exists", "- rule: r\n  output: o\n  override: {output: drop}\n"), `output: "drop"; use append or replace`},
		"an override of a source":            {rule("x.y exists", "- rule: r\n  source: s\n  override: {source: replace}\n"), `override: unknown key "source"`},
		"an engine of the future":            {"- required_engine_version: 0.64.0\n", "0.64.0 is later than the newest engine, " + rules.Engine},
		"an engine without a number":         {"- required_engine_version: new\n", `"new" is no version; use X.Y.Z`},
		"a plugin's version with two parts":  {"- required_plugin_versions: [{name: a, version: '0.1'}]\n", `1.yaml:1: required_plugin_versions: "0.1" is no version`},
		"a plugin that is named twice":       {"- required_plugin_versions: [{name: a, version: 0.1.0, alternatives: [{name: a, version: 0.2.0}]}]\n", `plugin a is named twice`},
		"more than one requirement an item":  {"- required_engine_version: 1\n  required_plugin_versions: []\n", `unknown key "required_plugin_versions"`},
		"a requirement behind a rule":        {rule("x.y exists", "- required_engine_version: 1\n"), `1.yaml:6: required_engine_version stands behind a rule, in line 1`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := parse(tt.text)
			assert.ErrorContains(t, err, tt.want)
			assert.ErrorContains(t, err, "reading rules: 1.yaml")
		})
	}
}
