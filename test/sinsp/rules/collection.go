// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
)

// collection is what the files read so far define. Nothing is expanded before
// all are read, because a later file may change what an earlier one uses.
type collection struct {
	lists  map[string]*list
	macros map[string]*macro
	rules  map[string]*rule
	order  []string // of rules
	engine version
	needs  [][]Requirement
	items  int // how many were read: the next one's index

	warnings []string
}

// span is which items an item may name: those whose first definition came
// before its own last one. So it is among lists and among macros; conditions see
// every list, and rules every macro.
type span struct {
	first, last int
	at          Place
	used        bool
}

func (s span) sees(other span) bool { return other.first < s.last }

type list struct {
	span
	items []string
}

type macro struct {
	span
	condition string
}

type rule struct {
	Rule
	exceptions []exception
}

func newCollection() *collection {
	return &collection{lists: map[string]*list{}, macros: map[string]*macro{}, rules: map[string]*rule{}}
}

// read takes a file's items in.
func (c *collection) read(t Text) error {
	documents := yaml.NewDecoder(bytes.NewReader(t.Content))
	for {
		var document yaml.Node
		err := documents.Decode(&document)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		for _, items := range document.Content {
			if items.Tag == "!!null" {
				continue
			}
			if items.Kind != yaml.SequenceNode {
				return Place{t.Name, items.Line}.errorf("a rules file is a list of items, each with a dash before it")
			}
			for _, n := range items.Content {
				if err := c.add(t.Name, target(n)); err != nil {
					return err
				}
				c.items++
			}
		}
	}
}

// kinds of items by the key that tells them.
var kinds = map[string]func(c *collection, file string, n *yaml.Node) error{
	"required_engine_version":  (*collection).addEngine,
	"required_plugin_versions": (*collection).addPlugins,
	"list":                     (*collection).addList,
	"macro":                    (*collection).addMacro,
	"rule":                     (*collection).addRule,
}

func (c *collection) add(file string, n *yaml.Node) error {
	if n.Kind == yaml.MappingNode {
		for k := 0; k < len(n.Content); k += 2 {
			if add := kinds[n.Content[k].Value]; add != nil {
				return add(c, file, n)
			}
		}
	}
	return Place{file, n.Line}.errorf("neither a rule, a macro, a list nor a requirement")
}

func (c *collection) warn(at Place, format string, args ...any) {
	c.warnings = append(c.warnings, at.String()+": "+fmt.Sprintf(format, args...))
}

func (c *collection) span(at Place) span { return span{first: c.items, last: c.items, at: at} }

// again moves the end of a span to an item that changes or replaces what was there.
func (c *collection) again(s *span, by item, ch change) {
	if !ch.any() && s.at.File == by.at.File {
		c.warn(by.at, "%s takes the place of the one in line %d", by.what, s.at.Line)
	}
	s.last = c.items
}

// Names as the filter language can tell them from other words.
var (
	listName  = regexp.MustCompile(`^[^()"'\s=,]+$`)
	macroName = regexp.MustCompile(`^[a-zA-Z]+[a-zA-Z0-9_]*$`)
)

// named reads what an item is called and how it changes an earlier one.
func named(file, kind string, n *yaml.Node, form *regexp.Regexp, keys ...string) (item, string, change, error) {
	it, err := mapping(file, kind, n, append([]string{kind, "append", "override"}, keys...)...)
	if err != nil {
		return it, "", change{}, err
	}
	name, err := it.text(kind)
	if err != nil {
		return it, "", change{}, err
	}
	it.what = fmt.Sprintf("%s %q", kind, name)
	if form != nil && !form.MatchString(name) {
		return it, "", change{}, it.errorf(kind, "the name has to look like %s", form)
	}
	if kind == "rule" {
		ch, err := it.changes(ruleAppends, ruleReplaces)
		return it, name, ch, err
	}
	ch, err := it.changes(keys, keys)
	return it, name, ch, err
}

func (c *collection) addList(file string, n *yaml.Node) error {
	it, name, ch, err := named(file, "list", n, listName, "items")
	if err != nil {
		return err
	}
	if !it.has("items") {
		return it.errorf("items", "it has no items; use [] for none")
	}
	items, err := it.texts("items")
	if err != nil {
		return err
	}
	before := c.lists[name]
	switch {
	case before == nil && ch.appending():
		return it.errorf("list", "there is no list of that name before it to append to")
	case before == nil:
		before = &list{span: c.span(it.at)}
		c.lists[name] = before
	default:
		c.again(&before.span, it, ch)
	}
	if ch.appending() {
		items = append(slices.Clip(before.items), items...)
	}
	before.items = items
	return nil
}

func (c *collection) addMacro(file string, n *yaml.Node) error {
	it, name, ch, err := named(file, "macro", n, macroName, "condition")
	if err != nil {
		return err
	}
	condition, err := it.text("condition")
	if err != nil {
		return err
	}
	before := c.macros[name]
	switch {
	case before == nil && ch.appending():
		return it.errorf("macro", "there is no macro of that name before it to append to")
	case before == nil:
		before = &macro{span: c.span(it.at)}
		c.macros[name] = before
	default:
		c.again(&before.span, it, ch)
	}
	if ch.appending() {
		condition = before.condition + " " + condition
	}
	before.condition = condition
	return nil
}
