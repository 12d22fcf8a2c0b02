// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// word is an entry of the table "words". The kit makes the table in Behind for
// every entry: it tells how often the word came directly behind which other.
type word struct {
	Meaning string                     `table:"meaning"`
	Uses    uint64                     `table:"uses,readonly"`
	Behind  *table.Own[string, behind] `table:"behind"`
}

type behind struct {
	Uses uint64 `table:"uses,readonly"`
}

var fields = []extract.Field[*everything]{
	{Name: "words.word", Desc: "The word.", Value: extract.String((*everything).wordField)},
	{Name: "words.meaning", Desc: "What the word means.", Value: extract.String((*everything).meaningField)},
	{Name: "words.uses", Desc: "How often the word came so far in this capture, this time included.", Value: extract.Uint64((*everything).usesField)},
	{Name: "words.behind", Arg: extract.RequiredKey, Desc: "How often the word came directly behind the one in brackets so far.", Value: extract.Uint64((*everything).behindField)},
	{Name: "words.known", Desc: "How many words have been heard of so far.", Value: extract.Uint64((*everything).knownField)},
}

// Parse takes in words of the source, and meanings from asynchronous events.
func (p *everything) Parse(e *event.Event, _ *table.Access) error {
	if e.Type() == event.TypeAsync {
		return p.learn(e)
	}
	w, ok := payload(e)
	if !ok {
		return errNoWord
	}
	p.known.Update(w, func(k *word) {
		k.Uses++
		if p.last != "" {
			k.Behind.Update(p.last, func(b *behind) { b.Uses++ })
		}
	})
	p.last = w
	return nil
}

func (p *everything) learn(e *event.Event) error {
	_, name, data, ok := e.Async()
	if !ok {
		return e.Malformed()
	}
	if name != meaningEvent {
		return nil // another plugin's
	}
	w, meaning, ok := strings.Cut(string(data), "=")
	if !ok {
		return fmt.Errorf("learn a meaning: %q; want word=meaning", data)
	}
	p.known.Update(w, func(k *word) { k.Meaning = meaning })
	p.heard()
	return nil
}

// heard lets the source begin when all configured meanings are known.
func (p *everything) heard() {
	for w := range p.meanings {
		if k, _ := p.known.Get(w); k.Meaning == "" {
			return
		}
	}
	select {
	case <-p.ready: // it has begun
	default:
		close(p.ready)
	}
}

// payload is the word of an event of the source.
func payload(e *event.Event) (string, bool) {
	b, ok := e.Payload()
	return string(b), ok && len(b) > 0
}

func (p *everything) wordField(c *extract.Call, out *extract.StringOut) error {
	if w, ok := payload(c.Event()); ok {
		out.Set(w)
	}
	return nil
}

func (p *everything) meaningField(c *extract.Call, out *extract.StringOut) error {
	if w, ok := payload(c.Event()); ok {
		if k, _ := p.known.Get(w); k.Meaning != "" {
			out.Set(k.Meaning)
		}
	}
	return nil
}

func (p *everything) usesField(c *extract.Call, out *extract.Uint64Out) error {
	if w, ok := payload(c.Event()); ok {
		if k, ok := p.known.Get(w); ok {
			out.Set(k.Uses)
		}
	}
	return nil
}

func (p *everything) behindField(c *extract.Call, out *extract.Uint64Out) error {
	w, ok := payload(c.Event())
	other, given := c.Key()
	if !ok || !given {
		return nil
	}
	if k, ok := p.known.Get(w); ok {
		b, _ := k.Behind.Get(other)
		out.Set(b.Uses)
	}
	return nil
}

func (p *everything) knownField(_ *extract.Call, out *extract.Uint64Out) error {
	out.Set(uint64(p.known.Len()))
	return nil
}
