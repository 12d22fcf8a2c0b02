// SPDX-License-Identifier: Apache-2.0

package split

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type splitter func([]byte, func([]byte) error) error

func all(split splitter, text string) ([]string, error) {
	got := []string{}
	err := split([]byte(text), func(part []byte) error {
		got = append(got, string(part))
		return nil
	})
	return got, err
}

func TestLines(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"no text has no lines":                         {"", []string{}},
		"a line needs no line ending":                  {`{"a":1}`, []string{`{"a":1}`}},
		"a final line ending adds no line":             {"a\nb\n", []string{"a", "b"}},
		"CR LF ends a line too":                        {"a\r\nb\r\n", []string{"a", "b"}},
		"blank lines are left out":                     {"\n \t\r\n\na\n\r\n\nb", []string{"a", "b"}},
		"white space in and around a line stays":       {" a \t\n\tb c", []string{" a \t", "\tb c"}},
		"what is no JSON is a line like any other":     {"{\n]\x00\n\xff", []string{"{", "]\x00", "\xff"}},
		"a lone carriage return does not end a line":   {"a\rb", []string{"a\rb"}},
		"only one carriage return is a line's ending":  {"a\r\r\n", []string{"a\r"}},
		"a text of nothing but line endings has none":  {"\n\n\r\n", []string{}},
		"a byte order mark belongs to the first line":  {"\xef\xbb\xbf1\n2", []string{"\xef\xbb\xbf1", "2"}},
		"an escaped newline in a string ends no line":  {`"a\nb"` + "\n1", []string{`"a\nb"`, "1"}},
		"the last line may be blank without an ending": {"a\n  ", []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := all(Lines, c.text)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestArray(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"an empty array has no elements":               {" [ ]\n", []string{}},
		"one element":                                  {`[{"a":1}]`, []string{`{"a":1}`}},
		"white space around elements is left out":      {"\t[ 1 ,\r\n 2\n]\n", []string{"1", "2"}},
		"white space inside elements stays":            {`[{ "a" : [ 1 ] }, {}]`, []string{`{ "a" : [ 1 ] }`, `{}`}},
		"elements of every type":                       {`["s",-1.5e+3,true,false,null,[],{}]`, []string{`"s"`, "-1.5e+3", "true", "false", "null", "[]", "{}"}},
		"brackets and commas in strings do not count":  {`["],[",{"}":"{"}]`, []string{`"],["`, `{"}":"{"}`}},
		"escaped quotes do not end a string":           {`["\"","\\","\\\"",["\\\\"]]`, []string{`"\""`, `"\\"`, `"\\\""`, `["\\\\"]`}},
		"arrays in arrays are not split":               {`[[1,2],[[3]]]`, []string{"[1,2]", "[[3]]"}},
		"invalid UTF-8 passes as it is":                {"[\"\xff\xfe\"]", []string{"\"\xff\xfe\""}},
		"the grammar inside an element is not checked": {`[{"a":},{1 2}]`, []string{`{"a":}`, `{1 2}`}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := all(Array, c.text)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestArrayRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, err string }{
		"no text":                        {"", `split JSON array: starts with the end of the text; want '['`},
		"blanks only":                    {" \n", `split JSON array: starts with the end of the text; want '['`},
		"an object":                      {`{"a":1}`, `split JSON array: starts with "{"; want '['`},
		"a byte order mark":              {"\xef\xbb\xbf[1]", `split JSON array: starts with "\xef"; want '['`},
		"an array that does not end":     {`[1`, `split JSON array: the end of the text at byte 2 after element 0; want a comma or ']'`},
		"nothing after the bracket":      {`[`, `split JSON array: element 0, at byte 1: the text ends where a value should be`},
		"a comma before the end":         {`[1,]`, `split JSON array: element 1, at byte 3: "]" where a value should be`},
		"a comma at the start":           {`[,1]`, `split JSON array: element 0, at byte 1: "," where a value should be`},
		"elements without a comma":       {`[1 2]`, `split JSON array: "2" at byte 3 after element 0; want a comma or ']'`},
		"objects without a comma":        {`[{}{}]`, `split JSON array: "{" at byte 3 after element 0; want a comma or ']'`},
		"text after the array":           {`[1] x`, `split JSON array: "x" at byte 4, after the end of the array`},
		"a second array":                 {"[1]\n[2]", `split JSON array: "[" at byte 4, after the end of the array`},
		"a word":                         {`[nil]`, `split JSON array: element 0, at byte 1: "n" where a value should be`},
		"a number with a leading zero":   {`[01]`, `split JSON array: element 0, at byte 1: "0" where a value should be`},
		"a string that does not end":     {`["a\"]`, `split JSON array: element 0, at byte 1: a string that does not end`},
		"a key that does not end":        {`[{"a]`, `split JSON array: element 0, at byte 1: a string that does not end`},
		"brackets of two kinds":          {`[{"a":1]]`, `split JSON array: element 0, at byte 1: ']' at byte 7 closes another kind of bracket`},
		"brackets crossing":              {`[[{]}]`, `split JSON array: element 0, at byte 1: ']' at byte 3 closes another kind of bracket`},
		"an object that does not end":    {`[{"a":[1,2]`, `split JSON array: element 0, at byte 1: brackets that are not closed`},
		"an object's end in its place":   {`[}]`, `split JSON array: element 0, at byte 1: "}" where a value should be`},
		"a NUL byte":                     {"[\x00]", `split JSON array: element 0, at byte 1: "\x00" where a value should be`},
		"more brackets than may be":      {strings.Repeat("[", 10_002), `split JSON array: element 0, at byte 1: nested deeper than 10000`},
		"a bracket closed once too much": {`[[]]]`, `split JSON array: "]" at byte 4, after the end of the array`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := all(Array, c.text)
			assert.EqualError(t, err, c.err)
		})
	}
}

func TestArrayTakesTheDeepestNestingAllowed(t *testing.T) {
	element := strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth)
	got, err := all(Array, "["+element+",1]")
	require.NoError(t, err)
	assert.Equal(t, []string{element, "1"}, got)
}

