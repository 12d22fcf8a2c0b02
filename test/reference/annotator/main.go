// SPDX-License-Identifier: Apache-2.0

// Command annotator is a plugin that works with the table of another one.
//
// State tables have names. A plugin opens one in Init, looks up the fields that
// it reads, and adds fields of its own to every entry; the table's owner need
// not know. Entries are reached in the calls that parse and extract, by the
// table.Access that comes with them.
//
// The annotator opens the table of the counter beside it, which must therefore
// be loaded first, and notes in each entry when the word was last seen.
package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
	"github.com/aerie-falco/aerie/shared/plugin/parse"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

func init() {
	r := plugin.Register(plugin.Info{
		Name: "annotator", Description: "Notes beside the counter's counts when words were seen.",
		Contact: "github.com/aerie-falco/aerie", Version: "0.1.0",
	}, func() *annotator { return &annotator{} })
	parse.Register(r, parse.Options{})
	extract.Register(r, extract.Options[*annotator]{Fields: []extract.Field[*annotator]{
		{Name: "annotator.since", Desc: "Time since the event before with the same first word, in nanoseconds.", Value: extract.RelTime((*annotator).sinceField)},
		{Name: "annotator.note", Desc: "What the counter's count amounts to: once, twice or often.", Value: extract.String((*annotator).noteField)},
		{Name: "annotator.total", Desc: "Sum of the counter's counts of all words.", Value: extract.Uint64((*annotator).totalField)},
	}})
}

func main() {}

// annotator is one state of the plugin.
type annotator struct {
	counters *table.Foreign[string]
	count    table.Field[uint64] // the counter's

	// last, since and note are fields that this plugin adds.
	last, since table.Field[uint64]
	note        table.Field[string]
}

// Init looks everything up. A table that is not there, a field of another type
// and the like end it with an error that says so.
func (a *annotator) Init(h *plugin.Host, _ string) error {
	var err error
	if a.counters, err = table.Open[string](h.Tables(), "counters"); err != nil {
		if errors.Is(err, table.ErrNoTable) {
			return fmt.Errorf("%w; load the counter before the annotator", err)
		}
		return err
	}
	if a.count, err = table.FieldOf[uint64](a.counters, "count"); err != nil {
		return err
	}
	if a.last, err = table.AddField[uint64](a.counters, "annotator_last"); err != nil {
		return err
	}
	if a.since, err = table.AddField[uint64](a.counters, "annotator_since"); err != nil {
		return err
	}
	a.note, err = table.AddField[string](a.counters, "annotator_note")
	return err
}

func (a *annotator) Destroy() {}

// Parse runs behind that of the counter, which was loaded first, so the entry
// is there and counts this event. It is released when the call ends.
func (a *annotator) Parse(e *event.Event, t *table.Access) error {
	entry, err := a.entry(e, t)
	if err != nil {
		return err
	}
	n, err := a.count.Get(entry)
	if err != nil {
		return err
	}
	before, err := a.last.Get(entry)
	if err != nil {
		return err
	}
	var since uint64
	if n > 1 && e.Timestamp() > before {
		since = e.Timestamp() - before
	}
	note := "often"
	switch n {
	case 1:
		note = "once"
	case 2:
		note = "twice"
	}
	return errors.Join(a.last.Set(entry, e.Timestamp()), a.since.Set(entry, since), a.note.Set(entry, note))
}

func (a *annotator) sinceField(c *extract.Call, out *extract.Uint64Out) error {
	entry, err := a.entry(c.Event(), c.Tables())
	if err != nil {
		return err
	}
	if n, err := a.count.Get(entry); err != nil || n < 2 {
		return err // the first time there is no event before, and no value
	}
	since, err := a.since.Get(entry)
	if err == nil {
		out.Set(since)
	}
	return err
}

func (a *annotator) noteField(c *extract.Call, out *extract.StringOut) error {
	entry, err := a.entry(c.Event(), c.Tables())
	if err != nil {
		return err
	}
	note, err := a.note.Get(entry)
	if err == nil {
		out.Set(note)
	}
	return err
}

// totalField goes through all entries. Those are valid inside the loop and need
// no release.
func (a *annotator) totalField(c *extract.Call, out *extract.Uint64Out) error {
	var total uint64
	var failed error
	err := a.counters.Each(c.Tables(), func(e table.Entry) bool {
		var n uint64
		n, failed = a.count.Get(e)
		total += n
		return failed == nil
	})
	if err = errors.Join(err, failed); err == nil {
		out.Set(total)
	}
	return err
}

// entry is the counter's for the first word of an event.
func (a *annotator) entry(e *event.Event, t *table.Access) (table.Entry, error) {
	payload, _ := e.Payload()
	for w := range strings.FieldsSeq(string(payload)) {
		return a.counters.Get(t, w)
	}
	return table.Entry{}, errors.New("look up an event's word: it has none")
}
