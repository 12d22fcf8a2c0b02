// SPDX-License-Identifier: Apache-2.0

// Package scenario reads what a plugin's author declares about it for tests in
// the real framework: testdata/scenarios.yaml in the plugin's folder. An
// example with everything in it:
//
//	refuses:                      # configurations that the plugin's own schema keeps out
//	  - config: '{"count": "x"}'
//	    error: count              # a part of the framework's message
//	cannot_open:                  # open parameters that the plugin refuses
//	  - params: 'htp://x'
//	    error: unknown scheme
//	scenarios:
//	  - name: documents have values
//	    config: '{"count": 3}'    # left out: no configuration
//	    with: [json]              # plugins loaded behind this one
//	    # where events come from: feed, open, or open with post
//	    feed:                     # payloads under a source of the test's own
//	      source: anything
//	      payloads: ['{"a":1}', {file: sample.json}, {hex: "00ff"}, {join: ['"', {repeat: x, times: 70000}, '"']}]
//	    open: '{"addr":"${address}"}'   # the plugin's own source; ${address} is a free local address,
//	                              # ${testdata} the path of the declaration's folder
//	    post:                     # bodies sent there by HTTP, one after another
//	      path: /
//	      type: application/json  # the content type; left out: none
//	      payloads: ['{"a":1}']
//	      answers: [200]          # left out: 200 for each
//	    asynchronous: true        # events that the plugin emits come in between: sysdig counts those and does not show them
//	    timed: true               # events carry the time that they are made at
//	    blocks: true              # the source has more to come, and waits: it is closed while it does
//	    events:                   # the fields to look at, event by event; ~ for no value
//	      - {'json.value[/a]': "1", 'json.value[/b]': ~}
//	    passes:                   # which of them a filter lets through
//	      json.value[/a] = 1: [1]
//	    fails: gone               # a part of the error that the source ends with
//	    logs: [initialised]       # parts of lines that the plugin logs, until it is destroyed
//	captures: [...]               # recorded system calls; see Recorded
package scenario

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// File is where declarations stand in a plugin's folder.
const File = "testdata/scenarios.yaml"

// Declaration is what is declared about one plugin.
type Declaration struct {
	Refuses    []Refusal  `yaml:"refuses"`
	CannotOpen []Unopened `yaml:"cannot_open"`
	Scenarios  []Scenario `yaml:"scenarios"`
	Captures   []Recorded `yaml:"captures"`
}

// Refusal is a configuration that the plugin's schema refuses.
type Refusal struct {
	Config string `yaml:"config"`
	Error  string `yaml:"error"`
}

// Unopened is open parameters that the plugin refuses.
type Unopened struct {
	Config string `yaml:"config"`
	Params string `yaml:"params"`
	Error  string `yaml:"error"`
}

// Scenario is a stream of events and what the plugin makes of it.
type Scenario struct {
	Name   string   `yaml:"name"`
	Config string   `yaml:"config"`
	With   []string `yaml:"with"`
	Feed   *Feed    `yaml:"feed"`
	Open   *string  `yaml:"open"`
	Post   *Post    `yaml:"post"`
	Blocks bool     `yaml:"blocks"`
	// Asynchronous says that some of Events are the plugin's own asynchronous ones, Timed
	// that the others carry the time that they are made at, as those that are posted do.
	Asynchronous bool             `yaml:"asynchronous"`
	Timed        bool             `yaml:"timed"`
	Events       []map[string]any `yaml:"events"`
	Passes       map[string][]int `yaml:"passes"`
	Fails        string           `yaml:"fails"`
	Logs         []string         `yaml:"logs"`
}

// Feed is events from a source of the test's own.
type Feed struct {
	ID       uint32    `yaml:"id"` // 999, the ID for tests, if left out
	Source   string    `yaml:"source"`
	Payloads []Payload `yaml:"payloads"`
}

