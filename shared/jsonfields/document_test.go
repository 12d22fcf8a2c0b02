// SPDX-License-Identifier: Apache-2.0

package jsonfields

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// auditEvent is a Kubernetes audit event as an API server wrote it: a pod with two
// containers is created, response included.
func auditEvent(tb testing.TB) []byte {
	text, err := os.ReadFile("testdata/create_pod.json")
	require.NoError(tb, err)
	return bytes.TrimSpace(text)
}

// textAt gives the text at a pointer, and whether there is a value.
func textAt(t *testing.T, d *Document, pointer string) (string, bool) {
	t.Helper()
	p, err := ParsePointer(pointer)
	require.NoError(t, err)
	found := d.Find(p)
	kind, text := found.Kind(), string(found.AppendText(nil))
	located := d.Locate(p)
	require.Equal(t, kind, located.Kind(), "%s: kind of the located value", pointer)
	require.Equal(t, text, string(located.AppendText(nil)), "%s: text of the located value", pointer)
	return text, kind != KindAbsent
}

func TestTextOfValues(t *testing.T) {
	const document = ` {
		"string": "plain", "empty": "", "escapes": "\"\\\/\b\f\n\r\t\u00e9\u20ac\uD83D\ude00",
		"nul": "a\u0000b", "bytes": "` + "\xff\xfe" + `",
		"high": "\ud800", "low": "x\udc00y", "swapped": "\uDC00\uD800", "high twice": "\ud800\ud83d\ude00", "high then letter": "\ud800\u0041",
		"number": 1.0, "exponent": 1E+3, "long": 123456789012345678901234567890, "minus zero": -0,
		"true": true, "false": false, "null": null,
		"object": { "b" : 1 , "a" : "\u003c \" ]" , "c" : { } },
		"array": [ 1.50 , [ ] , { } , "\u0007" , null ],
		"no elements": [ ], "no members": { }
	} `
	tests := []struct {
		pointer string
		kind    Kind
		text    string
	}{
		{"/string", KindString, "plain"},
		{"/empty", KindString, ""},
		{"/escapes", KindString, "\"\\/\b\f\n\r\té€😀"},
		{"/nul", KindString, "a\x00b"},
		{"/bytes", KindString, "\xff\xfe"},
		{"/high", KindString, `\ud800`},
		{"/low", KindString, `x\udc00y`},
		{"/swapped", KindString, `\uDC00\uD800`},
		{"/high twice", KindString, `\ud800😀`},
		{"/high then letter", KindString, `\ud800A`},
		{"/number", KindNumber, "1.0"},
		{"/exponent", KindNumber, "1E+3"},
		{"/long", KindNumber, "123456789012345678901234567890"},
		{"/minus zero", KindNumber, "-0"},
		{"/true", KindBool, "true"},
		{"/false", KindBool, "false"},
		{"/null", KindNull, "null"},
		{"/object", KindObject, `{"b":1,"a":"\u003c \" ]","c":{}}`},
		{"/array", KindArray, `[1.50,[],{},"\u0007",null]`},
		{"/no elements", KindArray, `[]`},
		{"/no members", KindObject, `{}`},
	}
	var d Document
	require.True(t, d.Load([]byte(document)), "%v", d.Err())
	for _, test := range tests {
		t.Run(test.pointer[1:], func(t *testing.T) {
			text, ok := textAt(t, &d, test.pointer)
			assert.True(t, ok)
			assert.Equal(t, test.text, text)
			p := MustPointer(test.pointer)
			for _, v := range []Value{d.Find(p), d.Locate(p)} {
				assert.Equal(t, test.kind, v.Kind())
				assert.Equal(t, test.text, string(v.Text()))
				assert.Equal(t, "before"+test.text, string(v.AppendText([]byte("before"))))
			}
		})
	}
}

func TestTopLevelScalars(t *testing.T) {
	for text, want := range map[string]string{` "x\u0041" `: "xA", "\n17": "17", "true": "true", "null ": "null"} {
		var d Document
		require.True(t, d.Load([]byte(text)))
		got, ok := textAt(t, &d, "")
		assert.True(t, ok)
		assert.Equal(t, want, got)
		_, ok = textAt(t, &d, "/0")
		assert.False(t, ok, "a step into a scalar")
		_, ok = textAt(t, &d, "/")
		assert.False(t, ok, "a step into a scalar")
	}
}

func TestFirstOfSeveralMembersWithOneKeyCounts(t *testing.T) {
	tests := []struct{ name, document, want string }{
		{"both as they are", `{"a":1,"a":2}`, "1"},
		{"the first one with an escape sequence", `{"\u0061":1,"a":2}`, "1"},
		{"the second one with an escape sequence", `{"a":1,"\u0061":2}`, "1"},
		{"both with escape sequences", `{"\u0061":1,"\u0061":2}`, "1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var d Document
			require.True(t, d.Load([]byte(test.document)))
			got, ok := textAt(t, &d, "/a")
			assert.True(t, ok)
			assert.Equal(t, test.want, got)
			assert.Equal(t, test.want, string(d.Root().Get("a").AppendText(nil)))
		})
	}
	var d Document
	require.True(t, d.Load([]byte(`{"a/b":1,"a/b":2}`)))
	got, _ := textAt(t, &d, "/a~1b")
	assert.Equal(t, "1", got, "a pointer with a tilde")
}

