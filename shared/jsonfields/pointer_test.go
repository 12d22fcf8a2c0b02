// SPDX-License-Identifier: Apache-2.0

package jsonfields

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The example of RFC 6901 section 5, with the escape sequences that JSON wants.
const rfcDocument = `{
	"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3,
	"g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8
}`

func TestPointersOfTheRFC(t *testing.T) {
	tests := []struct{ pointer, want string }{
		{``, `{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}`},
		{`/foo`, `["bar","baz"]`},
		{`/foo/0`, `bar`},
		{`/`, `0`},
		{`/a~1b`, `1`},
		{`/c%d`, `2`},
		{`/e^f`, `3`},
		{`/g|h`, `4`},
		{`/i\j`, `5`},
		{`/k"l`, `6`},
		{`/ `, `7`},
		{`/m~0n`, `8`},
	}
	var d Document
	require.True(t, d.Load([]byte(rfcDocument)))
	for _, test := range tests {
		got, ok := textAt(t, &d, test.pointer)
		assert.True(t, ok, test.pointer)
		assert.Equal(t, test.want, got, test.pointer)
	}
}

func TestStepsOfPointers(t *testing.T) {
	const document = `{"":{"s":1,"":2},"~1":3,"~":4,"/":5,"a":[10,[20,21],{"0":30}],"0":6,"-":7,"01":8,"~01":9,"x~y/z":{"~/":11}}`
	tests := []struct {
		name, pointer, want string // "" for absent
	}{
		{"a slash alone is the empty key", "/", `{"s":1,"":2}`},
		{"the empty key, then s", "//s", "1"},
		{"the empty key twice", "//", "2"},
		{"~01 is the key ~1, as ~1 is replaced before ~0", "/~01", "3"},
		{"~0 is a tilde", "/~0", "4"},
		{"~1 is a slash", "/~1", "5"},
		{"~001 is the key ~01", "/~001", "9"},
		{"several in one token and in several tokens", "/x~0y~1z/~0~1", "11"},
		{"half of a key with a tilde does not match", "/x~0y", ""},
		{"more than a key with a tilde does not match", "/~0~0", ""},
		{"an element", "/a/0", "10"},
		{"an element of an element", "/a/1/1", "21"},
		{"digits are a key in an object", "/0", "6"},
		{"digits are a key in an object in an array", "/a/2/0", "30"},
		{"a leading zero is a key in an object", "/01", "8"},
		{"a dash is a key in an object", "/-", "7"},
		{"an index with a leading zero", "/a/01", ""},
		{"an index with a plus sign", "/a/+1", ""},
		{"a negative index", "/a/-1", ""},
		{"the dash, the element after the last", "/a/-", ""},
		{"an index out of range", "/a/3", ""},
		{"an index that overflows", "/a/18446744073709551616", ""},
		{"an index that overflows to a valid one", "/a/18446744073709551617", ""},
		{"an index in other digits", "/a/٠", ""},
		{"an index with a blank", "/a/ 1", ""},
		{"an index in hexadecimal", "/a/0x1", ""},
		{"an empty index", "/a/", ""},
		{"a key of an array", "/a/b", ""},
		{"a step into a number", "/a/0/0", ""},
		{"an unknown key", "/b", ""},
		{"a step on from an unknown key", "/b/c/0", ""},
	}
	var d Document
	require.True(t, d.Load([]byte(document)))
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := textAt(t, &d, test.pointer)
			assert.Equal(t, test.want != "", ok)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestPointersThatAreNone(t *testing.T) {
	for pointer, says := range map[string]string{
		"a":     `parse JSON pointer "a": it starts with "a"; it must be empty or start with /`,
		"#/a":   `parse JSON pointer "#/a": it starts with "#"; it must be empty or start with /`,
		"/a~":   `parse JSON pointer "/a~": a ~ must be written ~0, and / in a key ~1`,
		"/~2":   `parse JSON pointer "/~2": a ~ must be written ~0, and / in a key ~1`,
		"/~/0":  `parse JSON pointer "/~/0": a ~ must be written ~0, and / in a key ~1`,
		"/~0~~": `parse JSON pointer "/~0~~": a ~ must be written ~0, and / in a key ~1`,
	} {
		_, err := ParsePointer(pointer)
		assert.EqualError(t, err, says)
		assert.Panics(t, func() { MustPointer(pointer) })
	}
}

func TestLaxPointersMayLeaveOutTheFirstSlash(t *testing.T) {
	for lax, strict := range map[string]string{
		"": "", "/": "/", "a": "/a", "/a": "/a", "a/b": "/a/b", "//s": "//s", "0": "/0", "a/": "/a/", "a~1b": "/a~1b",
	} {
		got, err := ParseLaxPointer(lax)
		require.NoError(t, err)
		assert.Equal(t, MustPointer(strict), got, lax)
		assert.Equal(t, strict, got.String())
	}
	_, err := ParseLaxPointer("a~b")
	assert.EqualError(t, err, `parse JSON pointer "a~b": a ~ must be written ~0, and / in a key ~1`)
}

// FuzzPointer follows any text through documents that have something to find.
func FuzzPointer(f *testing.F) {
	for _, seed := range []string{"", "/", "//", "/a/0", "a/b", "/a~1b", "/~01", "/~", "/-", "/a/+1", "/m~0n/x", "/\xff", "/k\"l", `/i\j`} {
		f.Add(seed)
	}
	var plain, escaped Document
	require.True(f, plain.Load([]byte(`{"":{"":[0,{"a/b":1}]},"a":[1,2,[3]],"m~n":{"x":null},"0":{"~1":[]}}`)))
	require.True(f, escaped.Load([]byte(rfcDocument)))
	f.Fuzz(func(t *testing.T, text string) {
		strict, err := ParsePointer(text)
		lax, laxErr := ParseLaxPointer(text)
		if err != nil {
			if laxErr != nil {
				return
			}
		} else {
			require.NoError(t, laxErr)
			require.Equal(t, strict, lax)
			require.Equal(t, text, strict.String())
		}
		for _, d := range []*Document{&plain, &escaped} {
			found, located := d.Find(lax), d.Locate(lax)
			require.Equal(t, found.Kind(), located.Kind())
			require.Equal(t, string(found.AppendText(nil)), string(located.AppendText(nil)))
		}
	})
}
