// SPDX-License-Identifier: Apache-2.0

package json

import (
	"bytes"
	"encoding/binary"
	stdjson "encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/jsonfields"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

func TestWhatPointersSelect(t *testing.T) {
	const document = `{"a":{"b":"v"},"":{"s":"empty then s","":0},"a/b":"slash","m~n":"tilde","~1":"tilde one","list":["x",["y"]],
		"string":"s","number":1,"bool":true,"null":null,"esc\u0041":"decoded key","dup":"first","dup":"second"}`
	tests := []struct {
		name, key string
		want      got
	}{
		{"two steps", "/a/b", is("v")},
		{"two steps without the first slash", "a/b", is("v")},
		{"a slash alone: the member with the empty key", "/", is(`{"s":"empty then s","":0}`)},
		{"two slashes: the empty key, then s", "//s", is("empty then s")},
		{"~1 for a slash", "/a~1b", is("slash")},
		{"~0 for a tilde", "/m~0n", is("tilde")},
		{"~01 for ~1, in the order of the RFC", "/~01", is("tilde one")},
		{"the first element", "/list/0", is("x")},
		{"an element of an element", "/list/1/0", is("y")},
		{"an index with a plus sign", "/list/+1", absent},
		{"an index with a leading zero", "/list/01", absent},
		{"the dash", "/list/-", absent},
		{"a negative index", "/list/-1", absent},
		{"an index that is no number", "/list/x", absent},
		{"an index out of range", "/list/2", absent},
		{"a step into a string", "/string/0", absent},
		{"a step into a number", "/number/0", absent},
		{"a step into a bool", "/bool/a", absent},
		{"a step into null", "/null/a", absent},
		{"a key written with an escape sequence", "/escA", is("decoded key")},
		{"the first of two members with one key", "/dup", is("first")},
		{"a key that is not there", "/none", absent},
		{"a key that is not there, deep", "/a/none/deep", absent},
		{"a key in other letters", "/A/b", absent},
	}
	p := New()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, valueOf(t, p, eventOf(document, 1), test.key))
		})
	}
}

func TestAPointerThatIsNoneIsAnError(t *testing.T) {
	for key, says := range map[string]string{
		"/a~":  `parse JSON pointer "/a~": a ~ must be written ~0, and / in a key ~1`,
		"a~2b": `parse JSON pointer "a~2b": a ~ must be written ~0, and / in a key ~1`,
	} {
		for _, field := range []string{"json.value", "jevt.value"} {
			_, err := extract.Probe(Extraction.Fields, New(), *eventOf(`{"a":1}`, 1), extract.Question{Field: field, Key: key, Given: true})
			assert.EqualError(t, err, says)
		}
	}
}

func TestTextOfSelectedValues(t *testing.T) {
	tests := []struct{ name, document, key, want string }{
		{"a string without its quotes", `{"v":"text"}`, "/v", "text"},
		{"an empty string", `{"v":""}`, "/v", ""},
		{"escape sequences decoded", `{"v":"\u00e9\ud83d\ude00\n\t\"\\\/"}`, "/v", "é😀\n\t\"\\/"},
		{"half of a surrogate pair as written", `{"v":"a\ud800b"}`, "/v", `a\ud800b`},
		{"a NUL, at which C readers stop", `{"v":"a\u0000b"}`, "/v", "a\x00b"},
		{"bytes that are not UTF-8 unchanged", "{\"v\":\"\xff\"}", "/v", "\xff"},
		{"a number with its zeros", `{"v":1.0}`, "/v", "1.0"},
		{"a number with its exponent", `{"v":1E+3}`, "/v", "1E+3"},
		{"a number with all its digits", `{"v":123456789012345678901234567890}`, "/v", "123456789012345678901234567890"},
		{"true", `{"v":true}`, "/v", "true"},
		{"false", `{"v":false}`, "/v", "false"},
		{"null is a value", `{"v":null}`, "/v", "null"},
		{"an object without white space, in its order, with its escapes", `{"v": { "b" : 1.50 , "a" : "\u003c x" } }`, "/v", `{"b":1.50,"a":"\u003c x"}`},
		{"an array without white space", `{"v": [ 1 , [ ] , { } ] }`, "/v", `[1,[],{}]`},
		{"the whole document", ` {"v": 1} `, "", `{"v":1}`},
		{"a whole document that is a string", `"te\u0078t"`, "", "text"},
		{"a whole document that is a number", ` 1e5`, "", "1e5"},
	}
	p := New()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, is(test.want), valueOf(t, p, eventOf(test.document, 1), test.key))
		})
	}
}