// Reading a string, a key or a kind, and looking for a key that is not there, must leave
// everything else as it was. Parsers that decode in place have trouble with that.
func TestValuesDoNotDependOnWhatWasReadBefore(t *testing.T) {
	documents := []string{
		`{"a":{"b":"x\u003cy","c":"\u0007\u00e9"},"d":["\n",{"e":"\""}]}`,
		`{"a":{"b":"x\u003cy","\u0063":"\u0007\u00e9"},"d":["\n",{"\"":"\""}]}`,
	}
	for _, document := range documents {
		var d Document
		require.True(t, d.Load([]byte(document)))
		for range 2 {
			for _, p := range []string{"", "/a", "/a/b", "/a/c", "/a/none", "/a/no\\ne", "/d", "/d/0", "/d/1", "/d/1/e", "/d/1/none", "/no~1ne"} {
				v := d.Find(MustPointer(p))
				v.Kind()
				v.Text()
				v.Get("x").Kind()
				v.Bool()
				v.Uint64()
				for range v.Members {
				}
				for e := range v.Elements {
					e.Text()
				}
			}
			got, _ := textAt(t, &d, "")
			assert.Equal(t, document, got)
		}
	}
}

func TestLoadReadsEqualBytesOnceAndOtherBytesAnew(t *testing.T) {
	var d Document
	first, second := []byte(`{"a":"first_"}`), []byte(`{"a":"second"}`)
	a := MustPointer("/a")

	payload := bytes.Clone(first)
	for range 3 {
		require.True(t, d.Load(payload))
		assert.Equal(t, "first_", string(d.Find(a).Text()))
		assert.EqualValues(t, 1, d.Loads())
	}

	copy(payload, second) // the same address and length, other bytes
	require.True(t, d.Load(payload))
	assert.Equal(t, "second", string(d.Find(a).Text()))
	assert.EqualValues(t, 2, d.Loads())

	require.True(t, d.Load(bytes.Clone(second))) // another address, the same bytes
	assert.Equal(t, "second", string(d.Find(a).Text()))
	assert.EqualValues(t, 2, d.Loads())
}

func TestAnInvalidPayloadBetweenTwoValidOnesLeavesNoTrace(t *testing.T) {
	var d Document
	good, bad := []byte(`{"a":"x"}`), []byte(`{"a":"x"`)
	for range 3 {
		require.True(t, d.Load(good))
		assert.Equal(t, "x", string(d.Find(MustPointer("/a")).Text()))
		require.False(t, d.Load(bad))
		require.False(t, d.Load(bad), "known to be invalid")
		assert.Error(t, d.Err())
		assert.Equal(t, Value{}, d.Find(MustPointer("/a")))
		assert.Equal(t, Value{}, d.Locate(MustPointer("/a")))
	}
	require.True(t, d.Load(good))
	assert.NoError(t, d.Err())
}

func TestAnEmptyPayloadIsNotTheFreshDocument(t *testing.T) {
	var d Document
	assert.NoError(t, d.Err())
	assert.Equal(t, Value{}, d.Find(Pointer{}))
	assert.False(t, d.Load(nil))
	assert.False(t, d.Load([]byte{}))
	assert.Error(t, d.Err())
}

func TestThePayloadMayChangeAfterLoad(t *testing.T) {
	var d Document
	payload := []byte(`{"a":"x","b":"\u0041"}`)
	require.True(t, d.Load(payload))
	clear(payload)
	assert.Equal(t, "x", string(d.Find(MustPointer("/a")).Text()))
	assert.Equal(t, "A", string(d.Locate(MustPointer("/b")).Text()))
}

func TestReleasedDocumentIsEmptyAndUsable(t *testing.T) {
	var d Document
	require.True(t, d.Load([]byte(`{"a":1}`)))
	d.Find(MustPointer("/a"))
	d.Release()
	assert.Equal(t, Document{}, d)
	assert.Equal(t, Value{}, d.Root())
	require.True(t, d.Load([]byte(`{"a":1}`)))
	assert.Equal(t, "1", string(d.Find(MustPointer("/a")).Text()))
}

