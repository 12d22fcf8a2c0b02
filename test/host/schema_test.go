// SPDX-License-Identifier: Apache-2.0

package host

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestConfigsAreCheckedAsDraft7(t *testing.T) {
	const object = `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","additionalProperties":false,"properties":{
		"n":{"type":"integer","minimum":1}, "s":{"type":"string","format":"email"}, "d":{"format":"date"},
		"in":{"type":"object","properties":{"b":{"type":"boolean"}}}, "r":{"$ref":"#/definitions/n"}},
		"definitions":{"n":{"type":"number"}}}`
	tests := map[string]struct{ schema, config, want string }{
		"an empty object":                       {object, `{}`, ""},
		"comments and trailing text":            {object, `{"n": 2 /* two */} // done`, ""},
		"a whole float as integer":              {object, `{"n": 3000000000.0}`, ""},
		"a format that libsinsp ignores":        {object, `{"s": "no mail"}`, ""},
		"null for an object":                    {object, `null`, "error in plugin p init config: In <root>, "},
		"a string for an integer":               {object, `{"n": "2"}`, `error in plugin p init config: In <root>["n"], `},
		"a number out of range":                 {object, `{"n": 0}`, `In <root>["n"], `},
		"a fault further in":                    {object, `{"in": {"b": 1}}`, `In <root>["in"]["b"], `},
		"a reference inside the schema":         {object, `{"r": "x"}`, `In <root>["r"], `},
		"an unknown key":                        {object, `{"zzz": 1}`, "zzz"},
		"a date that is none":                   {object, `{"d": "tomorrow"}`, `In <root>["d"], `},
		"no JSON":                               {object, `{`, "error in plugin p init config: unexpected EOF"},
		"a keyword of a later draft is ignored": {`{"dependentRequired":{"a":["b"]}}`, `{"a": 1}`, ""},
		"a keyword of draft 7 is not":           {`{"dependencies":{"a":["b"]}}`, `{"a": 1}`, "In <root>, "},
		"a schema that is no object":            {`[]`, `{}`, "error in plugin p init schema: a JSON array; use an object"},
		"a schema that is no JSON":              {`{"`, `{}`, "error in plugin p init schema: unexpected EOF"},
		"a schema that refers elsewhere":        {`{"$ref":"https://example.org/x.json"}`, `{}`, "only references inside the schema are followed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := checkConfig("p", tt.schema, tt.config)
			if tt.want == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, tt.want)
			}
		})
	}
	assert.ErrorIs(t, checkConfig("p", object, `{"n":0}`), ErrConfig)
	assert.NotErrorIs(t, checkConfig("p", `[]`, `{}`), ErrConfig, "the schema is at fault there")
}
