// SPDX-License-Identifier: Apache-2.0

// Package payload keeps what a plugin made of payloads when it was released, so
// that a later version can be asked for the same: events that are in capture
// files have to stay readable, and to have the same values.
//
// A fixture is a JSON file. Its author writes what the plugin gets; what it
// makes of it is recorded. Payloads that are given:
//
//	{
//	  "about": "a pod is created",
//	  "source": "k8s_audit",
//	  "events": [{"json": {"verb": "create"}}, {"text": "no JSON"}, {"hex": "00ff"}, {"async": "k8s", "json": {}}],
//	  "fields": ["json.value[/verb]"]
//	}
//
// Payloads that the plugin's own source makes, here of requests that are posted to it:
//
//	{"open": "{\"addr\": \"${address}\"}", "post": {"path": "/", "bodies": [{"text": "one"}]}}
package payload

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Fixture is what a plugin gets, and what it made of it.
type Fixture struct {
	About  string `json:"about,omitempty"`
	Config string `json:"config,omitempty"` // init configuration; "": none

	// Source is what Events pass for; "": the plugin's own source, or else the first that it names.
	Source string  `json:"source,omitempty"`
	Events []Event `json:"events,omitempty"`

	// Open is open parameters of the plugin's source, which then makes the events. ${address} is a free local address.
	Open  *string `json:"open,omitempty"`
	Post  *Post   `json:"post,omitempty"`
	Count int     `json:"count,omitempty"` // events to take; 0: as many as there are, or as come of Post

	// Fields are asked for in every event, beside all that need no argument.
	Fields []string `json:"fields,omitempty"`

	Recorded *Recorded `json:"recorded,omitempty"` // nil: not yet
}

// Event is one event, written as exactly one of Text, JSON, Hex and Raw.
type Event struct {
	Async string          `json:"async,omitempty"` // name of an asynchronous event; "": it is a plugin event
	Text  *string         `json:"text,omitempty"`
	JSON  json.RawMessage `json:"json,omitempty"` // without white space between tokens
	Hex   *string         `json:"hex,omitempty"`
	Raw   *string         `json:"raw,omitempty"` // the whole event of any type, in hex, as it stands in memory
}

// Post is requests to the address that the source listens on, one after another.
type Post struct {
	Path   string  `json:"path"`
	Bodies []Event `json:"bodies"`
}

// Recorded is what a plugin made of a fixture.
type Recorded struct {
	// Emitted is the payloads of the plugin's own source, if Open is set.
	Emitted []Event `json:"emitted,omitempty"`
	// Values has a map for each event, from field to value: a string, number or bool, a list of them, null where
	// there is none, or Failure. Without fields it has none.
	Values []map[string]any `json:"values,omitempty"`
	// Empty is the same of an event whose payload is empty: such values do not come from the payload.
	Empty map[string]any `json:"empty,omitempty"`
}

// Failure stands for a value that the plugin failed to extract.
var Failure = map[string]any{"failed": true}

// Read reads a fixture strictly.
func Read(text []byte) (*Fixture, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	d.UseNumber()
	var f Fixture
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("reading a payload fixture: %w", err)
	}
	if d.More() {
		return nil, errors.New("reading a payload fixture: something follows the object")
	}
	if (f.Open == nil) == (len(f.Events) == 0) {
		return nil, errors.New("reading a payload fixture: it has to have one of events and open")
	}
	if f.Open == nil && (f.Post != nil || f.Count != 0) {
		return nil, errors.New("reading a payload fixture: post and count belong to open, which is not there")
	}
	events := f.Events
	if f.Post != nil {
		events = f.Post.Bodies
	}
	for k, e := range events {
		if _, err := e.Bytes(); err != nil {
			return nil, fmt.Errorf("reading a payload fixture: event %d: %w", k+1, err)
		}
	}
	return &f, nil
}

// Write is the fixture as text, always the same for the same fixture.
func (f *Fixture) Write() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(f); err != nil {
		return nil, fmt.Errorf("writing a payload fixture: %w", err)
	}
	return b.Bytes(), nil
}

// Bytes is the payload, or the whole event of Raw.
func (e Event) Bytes() ([]byte, error) {
	var forms int
	var out []byte
	var err error
	if e.Text != nil {
		forms, out = forms+1, []byte(*e.Text)
	}
	if e.JSON != nil {
		var b bytes.Buffer
		err = json.Compact(&b, e.JSON)
		forms, out = forms+1, b.Bytes()
	}
	for _, digits := range []*string{e.Hex, e.Raw} {
		if digits != nil {
			forms++
			out, err = hex.DecodeString(*digits)
		}
	}
	if forms != 1 || e.Raw != nil && e.Async != "" {
		return nil, errors.New("use one of text, json, hex and raw, and async with one of the first three only")
	}
	return out, err
}

// Of is the event with that payload.
func Of(payload []byte) Event {
	if utf8.Valid(payload) {
		text := string(payload)
		return Event{Text: &text}
	}
	digits := hex.EncodeToString(payload)
	return Event{Hex: &digits}
}
