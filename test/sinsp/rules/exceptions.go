// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// exception is one of a rule's exceptions. It comes in two forms: with a list of
// fields, each value is a list with one entry a field; with a single field, each
// value is a text.
type exception struct {
	item
	name   string
	single bool
	fields []string
	comps  []string
	values []entry
}

// entry is a text or a list.
type entry struct {
	at   Place
	list bool
	text string
	all  []entry
}

// listOperators compare with a list of values.
var listOperators = []string{"in", "intersects", "pmatch"}

// readExceptions reads an item's exceptions. An addition to one that is there
// already has values only.
func readExceptions(it item, adding bool) ([]exception, error) {
	n := it.keys["exceptions"]
	if n == nil || n.Tag == "!!null" {
		return nil, nil
	}
	if n.Kind != yaml.SequenceNode {
		return nil, it.errorf("exceptions", "exceptions is no list")
	}
	var out []exception
	for _, e := range n.Content {
		x, err := readException(it, e)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(o exception) bool { return o.name == x.name }) {
			return nil, x.errorf("name", "there are two exceptions of that name")
		}
		if !adding || len(x.fields) > 0 {
			if err := x.complete(); err != nil {
				return nil, err
			}
		}
		out = append(out, x)
	}
	return out, nil
}

func readException(of item, n *yaml.Node) (exception, error) {
	it, err := mapping(of.at.File, of.what+": exception", n, "name", "fields", "comps", "values")
	x := exception{item: it}
	if err != nil {
		return x, err
	}
	if x.name, err = it.text("name"); err != nil {
		return x, err
	}
	x.what = fmt.Sprintf("%s: exception %q", of.what, x.name)
	var single bool
	if x.fields, x.single, err = x.words("fields"); err != nil {
		return x, err
	}
	if x.comps, single, err = x.words("comps"); err != nil {
		return x, err
	}
	if len(x.fields) > 0 && len(x.comps) > 0 && x.single != single {
		return x, x.errorf("comps", "fields and comps have to be two lists or two texts")
	}
	if v := x.keys["values"]; v != nil {
		if v.Kind != yaml.SequenceNode {
			return x, x.errorf("values", "values is no list")
		}
		for _, e := range v.Content {
			value, err := x.entry(target(e), 3)
			if err != nil {
				return x, err
			}
			x.values = append(x.values, value)
		}
	}
	return x, nil
}

// words is a key's text or list of texts, and whether it was a text alone.
func (x *exception) words(key string) ([]string, bool, error) {
	if n := x.keys[key]; n == nil || n.Kind == yaml.SequenceNode {
		all, err := x.texts(key)
		return all, false, err
	}
	one, err := x.text(key)
	return []string{one}, true, err
}

// entry reads a value. It stops where nothing legal can be that deep.
func (x *exception) entry(n *yaml.Node, depth int) (entry, error) {
	e := entry{at: Place{x.at.File, n.Line}, list: n.Kind == yaml.SequenceNode, text: n.Value}
	if depth == 0 || !e.list && n.Kind != yaml.ScalarNode {
		return e, e.at.errorf("%s: a value is a text or a list of texts", x.what)
	}
	if !e.list && strings.TrimSpace(n.Value) == "" {
		return e, e.at.errorf("%s: a value is empty", x.what)
	}
	for _, inner := range n.Content {
		v, err := x.entry(target(inner), depth-1)
		if err != nil {
			return e, err
		}
		e.all = append(e.all, v)
	}
	return e, nil
}

// complete checks an exception that stands for itself, and fills in comps.
func (x *exception) complete() error {
	if len(x.fields) == 0 {
		return x.errorf("fields", "it has no fields")
	}
	if len(x.comps) == 0 {
		x.comps = slices.Repeat([]string{"="}, len(x.fields))
		if x.single {
			x.comps = []string{"in"}
		}
	}
	if len(x.comps) != len(x.fields) {
		return x.errorf("comps", "%d fields need as many comps, not %d", len(x.fields), len(x.comps))
	}
	if x.single && !slices.Contains(listOperators, x.comps[0]) {
		return x.errorf("comps", "comps of a single field is %q; use %s", x.comps[0], strings.Join(listOperators, ", "))
	}
	return nil
}

