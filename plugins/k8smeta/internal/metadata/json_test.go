// SPDX-License-Identifier: Apache-2.0

package metadata_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
)

func list(uids ...string) *metadata.ListOfStrings { return &metadata.ListOfStrings{List: uids} }

func TestAppendJSON(t *testing.T) {
	for name, c := range map[string]struct {
		event *metadata.Event
		want  string
	}{
		"a pod has everything in the order of the fields": {
			&metadata.Event{
				Refs: &metadata.References{Resources: map[string]*metadata.ListOfStrings{
					"Service": list("s1", "s2"), "Namespace": list("n"), "DaemonSet": list(),
				}},
				Status: new("{}"), Spec: new(""), Meta: new(`{"name":"p"}`), Kind: "Pod", Uid: "u", Reason: "Create",
			},
			`{"reason":"Create","uid":"u","kind":"Pod","meta":"{\"name\":\"p\"}","spec":"","status":"{}",` +
				`"refs":{"resources":{"DaemonSet":{},"Namespace":{"list":["n"]},"Service":{"list":["s1","s2"]}}}}`,
		},
		"a delete is three members": {
			&metadata.Event{Reason: "Delete", Uid: "u", Kind: "Service"},
			`{"reason":"Delete","uid":"u","kind":"Service"}`,
		},
		"no references at all are an empty object": {
			&metadata.Event{Kind: "Pod", Refs: &metadata.References{}}, `{"kind":"Pod","refs":{}}`,
		},
		"a list that is missing is an empty one": {
			&metadata.Event{Refs: &metadata.References{Resources: map[string]*metadata.ListOfStrings{"A": nil}}},
			`{"refs":{"resources":{"A":{}}}}`,
		},
		"nothing": {&metadata.Event{}, `{}`},
		"what JSON must escape is escaped": {
			&metadata.Event{Uid: "a\x00\x1f\n\r\t\"\\é<\u2028\x7f", Kind: "\xff\xc3x"},
			"{\"uid\":\"a\\u0000\\u001f\\n\\r\\t\\\"\\\\é<\u2028\x7f\",\"kind\":\"\ufffd\ufffdx\"}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, "prefix"+c.want, string(metadata.AppendJSON([]byte("prefix"), c.event)))
		})
	}
}

// The text is read by protobuf's own JSON reader elsewhere.
func FuzzAppendJSONIsCanonicalProtobuf(f *testing.F) {
	f.Add("Create", "u", "Pod", `{"name":"p"}`, "Service", "x")
	f.Add("", "\x00", "\xff", "\u2028\"\\", "", "")
	f.Fuzz(func(t *testing.T, reason, uid, kind, meta, refKind, ref string) {
		clean := func(s string) string { return strings.ToValidUTF8(s, "\ufffd") }
		e := &metadata.Event{Reason: reason, Uid: uid, Kind: kind, Meta: &meta, Refs: &metadata.References{
			Resources: map[string]*metadata.ListOfStrings{refKind: list(ref)},
		}}
		text := metadata.AppendJSON(nil, e)
		require.True(t, json.Valid(text), "%s", text)
		for _, s := range []string{reason, uid, kind, meta, refKind, ref} {
			if !utf8.ValidString(s) || clean(s) != s {
				return // protobuf has no such strings
			}
		}
		var back metadata.Event
		require.NoError(t, protojson.Unmarshal(text, &back))
		assert.True(t, proto.Equal(e, &back), "%s", text)
	})
}
