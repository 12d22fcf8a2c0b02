// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzDecode checks, for any text: Decode does not panic; its result and its
// error, a single line, do not depend on the order of keys; what it accepts is
// accepted by the schema, unless a key is spelled in another case; and what
// it refuses has left the struct alone.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `{}`, `[]`, `{"addr":"a","ADDR":1,"x":{}}`, `{"a":1,"a":2}`,
		`{"addr":1.5,"ack":false,"debug":true,"port":80.0,"retries":-1,"queue":3e9,"offset":-1,"ratio":0.5,"timeout":"1s","maxBody":"1MiB"}`,
		`{"token":"env:X","paths":["a",1],"ports":[1],"secrets":["file:/x"],"headers":{"a":"off","b":null},"levels":{"a":[1,2]}}`,
		`{"tls":{"cert":"c","key":null},"client":{"name":null,"count":1},"routes":[null,{"name":"x"}]}`,
		`{"timeout":1e300,"maxBody":"9999999999TiB","ratio":1e999,"queue":18446744073709551616}`,
		`{"addr":"` + "\x00\xff" + `"}`, `{} trailing`, strings.Repeat(`[`, 100),
	} {
		f.Add(seed)
	}
	schema := Schema(&server{})
	f.Fuzz(func(t *testing.T, text string) {
		before := server{Addr: "before"}
		got := before
		err := Decode(text, &got)
		if err != nil {
			assert.Equal(t, before, got)
			assert.NotContains(t, err.Error(), "\n")
			assert.Less(t, len(err.Error()), 4096)
		}
		root, parseErr := parse(text)
		if parseErr != nil {
			if strings.TrimSpace(text) != "" {
				require.Error(t, err)
			}
			return
		}
		reversed, marshalErr := json.Marshal(reverse(root))
		require.NoError(t, marshalErr)
		other := before
		otherErr := Decode(string(reversed), &other)
		assert.Equal(t, err, otherErr, "%s\n%s", text, reversed)
		assert.Equal(t, got, other)

		if problem := violation(schema, text); err == nil && problem != "" {
			assert.Contains(t, problem, "no additional property is allowed")
		}
	})
}

// reverse turns the order of keys around, at every level.
func reverse(n node) node {
	out := node{kind: n.kind, text: n.text}
	for _, elem := range n.list {
		out.list = append(out.list, reverse(elem))
	}
	for _, m := range slices.Backward(n.members) {
		out.members = append(out.members, member{m.key, reverse(m.value)})
	}
	return out
}
