// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// item is a mapping of a rules file, read key by key.
type item struct {
	at   Place
	what string // for errors: rule "x", exception "y"
	keys map[string]*yaml.Node
}

// mapping reads the keys of a mapping, each of which must be known.
func mapping(file, what string, n *yaml.Node, known ...string) (item, error) {
	n = target(n)
	it := item{at: Place{file, n.Line}, what: what, keys: map[string]*yaml.Node{}}
	if n.Kind != yaml.MappingNode {
		return it, it.at.errorf("%s is no mapping of keys to values", what)
	}
	for k := 0; k < len(n.Content); k += 2 {
		key := n.Content[k]
		at := Place{file, key.Line}
		if !slices.Contains(known, key.Value) {
			return it, at.errorf("%s: unknown key %q; use %s", what, key.Value, strings.Join(known, ", "))
		}
		if it.has(key.Value) {
			return it, at.errorf("%s: key %q is there twice", what, key.Value)
		}
		it.keys[key.Value] = target(n.Content[k+1])
	}
	return it, nil
}

// target follows an alias to what it stands for.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func (it item) has(key string) bool { return it.keys[key] != nil }

func (it item) hasAny(keys ...string) bool { return slices.ContainsFunc(keys, it.has) }

// place is where a key's value stands, or the item if there is none.
func (it item) place(key string) Place {
	if n := it.keys[key]; n != nil {
		return Place{it.at.File, n.Line}
	}
	return it.at
}

func (it item) errorf(key, format string, args ...any) error {
	return it.place(key).errorf("%s: "+format, append([]any{it.what}, args...)...)
}

// text is a key's value, which must be there.
func (it item) text(key string) (string, error) {
	n := it.keys[key]
	switch {
	case n == nil:
		return "", it.errorf(key, "it has no %s", key)
	case n.Kind != yaml.ScalarNode:
		return "", it.errorf(key, "%s is no text", key)
	case strings.TrimSpace(n.Value) == "" || n.Tag == "!!null":
		return "", it.errorf(key, "%s is empty", key)
	}
	return strings.TrimSpace(n.Value), nil
}

// texts is a key's list of texts. Without the key there are none.
func (it item) texts(key string) ([]string, error) {
	n := it.keys[key]
	if n == nil {
		return nil, nil
	}
	if n.Kind != yaml.SequenceNode {
		return nil, it.errorf(key, "%s is no list", key)
	}
	out := []string{}
	for _, e := range n.Content {
		e = target(e)
		if e.Kind != yaml.ScalarNode {
			return nil, Place{it.at.File, e.Line}.errorf("%s: an element of %s is no text", it.what, key)
		}
		out = append(out, e.Value)
	}
	return out, nil
}

// flag is a key's truth value, or otherwise where the key is not there.
func (it item) flag(key string, otherwise bool) (bool, error) {
	n := it.keys[key]
	if n == nil {
		return otherwise, nil
	}
	v, err := strconv.ParseBool(n.Value)
	if err != nil || n.Kind != yaml.ScalarNode {
		return false, it.errorf(key, "%s is %q; use true or false", key, n.Value)
	}
	return v, nil
}

// change says how an item changes an earlier one of its name.
type change struct {
	appends  []string // keys whose values are added
	replaces []string // keys whose values take the place of earlier ones
	legacy   bool     // append: true
}

func (c change) any() bool { return c.legacy || len(c.appends) > 0 || len(c.replaces) > 0 }

// appending says whether the only key of a list or macro is added to.
func (c change) appending() bool { return c.legacy || len(c.appends) > 0 }

// changes reads append and override. The lists say which keys either may name.
func (it item) changes(appendable, replaceable []string) (change, error) {
	var c change
	var err error
	if c.legacy, err = it.flag("append", false); err != nil || !it.has("override") {
		return c, err
	}
	if c.legacy {
		return c, it.errorf("override", "use one of append and override, not both")
	}
	o, err := mapping(it.at.File, it.what+": override", it.keys["override"], replaceable...)
	if err != nil {
		return c, err
	}
	for _, key := range replaceable {
		switch n := o.keys[key]; {
		case n == nil && it.has(key):
			return c, it.errorf(key, "override does not say what to do with %s", key)
		case n == nil:
		case !it.has(key):
			return c, o.errorf(key, "%s is to be changed, and is not there", key)
		case n.Value == "replace":
			c.replaces = append(c.replaces, key)
		case n.Value == "append" && slices.Contains(appendable, key):
			c.appends = append(c.appends, key)
		case n.Value == "append":
			return c, o.errorf(key, "%s cannot be appended to; use replace", key)
		default:
			return c, o.errorf(key, "%s: %q; use append or replace", key, n.Value)
		}
	}
	return c, nil
}
