// SPDX-License-Identifier: Apache-2.0

package extract

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/event"
)

func TestProbeAnswersAsAFrameworkWouldSee(t *testing.T) {
	fields := fixtureFields()
	e := event.New(event.Encode(1, 5, []byte("a bc")), 3, "src")
	for _, c := range []struct {
		q    Question
		want Probed
	}{
		{Question{Field: "fix.text"}, Probed{[]any{"a bc"}, [][2]int{{}}}},
		{Question{Field: "fix.number"}, Probed{[]any{uint64(3)}, [][2]int{{}}}},
		{Question{Field: "fix.flag"}, Probed{[]any{true}, [][2]int{{}}}},
		{Question{Field: "fix.addr"}, Probed{[]any{netip.MustParseAddr("192.0.2.7")}, [][2]int{{}}}},
		{Question{Field: "fix.key", Key: "k", Given: true}, Probed{[]any{"k true"}, [][2]int{{}}}},
		{Question{Field: "fix.index", Index: 4, Given: true}, Probed{[]any{"4 true"}, [][2]int{{}}}},
		{Question{Field: "fix.at"}, Probed{[]any{"a", "made up", "bc"}, [][2]int{{0, 1}, {}, {2, 2}}}},
		{Question{Field: "fix.nothing"}, Probed{}},
	} {
		got, err := Probe(fields, &fixture{}, e, c.q)
		require.NoError(t, err)
		assert.Equal(t, c.want, got, c.q.Field)
	}
	for field, want := range map[string]string{"fix.error": "no such thing", "fix.twice": "not a list", "no.such": `no field "no.such"`} {
		_, err := Probe(fields, &fixture{}, e, Question{Field: field})
		assert.ErrorContains(t, err, want)
	}
}
