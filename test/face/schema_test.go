// SPDX-License-Identifier: Apache-2.0

package face

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// compare is what differs between two schemas of the configuration.
func compare(old, new string) []Change {
	d := &differ{}
	d.schema("config", json.RawMessage(old), json.RawMessage(new))
	return d.changes
}

// key is a schema of an object with the key a.
func key(schema string) string { return `{"properties": {"a": ` + schema + `}}` }

func TestWhatWasAcceptedHasToBeAcceptedStill(t *testing.T) {
	one := func(subject, text string, bump Bump) []Change { return []Change{{subject, text, bump, ""}} }
	for name, c := range map[string]struct {
		old, new string
		want     []Change
	}{
		"an optional key is added": {`{}`, key(`{}`), one("config key /a", "added", Minor)},
		"a required key is added":  {`{}`, `{"properties": {"a": {}}, "required": ["a"]}`, one("config key /a", "added, and required", Major)},
		"a key is removed":         {key(`{}`), `{}`, one("config key /a", "removed", Major)},
		"a key becomes required":   {key(`{}`), `{"properties": {"a": {}}, "required": ["a"]}`, one("config key /a", "became required", Major)},
		"a key becomes optional":   {`{"properties": {"a": {}}, "required": ["a"]}`, key(`{}`), one("config key /a", "is optional now", Minor)},
		"a type is accepted too":   {key(`{"type": "string"}`), key(`{"type": ["string", "null"]}`), one("config key /a", "type null accepted too", Minor)},
		"a type is refused":        {key(`{"type": ["string", "null"]}`), key(`{"type": "string"}`), one("config key /a", "type null not accepted any more", Major)},
		"a type is another": {
			key(`{"type": "string"}`), key(`{"type": "boolean"}`),
			append(one("config key /a", "type string not accepted any more", Major), one("config key /a", "type boolean accepted too", Minor)...),
		},
		"integers become numbers":   {key(`{"type": "integer"}`), key(`{"type": "number"}`), one("config key /a", "type number accepted too", Minor)},
		"a type is asked for":       {key(`{}`), key(`{"type": "string"}`), one("config key /a", "only types string are accepted now", Major)},
		"any type will do":          {key(`{"type": "string"}`), key(`{}`), one("config key /a", "every type is accepted now", Minor)},
		"a value is accepted too":   {key(`{"enum": ["x"]}`), key(`{"enum": ["x", 1]}`), one("config key /a", "value 1 accepted too", Minor)},
		"a value is refused":        {key(`{"enum": ["x", "y"]}`), key(`{"enum": ["x"]}`), one("config key /a", `value "y" not accepted any more`, Major)},
		"a lower limit is lowered":  {key(`{"minimum": 10}`), key(`{"minimum": 9.5}`), one("config key /a", "minimum 10 -> 9.5", Minor)},
		"a lower limit is raised":   {key(`{"minimum": 9}`), key(`{"minimum": 10}`), one("config key /a", "minimum 9 -> 10", Major)},
		"an upper limit is raised":  {key(`{"maxLength": 9}`), key(`{"maxLength": 10}`), one("config key /a", "maxLength 9 -> 10", Minor)},
		"an upper limit is lowered": {key(`{"maximum": 10}`), key(`{"maximum": 9}`), one("config key /a", "maximum 10 -> 9", Major)},
		"a limit is set":            {key(`{}`), key(`{"maximum": 9}`), one("config key /a", "maximum none -> 9", Major)},
		"a limit is lifted":         {key(`{"maximum": 9}`), key(`{}`), one("config key /a", "maximum 9 -> none", Minor)},
		"a limit is written anew":   {key(`{"maximum": 9}`), key(`{"maximum": 9.0}`), one("config", "schema in another order", Patch)},
		"a pattern is dropped":      {key(`{"pattern": "x"}`), key(`{}`), one("config key /a", `pattern "x" dropped`, Minor)},
		"a pattern is another":      {key(`{"pattern": "x"}`), key(`{"pattern": "y"}`), one("config key /a", `pattern "x" -> "y"`, Major)},
		"unknown keys are accepted": {`{"additionalProperties": false}`, `{}`, one("config", "keys of other names are accepted now", Minor)},
		"unknown keys are refused":  {`{"additionalProperties": true}`, `{"additionalProperties": false}`, one("config", "keys of other names are not accepted any more", Major)},
		"values of a map narrow": {
			`{"additionalProperties": {"maximum": 9}}`, `{"additionalProperties": {"maximum": 8}}`, one("config key /*", "maximum 9 -> 8", Major),
		},
		"a map's values are restricted": {`{}`, `{"additionalProperties": {"maximum": 8}}`, one("config", "keys of other names became restricted", Major)},
		"elements narrow":               {key(`{"items": {"type": ["string", "null"]}}`), key(`{"items": {"type": "string"}}`), one("config key /a/*", "type null not accepted any more", Major)},
		"elements are restricted":       {key(`{}`), key(`{"items": {"type": "string"}}`), one("config key /a", "its elements became restricted", Major)},
		"elements are free":             {key(`{"items": {"type": "string"}}`), key(`{}`), one("config key /a", "its elements are not restricted any more", Minor)},
		"a key in a section goes":       {key(key(`{}`)), key(`{}`), one("config key /a/a", "removed", Major)},
		"a key with a slash goes":       {`{"properties": {"a/b~c": {}}}`, `{}`, one("config key /a~1b~0c", "removed", Major)},
		"words change":                  {key(`{"title": "A", "description": "b"}`), key(`{"title": "B", "description": "c"}`), append(one("config key /a", "title changed", Patch), one("config key /a", "description changed", Patch)...)},
		"keys stand in another order":   {`{"title": "A", "type": "object"}`, `{"type": "object", "title": "A"}`, one("config", "schema in another order", Patch)},
		"only white space differs":      {`{"title":"A"}`, `{ "title": "A" }`, nil},
		"an unknown keyword changes":    {`{}`, `{"anyOf": [{}]}`, one("config", "anyOf changed, which may refuse what was accepted", Major)},
		"the schema is dropped":         {`{}`, `null`, one("config", "has no schema any more: everything is accepted", Minor)},
		"a strict schema comes":         {``, `{"required": ["a"]}`, one("config", "has a schema now, which does not accept {}", Major)},
		"a schema of lists comes":       {`null`, `{"type": "array"}`, one("config", "has a schema now, which does not accept {}", Major)},
		"there never is one":            {`null`, ``, nil},
		"a text that is no JSON":        {`"{} // a"`, `"{} // b"`, one("config", "changed, which may refuse what was accepted", Major)},
		"a schema of true":              {key(`{"type": "string"}`), key(`true`), one("config key /a", "accepts more", Minor)},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, compare(c.old, c.new)) })
	}
}

func TestWhatOnlyAPersonCanTellIsAskedFor(t *testing.T) {
	assert.Equal(t, []Change{{"config key /a", "default 1 -> 2", Minor, newDefault}}, compare(key(`{"default": 1}`), key(`{"default": 2}`)))
	assert.Equal(t, []Change{{"config", "has a schema now", Minor, "what did people write before there was a schema, and is that accepted?"}},
		compare(`null`, `{"type": ["object", "null"], "properties": {"a": {}}}`))
}

func TestSectionsWithoutEndAreNotFollowed(t *testing.T) {
	deep := func(leaf string) string {
		return strings.Repeat(`{"items": `, 10_000) + leaf + strings.Repeat(`}`, 10_000)
	}
	got := compare(deep(`{"maximum": 1}`), deep(`{"maximum": 2}`))
	assert.Equal(t, []Bump{Major}, []Bump{got[0].Bump})
	assert.Len(t, got, 1)
}