func TestTheIndentedDocument(t *testing.T) {
	tests := []struct{ name, document, want string }{
		{"one member a line", `{"b":1,"a":[1,"x"]}`, "{\n  \"b\": 1,\n  \"a\": [\n    1,\n    \"x\"\n  ]\n}"},
		{"keys and escapes as they are", `{"\u0041":"\u003c"}`, "{\n  \"\\u0041\": \"\\u003c\"\n}"},
		{"empty containers", ` {"a":{ },"b":[ ]} `, "{\n  \"a\": {},\n  \"b\": []\n}"},
		{"an empty document", `{}`, "{}"},
		{"a scalar", ` "a\u0041" `, `"a\u0041"`},
	}
	p := New()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, is(test.want), objOf(t, p, eventOf(test.document, 1)))
		})
	}
}

func TestPayloadsThatAreNotJSONHaveNoValuesButATime(t *testing.T) {
	tests := []struct{ name, payload string }{
		{"no payload", ""},
		{"text", "hello"},
		{"a cut document", `{"a":1`},
		{"a trailing comma", `{"a":1,}`},
		{"text after the document", `{"a":1} x`},
		{"a number like a subtraction", `{"a":1-2}`},
		{"leading zeros", `{"a":00012}`},
		{"NaN", `{"a":NaN}`},
		{"infinity", `{"a":+inf}`},
		{"a raw control character", "{\"a\":\"x\ny\"}"},
		{"an unknown escape", `{"a":"\q"}`},
		{"nesting without end", strings.Repeat(`{"a":`, 1_000_000)},
		{"301 levels", strings.Repeat("[", 301) + strings.Repeat("]", 301)},
		{"binary data", "\x00\x01\x02\xff"},
	}
	p := New()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := eventOf(test.payload, 1)
			for _, key := range []string{"", "/a", "a", "/", "/0"} {
				assert.Equal(t, absent, valueOf(t, p, e, key), key)
			}
			assert.Equal(t, absent, objOf(t, p, e))
			assert.Equal(t, is("1700000000000000123"), rawTimeOf(t, p, e))
		})
	}
}

func TestWhiteSpaceAByteOrderMarkAndScalarsAreRead(t *testing.T) {
	p := New()
	for _, document := range []string{` {"a":1}`, "\n\r\t{\"a\":1}\n", "\xEF\xBB\xBF{\"a\":1}", "\xEF\xBB\xBF \n{\"a\":1}"} {
		e := eventOf(document, 1)
		assert.Equal(t, is("1"), valueOf(t, p, e, "/a"))
		assert.Equal(t, is(`{"a":1}`), valueOf(t, p, e, ""))
		assert.Equal(t, is("{\n  \"a\": 1\n}"), objOf(t, p, e))
	}
	for document, text := range map[string]string{`"x"`: "x", `1`: "1", `true`: "true", `null`: "null"} {
		e := eventOf(document, 1)
		assert.Equal(t, is(text), valueOf(t, p, e, ""))
		assert.Equal(t, is(document), objOf(t, p, e))
		assert.Equal(t, absent, valueOf(t, p, e, "/a"))
		assert.Equal(t, absent, valueOf(t, p, e, "/0"))
	}
}

func TestThreeHundredLevelsAreRead(t *testing.T) {
	e := eventOf(strings.Repeat("[", 300)+"1"+strings.Repeat("]", 300), 1)
	assert.Equal(t, is("1"), valueOf(t, New(), e, strings.Repeat("/0", 300)))
}

func TestEventsOfOtherTypesHaveATimeOnly(t *testing.T) {
	raw := event.Encode(24, 77, []byte(`{"a":1}`))
	binary.NativeEndian.PutUint16(raw[20:], 3) // the event type: a system call
	p := New()
	require.Equal(t, is("2"), valueOf(t, p, eventOf(`{"a":2}`, 1), "/a"))
	e := event.New(raw, 1, "syscall")
	assert.Equal(t, absent, valueOf(t, p, &e, "/a"))
	assert.Equal(t, absent, valueOf(t, p, &e, ""))
	assert.Equal(t, absent, objOf(t, p, &e))
	assert.Equal(t, is("77"), rawTimeOf(t, p, &e))
}

func TestTheNumberOfAnEventDoesNotSayWhichEventItIs(t *testing.T) {
	p := New()
	for _, num := range []uint64{7, 7, 0, 0} {
		assert.Equal(t, is("first"), valueOf(t, p, eventOf(`{"a":"first"}`, num), "/a"))
		assert.Equal(t, is("second"), valueOf(t, p, eventOf(`{"a":"second"}`, num), "/a"))
		assert.Equal(t, is("{\n  \"a\": \"second\"\n}"), objOf(t, p, eventOf(`{"a":"second"}`, num)))
		assert.Equal(t, absent, valueOf(t, p, eventOf(`{"a":"third"`, num), "/a"))
		assert.Equal(t, absent, valueOf(t, p, eventOf(`{"a":"third"`, num), ""))
		assert.Equal(t, is("second"), valueOf(t, p, eventOf(`{"a":"second"}`, num), "/a"))
	}
}

