// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// expand makes the collection's rules whole, once all files are read. Lists and
// macros that no rule comes to are checked too.
func (c *collection) expand() (*File, error) {
	f := &File{Plugins: c.needs}
	if c.engine != (version{}) {
		f.Engine = c.engine.String()
	}
	e := expander{collection: c, items: map[string][]string{}, done: map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(c.lists)) {
		if err := e.list(name); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.macros)) {
		if err := e.macro(name, nil); err != nil {
			return nil, err
		}
	}
	for _, name := range c.order {
		r := c.rules[name]
		text, err := r.guarded()
		if err == nil {
			text, err = e.condition(text, nil, nil)
			if err != nil {
				err = r.At.errorf("rule %q: %w", name, err)
			}
		}
		if err != nil {
			return nil, err
		}
		made := r.Rule
		made.Condition = text
		f.Rules = append(f.Rules, made)
	}
	c.warnUnused()
	f.Warnings = c.warnings
	return f, nil
}

func (c *collection) warnUnused() {
	for _, name := range slices.Sorted(maps.Keys(c.lists)) {
		if l := c.lists[name]; !l.used {
			c.warn(l.at, "list %q is used nowhere", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.macros)) {
		if m := c.macros[name]; !m.used {
			c.warn(m.at, "macro %q is used nowhere", name)
		}
	}
}

// expander keeps what is expanded already.
type expander struct {
	*collection
	items map[string][]string // of lists, as they stand in conditions
	done  map[string]string   // conditions of macros
}

// list expands a list's items: the names of lists that it sees stand for their
// items, as they are written there.
func (e *expander) list(name string) error {
	l := e.lists[name]
	out := []string{}
	for _, item := range l.items {
		inner := []string{item}
		if other := e.lists[item]; other != nil && l.sees(other.span) {
			other.used = true
			inner = other.items
		}
		for _, i := range inner {
			text, err := literal(i)
			if err != nil {
				return l.at.errorf("list %q: %w", name, err)
			}
			out = append(out, text)
		}
	}
	e.items[name] = out
	return nil
}

// macro expands a macro's condition. Path is the macros that it is expanded for.
func (e *expander) macro(name string, path []string) error {
	if _, ok := e.done[name]; ok {
		return nil
	}
	m := e.macros[name]
	if slices.Contains(path, name) {
		return m.at.errorf("macro %q: it comes back to itself, through %s", name, strings.Join(path, ", "))
	}
	text, err := e.condition(m.condition, m, append(slices.Clip(path), name))
	if err != nil {
		if len(path) > 0 {
			return err
		}
		return m.at.errorf("macro %q: %w", name, err)
	}
	e.done[name] = text
	return nil
}

// condition expands the lists and macros of a condition, of in or of a rule.
func (e *expander) condition(text string, in *macro, path []string) (string, error) {
	w := walk{expander: e, in: in, path: path, text: text}
	if err := w.expression(); err != nil {
		return "", err
	}
	return strings.Join(w.out, " "), nil
}

// use gives the expanded condition behind a word that stands where a check may.
func (w *walk) use(word string) (string, error) {
	m := w.macros[word]
	switch {
	case m == nil && w.lists[word] != nil:
		return "", fmt.Errorf("%q is a list, and stands where a condition has to", word)
	case m == nil:
		return "", fmt.Errorf("%q is neither a field nor a macro", word)
	case w.in != nil && !w.in.sees(m.span):
		return "", fmt.Errorf("macro %q is used before it is defined, in %s", word, m.at)
	}
	m.used = true
	if err := w.macro(word, w.path); err != nil {
		return "", err
	}
	return "(" + w.done[word] + ")", nil
}

// value gives what stands for a bare word among values.
func (w *walk) value(word string) string {
	l := w.lists[word]
	if l == nil {
		return word
	}
	l.used = true
	return strings.Join(w.items[word], ", ")
}
