// SPDX-License-Identifier: Apache-2.0

// Package registry reads registry.yaml, the ledger of names, IDs, event sources
// and capabilities, and checks the file by itself. Package registrycheck compares
// it with what it speaks of.
package registry

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/aerie-falco/aerie/build/elfgate"
)

// FileName is where the registry stands, relative to the root of the checkout.
const FileName = "registry.yaml"

// Registry is a registry.yaml that keeps the rules.
type Registry struct {
	ReservedSources []string // sources that no plugin may produce
	Plugins         []Entry  // in the order of the file
}

// Entry is one plugin.
type Entry struct {
	Name, Description, Authors, Contact, URL, License string

	RulesURL    string // "" for a plugin without rules of its own
	Maintainers []Maintainer
	Keywords    []string
	Cosign      map[string]any // how its releases are signed, in the words of falcoctl's index; nil if they are not

	Reserved bool   // holds a name or an ID; there is no such plugin here
	ID       uint32 // 0 for a plugin without sourcing
	Source   string // "" for a plugin without sourcing

	Capabilities []elfgate.Capability
	// ExtractSources, ParseSources and AsyncSources are the sources that the capability works on. Empty: the plugin's
	// own, or every source if it has none.
	ExtractSources, ParseSources, AsyncSources []string
	AsyncEvents                                []string

	line int
}

// Maintainer is one of the people behind a plugin. One of the two may be missing.
type Maintainer struct{ Name, Email string }

// Has reports whether the entry lists a capability.
func (e Entry) Has(c elfgate.Capability) bool { return slices.Contains(e.Capabilities, c) }

// Line is where the entry begins in registry.yaml.
func (e Entry) Line() int { return e.line }

// Entry returns the plugin of that name.
func (r *Registry) Entry(name string) (Entry, bool) {
	for _, e := range r.Plugins {
		if e.Name == name {
			return e, true
		}
	}
	return Entry{}, false
}

// Problem is one thing that is wrong.
type Problem struct {
	Line int // in registry.yaml; 0 if it is not about a line of it
	Text string
}

// Invalid is the error about a registry that breaks rules. It has every problem, in the order of the lines.
type Invalid struct {
	File     string
	Problems []Problem
}

func (i *Invalid) Error() string {
	var b strings.Builder
	noun := "problems"
	if len(i.Problems) == 1 {
		noun = "problem"
	}
	fmt.Fprintf(&b, "checking %s: %d %s:", i.File, len(i.Problems), noun)
	for _, p := range i.Problems {
		if p.Line > 0 {
			fmt.Fprintf(&b, "\n  - line %d: %s", p.Line, p.Text)
		} else {
			fmt.Fprintf(&b, "\n  - %s", p.Text)
		}
	}
	return b.String()
}

// Load reads and checks the file by itself. Anything wrong in its content is an *Invalid.
func Load(file string) (*Registry, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the registry: %w", err)
	}
	r, problems := parse(text)
	if len(problems) > 0 {
		slices.SortStableFunc(problems, func(a, b Problem) int { return a.Line - b.Line })
		return nil, &Invalid{File: FileName, Problems: problems}
	}
	return r, nil
}

// parse decodes strictly and applies the rules. Rules are not applied to a text that does not decode.
func parse(text []byte) (*Registry, []Problem) {
	var raw rawFile
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&raw); err != nil {
		return nil, yamlProblems(err)
	}
	raw.locate(text)
	c := &checker{reserved: raw.ReservedSources}
	r := c.file(raw)
	return r, c.problems
}

// yamlProblems splits an error of the YAML package into its lines, which begin with "line N: ".
func yamlProblems(err error) []Problem {
	messages := []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	var several *yaml.TypeError
	if errors.As(err, &several) {
		messages = several.Errors
	}
	var out []Problem
	for _, m := range messages {
		var p Problem
		if n, err := fmt.Sscanf(m, "line %d:", &p.Line); n == 1 && err == nil {
			_, m, _ = strings.Cut(m, ": ")
		}
		p.Text = m
		if field, _, ok := strings.Cut(strings.TrimPrefix(m, "field "), " not found in type "); ok {
			p.Text = fmt.Sprintf("unknown key %q", field)
		}
		out = append(out, p)
	}
	return out
}