func TestTheErrorOfYieldEndsTheSplit(t *testing.T) {
	enough := errors.New("enough")
	for name, split := range map[string]func(func([]byte) error) error{
		"lines": func(yield func([]byte) error) error { return Lines([]byte("1\n2\n3"), yield) },
		"array": func(yield func([]byte) error) error { return Array([]byte("[1,2,3]"), yield) },
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			err := split(func([]byte) error {
				if n++; n == 2 {
					return enough
				}
				return nil
			})
			assert.Equal(t, enough, err)
			assert.Equal(t, 2, n)
		})
	}
}

func TestAppendingToAPartDoesNotTouchItsNeighbour(t *testing.T) {
	for name, c := range map[string]struct {
		split splitter
		text  string
	}{
		"lines": {Lines, "1\n2\n3"},
		"array": {Array, "[1,2,3]"},
	} {
		t.Run(name, func(t *testing.T) {
			text := []byte(c.text)
			require.NoError(t, c.split(text, func(part []byte) error {
				_ = append(part, "xxxx"...)
				return nil
			}))
			assert.Equal(t, c.text, string(text))
		})
	}
}

// FuzzArray holds Array against encoding/json, whose raw messages are the
// elements byte for byte.
func FuzzArray(f *testing.F) {
	for _, seed := range []string{`[]`, `[1,"a\"b",{"c":[null]}]`, ` [ {} , [ ] ] `, `[1,]`, `[{]}`, `["\\`, `[tru e]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		var got [][]byte
		err := Array(text, func(element []byte) error {
			got = append(got, element)
			return nil
		})
		require.Equal(t, before, text, "the text is never changed")
		var want []json.RawMessage
		if json.Unmarshal(text, &want) != nil || want == nil {
			return // Array checks less than encoding/json does.
		}
		require.NoError(t, err)
		require.Len(t, got, len(want))
		for i := range want {
			require.Equal(t, string(want[i]), string(got[i]))
		}
	})
}

func BenchmarkArray(b *testing.B) {
	element := `{"output":"Shell in container","priority":"Notice","tags":["shell","mitre"],"output_fields":{"proc.name":"bash","container.id":"3ad7b26ded6d","evt.time":1700000000000000000}}`
	text := []byte("[" + strings.Repeat(element+",\n", 99) + element + "]")
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Array(text, func([]byte) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