func TestOneLargeEventPinsNoMemory(t *testing.T) {
	held := func() int64 { // from the operating system
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapSys - m.HeapReleased)
	}
	tests := []struct {
		name  string
		large func() string
		takes int64
	}{
		{"a long string with an escape sequence: a copy and the text", func() string {
			return `{"a":"` + strings.Repeat("x", 15<<20) + `\n"}`
		}, 30 << 20},
		{"very many values: a copy and their list", func() string { return `[` + strings.Repeat("[],", 3<<20) + `0]` }, 57 << 20},
		{"the same, but not JSON", func() string { return `[` + strings.Repeat("[],", 3<<20) }, 57 << 20},
	}
	var d Document
	ends := map[string]func(){
		"a small event": func() {
			require.True(t, d.Load([]byte(`{}`)))
		},
		"a release": d.Release,
	}
	debug.FreeOSMemory()
	before := held()
	for end, come := range ends {
		for _, test := range tests {
			if d.Load([]byte(test.large())) {
				d.Find(MustPointer("/a")).Text()
			}
			assert.Greater(t, held()-before, test.takes, test.name)
			come()
			debug.FreeOSMemory()
			assert.Less(t, held()-before, int64(12<<20), "%s, then %s", test.name, end)
		}
	}
}

func TestMemoryForMoreThanAMegabyteIsGivenBack(t *testing.T) {
	var d Document
	large := []byte(`{"a":"` + strings.Repeat("x", keptBytes) + `\n","b":[` + strings.Repeat("[],", keptNodes) + `0]}`)
	for range 2 {
		require.True(t, d.Load(large))
		d.Find(MustPointer("/a")).Text()
		src := &d.src[0]
		require.True(t, d.Load([]byte(`{"a":"`+strings.Repeat("y", keptBytes)+`"}`)))
		assert.Same(t, src, &d.src[0], "the same memory for another large one")
		require.True(t, d.Load([]byte(`{}`)))
		assert.Less(t, cap(d.copied)+cap(d.scratch)+cap(d.survey.nodes), 1000)
	}
}

// 16 bytes for two bytes of text are much, and worth a test of their own.
func TestTheListOfAMegabyteOfValuesIsGivenBack(t *testing.T) {
	var d Document
	require.True(t, d.Load([]byte("["+strings.Repeat("0,", keptBytes/2-8)+"0]")))
	assert.Greater(t, cap(d.survey.nodes), keptNodes)
	require.True(t, d.Load(auditEvent(t)))
	assert.Less(t, cap(d.survey.nodes), 1000)
}

func TestAKeyWithAQuoteInItIsNoPieceOfTheText(t *testing.T) {
	const key = `a":"b`
	var d Document
	require.True(t, d.Load([]byte(`{"a":"b","c":1}`)))
	assert.Equal(t, KindAbsent, d.Root().Get(key).Kind())
	assert.Equal(t, KindAbsent, d.Find(MustPointer("/"+key)).Kind())
	require.True(t, d.Load([]byte(`{"a":"b","a\":\"b":1}`)))
	assert.Equal(t, "1", string(d.Root().Get(key).Text()))
}

func TestEscapeSequencesInKeysAreDecodedOnTheWay(t *testing.T) {
	var d Document
	require.True(t, d.Load([]byte(`{"x":{"esc\u0041":[1,"\u0042"],"b\"":2,"b\\":{"c":3}}}`)))
	for pointer, want := range map[string]string{"/x/escA/1": "B", `/x/b"`: "2", `/x/b\/c`: "3"} {
		got, ok := textAt(t, &d, pointer)
		assert.True(t, ok, pointer)
		assert.Equal(t, want, got)
	}
	for _, pointer := range []string{`/x/b`, `/x/b\"`, `/x/b\\`, `/x/esc\u0041`} {
		_, ok := textAt(t, &d, pointer)
		assert.False(t, ok, pointer)
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	var d Document
	events := [][]byte{auditEvent(t), bytes.ReplaceAll(auditEvent(t), []byte("nginx"), []byte("redis"))}
	escaped := []byte(`{"a\u002fb":{"c":["x\u0041y"]},"d":1}`)
	pointers := []Pointer{
		MustPointer("/annotations/authorization.k8s.io~1decision"),
		MustPointer("/requestObject/spec/containers/1/image"),
		MustPointer("/responseStatus/code"),
		MustPointer("/requestObject"),
		MustPointer("/none/at/all"),
		MustPointer("/a~1b/c/0"),
		MustPointer("/a~1b/c"),
		MustPointer(""),
	}
	i := 0
	read := func() {
		i++
		for _, payload := range [][]byte{events[i%2], escaped, events[(i+1)%2]} {
			d.Load(payload)
			for _, p := range pointers {
				d.Find(p).Text()
				d.Locate(p).Text()
				d.Find(p).Bool()
				d.Find(p).Uint64()
				for _, member := range d.Find(p).Get("user").Members {
					member.Kind()
				}
				for element := range d.Locate(p).Elements {
					element.Verbatim()
				}
			}
		}
	}
	for range 10 { // until all buffers have their size
		read()
	}
	assert.Zero(t, testing.AllocsPerRun(100, read))
}