func TestTheFirstEventMayHaveNumberZero(t *testing.T) {
	p := New()
	assert.Equal(t, is(`{"a":1}`), valueOf(t, p, eventOf(`{"a":1}`, 0), ""))
	assert.Equal(t, is("1"), valueOf(t, New(), eventOf(`{"a":1}`, 0), "/a"))
	p.Destroy()
	assert.Equal(t, New(), p, "what is left after destroy")
	assert.Equal(t, is("2"), valueOf(t, p, eventOf(`{"a":2}`, 0), "/a"), "after destroy")
}

func TestTheOrderOfRulesDoesNotChangeValues(t *testing.T) {
	const document = `{"a":{"b":"x\u003cy","c":"\u0007\u00e9"},"k\u0065y":1}`
	keys := []string{"/a", "/a/b", "/a/c", "/a/none", "/key", "", "/a"}
	want := []got{is(`{"b":"x\u003cy","c":"\u0007\u00e9"}`), is("x<y"), is("\aé"), absent, is("1"), is(document), is(`{"b":"x\u003cy","c":"\u0007\u00e9"}`)}
	p := New()
	e := eventOf(document, 1)
	for first := range keys {
		for i := range keys {
			k := (first + i) % len(keys)
			require.Equal(t, want[k], valueOf(t, p, e, keys[k]), "%s, starting with %s", keys[k], keys[first])
		}
	}
}

func TestWhereValuesStandInThePayload(t *testing.T) {
	tests := []struct{ name, document, key, want string }{
		{"a string between its quotes", ` {"v":"text"}`, "/v", "text"},
		{"a number", `{"v": -1.0 }`, "/v", "-1.0"},
		{"null", `{"v":null}`, "/v", "null"},
		{"an object without white space", `{ "v":{"a":[1]}}`, "/v", `{"a":[1]}`},
		{"the whole document", `[1,2]`, "", `[1,2]`},
		{"a string with an escape sequence is written differently", `{"v":"\u0041"}`, "/v", ""},
		{"an object with white space is written differently", `{"v":{"a": 1}}`, "/v", ""},
		{"an absent value stands nowhere", `{"v":1}`, "/w", ""},
	}
	p := New()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, at := askBoth(t, p, eventOf(test.document, 1), "value", test.key)
			assert.Equal(t, test.want, test.document[at[0]:at[0]+at[1]])
			assert.Equal(t, test.want == "", at == [2]int{})
		})
	}
}

func TestWhereTheIndentedDocumentStandsInThePayload(t *testing.T) {
	p := New()
	for document, want := range map[string][2]int{
		"\n{}": {1, 2}, ` "x" `: {1, 3}, "\n\n{\n  \"a\": 1\n}\n": {2, 12}, "\xEF\xBB\xBF[]": {3, 2},
		`{"a":1}`: {}, `[1]`: {}, `{`: {}, ``: {},
	} {
		_, at := askBoth(t, p, eventOf(document, 1), "obj", "")
		assert.Equal(t, want, at, document)
	}
}

func TestAHostileDocumentIsNotIndentedWithoutLimit(t *testing.T) {
	levels := strings.Repeat("[", 299)
	document := levels + strings.Repeat("0,", 150_000) + "0" + strings.Repeat("]", 299)
	for _, field := range []string{"json.obj", "jevt.obj"} {
		answer, err := extract.Probe(Extraction.Fields, New(), *eventOf(document, 1), extract.Question{Field: field})
		assert.Empty(t, answer.Values)
		assert.ErrorContains(t, err, "more than 64 MiB")
	}
}

