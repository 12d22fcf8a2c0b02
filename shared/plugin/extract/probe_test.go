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

func TestWhatWasFoundForOneFieldHoldsForTheOthersOfTheCall(t *testing.T) {
	e := event.New(event.Encode(1, 5, nil), 3, "src")
	p, other := &fixture{}, &fixture{}
	var again []bool
	text := func(owners ...*fixture) Value[*fixture] {
		return String(func(_ *fixture, c *Call, _ *StringOut) error {
			for _, owner := range owners {
				again = append(again, c.Again(owner))
			}
			return nil
		})
	}
	fields := []Field[*fixture]{{Name: "a.one", Value: text(p)}, {Name: "a.two", Value: text(p)}, {Name: "a.three", Value: text(other, p)}}
	asked, err := Prepare(fields, p, Question{Field: "a.one"}, Question{Field: "a.two"}, Question{Field: "a.three"}, Question{Field: "a.one"})
	require.NoError(t, err)
	defer asked.Free()
	for range 2 {
		again = nil
		_, err := asked.Ask(e)
		require.NoError(t, err)
		assert.Equal(t, []bool{false, true, false, false, true}, again)
	}
}

func TestQuestionsAskedTogetherKeepTheirMemory(t *testing.T) {
	asked, err := Prepare(fixtureFields(), &fixture{}, Question{Field: "fix.text"}, Question{Field: "fix.at"}, Question{Field: "fix.nothing"},
		Question{Field: "fix.key", Key: "k", Given: true}, Question{Field: "fix.index", Index: 4, Given: true})
	require.NoError(t, err)
	defer asked.Free()
	e := event.New(event.Encode(1, 5, []byte("a bc")), 3, "src")
	for range 2 {
		values, err := asked.Ask(e)
		require.NoError(t, err)
		assert.Equal(t, 6, values)
	}
	held := asked.arena.Size()
	for range 1000 {
		_, err := asked.Ask(e)
		require.NoError(t, err)
	}
	assert.Equal(t, held, asked.arena.Size())

	_, err = Prepare(fixtureFields(), &fixture{}, Question{Field: "no.such"})
	assert.EqualError(t, err, `probe: the table has no field "no.such"`)
	failing, err := Prepare(fixtureFields(), &fixture{}, Question{Field: "fix.error"})
	require.NoError(t, err)
	defer failing.Free()
	_, err = failing.Ask(e)
	assert.ErrorContains(t, err, "no such thing")
}
