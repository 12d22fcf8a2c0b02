// SPDX-License-Identifier: Apache-2.0

package jsonfields

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestIndentedDocuments(t *testing.T) {
	tests := []struct{ name, document, want string }{
		{"one member a line", `{"b":1,"a":[1,{"c":null}]}`, "{\n  \"b\": 1,\n  \"a\": [\n    1,\n    {\n      \"c\": null\n    }\n  ]\n}"},
		{"empty containers are closed at once", "{\"a\":{ \n },\"b\":[ ]}", "{\n  \"a\": {},\n  \"b\": []\n}"},
		{"keys and escape sequences are as in the source", `{"\u0041":"\u003c\/","n":1.50E+2}`, "{\n  \"\\u0041\": \"\\u003c\\/\",\n  \"n\": 1.50E+2\n}"},
		{"punctuation inside strings is left alone", `["{a: [1, 2]}","\""]`, "[\n  \"{a: [1, 2]}\",\n  \"\\\"\"\n]"},
		{"what surrounds the document is left out", "\xEF\xBB\xBF \n[]\n ", "[]"},
		{"an indented document stays as it is", "{\n  \"a\": 1\n}", "{\n  \"a\": 1\n}"},
		{"a scalar", ` "x\u0041" `, `"x\u0041"`},
		{"a number", `-1.0`, `-1.0`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var d Document
			require.True(t, d.Load([]byte(test.document)))
			got, err := d.AppendIndented([]byte("before"))
			require.NoError(t, err)
			assert.Equal(t, "before"+test.want, string(got))
		})
	}
}

func TestIndentingTheDeepestDocument(t *testing.T) {
	var d Document
	document := []byte(nested(MaxDepth, "1"))
	require.True(t, d.Load(document))
	got, err := d.AppendIndented(nil)
	require.NoError(t, err)
	var want bytes.Buffer
	require.NoError(t, json.Indent(&want, document, "", "  "))
	assert.Equal(t, want.String(), string(got))
}

func TestIndentingAHostileDocumentStopsInTime(t *testing.T) {
	var d Document
	document := nested(MaxDepth-1, strings.Repeat("0,", 200_000)+"0")
	require.True(t, d.Load([]byte(document)))
	_, err := d.AppendIndented(nil)
	assert.EqualError(t, err, "indent JSON document: the text would have more than 64 MiB; read single values of it instead")
	assert.Len(t, d.Find(Pointer{}).Text(), len(document))
}
