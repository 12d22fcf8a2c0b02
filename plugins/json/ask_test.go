// SPDX-License-Identifier: Apache-2.0

package json

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/jsonfields"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

// eventOf is a plugin event with this payload.
func eventOf(payload string, num uint64) *event.Event {
	e := event.New(event.Encode(24, 1_700_000_000_000_000_123, []byte(payload)), num, "collector")
	return &e
}

// got is what a field says: its text, or absent.
type got struct {
	text    string
	present bool
}

var absent = got{}

func is(text string) got { return got{text, true} }

// asText is the text as the framework sees it, which ends at a NUL.
func (g got) asText() got {
	text, _, _ := strings.Cut(g.text, "\x00")
	return got{text, g.present}
}

// ask gives what the field says of an event to a framework that asks for offsets, and
// where in the payload the value stands. What stands there must be the value.
func ask(t testing.TB, p *Plugin, e *event.Event, q extract.Question) (said got, at [2]int) {
	t.Helper()
	answer, err := extract.Probe(Extraction.Fields, p, *e, q)
	require.NoError(t, err)
	if len(answer.Values) == 0 {
		return absent, at
	}
	require.Len(t, answer.Values, 1)
	said, at = is(answer.Values[0].(string)), answer.Offsets[0]
	if at != [2]int{} {
		payload, ok := e.Payload()
		require.True(t, ok)
		require.Equal(t, said.text, string(payload[at[0]:at[0]+at[1]]), "what stands at the offset")
	}
	return said, at
}

// askBoth asks the field under its name and under its older one, which must be alike.
func askBoth(t testing.TB, p *Plugin, e *event.Event, name, key string) (said got, at [2]int) {
	t.Helper()
	q := extract.Question{Field: "json." + name, Key: key, Given: name == "value"}
	said, at = ask(t, p, e, q)
	q.Field = "jevt." + name
	older, olderAt := ask(t, p, e, q)
	require.Equal(t, said, older, "under the older name")
	require.Equal(t, at, olderAt, "under the older name")
	return said, at
}

// valueOf is json.value[key], which must be the same whether or not the framework
// asks for offsets.
func valueOf(t testing.TB, p *Plugin, e *event.Event, key string) got {
	t.Helper()
	v, err := p.lookUp(e, key, false)
	require.NoError(t, err)
	found := got{string(v.AppendText(nil)), v.Kind() != jsonfields.KindAbsent}
	_, _, located := v.Extent()
	require.False(t, located, "where a value stands is not looked for if nobody asks")
	said, _ := askBoth(t, p, e, "value", key)
	require.Equal(t, found.asText(), said, "with offsets")
	return found
}

// objOf is json.obj.
func objOf(t testing.TB, p *Plugin, e *event.Event) got {
	t.Helper()
	text, ok, err := p.appendDocument(nil, e)
	require.NoError(t, err)
	made := got{string(text), ok}
	said, _ := askBoth(t, p, e, "obj", "")
	require.Equal(t, made.asText(), said, "with offsets")
	return made
}

// rawTimeOf is json.rawtime.
func rawTimeOf(t testing.TB, p *Plugin, e *event.Event) got {
	t.Helper()
	said, at := askBoth(t, p, e, "rawtime", "")
	require.Zero(t, at)
	return said
}
