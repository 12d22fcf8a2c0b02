// SPDX-License-Identifier: Apache-2.0

package jsonfields

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func nested(depth int, inner string) string {
	return strings.Repeat("[", depth) + inner + strings.Repeat("]", depth)
}

func TestAcceptedDocuments(t *testing.T) {
	tests := []struct{ name, text string }{
		{"an object", `{"a":1}`},
		{"an array", `[1,2]`},
		{"a string at the top level", `"x"`},
		{"a number at the top level", `-0.5e+7`},
		{"true at the top level", `true`},
		{"false at the top level", `false`},
		{"null at the top level", `null`},
		{"empty containers", `{"a":{},"b":[]}`},
		{"the empty key", `{"":0}`},
		{"white space of all four kinds everywhere", " \t\r\n{ \"a\" : [ 1 , 2 ] \n, \"b\":{ } }\r\n"},
		{"a byte order mark in front", "\xEF\xBB\xBF{\"a\":1}"},
		{"a byte order mark and white space in front", "\xEF\xBB\xBF\n {\"a\":1}"},
		{"all escape sequences", `"\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00"`},
		{"half of a surrogate pair", `"\ud800"`},
		{"an escaped NUL", `"\u0000"`},
		{"DEL, which the grammar does not count as a control character", "\"\x7f\""},
		{"bytes that are not UTF-8", "\"\xff\xc3\x28\""},
		{"numbers of any length and size", `[123456789012345678901234567890,1E999,-0,0.0]`},
		{"a key twice", `{"a":1,"a":2}`},
		{"nesting at the limit", nested(MaxDepth, "")},
		{"nesting at the limit with a scalar inside", nested(MaxDepth, "1")},
		{"objects nested to the limit", strings.Repeat(`{"a":`, MaxDepth-1) + `{}` + strings.Repeat(`}`, MaxDepth-1)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var d Document
			assert.True(t, d.Load([]byte(test.text)))
			assert.NoError(t, d.Err())
			assert.NotEqual(t, KindAbsent, d.Find(Pointer{}).Kind())
		})
	}
}

func TestRefusedDocumentsAndWhatIsSaidOfThem(t *testing.T) {
	tests := []struct{ name, text, says string }{
		{"nothing", ``, `parse JSON: the text ends after 0 bytes: want a value`},
		{"only white space", " \n", `parse JSON: the text ends after 2 bytes: want a value`},
		{"only a byte order mark", "\xEF\xBB\xBF", `parse JSON: the text ends after 3 bytes: want a value`},
		{"half of a byte order mark", "\xEF\xBB{}", `parse JSON: byte 0 is "\xef": want a value`},
		{"a byte order mark behind white space", " \xEF\xBB\xBF{}", `parse JSON: byte 1 is "\xef": want a value`},
		{"plain text", `hello`, `parse JSON: byte 0 is "h": want a value`},
		{"a form feed as white space", "\f{}", `parse JSON: byte 0 is "\f": want a value`},
		{"text after the document", `{} x`, `parse JSON: byte 3 is "x": want nothing after the document`},
		{"two documents", `{}{}`, `parse JSON: byte 2 is "{": want nothing after the document`},
		{"NaN", `{"a":NaN}`, `parse JSON: byte 5 is "N": want a value`},
		{"nan", `[nan]`, `parse JSON: byte 1 is "n": want a value`},
		{"infinity", `[+inf]`, `parse JSON: byte 1 is "+": want a value`},
		{"a word cut short", `[tru]`, `parse JSON: byte 1 is "t": want a value`},
		{"a word with a tail", `[nullx]`, `parse JSON: byte 5 is "x": want a comma or ]`},
		{"a number like a subtraction", `[1-2]`, `parse JSON: byte 2 is "-": want a comma or ]`},
		{"a leading zero", `[007]`, `parse JSON: byte 2 is "0": want no digit after a leading 0`},
		{"a negative leading zero", `[-01]`, `parse JSON: byte 3 is "1": want no digit after a leading 0`},
		{"a plus sign", `[+1]`, `parse JSON: byte 1 is "+": want a value`},
		{"a lone minus sign", `[-]`, `parse JSON: byte 2 is "]": want a digit`},
		{"a minus sign at the end", `-`, `parse JSON: the text ends after 1 bytes: want a digit`},
		{"no digit after the point", `[1.]`, `parse JSON: byte 3 is "]": want a digit`},
		{"no digit before the point", `[.5]`, `parse JSON: byte 1 is ".": want a value`},
		{"no digit in the exponent", `[1e+]`, `parse JSON: byte 4 is "]": want a digit`},
		{"a hexadecimal number", `[0x10]`, `parse JSON: byte 2 is "x": want a comma or ]`},
		{"a raw control character", "[\"a\nb\"]", `parse JSON: byte 3 is "\n": want an escape sequence for a control character`},
		{"a raw control character far into a string", "[\"abcdefghijklmnop\x1fqrst\"]", `parse JSON: byte 18 is "\x1f": want an escape sequence for a control character`},
		{"an unknown escape", `["\q"]`, `parse JSON: byte 3 is "q": want an escape sequence out of \" \\ \/ \b \f \n \r \t \u`},
		{"a short \\u", `["\u12"]`, `parse JSON: byte 6 is "\"": want a hexadecimal digit`},
		{"a \\u that is not hexadecimal", `["\u00g0"]`, `parse JSON: byte 6 is "g": want a hexadecimal digit`},
		{"a \\u at the end", `"\u00`, `parse JSON: the text ends after 5 bytes: want a hexadecimal digit`},
		{"a backslash at the end", `"\`, `parse JSON: the text ends after 2 bytes: want an escape sequence`},
		{"an open string", `"abc`, `parse JSON: the text ends after 4 bytes: want a closing double quote`},
		{"a string in single quotes", `{'a':1}`, `parse JSON: byte 1 is "'": want a key in double quotes`},
		{"a trailing comma in an array", `[1,]`, `parse JSON: byte 3 is "]": want a value`},
		{"a trailing comma in an object", `{"a":1,}`, `parse JSON: byte 7 is "}": want a key in double quotes`},
		{"a leading comma", `[,1]`, `parse JSON: byte 1 is ",": want a value`},
		{"no comma", `[1 2]`, `parse JSON: byte 3 is "2": want a comma or ]`},
		{"no colon", `{"a" 1}`, `parse JSON: byte 5 is "1": want a colon after the key`},
		{"no value", `{"a":}`, `parse JSON: byte 5 is "}": want a value`},
		{"a key that is a number", `{1:2}`, `parse JSON: byte 1 is "1": want a key in double quotes`},
		{"a colon in an array", `["a":1]`, `parse JSON: byte 4 is ":": want a comma or ]`},
		{"an object closed as an array", `{"a":1]`, `parse JSON: byte 6 is "]": want a comma or }`},
		{"an array closed as an object", `[1}`, `parse JSON: byte 2 is "}": want a comma or ]`},
		{"an array in an object closed as an object", `{"a":[1}}`, `parse JSON: byte 7 is "}": want a comma or ]`},
		{"an open object", `{"a":1`, `parse JSON: the text ends after 6 bytes: want a comma or }`},
		{"an open array", `[1`, `parse JSON: the text ends after 2 bytes: want a comma or ]`},
		{"a closing bracket alone", `]`, `parse JSON: byte 0 is "]": want a value`},
		{"a comment", `{} // no`, `parse JSON: byte 3 is "/": want nothing after the document`},
		{"nesting over the limit", nested(MaxDepth+1, ""), `parse JSON: byte 300 is "[": want at most 300 arrays and objects inside each other`},
		{"hostile nesting", strings.Repeat("[", 1<<20), `parse JSON: byte 300 is "[": want at most 300 arrays and objects inside each other`},
		{"a NUL byte", "{}\x00", `parse JSON: byte 2 is "\x00": want nothing after the document`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var d Document
			assert.False(t, d.Load([]byte(test.text)))
			assert.EqualError(t, d.Err(), test.says)
			assert.Equal(t, Value{}, d.Find(Pointer{}))
			assert.Equal(t, Value{}, d.Locate(Pointer{}))
			indented, err := d.AppendIndented(nil)
			assert.NoError(t, err)
			assert.Empty(t, indented)
		})
	}
}

