// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Keys of rules that an override may append to, and those that it may replace.
var (
	ruleAppends  = []string{"condition", "output", "desc", "tags", "exceptions"}
	ruleReplaces = append(slices.Clone(ruleAppends), "priority", "enabled", "warn_evttypes", "skip-if-unknown-filter")
)

// Priorities, the most urgent first.
var Priorities = []string{"EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFORMATIONAL", "DEBUG"}

func priority(text string) (string, error) {
	p := strings.ToUpper(text)
	if p == "INFO" {
		p = "INFORMATIONAL"
	}
	if !slices.Contains(Priorities, p) {
		return "", fmt.Errorf("priority is %q; use one of %s", text, strings.Join(Priorities, ", "))
	}
	return p, nil
}

func (c *collection) addRule(file string, n *yaml.Node) error {
	it, name, ch, err := named(file, "rule", n, nil, append(slices.Clone(ruleReplaces), "source", "capture", "capture_duration")...)
	if err != nil {
		return err
	}
	before := c.rules[name]
	switch {
	case ch.any():
		if before == nil {
			return it.errorf("rule", "there is no rule of that name before it to change")
		}
		return before.change(it, ch)
	case !it.hasAny("condition", "output", "desc", "priority"):
		// an older way to switch a rule on or off
		if before == nil {
			return it.errorf("rule", "it has neither a condition nor output, desc and priority, and there is no rule of that name before it")
		}
		if !it.has("enabled") {
			return it.errorf("rule", "it changes nothing: it has neither enabled nor override")
		}
		before.Enabled, err = it.flag("enabled", true)
		return err
	}
	defined, err := define(it, name)
	if err != nil {
		return err
	}
	if before == nil {
		c.order = append(c.order, name)
	} else {
		if before.Source != defined.Source {
			return it.errorf("source", "source is %s, and %s where the rule was defined before, in %s", defined.Source, before.Source, before.At)
		}
		if before.At.File == file {
			c.warn(it.at, "%s takes the place of the one in line %d", it.what, before.At.Line)
		}
	}
	c.rules[name] = defined
	return nil
}

// define reads a rule that is there for the first time, or as if it were.
func define(it item, name string) (*rule, error) {
	r := &rule{Rule: Rule{Name: name, Source: "syscall", At: it.at}}
	for _, part := range []struct {
		key  string
		into *string
	}{{"desc", &r.Desc}, {"condition", &r.Condition}, {"output", &r.Output}, {"priority", &r.Priority}, {"source", &r.Source}} {
		if part.key == "source" && !it.has("source") {
			continue
		}
		var err error
		if *part.into, err = it.text(part.key); err != nil {
			return nil, err
		}
	}
	var err error
	if r.Priority, err = priority(r.Priority); err != nil {
		return nil, it.errorf("priority", "%w", err)
	}
	if r.Tags, err = it.texts("tags"); err != nil {
		return nil, err
	}
	if r.Enabled, err = it.flag("enabled", true); err != nil {
		return nil, err
	}
	if r.exceptions, err = readExceptions(it, false); err != nil {
		return nil, err
	}
	return r, nil
}

// change does what an item with append or override says. The older append knows
// conditions and exceptions only.
func (r *rule) change(it item, ch change) error {
	if ch.legacy {
		for _, key := range []string{"condition", "exceptions"} {
			if it.has(key) {
				ch.appends = append(ch.appends, key)
			}
		}
		if len(ch.appends) == 0 {
			return it.errorf("append", "append takes a condition or exceptions, and neither is there")
		}
	}
	for _, key := range ch.appends {
		if err := r.extend(it, key); err != nil {
			return err
		}
	}
	for _, key := range ch.replaces {
		if err := r.replace(it, key); err != nil {
			return err
		}
	}
	return nil
}

// part is the text behind a key.
func (r *rule) part(key string) *string {
	return map[string]*string{"condition": &r.Condition, "output": &r.Output, "desc": &r.Desc, "priority": &r.Priority}[key]
}

func (r *rule) extend(it item, key string) error {
	switch key {
	case "tags":
		more, err := it.texts("tags")
		for _, t := range more {
			if !slices.Contains(r.Tags, t) {
				r.Tags = append(r.Tags, t)
			}
		}
		return err
	case "exceptions":
		return r.extendExceptions(it)
	default:
		more, err := it.text(key)
		*r.part(key) += " " + more
		return err
	}
}

func (r *rule) replace(it item, key string) error {
	var err error
	switch key {
	case "tags":
		r.Tags, err = it.texts("tags")
	case "exceptions":
		r.exceptions, err = readExceptions(it, false)
	case "enabled":
		r.Enabled, err = it.flag("enabled", true)
	case "warn_evttypes", "skip-if-unknown-filter":
		_, err = it.flag(key, true)
	default:
		*r.part(key), err = it.text(key)
		if err == nil && key == "priority" {
			if r.Priority, err = priority(r.Priority); err != nil {
				err = it.errorf("priority", "%w", err)
			}
		}
	}
	return err
}
