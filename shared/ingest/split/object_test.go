// SPDX-License-Identifier: Apache-2.0

package split

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func members(text string) ([]string, error) {
	got := []string{}
	err := Object([]byte(text), func(key, value []byte) error {
		got = append(got, string(key)+" = "+string(value))
		return nil
	})
	return got, err
}

func TestObject(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"an empty object has no members":        {" { }\n", []string{}},
		"one member":                            {`{"a":1}`, []string{"a = 1"}},
		"white space around tokens is left out": {"{\n\"a\" : [ 1 ] ,\t\"b\":{} }", []string{"a = [ 1 ]", "b = {}"}},
		"keys stay as they are written":         {`{"a\u0062\"":null,"":0}`, []string{`a\u0062\" = null`, ` = 0`}},
		"a key may occur twice":                 {`{"a":1,"a":2}`, []string{"a = 1", "a = 2"}},
		"brackets in strings do not count":      {`{"}":"{","x":["]"]}`, []string{`} = "{"`, `x = ["]"]`}},
		"the grammar inside is not checked":     {`{"a":[1 2,}`[:8] + `],"b":{"c"}}`, []string{`a = [1 ]`, `b = {"c"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := members(c.text)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestObjectRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, err string }{
		"no text":                     {"", `split JSON object: starts with the end of the text; want '{'`},
		"an array":                    {"[]", `split JSON object: starts with "["; want '{'`},
		"an object that does not end": {`{"a":1`, `split JSON object: the end of the text at byte 6 after a value; want a comma or '}'`},
		"a key that does not end":     {`{"a`, `split JSON object: key at byte 1: a string that does not end`},
		"a key without quotes":        {`{a:1}`, `split JSON object: "a" at byte 1; want a key in quotes`},
		"a key without a value":       {`{"a"}`, `split JSON object: "}" at byte 4 after a key; want a colon`},
		"a comma before the end":      {`{"a":1,}`, `split JSON object: "}" at byte 7; want a key in quotes`},
		"a colon without a value":     {`{"a":}`, `split JSON object: value at byte 5: "}" where a value should be`},
		"text after the object":       {`{} {}`, `split JSON object: "{" at byte 3, after the end of the object`},
		"brackets that cross":         {`{"a":[}]}`, `split JSON object: value at byte 5: '}' at byte 6 closes another kind of bracket`},
		"a value that is too deep":    {`{"a":` + strings.Repeat("[", MaxDepth+1), `split JSON object: value at byte 5: nested deeper than 10000`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := members(c.text)
			assert.EqualError(t, err, c.err)
		})
	}
}

func TestTheErrorOfYieldEndsTheSplitOfAnObject(t *testing.T) {
	enough := errors.New("enough")
	assert.Equal(t, enough, Object([]byte(`{"a":1,"b"`), func(_, _ []byte) error { return enough }))
}

// FuzzObject holds Object against encoding/json.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1,"b":{"c":[null]}}`, `{"a":"\""}`, `{"a":1,}`, `{"\`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got := 0
		err := Object(text, func(key, value []byte) error {
			got++
			return nil
		})
		var want map[string]json.RawMessage
		if json.Unmarshal(text, &want) != nil || want == nil {
			return // Object checks less than encoding/json does.
		}
		require.NoError(t, err)
		require.GreaterOrEqual(t, got, len(want), "keys may occur twice")
	})
}
