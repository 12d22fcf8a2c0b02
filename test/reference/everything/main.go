// SPDX-License-Identifier: Apache-2.0

// Command everything is a plugin with every capability, in one small story.
//
// Its source gives words as events. What a word means is learnt in the
// background: when a capture opens, a routine looks the meanings up (here, in
// the configuration) and tells each by an asynchronous event. Parsing takes
// those into a state table, counts in it how often each word came, and
// extraction gives both. The source waits until the meanings are there.
//
//	words.go     the source: events that come in
//	meanings.go  capture listening, asynchronous events, dumped state
//	state.go     parsing into the table, and extracting from it
package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/async"
	"github.com/aerie-falco/aerie/shared/plugin/capture"
	"github.com/aerie-falco/aerie/shared/plugin/config"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
	"github.com/aerie-falco/aerie/shared/plugin/parse"
	"github.com/aerie-falco/aerie/shared/plugin/source"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

func init() {
	r := plugin.Register(plugin.Info{
		Name: "everything", Description: "Words and what they mean.",
		Contact: "github.com/aerie-falco/aerie", Version: "0.1.0",
		ID: 999, EventSource: "words", Config: &settings{},
	}, func() *everything { return &everything{} })
	table.RequireSubtables(r)
	// Its own asynchronous events reach the plugin because it asks for their type.
	types := []uint16{event.TypePlugin, event.TypeAsync}
	source.Register(r, source.Options{})
	parse.Register(r, parse.Options{EventTypes: types})
	extract.Register(r, extract.Options[*everything]{Fields: fields, EventTypes: types})
	async.Register(r, async.Options{Events: []string{meaningEvent}})
	capture.Register(r)
}

func main() {}

type settings struct {
	Meanings []string `json:"meanings" desc:"What words mean, each as word=meaning."`
}

// everything is one state of the plugin.
type everything struct {
	meanings map[string]string // as configured
	events   *async.Emitter
	known    *table.Own[string, word]
	last     string        // the word that was parsed last
	ready    chan struct{} // closed when all meanings were parsed
}

// Init reads the configuration and offers the table; nothing is started yet.
func (p *everything) Init(h *plugin.Host, text string) error {
	var cfg settings
	if err := config.Decode(text, &cfg); err != nil {
		return err
	}
	p.meanings = map[string]string{}
	for _, m := range cfg.Meanings {
		w, meaning, ok := strings.Cut(m, "=")
		if !ok || w == "" || meaning == "" {
			return fmt.Errorf("read meanings: %q; want word=meaning", m)
		}
		p.meanings[w] = meaning
	}
	p.events = async.EmitterOf(h)
	p.known = table.New[string, word]("words")
	p.begin()
	return table.Offer(h.Tables(), p.known)
}

func (p *everything) Destroy() {}

// begin makes the state that of a capture's begin.
func (p *everything) begin() {
	p.known.Clear()
	p.last = ""
	p.ready = make(chan struct{})
	if len(p.meanings) == 0 {
		close(p.ready)
	}
}

var errNoWord = errors.New("the event has no word")
