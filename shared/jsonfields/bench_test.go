// SPDX-License-Identifier: Apache-2.0

package jsonfields

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fastjson"
)

// twins are two events that differ, so that loading them by turns is always news.
func twins(b *testing.B) [2][]byte {
	event := auditEvent(b)
	other := bytes.ReplaceAll(event, []byte("nginx"), []byte("redis"))
	require.NotEqual(b, event, other)
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	return [2][]byte{event, other}
}

// What every new event costs, before any value of it is read.
func BenchmarkLoad(b *testing.B) {
	events := twins(b)
	var d Document
	for i := 0; b.Loop(); i++ {
		d.Load(events[i&1])
	}
}

// What the second and every further field of an event costs before it is looked for.
func BenchmarkLoadSameBytes(b *testing.B) {
	events := twins(b)
	var d Document
	for b.Loop() {
		d.Load(events[0])
	}
}

// BenchmarkEvent is an event from Load to the last of so many fields, which are what
// rules for audit events look at.
func BenchmarkEvent(b *testing.B) {
	var pointers []Pointer
	for _, p := range []string{
		"/stage", "/verb", "/objectRef/resource", "/objectRef/namespace", "/user/username", "/user/groups", "/responseStatus/code",
		"/objectRef/subresource", "/objectRef/name", "/requestURI", "/annotations/authorization.k8s.io~1decision", "/impersonatedUser/username",
		"/requestObject/spec/containers/0/image", "/requestObject/spec/containers/1/securityContext/privileged", "/requestObject/spec/hostNetwork",
		"/requestObject/spec/volumes", "/requestObject/metadata/name", "/requestObject/rules", "/requestObject/roleRef/name", "/sourceIPs/0", "/auditID",
		"/responseObject/metadata/name", "/userAgent", "/requestObject/spec/type", "/requestObject/subjects",
	} {
		pointers = append(pointers, MustPointer(p))
	}
	for _, fields := range []int{1, 10, 25, 100} {
		b.Run(fmt.Sprintf("%dFields", fields), func(b *testing.B) {
			events := twins(b)
			var d Document
			for i := 0; b.Loop(); i++ {
				d.Load(events[i&1])
				for n := range fields {
					d.Find(pointers[n%len(pointers)]).Text()
				}
			}
		})
	}
}

// What a source pays to find the events in what it received.
func BenchmarkSkim(b *testing.B) {
	list := []byte(`{"kind":"EventList","items":[` + strings.Repeat(string(auditEvent(b))+",", 99) + string(auditEvent(b)) + `]}`)
	for name, levels := range map[string]int{"Borrow": MaxDepth, "Skim3": 3} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(list)))
			b.ReportAllocs()
			var d Document
			for b.Loop() {
				if err := d.Skim(list, levels); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The same work by others, for comparison.
func BenchmarkFastjsonParse(b *testing.B) {
	events := twins(b)
	var p fastjson.Parser
	for i := 0; b.Loop(); i++ {
		if _, err := p.ParseBytes(events[i&1]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodingJSONValid(b *testing.B) {
	events := twins(b)
	for i := 0; b.Loop(); i++ {
		if !json.Valid(events[i&1]) {
			b.Fatal("not valid")
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for _, bench := range []struct {
		name, pointer string
		kind          Kind
	}{
		{"ShortString", "/objectRef/namespace", KindString},
		{"EscapedPointer", "/annotations/authorization.k8s.io~1decision", KindString},
		{"Element", "/requestObject/spec/containers/1/securityContext/privileged", KindBool},
		{"Object", "/requestObject", KindObject},
		{"Absent", "/impersonatedUser/username", KindAbsent},
	} {
		p := MustPointer(bench.pointer)
		b.Run(bench.name, func(b *testing.B) {
			var d Document
			d.Load(twins(b)[0])
			require.Equal(b, bench.kind, d.Find(p).Kind())
			for b.Loop() {
				d.Find(p).Text()
			}
		})
	}
}

func BenchmarkIndent(b *testing.B) {
	var d Document
	d.Load(twins(b)[0])
	var text []byte
	for b.Loop() {
		text, _ = d.AppendIndented(text[:0])
	}
}
