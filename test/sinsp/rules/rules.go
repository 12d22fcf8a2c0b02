// SPDX-License-Identifier: Apache-2.0

// Package rules reads Falco rules files as far as plugins' own need it, and
// expands lists and macros, so that libsinsp can compile the conditions alone.
package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v3"
)

// File is a rules file, its conditions expanded.
type File struct {
	// Plugins that the file requires: for each requirement the plugin itself first, then its alternatives.
	Plugins [][]Requirement
	Rules   []Rule
}

// Requirement is a plugin and the least version of it.
type Requirement struct {
	Name    string `yaml:"name"`
	Version string `yaml:"version"`
}

// Rule is one rule.
type Rule struct {
	Name      string
	Condition string // without lists and macros
	Output    string
	Priority  string
	Source    string // syscall where the file does not say
}

// item is one element of a rules file: exactly one of its first five members is
// there. What is not here is not understood, and refused.
type item struct {
	Engine  any            `yaml:"required_engine_version"`
	Plugins []requirements `yaml:"required_plugin_versions"`
	List    string         `yaml:"list"`
	Macro   string         `yaml:"macro"`
	Rule    string         `yaml:"rule"`

	Items     []string `yaml:"items"`
	Condition string   `yaml:"condition"`
	Desc      string   `yaml:"desc"`
	Output    string   `yaml:"output"`
	Priority  string   `yaml:"priority"`
	Source    string   `yaml:"source"`
	Tags      []string `yaml:"tags"`
	Enabled   *bool    `yaml:"enabled"`
}

type requirements struct {
	Requirement  `yaml:",inline"`
	Alternatives []Requirement `yaml:"alternatives"`
}

// Read reads the file at path.
func Read(path string) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading rules: %w", err)
	}
	f, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("reading rules %s: %w", path, err)
	}
	return f, nil
}

// Parse reads the text of a rules file. Lists and macros stand before what uses
// them, as Falco wants it; a later one of the same name replaces the earlier.
func Parse(text []byte) (*File, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	var items []item
	if err := decoder.Decode(&items); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var f File
	known := definitions{lists: map[string][]string{}, macros: map[string]string{}}
	names := map[string]bool{}
	for k, it := range items {
		if err := f.add(it, known, names); err != nil {
			return nil, fmt.Errorf("item %d: %w", k+1, err)
		}
	}
	return &f, nil
}

func (f *File) add(it item, known definitions, names map[string]bool) error {
	switch {
	case it.List != "":
		return known.list(it.List, it.Items)
	case it.Macro != "":
		expanded, err := known.expand(it.Condition)
		if err != nil {
			return fmt.Errorf("macro %s: %w", it.Macro, err)
		}
		known.macros[it.Macro] = expanded
	case it.Rule != "":
		r, err := known.rule(it)
		if err != nil {
			return fmt.Errorf("rule %q: %w", it.Rule, err)
		}
		if names[r.Name] {
			return fmt.Errorf("rule %q is there twice", r.Name)
		}
		names[r.Name] = true
		f.Rules = append(f.Rules, r)
	case it.Plugins != nil:
		for _, p := range it.Plugins {
			f.Plugins = append(f.Plugins, append([]Requirement{p.Requirement}, p.Alternatives...))
		}
	case it.Engine == nil:
		return errors.New("neither a rule, a macro, a list nor a requirement")
	}
	return nil
}

func (d definitions) rule(it item) (Rule, error) {
	for name, text := range map[string]string{"condition": it.Condition, "desc": it.Desc, "output": it.Output, "priority": it.Priority} {
		if text == "" {
			return Rule{}, fmt.Errorf("it has no %s", name)
		}
	}
	condition, err := d.expand(it.Condition)
	if err != nil {
		return Rule{}, err
	}
	if it.Source == "" {
		it.Source = "syscall"
	}
	return Rule{Name: it.Rule, Condition: condition, Output: it.Output, Priority: it.Priority, Source: it.Source}, nil
}