// The eight bytes at a time of plainRun must agree with one at a time at every
// offset and for every byte.
func TestPlainRunFindsEveryByteAtEveryPlace(t *testing.T) {
	for c := range 256 {
		stops := c < ' ' || c == '"' || c == '\\'
		for at := range 20 {
			text := []byte(strings.Repeat("x", 20))
			text[at] = byte(c)
			want := len(text)
			if stops {
				want = at
			}
			require.Equal(t, want, plainRun(text, 0), "byte %#x at %d", c, at)
		}
	}
	text := []byte("\x01\"\"\"\"\"\"\"\"\x80\x7f\xa0\xa2\xdc\x22")
	for from := range text {
		want := from
		for want < len(text) && text[want] >= ' ' && text[want] != '"' && text[want] != '\\' {
			want++
		}
		require.Equal(t, want, plainRun(text, from), "from %d", from)
	}
}

// FuzzCheck compares the check with encoding/json, which knows the same grammar but
// neither the byte order mark nor this package's depth.
func FuzzCheck(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		_, fault := check(text, MaxDepth, nil)
		if strings.HasPrefix(fault.want, "at most") {
			return
		}
		require.Equal(t, json.Valid(text[skipMark(text):]), fault.want == "", "%q: %v", text, fault)
	})
}

// seeds are documents that the fuzz tests start from, and all that they try when
// they run as normal tests.
func seeds(tb testing.TB) [][]byte {
	texts := []string{
		``, ` `, `{}`, `[]`, `{"a":{"b":[1,2,{"c":null}]}}`, ` { "a" : [ 1 , "x" ] } `, `{"a":{"b": 1},"c":2}`,
		`{"a/b":1,"m~n":2,"":{"":3},"~1":4}`, `{"a":1,"a":2,"b":{"x":1,"x":[2]}}`,
		`{"esc\u0041":1,"escA":2,"\u0061":{"\n":[true]}}`, `{"a":"\ud83d\ude00\ud800\udc00\ud800x\udc00\ud800\u0041"}`,
		`{"a":{"b":"x\u003cy","c":"\u0007\u00e9"}}`, `{"n":[1.0,1E+3,-0,123456789012345678901234567890]}`,
		`["",{},[],[[]],[{}],null,true,false,0]`, "\xEF\xBB\xBF[1]", "{\"\xff\":\"\xfe\xff\"}",
		`"a\u0000b"`, `tru`, `[1,2`, `{"a":1,}`, `[1-2]`, `{"a\\b":1,"a\"b":2}`, `{"k":"\\\""}`,
		nested(MaxDepth-1, "1"), nested(MaxDepth, "1"), nested(MaxDepth+1, ""),
		"[" + strings.Repeat("0,", 100) + "0]",
	}
	var all [][]byte
	for _, text := range texts {
		all = append(all, []byte(text))
	}
	return append(all, auditEvent(tb))
}
