// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/jsonfields"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

// extent is where a value stands in a document.
type extent struct {
	start, end int
	key        int // where its key starts, quote included; -1 for elements
}

// extents are those of all values of a document.
func extents(t testing.TB, document string) []extent {
	t.Helper()
	var d jsonfields.Document
	require.True(t, d.Load([]byte(document)))
	var all []extent
	var walk func(v jsonfields.Value, key int)
	walk = func(v jsonfields.Value, key int) {
		start, length, ok := v.Extent()
		require.True(t, ok)
		all = append(all, extent{start, start + length, key})
		for element := range v.Elements {
			walk(element, -1)
		}
		for key, member := range v.Members {
			at, _, _ := member.Extent()
			walk(member, strings.LastIndex(document[:at], `"`+string(key)+`"`))
		}
	}
	walk(d.Locate(jsonfields.Pointer{}), -1)
	return all
}

// askAll asks all fields of a payload at once and fails the test if one of them fails.
func askAll(t testing.TB, all *extract.Questions[*Plugin], payload string) {
	t.Helper()
	if _, err := all.Ask(eventOf(payload)); err != nil {
		t.Fatalf("%v, for %s", err, payload)
	}
}

func TestValuesOfAnyTypeAnywhereMakeNoFieldFail(t *testing.T) {
	exprs := everyField()
	for _, f := range Extraction.Fields {
		if f.Arg == extract.Index {
			exprs = append(exprs, f.Name+"[0]", f.Name+"[1]")
		}
	}
	all := prepare(t, exprs...)
	replaced := 0
	for _, sample := range samples(t) {
		for _, at := range extents(t, sample) {
			for _, with := range []string{`null`, `true`, `1`, `"x"`, `[]`, `{}`, `[{}]`, `{"a":1}`} {
				askAll(t, all, sample[:at.start]+with+sample[at.end:])
				replaced++
			}
		}
	}
	assert.Greater(t, replaced, 20_000)
}

// In the API of Kubernetes, a member that is null says what a missing member says. Only a
// field whose value is the JSON around it shows the difference.
func TestNullSaysWhatAMissingMemberSays(t *testing.T) {
	sample := samples(t)["everything"]
	p, q := New(), New()
	compared := 0
	for _, at := range extents(t, sample) {
		if at.key < 0 {
			continue
		}
		null := sample[:at.start] + "null" + sample[at.end:]
		before, after := strings.TrimSuffix(sample[:at.key], ","), sample[at.end:]
		if strings.HasSuffix(before, "{") {
			after = strings.TrimPrefix(after, ",")
		}
		missing := before + after
		for _, expr := range everyField() {
			want := ask(t, p, missing, expr)
			if len(want) > 0 && strings.HasPrefix(want[0], "{") {
				continue
			}
			compared++
			require.Equal(t, want, ask(t, q, null, expr), "%s with null at %s", expr, sample[at.key:at.end])
		}
	}
	assert.Greater(t, compared, 15_000)
}

