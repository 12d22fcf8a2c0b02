// SPDX-License-Identifier: Apache-2.0

package payload

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/face"
)

func TestAFixtureIsReadAndWrittenBack(t *testing.T) {
	const text = `{
  "about": "one of each",
  "source": "other",
  "events": [
    {
      "text": "one <&>"
    },
    {
      "json": {
        "b": 1.0,
        "a": [
          2
        ]
      }
    },
    {
      "hex": "00ff"
    },
    {
      "async": "pod",
      "text": ""
    },
    {
      "raw": "0102"
    }
  ],
  "fields": [
    "x.y[1]"
  ],
  "recorded": {
    "values": [
      {
        "x.n": 18446744073709551615,
        "x.y[1]": null
      }
    ]
  }
}
`
	f, err := Read([]byte(text))
	require.NoError(t, err)
	var payloads []string
	for _, e := range f.Events {
		b, err := e.Bytes()
		require.NoError(t, err)
		payloads = append(payloads, string(b))
	}
	assert.Equal(t, []string{"one <&>", `{"b":1.0,"a":[2]}`, "\x00\xff", "", "\x01\x02"}, payloads)
	again, err := f.Write()
	require.NoError(t, err)
	assert.Equal(t, text, string(again))
}

func TestAFixtureThatSaysTooLittleOrTooMuchIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                                      "unexpected EOF",
		`{"evnts": []}`:                          `unknown field "evnts"`,
		`{}`:                                     "one of events and open",
		`{"open": ""} {}`:                        "something follows the object",
		`{"events": [{"text": ""}], "open": ""}`: "one of events and open",
		`{"events": [{"text": ""}], "count": 3}`: "post and count belong to open",
		`{"events": [{}]}`:                       "event 1: use one of text, json, hex and raw",
		`{"events": [{"text": "", "hex": ""}]}`:  "event 1: use one of text, json, hex and raw",
		`{"events": [{"async": "a", "raw": ""}]}`:              "event 1: use one of text, json, hex and raw",
		`{"events": [{"hex": "0"}]}`:                           "event 1: encoding/hex: odd length",
		`{"open": "", "post": {"bodies": [{"text": ""}, {}]}}`: "event 2: use one of",
	} {
		_, err := Read([]byte(text))
		require.ErrorContains(t, err, "reading a payload fixture: ")
		require.ErrorContains(t, err, want)
	}
}

// values is what is recorded of one event, and of an empty one.
func recorded(values, empty map[string]any) *Recorded {
	return &Recorded{Values: []map[string]any{values}, Empty: empty}
}

func TestWhatAnEventGivesIsCompared(t *testing.T) {
	was := map[string]any{"a": "x", "b": json.Number("1"), "c": nil, "time": "now"}
	empty := map[string]any{"a": nil, "b": nil, "c": nil, "time": "now"}
	const where = "event 1 of f.json"
	for name, c := range map[string]struct {
		now  map[string]any
		want []face.Change
	}{
		"nothing differs":               {map[string]any{"a": "x", "b": uint64(1), "c": nil, "time": "now"}, nil},
		"a field is gone":               {map[string]any{"b": 1, "c": nil, "time": "now"}, nil},
		"a value is another":            {map[string]any{"a": "y", "b": 1, "c": nil, "time": "now"}, []face.Change{{Subject: "value of a", Text: where + ` gives "y", where it gave "x"`, Bump: face.Major}}},
		"a value is of another type":    {map[string]any{"a": "x", "b": "1", "c": nil, "time": "now"}, []face.Change{{Subject: "value of b", Text: where + ` gives "1", where it gave 1`, Bump: face.Major}}},
		"a value is new":                {map[string]any{"a": "x", "b": 1, "c": []any{true}, "time": "now"}, []face.Change{{Subject: "value of c", Text: where + " gives [true], where it gave no value", Bump: face.Major}}},
		"a value of several is gone":    {map[string]any{"a": "x", "b": nil, "c": nil, "time": "now"}, []face.Change{{Subject: "value of b", Text: where + " gives no value, where it gave 1", Bump: face.Major}}},
		"an extraction fails":           {map[string]any{"a": Failure, "b": 1, "c": nil, "time": "now"}, []face.Change{{Subject: "value of a", Text: where + ` cannot be read any more: extraction fails, where it gave "x"; captures that exist hold such payloads`, Bump: face.Refused}}},
		"all of the payload is gone":    {map[string]any{"a": nil, "b": nil, "c": nil, "time": "now"}, []face.Change{{Subject: "payload", Text: where + " cannot be read any more: it gives none of its values; captures that exist hold such payloads, and another format needs a plugin with an ID and a source of its own", Bump: face.Refused}}},
		"what is not of the payload is": {map[string]any{"a": "x", "b": 1, "c": nil, "time": nil}, []face.Change{{Subject: "value of time", Text: where + ` gives no value, where it gave "now"`, Bump: face.Major}}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, Compare("f.json", &Fixture{Recorded: recorded(was, empty)}, recorded(c.now, empty)))
		})
	}
}

func TestAFailureThatIsMendedIsLookedAt(t *testing.T) {
	got := Compare("f.json", &Fixture{Recorded: recorded(map[string]any{"a": Failure}, nil)}, recorded(map[string]any{"a": "x"}, nil))
	assert.Equal(t, []face.Change{{Subject: "value of a", Text: `event 1 of f.json gives "x", where extraction failed`, Bump: face.Minor, Review: "is that its meaning?"}}, got)
}

func TestOtherPayloadsOfTheSameInputAreForThoseToReadWhoRead(t *testing.T) {
	open := ""
	made := func(values []map[string]any, payloads ...string) *Recorded {
		r := &Recorded{Values: values}
		for _, p := range payloads {
			r.Emitted = append(r.Emitted, Of([]byte(p)))
		}
		return r
	}
	values := []map[string]any{{"a": "x"}}
	old := &Fixture{Open: &open, Recorded: made(values, "one", "two")}
	assert.Empty(t, Compare("f.json", old, made(values, "one", "two")))

	got := Compare("f.json", old, made(values, "one", "\x00"))
	require.Len(t, got, 1)
	assert.Equal(t, face.Minor, got[0].Bump)
	assert.Equal(t, `payload: the same input makes other payloads, f.json: event 2 is "\x00", where it was "two"`, got[0].String())
	assert.NotEmpty(t, got[0].Review)

	old.Recorded.Values = nil
	got = Compare("f.json", old, made(nil, "one"))
	require.Len(t, got, 1)
	assert.Equal(t, face.Refused, got[0].Bump)
	assert.Contains(t, got[0].Text, "f.json: 1 events, where there were 2; other plugins read them")
}

func TestNothingRecordedIsNothingToCompareWith(t *testing.T) {
	assert.Empty(t, Compare("f.json", &Fixture{}, &Recorded{}))
}