// Post is what is sent to an open source by HTTP.
type Post struct {
	Path     string    `yaml:"path"`
	Type     string    `yaml:"type"`
	Payloads []Payload `yaml:"payloads"`
	Answers  []int     `yaml:"answers"`
}

// Payload is bytes, written as a string, or as a map with one of: file, below the
// declaration's folder; hex; join, a list of payloads; or repeat, a string, and times.
type Payload []byte

// Fields lists the fields that the scenario looks at, sorted.
func (s *Scenario) Fields() []string {
	all := map[string]bool{}
	for _, e := range s.Events {
		for name := range e {
			all[name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// TestID is the plugin ID that anyone may use for tests.
const TestID = 999

// Read reads the declaration in a plugin's folder.
func Read(dir string) (*Declaration, error) {
	path := filepath.Join(dir, filepath.FromSlash(File))
	var d Declaration
	if err := decode(path, &d); err != nil {
		return nil, err
	}
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	for k := range d.Scenarios {
		if open := d.Scenarios[k].Open; open != nil {
			*open = strings.ReplaceAll(*open, "${testdata}", folder)
		}
	}
	return &d, nil
}

// inline replaces the file of a payload with its content: decoding a payload does not know the folder.
func inline(n *yaml.Node, dir string) error {
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "file" && n.Content[1].Kind == yaml.ScalarNode {
		name := n.Content[1].Value
		if !filepath.IsLocal(name) {
			return fmt.Errorf("line %d: payload file %q is outside of the declaration's folder", n.Line, name)
		}
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("line %d: %w", n.Line, err)
		}
		n.Content[0].Value, n.Content[1].Value = "hex", hex.EncodeToString(content)
		n.Content[1].Tag, n.Content[1].Style = "!!str", yaml.DoubleQuotedStyle
		return nil
	}
	for _, c := range n.Content {
		if err := inline(c, dir); err != nil {
			return err
		}
	}
	return nil
}

// UnmarshalYAML reads any form of a payload.
func (p *Payload) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*p = Payload(n.Value)
		return nil
	}
	var form struct {
		Hex    *string
		Join   []Payload
		Repeat string
		Times  int
	}
	if err := n.Decode(&form); err != nil {
		return err
	}
	if form.Hex != nil {
		raw, err := hex.DecodeString(*form.Hex)
		*p = raw
		return err
	}
	if form.Join != nil {
		*p = slices.Concat(form.Join...)
		return nil
	}
	if form.Repeat == "" || form.Times <= 0 {
		return fmt.Errorf("line %d: a payload is a string, {file: NAME}, {hex: DIGITS}, {join: [...]} or {repeat: TEXT, times: N}", n.Line)
	}
	*p = Payload(strings.Repeat(form.Repeat, form.Times))
	return nil
}

func (d *Declaration) check() error {
	names := map[string]bool{}
	for k := range d.Scenarios {
		s := &d.Scenarios[k]
		if s.Name == "" || names[s.Name] {
			return fmt.Errorf("scenario %d: the name %q is empty or another's", k+1, s.Name)
		}
		names[s.Name] = true
		if (s.Feed == nil) == (s.Open == nil) {
			return fmt.Errorf("scenario %q: use one of feed and open", s.Name)
		}
		if s.Post != nil && s.Open == nil {
			return fmt.Errorf("scenario %q: post needs open", s.Name)
		}
		if s.Feed != nil && s.Feed.ID == 0 {
			s.Feed.ID = TestID
		}
		if s.Feed != nil && s.Feed.Source == "" {
			return fmt.Errorf("scenario %q: feed needs a source", s.Name)
		}
	}
	for k, r := range d.Captures {
		if r.Name == "" || names[r.Name] {
			return fmt.Errorf("capture %d: the name %q is empty or another's", k+1, r.Name)
		}
		names[r.Name] = true
		if err := r.check(); err != nil {
			return fmt.Errorf("capture %q: %w", r.Name, err)
		}
	}
	if len(d.Scenarios) == 0 {
		return errors.New("no scenario")
	}
	return nil
}