func TestDocumentsThatAreNoAuditEventsHaveNoValues(t *testing.T) {
	tests := []struct{ name, payload string }{
		{"nothing", ``},
		{"text", `hello`},
		{"binary data", "\x00\x01\xff"},
		{"an array", `[{"auditID":"id","verb":"get"}]`},
		{"a string", `"auditID"`},
		{"an object without an audit ID", `{"kind":"Event","verb":"get","user":{"username":"u"}}`},
		{"an audit ID that is null", `{"auditID":null,"verb":"get"}`},
		{"an audit ID further inside", `{"object":{"auditID":"id"},"verb":"get"}`},
		{"an audit ID in other letters", `{"auditid":"id","verb":"get"}`},
		{"a list of events", `{"kind":"EventList","items":[{"auditID":"id","verb":"get"}]}`},
		{"a cut document", `{"auditID":"id","verb":"get"`},
		{"a document and more", `{"auditID":"id","verb":"get"}{}`},
		{"NaN", `{"auditID":"id","verb":"get","n":NaN}`},
		{"a raw control character", "{\"auditID\":\"id\",\"verb\":\"get\",\"n\":\"\n\"}"},
		{"nesting without end", `{"auditID":"id","verb":"get","n":` + strings.Repeat("[", 100_000)},
		{"100,000 levels", `{"auditID":"id","verb":"get","n":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`},
		{"100,000 levels of objects", `{"auditID":"id","verb":"get","n":` + strings.Repeat(`{"a":`, 100_000) + `1` + strings.Repeat("}", 100_000) + `}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := New()
			for _, expr := range everyField() {
				assert.Nil(t, ask(t, p, test.payload, expr), expr)
			}
		})
	}
}

func TestOddDocumentsThatAreAuditEvents(t *testing.T) {
	tests := []struct {
		name string
		said
	}{
		{"the first of two members with one key counts", said{audited(`"verb":"get","verb":"delete"`), "ka.verb", is("get")}},
		{"the first of two objects with one key counts alone", said{audited(`"user":{},"user":{"username":"u"}`), "ka.user.name", absent}},
		{"keys are decoded", said{audited(`"\u0076erb":"get"`), "ka.verb", is("get")}},
		{"strings are decoded", said{audited(`"verb":"g\u0065t\n"`), "ka.verb", is("get\n")}},
		{"bytes that are not UTF-8 are passed on", said{audited("\"verb\":\"g\xfft\""), "ka.verb", is("g\xfft")}},
		{"bytes that are not UTF-8 may stand in keys", said{audited("\"\xff\":1,\"verb\":\"get\""), "ka.verb", is("get")}},
		{"half of a surrogate pair stays as written", said{audited(`"verb":"g\ud800t"`), "ka.verb", is(`g\ud800t`)}},
		{"a NUL ends the text, as for all readers of C strings", said{audited(`"verb":"get\u0000x"`), "ka.verb", is("get")}},
		{"a number is as written", said{audited(`"responseStatus":{"code":2.010e2}`), "ka.response.code", is("2.010e2")}},
		{"an audit ID of any type is one", said{`{"auditID":7,"verb":"get"}`, "ka.auditid", is("7")}},
		{"an empty audit ID is one", said{`{"auditID":"","verb":"get"}`, "ka.verb", is("get")}},
		{"objects lose white space only", said{audited(`"verb": { "a" : [ 1.0 , "\u003c" ] }`), "ka.verb", is(`{"a":[1.0,"\u003c"]}`)}},
		{"298 levels", said{audited(`"verb":"get","n":` + strings.Repeat("[", 298) + strings.Repeat("]", 298)), "ka.verb", is("get")}},
		{"a list that is an object", said{audited(`"user":{"groups":{"0":"a"}}`), "ka.user.groups", absent}},
		{"a path through an array", said{audited(`"user":[{"username":"u"}]`), "ka.user.name", absent}},
		{"decimal keys do not lead into arrays", said{audited(`"requestObject":[{"spec":{"hostPID":true}}]`), "ka.req.pod.host_pid", absent}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, ask(t, New(), test.payload, test.expr))
		})
	}
}

func TestTenMegabytesAreRead(t *testing.T) {
	const size = 10 << 20
	containers := `"requestObject":{"spec":{"containers":[` + strings.Repeat(`{"name":"c","image":"i:1","args":["a"]},`, size/40) + `{"name":"last"}]}}`
	for name, members := range map[string]string{
		"one long string":  `"requestObject":{"spec":{"x":"` + strings.Repeat("x", size) + `","hostPID":true}}`,
		"very many values": `"n":[` + strings.Repeat("0,", size/2) + `0],"requestObject":{"spec":{"hostPID":true}}`,
		"very many keys":   `"n":{` + strings.Repeat(`"a":0,`, size/6) + `"b":0},"requestObject":{"spec":{"hostPID":true}}`,
	} {
		t.Run(name, func(t *testing.T) {
			p := New()
			assert.Equal(t, is("true"), ask(t, p, audited(members), "ka.req.pod.host_pid"))
			assert.Equal(t, is("get"), ask(t, p, audited(`"verb":"get"`), "ka.verb"), "the next event")
		})
	}
	t.Run("very many containers", func(t *testing.T) {
		names := ask(t, New(), audited(containers), "ka.req.pod.containers.name")
		assert.Len(t, names, size/40+1)
		assert.Equal(t, "last", names[size/40])
	})
}

// Were the pod looked at anew for each of its containers, this would take longer than a test may.
func TestManyContainersOfAPodWithManyMembersAreReadInTime(t *testing.T) {
	const many = 200_000
	members := strings.Repeat(`"a":0,`, many)
	containers := strings.Repeat(`{},`, many) + `{}`
	rules := strings.Repeat(`{"verbs":["get"]},`, many) + `{}`
	pod := audited(`"requestObject":{"spec":{` + members + `"securityContext":{` + members + `"runAsUser":5},"hostNetwork":true,` +
		`"containers":[` + containers + `],"volumes":[` + containers + `]},"rules":[` + rules + `],"subjects":[` + containers + `]}`)
	all := prepare(t, everyField()...)
	values, err := all.Ask(eventOf(pod))
	require.NoError(t, err)
	assert.Greater(t, values, 3*many)
}

// FuzzFields asks all fields of any payload. None fails, none depends on what was asked
// before, and where one says that a value stands in the payload, it does.
func FuzzFields(f *testing.F) {
	for _, sample := range samples(f) {
		f.Add([]byte(sample), "command", uint64(0))
	}
	for _, payload := range []string{
		podWith(`{"containers":[{"image":"a:b@c","args":["x",null,1],"ports":[{"hostPort":0}]},null,{}],"volumes":[null,{"a":{}},{"hostPath":{"path":"/a"}}]}`),
		audited(`"requestURI":"/a?%zz&=&a;b&command=%41+b#c"`), audited(`"requestObject":[{"op":"add"}]`), "\xEF\xBB\xBF " + audited(`"verb" : null`),
		audited(`"requestObject":{"subjects":[{"kind":"ServiceAccount","name":1,"namespace":{}}],"rules":[{"verbs":[[]]}]}`),
	} {
		f.Add([]byte(payload), "/*", uint64(1))
	}
	f.Fuzz(func(t *testing.T, payload []byte, key string, index uint64) {
		var exprs []string
		for _, field := range Extraction.Fields {
			switch field.Arg {
			case extract.RequiredKey:
				exprs = append(exprs, field.Name+"["+strings.ReplaceAll(key, "[", "")+"]")
			case extract.Index:
				exprs = append(exprs, field.Name, fmt.Sprintf("%s[%d]", field.Name, index))
			default:
				exprs = append(exprs, field.Name)
			}
		}
		p, q := New(), New()
		said := map[string]extract.Probed{}
		for _, expr := range exprs {
			got := probe(t, p, string(payload), expr)
			said[expr] = got
			for i, at := range got.Offsets {
				if at != [2]int{} {
					token := string(payload[at[0] : at[0]+at[1]])
					text, _, _ := strings.Cut(textOf(token), "\x00")
					require.Equal(t, text, got.Values[i], "%s at %d", expr, at)
				}
			}
		}
		for i := range exprs { // the other way round, in another state
			expr := exprs[len(exprs)-1-i]
			require.Equal(t, said[expr], probe(t, q, string(payload), expr), expr)
		}
	})
}

// textOf is what a field makes of a token.
func textOf(token string) string {
	var d jsonfields.Document
	d.Load([]byte(token))
	return string(d.Root().Text())
}
