// SPDX-License-Identifier: Apache-2.0

package jsonfields

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestABorrowedTextIsReadWhereItStands(t *testing.T) {
	var d Document
	text := []byte(`{"items":[{"a":1},{"a":"b"}]}`)
	require.NoError(t, d.Borrow(text))
	var got []string
	for v := range d.Locate(MustPointer("/items")).Elements {
		start, length, ok := v.Verbatim()
		require.True(t, ok)
		got = append(got, string(text[start:start+length]))
	}
	assert.Equal(t, []string{`{"a":1}`, `{"a":"b"}`}, got)
	assert.Equal(t, "b", string(d.Find(MustPointer("/items/1/a")).Text()))
}

func TestALoadAfterABorrowLeavesTheBorrowedTextAlone(t *testing.T) {
	var d Document
	text := []byte(`{"a":"lent"}`)
	require.NoError(t, d.Borrow(text))
	require.True(t, d.Load([]byte(`{"b":"other"}`)))
	assert.Equal(t, `{"a":"lent"}`, string(text))
	require.NoError(t, d.Borrow(text))
	require.True(t, d.Load(text), "also the same bytes are loaded anew")
	text[0] = 'x'
	assert.Equal(t, "lent", string(d.Find(MustPointer("/a")).Text()))
}

func TestWhatIsBorrowedIsCheckedLikeWhatIsLoaded(t *testing.T) {
	for _, text := range []string{``, `{`, `[1,]`, `{"a":tru}`, strings.Repeat("[", 301)} {
		var borrowed, loaded Document
		assert.False(t, loaded.Load([]byte(text)))
		assert.Equal(t, loaded.Err(), borrowed.Borrow([]byte(text)))
		assert.Equal(t, KindAbsent, borrowed.Locate(Pointer{}).Kind())
	}
}

func TestCompactMovesTokensTogether(t *testing.T) {
	for text, want := range map[string]string{
		"{ }":                              "{}",
		"{\n\t\"a b\" : [ 1 , -2.50e+1 ]}": `{"a b":[1,-2.50e+1]}`,
		`{"a":" \" x \u0020 "}`:            `{"a":" \" x \u0020 "}`,
		"[ \"\\\\\" , {\r\n} ]":            `["\\",{}]`,
		"[1,2]":                            "[1,2]",
	} {
		assert.Equal(t, want, string(Compact([]byte(text))))
	}
}

func TestSkimmingFindsTheOuterLevelsOnly(t *testing.T) {
	text := []byte(`{"kind":"List","items":[{"a":{"b":[1]},"c":2},[],3]}`)
	for levels, want := range map[int]map[string]string{
		0: {"": string(text), "/kind": "-", "/items": "-"},
		1: {"": string(text), "/kind": "List", "/items": `[{"a":{"b":[1]},"c":2},[],3]`, "/items/0": "-"},
		2: {"/items/0": `{"a":{"b":[1]},"c":2}`, "/items/2": "3", "/items/3": "-", "/items/0/c": "-"},
		3: {"/items/0/a": `{"b":[1]}`, "/items/0/c": "2", "/items/0/a/b": "-"},
		4: {"/items/0/a/b": "[1]", "/items/0/a/b/0": "-"},
		5: {"/items/0/a/b/0": "1"},
	} {
		var d Document
		require.NoError(t, d.Skim(text, levels))
		for pointer, want := range want {
			v := d.Find(MustPointer(pointer))
			if want == "-" {
				assert.Equal(t, KindAbsent, v.Kind(), "%s at %d levels", pointer, levels)
				continue
			}
			assert.Equal(t, want, string(v.Text()), "%s at %d levels", pointer, levels)
		}
	}
	var d Document
	assert.EqualError(t, d.Skim([]byte(`[[[1,]]]`), 0), `parse JSON: byte 5 is "]": want a value`)
}
