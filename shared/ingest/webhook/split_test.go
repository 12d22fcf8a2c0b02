// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSplitting(t *testing.T) {
	for name, c := range map[string]struct {
		decode      Decoder
		contentType string
		body        string
		want        []string
	}{
		"lines":                             {NDJSON, "", "{\"a\": 1}\r\n\n[2]\n3", []string{`{"a": 1}`, "[2]", "3"}},
		"an array":                          {JSONArray, "", ` [{"a": [1, 2]} , "]" ]`, []string{`{"a": [1, 2]}`, `"]"`}},
		"an array is found":                 {Detect, "application/json", "\n [1,2]", []string{"1", "2"}},
		"lines are found by their type":     {Detect, "Application/X-NDJSON; charset=utf-8", "[1]\n[2]", []string{"[1]", "[2]"}},
		"an object is one event":            {Detect, "application/json", "{\n}", []string{"{\n}"}},
		"what is no JSON is one event":      {Detect, "", "a\nb", []string{"a\nb"}},
		"a wrong content type is no matter": {Detect, ";;;", "a\nb", []string{"a\nb"}},
	} {
		e := local()
		e.Decode, e.Splits = c.decode, true
		l := listen(t, "", e)
		f := newFramework(t, l)
		answer := postLater(t, l, c.body, "Content-Type", c.contentType)
		var got []string
		first := f.next()
		for _, event := range first {
			got = append(got, event.payload)
			assert.Equal(t, first[0].time, event.time, name)
		}
		assert.Equal(t, c.want, got, name)
		f.batch.Deliver(true)
		assert.Equal(t, 200, wait(t, answer).code, name)
		assert.EqualValues(t, len(c.want), l.counters.events.Value(), name)
	}
}

func TestABodyThatCannotBeSplitIsRefusedAsAWhole(t *testing.T) {
	big := strings.Repeat("x", 1025)
	for name, c := range map[string]struct {
		decode Decoder
		body   string
		code   int
		text   string
	}{
		"an array that is broken at its end": {JSONArray, `[1,2,`, 400, "split JSON array: element 2, at byte 5: the text ends where a value should be\n"},
		"an object instead of an array":      {JSONArray, `{}`, 400, "split JSON array: starts with \"{\"; want '['\n"},
		"an array without elements":          {JSONArray, `[]`, 400, "the body holds no event\n"},
		"nothing but blank lines":            {NDJSON, "\n \n", 400, "the body holds no event\n"},
		"a line that is too large":           {NDJSON, "1\n2\n" + big + "\n4", 413, "event 2 has 1025 bytes; at most 1024 are allowed\n"},
		"an element that is too large":       {Detect, `[1,"` + big + `"]`, 413, "event 1 has 1027 bytes; at most 1024 are allowed\n"},
		"too many lines":                     {NDJSON, strings.Repeat("1\n", 101), 413, "more than 100 events in one request\n"},
		"deep nesting":                       {JSONArray, strings.Repeat("[", 100_000), 400, "split JSON array: element 0, at byte 1: nested deeper than 10000\n"},
	} {
		e := local()
		e.Decode, e.Splits = c.decode, true
		l := listen(t, `{"limits": {"maxEvents": 100}}`, e)
		f := newFramework(t, l)
		got := post(t, l, c.body)
		assert.Equal(t, c.code, got.code, name)
		assert.Equal(t, c.text, got.text, name)
		f.idle()
		// What every one of the decoders takes.
		answer := postLater(t, l, "[1]")
		require.Len(t, f.next(), 1, name)
		f.batch.Deliver(true)
		assert.Equal(t, 200, wait(t, answer).code, name)
	}
}

func TestARequestOfManyBatchesIsAnsweredAfterTheLast(t *testing.T) {
	e := local()
	e.Decode, e.Splits = NDJSON, true
	l := listen(t, "", e)
	f := newFramework(t, l)
	var want []string
	for i := range 5000 {
		want = append(want, fmt.Sprintf("%04d%s", i, strings.Repeat("x", 996)))
	}
	answer := postLater(t, l, strings.Join(want, "\n"))
	var got []string
	for len(got) < len(want) {
		unanswered(t, answer)
		part := f.next()
		require.Less(t, len(part), 2000, "a batch is bounded")
		for _, event := range part {
			got = append(got, event.payload)
		}
		f.batch.Deliver(true)
	}
	assert.Equal(t, want, got)
	assert.Equal(t, 200, wait(t, answer).code)
}

func TestTheListOfEventsCountsAsMemory(t *testing.T) {
	e := local()
	e.Decode, e.Splits = NDJSON, true
	l := listen(t, `{"limits": {"maxBodySize": 131072, "maxMemory": "3MiB"}}`, e)
	f := newFramework(t, l)
	answer := postLater(t, l, strings.Repeat("1\n", 65536))
	waiting(t, l, 1)
	assert.GreaterOrEqual(t, l.memory.Used(), int64(131072+65536*eventSize))
	for n := 0; n < 65536; {
		n += len(f.next())
		f.batch.Deliver(true)
	}
	assert.Equal(t, 200, wait(t, answer).code)
	eventually(t, "all memory is given back", func() bool { return l.memory.Used() == 0 })
}
