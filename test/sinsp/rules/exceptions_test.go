// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const guarded = `
- list: l
  items: [x, y]
- rule: r
  desc: d
  output: o
  priority: INFO
  condition: a.b exists or a.c exists
  exceptions:
    - name: one
      fields: a.b
      values: [p, "q r", l]
    - name: two
      fields: [a.b, a.c]
      values:
        - [s, t u]
        - [v, '"(w"']
    - name: three
      fields: [a.b, a.c, a.d]
      comps: [startswith, in, pmatch]
      values:
        - [k, [m, "n o", l], l]
        - [k, "(m, n)", '"z z"']
    - name: none
      fields: [a.b]
`

const guard = `( a.b exists or a.c exists )` +
	` and not ( a.b in ( p , "q r" , x, y ) )` +
	` and not ( ( a.b = s and a.c = "t u" ) or ( a.b = v and a.c = "(w" ) )` +
	` and not ( ( a.b startswith k and a.c in ( m , "n o" , x, y ) and a.d pmatch ( x, y ) ) or` +
	` ( a.b startswith k and a.c in ( m , n ) and a.d pmatch ( "z z" ) ) )`

func TestExceptionsBecomePartOfTheCondition(t *testing.T) {
	assert.Equal(t, guard, condition(t, guarded))
	assert.Equal(t, "( a.b exists )", condition(t, rule("a.b exists", "  exceptions: [{name: n, fields: a.b}]\n")))
	assert.Equal(t, "a.b exists", condition(t, rule("a.b exists", "  exceptions: []\n")))
}

func TestExceptionsGrow(t *testing.T) {
	base := rule("a.b exists", "  exceptions:\n    - {name: one, fields: a.b, comps: pmatch, values: [p]}\n    - {name: two, fields: [a.b, a.c]}\n")
	added := "- rule: r\n  exceptions:\n    - {name: one, values: [q]}\n    - {name: two, values: [[s, t]]}\n    - {name: new, fields: a.d, values: [u]}\n"
	const want = `( a.b exists ) and not ( a.b pmatch ( p , q ) ) and not ( ( a.b = s and a.c = t ) ) and not ( a.d in ( u ) )`
	assert.Equal(t, want, condition(t, base, added+"  append: true\n"))
	assert.Equal(t, want, condition(t, base, added+"  override: {exceptions: append}\n"))
	assert.Equal(t, `( a.b exists ) and not ( a.d in ( u ) )`,
		condition(t, base, "- rule: r\n  exceptions: [{name: new, fields: a.d, values: [u]}]\n  override: {exceptions: replace}\n"))
	assert.Equal(t, `( a.b exists or a.c exists ) and not ( a.b pmatch ( p ) )`,
		condition(t, base, "- rule: r\n  condition: or a.c exists\n  append: true\n"), "exceptions guard what was appended later, too")

	// nothing of one reading is left for the next
	f, err := parse(base)
	require.NoError(t, err)
	assert.Equal(t, `( a.b exists ) and not ( a.b pmatch ( p ) )`, f.Rules[0].Condition)
}

func TestExceptionsThatAreWrongAreSaid(t *testing.T) {
	with := func(exceptions string) string { return rule("a.b exists", "  exceptions: "+exceptions+"\n") }
	existing := with("[{name: n, fields: [a.b], values: [[c]]}]")
	more := func(exceptions string) string {
		return existing + "- rule: r\n  exceptions: " + exceptions + "\n  append: true\n"
	}
	tests := map[string]struct{ text, want string }{
		"no list":                         {with("x"), `1.yaml:6: rule "r": exceptions is no list`},
		"no name":                         {with("[{fields: [a.b]}]"), `rule "r": exception: it has no name`},
		"no fields":                       {with("[{name: n}]"), `1.yaml:6: rule "r": exception "n": it has no fields`},
		"a name twice":                    {with("[{name: n, fields: a.b}, {name: n, fields: a.b}]"), `exception "n": there are two exceptions of that name`},
		"an unknown key":                  {with("[{name: n, field: a.b}]"), `unknown key "field"; use name, fields, comps, values`},
		"a list and a text":               {with("[{name: n, fields: [a.b], comps: in}]"), `fields and comps have to be two lists or two texts`},
		"too few comps":                   {with("[{name: n, fields: [a.b, a.c], comps: [=]}]"), `2 fields need as many comps, not 1`},
		"one field with =":                {with("[{name: n, fields: a.b, comps: =}]"), `comps of a single field is "="; use in, intersects, pmatch`},
		"values that are no list":         {with("[{name: n, fields: a.b, values: c}]"), `values is no list`},
		"a value that is a mapping":       {with("[{name: n, fields: a.b, values: [{c: d}]}]"), `a value is a text or a list of texts`},
		"an empty value":                  {with("[{name: n, fields: a.b, values: ['']}]"), `a value is empty`},
		"a list for one field":            {with("[{name: n, fields: a.b, values: [[c]]}]"), `with a single field, a value is a text`},
		"a text for two fields":           {with("[{name: n, fields: [a.b, a.c], values: [c]}]"), `2 fields need a list of as many entries`},
		"too many entries":                {with("[{name: n, fields: [a.b], values: [[c, d]]}]"), `1 fields need a list of as many entries`},
		"a list compared by =":            {with("[{name: n, fields: [a.b], values: [[[c]]]}]"), `a list is compared by in, intersects, pmatch only`},
		"a list in a list in a list":      {with("[{name: n, fields: [a.b], comps: [in], values: [[[[c]]]]}]"), `a value is a text or a list of texts`},
		"an entry that falls apart":       {with("[{name: n, fields: [a.b], values: [['c(d']]}]"), `exception "n": item "c(d" would not stay one word`},
		"blanks that nobody quotes":       {with("[{name: n, fields: [a.b], comps: [in], values: [[c d]]}]"), `"c d" has blanks, and Falco does not quote it here`},
		"more fields for an exception":    {more("[{name: n, fields: [a.c], values: [[d]]}]"), `only values can be appended to it`},
		"no values for an exception":      {more("[{name: n}]"), `it has no values to append`},
		"a new exception without a field": {more("[{name: o, values: [[d]]}]"), `the rule has no such exception yet, so it needs fields`},
		"a replacement without fields":    {existing + "- rule: r\n  exceptions: [{name: n, values: [[d]]}]\n  override: {exceptions: replace}\n", `it has no fields`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := parse(tt.text)
			assert.ErrorContains(t, err, tt.want)
			assert.ErrorContains(t, err, "reading rules: 1.yaml:")
		})
	}
}
