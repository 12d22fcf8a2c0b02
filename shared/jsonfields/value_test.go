// SPDX-License-Identifier: Apache-2.0

package jsonfields

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bothWays runs f with a document's values as Find and as Locate give them.
func bothWays(t *testing.T, document string, f func(t *testing.T, root Value)) {
	t.Helper()
	var d Document
	require.True(t, d.Load([]byte(document)), "%v", d.Err())
	t.Run("found", func(t *testing.T) { f(t, d.Find(Pointer{})) })
	t.Run("located", func(t *testing.T) { f(t, d.Locate(Pointer{})) })
}

func TestMembersComeInOrderWithDecodedKeys(t *testing.T) {
	bothWays(t, `{ "b" : 1 , "a/b" : [ ] , "b" : 2 , "" : { "x" : 1 } , "\u0041\"" : 3 }`, func(t *testing.T, root Value) {
		var seen []string
		for key, member := range root.Members {
			seen = append(seen, string(key)+"="+string(member.Text()))
		}
		assert.Equal(t, []string{"b=1", "a/b=[]", "b=2", `={"x":1}`, `A"=3`}, seen)
		for range root.Members {
			seen = append(seen, "once")
			break
		}
		assert.Len(t, seen, 6)
	})
	bothWays(t, `{"a":1,"b":2}`, func(t *testing.T, root Value) {
		count := 0
		for range root.Members {
			count++
			break
		}
		assert.Equal(t, 1, count, "members after leaving the loop")
	})
}

func TestElementsComeInOrder(t *testing.T) {
	bothWays(t, `[ 1 , "a" , [ 2 , 3 ] , { } , null ]`, func(t *testing.T, root Value) {
		var seen []string
		for element := range root.Elements {
			seen = append(seen, string(element.Text()))
		}
		assert.Equal(t, []string{"1", "a", "[2,3]", "{}", "null"}, seen)
		count := 0
		for range root.Elements {
			count++
			break
		}
		assert.Equal(t, 1, count, "elements after leaving the loop")
		assert.Equal(t, "[2,3]", string(root.At(2).Text()))
		assert.Equal(t, "3", string(root.At(2).At(1).Text()))
		assert.Equal(t, Value{}, root.At(5))
		assert.Equal(t, Value{}, root.At(math.MaxUint64))
		assert.Equal(t, Value{}, root.At(math.MaxInt))
	})
}

func TestOtherKindsHaveNeitherMembersNorElements(t *testing.T) {
	for _, document := range []string{`{}`, `[]`, `"x"`, `1`, `true`, `false`, `null`} {
		bothWays(t, document, func(t *testing.T, root Value) {
			for range root.Members {
				t.Error("a member")
			}
			for range root.Elements {
				t.Error("an element")
			}
			assert.Equal(t, Value{}, root.Get(""))
			assert.Equal(t, Value{}, root.Get("0"))
			assert.Equal(t, Value{}, root.At(0))
		})
	}
	bothWays(t, `{"0":1}`, func(t *testing.T, root Value) {
		assert.Equal(t, Value{}, root.At(0), "an element of an object")
		assert.Equal(t, "1", string(root.Get("0").Text()))
	})
	bothWays(t, `[1]`, func(t *testing.T, root Value) {
		assert.Equal(t, Value{}, root.Get("0"), "a member of an array")
	})
}

func TestTheAbsentValueAnswersEverything(t *testing.T) {
	var v Value
	assert.Equal(t, KindAbsent, v.Kind())
	assert.Nil(t, v.Text())
	assert.Nil(t, v.Source())
	assert.Equal(t, "x", string(v.AppendText([]byte("x"))))
	assert.Equal(t, v, v.Get("a"))
	assert.Equal(t, v, v.At(0))
	assert.Equal(t, v, v.Find(MustPointer("/a/0")))
	_, ok := v.Bool()
	assert.False(t, ok)
	_, ok = v.Uint64()
	assert.False(t, ok)
	_, _, ok = v.Extent()
	assert.False(t, ok)
	_, _, ok = v.Verbatim()
	assert.False(t, ok)
	for range v.Elements {
		t.Error("an element")
	}
	for range v.Members {
		t.Error("a member")
	}
}

