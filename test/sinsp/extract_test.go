// SPDX-License-Identifier: Apache-2.0

package sinsp_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/sinsp/scenario"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// systemCalls is the framework's own event source.
const systemCalls = "syscall"

func TestG13AnExtractorIsTriedWithEachSourceThatItLists(t *testing.T) {
	eachPlugin(t, func(t *testing.T, p plugin) {
		listed := register(t, framework(t), "a", p).ExtractSources
		var tried []string
		for _, s := range p.Scenarios {
			on := framework(t)
			prepare(t, on, "a", p, s)
			for _, e := range perform(t, on, "a", p, s).Events {
				tried = append(tried, e.Source)
			}
		}
		if len(p.Captures) > 0 {
			tried = append(tried, systemCalls) // as the tests of recorded ones show
		}
		assert.Subset(t, tried, listed, "event sources of the scenarios")
	})
}

// anyBytes is what an extractor may meet in events that are not its own.
var anyBytes = []scenario.Payload{
	nil, {0}, bytes.Repeat([]byte{0xFF}, 100), []byte("text"), []byte("{"), []byte(`{"a":`), []byte(`[[[{"":`), []byte("\xEF\xBB\xBF{}"),
	[]byte(`"\ud800"`), []byte("\"\xC3\x28\""), []byte("1e999999999"), []byte("-"), []byte("null"), bytes.Repeat([]byte("["), 100_000),
	bytes.Repeat([]byte(`{"a":`), 20_000), bytes.Repeat([]byte{0}, 100_000), bytes.Repeat([]byte("é"), 50_000),
}

// expressions are all fields of a plugin, with an argument where they can have one.
func expressions(fields []stage.Field) []string {
	var all []string
	for _, f := range fields {
		if !f.Required {
			all = append(all, f.Name)
		}
		if f.Index {
			all = append(all, f.Name+"[0]", f.Name+"[18446744073709551615]")
		}
		if f.Key {
			all = append(all, f.Name+"[/a/0]", f.Name+"[//~2]", f.Name+"[\xC3]")
		}
	}
	return all
}

func TestG13AnExtractorStandsAnyBytes(t *testing.T) {
	eachPlugin(t, func(t *testing.T, p plugin) {
		learnt := register(t, framework(t), "a", p)
		if !slices.Contains(learnt.Capabilities, "extraction") {
			return // it never sees an event of another's
		}
		for _, source := range append(learnt.ExtractSources, "anything") {
			if source == systemCalls {
				continue // what these carry is the kernel's, and no plugin can be their source
			}
			on := framework(t)
			s := scenario.Scenario{Config: p.Scenarios[0].Config, Feed: &scenario.Feed{ID: 7, Source: source, Payloads: anyBytes}}
			prepare(t, on, "a", p, s)
			do(t, on, stage.Command{Do: "fields", Inspector: "a", Fields: expressions(learnt.Fields)})
			went := perform(t, on, "a", p, s)
			assert.Equal(t, "eof", went.Result)
			assert.Len(t, went.Events, len(anyBytes), "events of source %s", source)
			do(t, on, stage.Command{Do: "drop", Inspector: "a"})
		}
	})
}

func TestG7NothingOfAnEventIsLeftInTheNext(t *testing.T) {
	eachPlugin(t, func(t *testing.T, p plugin) {
		if slices.Contains(register(t, framework(t), "a", p).Capabilities, "parsing") {
			return // what it learnt from the first time is in the values of the second
		}
		for _, s := range p.Scenarios {
			if s.Feed == nil || len(s.Feed.Payloads) < 2 {
				continue
			}
			on := framework(t)
			prepare(t, on, "a", p, s)
			open, err := p.Opening("a", s)
			require.NoError(t, err)
			again := slices.Clone(open.Feed)
			slices.Reverse(again)
			open.Feed = append(open.Feed, again...)
			do(t, on, open)
			events := do(t, on, stage.Command{Do: "next", Inspector: "a", Events: 1 << 40, Idle: 1}).Events
			require.Len(t, events, 2*len(again))
			for k := range again {
				there, back := events[k], events[len(events)-1-k]
				delete(there.Values, "evt.num")
				delete(back.Values, "evt.num")
				assert.Equal(t, there.Values, back.Values, "%s: payload %d, met again behind others", s.Name, k+1)
			}
		}
	})
}
