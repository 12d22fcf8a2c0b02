// SPDX-License-Identifier: Apache-2.0

// Package rules reads Falco rules files as Falco does, later files on top of
// earlier ones, and expands lists, macros and exceptions, so that libsinsp can
// compile each condition alone. It is stricter than Falco where that would only
// warn: an unknown key is refused. Errors begin with file and line.
package rules

import (
	"fmt"
	"os"
)

// File is what one or several rules files come to.
type File struct {
	// Engine is the highest version that is required, as X.Y.Z; "" for none.
	Engine string
	// Plugins that are required: for each requirement the plugin itself first, then its alternatives.
	Plugins [][]Requirement
	Rules   []Rule // in the order of their first definitions
	// Warnings are about what is legal and most likely a mistake.
	Warnings []string
}

// Rule is one rule, with everything that later items did to it.
type Rule struct {
	Name      string
	Desc      string
	Condition string // without lists, macros and exceptions
	Output    string
	Priority  string
	Source    string // syscall where the file does not say
	Tags      []string
	Enabled   bool
	At        Place // of its definition
}

// Place is a line of a file.
type Place struct {
	File string
	Line int
}

func (p Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// errorf makes an error that begins with the place.
func (p Place) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %w", p, fmt.Errorf(format, args...))
}

// Text is a rules file's content, and the name that errors give it.
type Text struct {
	Name    string
	Content []byte
}

// Read reads files, in the order in which Falco would load them.
func Read(paths ...string) (*File, error) {
	texts, err := Load(paths...)
	if err != nil {
		return nil, err
	}
	return Parse(texts...)
}

// Load gets the contents of files.
func Load(paths ...string) ([]Text, error) {
	var texts []Text
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading rules: %w", err)
		}
		texts = append(texts, Text{Name: path, Content: content})
	}
	return texts, nil
}

// Parse reads rules files, in the order in which Falco would load them.
func Parse(texts ...Text) (*File, error) {
	c := newCollection()
	for _, t := range texts {
		if err := c.read(t); err != nil {
			return nil, fmt.Errorf("reading rules: %w", err)
		}
	}
	f, err := c.expand()
	if err != nil {
		return nil, fmt.Errorf("reading rules: %w", err)
	}
	return f, nil
}