func TestNumbersAsUint64(t *testing.T) {
	tests := []struct {
		name, document string
		want           uint64
		ok             bool
	}{
		{"zero", `0`, 0, true},
		{"digits", `404`, 404, true},
		{"the largest", `18446744073709551615`, math.MaxUint64, true},
		{"one over the largest", `18446744073709551616`, 0, false},
		{"ten times too large", `184467440737095516150`, 0, false},
		{"a negative number", `-1`, 0, false},
		{"minus zero", `-0`, 0, false},
		{"a fraction", `1.0`, 0, false},
		{"an exponent", `1e3`, 0, false},
		{"digits in a string", `"404"`, 0, false},
		{"a word", `true`, 0, false},
		{"an array", `[1]`, 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bothWays(t, test.document, func(t *testing.T, root Value) {
				got, ok := root.Uint64()
				assert.Equal(t, test.ok, ok)
				assert.Equal(t, test.want, got)
			})
		})
	}
}

func TestWordsAsBool(t *testing.T) {
	for document, want := range map[string][2]bool{
		`true`: {true, true}, `false`: {false, true}, `null`: {}, `"true"`: {}, `1`: {}, `[true]`: {}, `{}`: {},
	} {
		bothWays(t, document, func(t *testing.T, root Value) {
			value, ok := root.Bool()
			assert.Equal(t, want, [2]bool{value, ok}, document)
		})
	}
}

func TestWhereValuesStandInThePayload(t *testing.T) {
	const document = "\xEF\xBB\xBF" + ` {"s":"plain","e":"a\u0041","n":-1.5e3,"t":true,"o":{"x":[1,"a b"]},"p":{ "x":1},"a":[],"":"" } `
	tests := []struct{ name, pointer, token, verbatim string }{
		{"a string stands between its quotes", "/s", `"plain"`, `plain`},
		{"an empty string stands there too", "/", `""`, ``},
		{"a string with an escape sequence is written differently", "/e", `"a\u0041"`, "-"},
		{"a number", "/n", `-1.5e3`, `-1.5e3`},
		{"a word", "/t", `true`, `true`},
		{"an object without white space between its tokens", "/o", `{"x":[1,"a b"]}`, `{"x":[1,"a b"]}`},
		{"an object with white space between its tokens", "/p", `{ "x":1}`, "-"},
		{"an empty array", "/a", `[]`, `[]`},
		{"an element", "/o/x/0", `1`, `1`},
		{"the whole document", "", strings.TrimSpace(document[3:]), "-"},
	}
	var d Document
	require.True(t, d.Load([]byte(document)))
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := MustPointer(test.pointer)
			start, length, ok := d.Locate(p).Extent()
			require.True(t, ok)
			assert.Equal(t, test.token, document[start:start+length])
			assert.Equal(t, test.token, string(d.Find(p).Source()))

			start, length, ok = d.Locate(p).Verbatim()
			if test.verbatim == "-" {
				assert.False(t, ok)
				assert.Zero(t, start)
				assert.Zero(t, length)
			} else {
				require.True(t, ok)
				assert.Equal(t, test.verbatim, document[start:start+length])
				assert.Equal(t, test.verbatim, string(d.Locate(p).Text()))
			}
			for _, v := range []Value{d.Find(p), d.Root().Find(p)} {
				_, _, ok = v.Extent()
				assert.False(t, ok, "a value that was not located")
				_, _, ok = v.Verbatim()
				assert.False(t, ok, "a value that was not located")
			}
		})
	}
}