func TestRealAuditEvents(t *testing.T) {
	tests := []struct {
		file, key string
		want      got
	}{
		{"create_configmap.json", "/kind", is("Event")},
		{"create_configmap.json", "/annotations/authorization.k8s.io~1decision", is("allow")},
		{"create_configmap.json", "/annotations/authorization.k8s.io~1reason", is("")},
		{"create_configmap.json", "/responseStatus", is(`{"code":201,"metadata":{}}`)},
		{"create_configmap.json", "/responseStatus/code", is("201")},
		{"create_configmap.json", "/requestObject/data/ui.properties", is("color.good=purple\ncolor.bad=yellow\nallow.textmode=true\n")},
		{"create_configmap.json", "/requestObject/data", is(`{"ui.properties":"color.good=purple\ncolor.bad=yellow\nallow.textmode=true\n"}`)},
		{"create_configmap.json", "/user/groups", is(`["system:masters","system:authenticated"]`)},
		{"create_configmap.json", "user/groups/1", is("system:authenticated")},
		{"create_configmap.json", "/impersonatedUser", absent},
		{"exec_pod.json", "/objectRef/subresource", is("exec")},
		{"exec_pod.json", "/requestURI", is("/api/v1/namespaces/default/pods/nginx-deployment-7998647bdf-phvq7/exec?command=bash&container=nginx1&container=nginx1&stdin=true&stdout=true&tty=true")},
		{"exec_pod.json", "/requestObject", absent},
		{"attach_cluster_admin_role.json", "/requestObject/subjects/0/name", is("minikube")},
		{"attach_cluster_admin_role.json", "/requestObject/roleRef/name", is("cluster-admin")},
		{"create_nginx_pod_privileged_2nd_container.json", "/requestObject/spec/containers/1/securityContext/privileged", is("true")},
		{"fal_01_003.json", "/kind", is("0")},
	}
	p := New()
	for _, test := range tests {
		t.Run(test.file+test.key, func(t *testing.T) {
			payload, err := os.ReadFile(filepath.Join("testdata", test.file))
			require.NoError(t, err)
			assert.Equal(t, test.want, valueOf(t, p, eventOf(string(payload), 1), test.key))
		})
	}
}

func TestRealAuditEventsAreIndentedAsByTheStandardLibrary(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	require.Len(t, files, 5)
	p := New()
	for _, file := range files {
		payload, err := os.ReadFile(file)
		require.NoError(t, err)
		var want bytes.Buffer
		require.NoError(t, stdjson.Indent(&want, bytes.TrimSpace(payload), "", "  "))
		assert.Equal(t, is(want.String()), objOf(t, p, eventOf(string(payload), 1)), file)
	}
}

// FuzzPayload hands any bytes to all fields: the plugin is given the events of every source.
func FuzzPayload(f *testing.F) {
	for _, payload := range []string{``, `{}`, ` [1,{"a":"\ud800"}]`, `{"a":{"b":1}`, "\xEF\xBB\xBF1", "\x00", `"x`} {
		for _, key := range []string{"", "/", "a", "/a/b", "/0/~0", "~"} {
			f.Add([]byte(payload), key)
		}
	}
	p := New()
	f.Fuzz(func(t *testing.T, payload []byte, key string) {
		e := event.New(event.Encode(24, 5, payload), 1, "source")
		key, _, _ = strings.Cut(key, "\x00") // where an argument ends
		if _, err := jsonfields.ParseLaxPointer(key); err == nil {
			value := valueOf(t, p, &e, key)
			require.Equal(t, value, valueOf(t, New(), &e, key), "in a fresh state")
			if key == "" {
				require.Equal(t, p.doc.Load(payload), value.present)
			}
		}
		obj := objOf(t, p, &e)
		require.Equal(t, p.doc.Load(payload), obj.present)
		if obj.present {
			require.True(t, stdjson.Valid([]byte(obj.text)))
		}
		require.Equal(t, is("5"), rawTimeOf(t, p, &e))
	})
}

func TestSteadyExtractionAllocatesNothing(t *testing.T) {
	payload, err := os.ReadFile("testdata/create_configmap.json")
	require.NoError(t, err)
	events := []*event.Event{eventOf(string(payload), 1), eventOf(strings.Replace(string(payload), "minikube", "somebody", 1), 2)}
	p := New()
	var text []byte
	i := 0
	extract := func() {
		i++
		e := events[i%2]
		for _, key := range []string{"/kind", "/annotations/authorization.k8s.io~1decision", "user/groups/1", "/requestObject", "", "/none"} {
			v, _ := p.lookUp(e, key, false)
			v.Text()
			v, _ = p.lookUp(e, key, true)
			v.Text()
			v.Verbatim()
		}
		text, _, _ = p.appendDocument(text[:0], e)
		text = appendRawTime(text[:0], e)
	}
	for range 10 {
		extract()
	}
	assert.Zero(t, testing.AllocsPerRun(100, extract))
}

func BenchmarkFields(b *testing.B) {
	payload, err := os.ReadFile("testdata/create_configmap.json")
	require.NoError(b, err)
	events := []*event.Event{eventOf(string(payload), 1), eventOf(strings.Replace(string(payload), "minikube", "somebody", 1), 2)}
	p := New()
	var text []byte
	b.Run("ValueOfNewEvent", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			v, _ := p.lookUp(events[i%2], "/user/username", false)
			v.Text()
		}
	})
	b.Run("ValueOfSameEvent", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v, _ := p.lookUp(events[0], "/user/username", false)
			v.Text()
		}
	})
	b.Run("Document", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			text, _, _ = p.appendDocument(text[:0], events[0])
		}
	})
	b.Run("RawTime", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			text = appendRawTime(text[:0], events[0])
		}
	})
}
