// SPDX-License-Identifier: Apache-2.0

// Command counter is a plugin that parses events and keeps a state table.
//
// Parsing is the capability to see every event once and in order, before
// anybody extracts a field from it. What parsing learns goes into a table of
// the plugin's own, which is a Go map with a schema: offered to the framework,
// it can be read and extended by other plugins, such as the annotator beside
// this one. The extraction below reads the same table.
//
// The counter counts how often a plugin event begins with the same word.
package main

import (
	"errors"
	"strings"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
	"github.com/aerie-falco/aerie/shared/plugin/parse"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

func init() {
	r := plugin.Register(plugin.Info{
		Name: "counter", Description: "Counts events by their first word.",
		Contact: "github.com/aerie-falco/aerie", Version: "0.1.0",
	}, func() *counter { return &counter{} })
	parse.Register(r, parse.Options{}) // plugin events of every source
	extract.Register(r, extract.Options[*counter]{Fields: []extract.Field[*counter]{
		{Name: "counter.count", Desc: "How many events so far began with this event's first word, itself included.", Value: extract.Uint64((*counter).count)},
		{Name: "counter.words", Desc: "How many different first words there were so far.", Value: extract.Uint64((*counter).words)},
	}})
}

func main() {}

// counter is one state of the plugin. Frameworks make several, which share
// nothing.
type counter struct {
	counters *table.Own[string, tally]
}

// tally is an entry of the table. The tags name the fields that others see;
// they cannot write the count.
type tally struct {
	Count uint64 `table:"count,readonly"`
}

// Init offers the table. Plugins that are initialised later find it by name.
func (c *counter) Init(h *plugin.Host, _ string) error {
	c.counters = table.New[string, tally]("counters")
	return table.Offer(h.Tables(), c.counters)
}

func (c *counter) Destroy() {}

// Parse counts. An error would be counted and logged, and the stream goes on.
func (c *counter) Parse(e *event.Event, _ *table.Access) error {
	w, ok := word(e)
	if !ok {
		return errors.New("count an event: it is no plugin event with a word in it")
	}
	c.counters.Update(w, func(t *tally) { t.Count++ })
	return nil
}

func (c *counter) count(call *extract.Call, out *extract.Uint64Out) error {
	if w, ok := word(call.Event()); ok {
		if t, ok := c.counters.Get(w); ok {
			out.Set(t.Count)
		}
	}
	return nil
}

func (c *counter) words(_ *extract.Call, out *extract.Uint64Out) error {
	out.Set(uint64(c.counters.Len()))
	return nil
}

// word is the first word of a plugin event's payload. It is a copy, as anything
// must be that is kept: the event's memory is the framework's.
func word(e *event.Event) (string, bool) {
	payload, _ := e.Payload()
	for w := range strings.FieldsSeq(string(payload)) {
		return w, true
	}
	return "", false
}