// extendExceptions adds an item's exceptions: values to those that are there
// already, others as they are.
func (r *rule) extendExceptions(it item) error {
	more, err := readExceptions(it, true)
	if err != nil {
		return err
	}
	for _, x := range more {
		k := slices.IndexFunc(r.exceptions, func(o exception) bool { return o.name == x.name })
		switch {
		case len(x.values) == 0:
			return x.errorf("values", "it has no values to append")
		case k >= 0 && x.hasAny("fields", "comps"):
			return x.errorf("fields", "the rule has this exception already: only values can be appended to it")
		case k >= 0:
			r.exceptions[k].values = append(slices.Clip(r.exceptions[k].values), x.values...)
		case len(x.fields) == 0:
			return x.errorf("fields", "the rule has no such exception yet, so it needs fields")
		default:
			r.exceptions = append(slices.Clip(r.exceptions), x)
		}
	}
	return nil
}

// guarded is the rule's condition with its exceptions.
func (r *rule) guarded() (string, error) {
	if len(r.exceptions) == 0 {
		return r.Condition, nil
	}
	out := "(" + r.Condition + ")"
	for _, x := range r.exceptions {
		if len(x.values) == 0 {
			continue
		}
		write := x.alternatives
		if x.single {
			write = x.set
		}
		text, err := write()
		if err != nil {
			return "", err
		}
		out += " and not (" + text + ")"
	}
	return out, nil
}

// set is the single field, compared with all values.
func (x *exception) set() (string, error) {
	var all []string
	for _, v := range x.values {
		if v.list {
			return "", v.at.errorf("%s: with a single field, a value is a text", x.what)
		}
		text, err := x.literal(v)
		if err != nil {
			return "", err
		}
		all = append(all, text)
	}
	return fmt.Sprintf("%s %s (%s)", x.fields[0], x.comps[0], strings.Join(all, ", ")), nil
}

// alternatives is the fields compared with the entries of one value or another.
func (x *exception) alternatives() (string, error) {
	var all []string
	for _, v := range x.values {
		if !v.list || len(v.all) != len(x.fields) {
			return "", v.at.errorf("%s: %d fields need a list of as many entries", x.what, len(x.fields))
		}
		var each []string
		for k, e := range v.all {
			text, err := x.operand(e, slices.Contains(listOperators, x.comps[k]))
			if err != nil {
				return "", err
			}
			each = append(each, x.fields[k]+" "+x.comps[k]+" "+text)
		}
		all = append(all, "("+strings.Join(each, " and ")+")")
	}
	return strings.Join(all, " or "), nil
}

// operand is what stands behind an operator.
func (x *exception) operand(e entry, list bool) (string, error) {
	switch {
	case !e.list && list && strings.HasPrefix(e.text, "("):
		return e.text, nil // written as in a condition
	case !e.list && list && strings.ContainsAny(e.text, " \t\n") && !quoted(e.text):
		return "", e.at.errorf("%s: %q has blanks, and Falco does not quote it here; put it into a list", x.what, e.text)
	case !e.list && list:
		return "(" + e.text + ")", nil
	case !e.list:
		return x.literal(e)
	case !list:
		return "", e.at.errorf("%s: a list is compared by %s only", x.what, strings.Join(listOperators, ", "))
	}
	var all []string
	for _, inner := range e.all {
		if inner.list {
			return "", inner.at.errorf("%s: a list in a list of a list", x.what)
		}
		text, err := x.literal(inner)
		if err != nil {
			return "", err
		}
		all = append(all, text)
	}
	return "(" + strings.Join(all, ", ") + ")", nil
}

func (x *exception) literal(e entry) (string, error) {
	text, err := literal(e.text)
	if err != nil {
		return "", e.at.errorf("%s: %w", x.what, err)
	}
	return text, nil
}