// FuzzValues walks over all values of a document, compares each with what encoding/json
// finds in its place, and finds it again by its pointer.
func FuzzValues(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var d Document
		if !d.Load(text) {
			return
		}
		w := walker{t: t, d: &d, left: 2000}
		w.walk("", d.Locate(Pointer{}))
		for i, first := range w.texts { // once more, after all has been read
			require.Equal(t, first, string(d.Find(MustPointer(w.pointers[i])).Text()), w.pointers[i])
		}

		indented, err := d.AppendIndented(nil)
		require.NoError(t, err)
		source := d.src[d.survey.start:d.survey.end]
		require.Equal(t, string(source), string(d.Root().Source()))
		var want bytes.Buffer
		require.NoError(t, json.Indent(&want, source, "", "  "))
		require.Equal(t, want.String(), string(indented))
		require.Equal(t, compact(t, source), string(Compact(bytes.Clone(source))))
	})
}

func compact(t *testing.T, source []byte) string {
	t.Helper()
	var text bytes.Buffer
	require.NoError(t, json.Compact(&text, source))
	return text.String()
}

type walker struct {
	t        *testing.T
	d        *Document
	left     int
	pointers []string
	texts    []string
}

func (w *walker) walk(pointer string, v Value) {
	if w.left--; w.left < 0 {
		return
	}
	t := w.t
	text := string(v.AppendText(nil))
	require.Equal(t, text, string(v.Text()), pointer)
	w.pointers, w.texts = append(w.pointers, pointer), append(w.texts, text)

	p := MustPointer(pointer)
	require.Equal(t, text, string(w.d.Find(p).AppendText(nil)), "found again: %s", pointer)
	require.Equal(t, v, w.d.Locate(p), "located again: %s", pointer)
	if start, length, ok := v.Verbatim(); ok {
		require.Equal(t, text, string(w.d.src[start:start+length]), "verbatim: %s", pointer)
	}
	start, length, ok := v.Extent()
	require.True(t, ok)
	source := w.d.src[start : start+length]
	require.True(t, json.Valid(source), "extent: %s", pointer)

	switch v.Kind() {
	case KindString:
		w.sameString(pointer, source, text)
	case KindArray:
		require.Equal(t, compact(t, source), text, pointer)
		var want []json.RawMessage
		require.NoError(t, json.Unmarshal(source, &want))
		i := 0
		for element := range v.Elements {
			require.Less(t, i, len(want), pointer)
			require.Equal(t, string(want[i]), string(element.Source()), "%s/%d", pointer, i)
			require.Equal(t, element, v.At(uint64(i)), "%s/%d", pointer, i)
			w.walk(fmt.Sprintf("%s/%d", pointer, i), element)
			i++
		}
		require.Len(t, want, i, pointer)
	case KindObject:
		require.Equal(t, compact(t, source), text, pointer)
		want := json.NewDecoder(bytes.NewReader(source))
		_, err := want.Token()
		require.NoError(t, err)
		seen := map[string]bool{}
		for key, member := range v.Members {
			wantKey, err := want.Token()
			require.NoError(t, err, pointer)
			w.same(pointer, wantKey.(string), string(key))
			var wantMember json.RawMessage
			require.NoError(t, want.Decode(&wantMember))
			require.Equal(t, string(wantMember), string(member.Source()), "%s, member %q", pointer, key)
			if !seen[string(key)] { // a second one of its name cannot be pointed to
				seen[string(key)] = true
				require.Equal(t, member, v.Get(string(key)), "%s, member %q", pointer, key)
				escaped := strings.NewReplacer("~", "~0", "/", "~1").Replace(string(key))
				w.walk(pointer+"/"+escaped, member)
			}
		}
		require.False(t, want.More(), pointer)
	default:
		require.Equal(t, string(source), text, pointer)
	}
}

func (w *walker) sameString(pointer string, source []byte, text string) {
	var want string
	require.NoError(w.t, json.Unmarshal(source, &want))
	w.same(pointer, want, text)
}

// same compares text with what encoding/json makes of it, which has another character for
// half a surrogate pair and for bytes that are not UTF-8.
func (w *walker) same(pointer, want, text string) {
	if utf8.ValidString(text) && !strings.ContainsRune(want, utf8.RuneError) {
		require.Equal(w.t, want, text, pointer)
	}
}
