// SPDX-License-Identifier: Apache-2.0

// Package rulesdiff compares two versions of a plugin's rules files and says how
// much the version has to go up: rules are released with their plugin, under its
// version.
package rulesdiff

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/semver"

	"github.com/aerie-falco/aerie/build/archive"
	"github.com/aerie-falco/aerie/build/plughost"
	"github.com/aerie-falco/aerie/build/ruleset"
)

// Rules is the content of one or several rules files.
type Rules struct {
	ruleset.Requirements
	items map[string]map[string]item // by kind and name
}

// item is the keys of a rule, macro or list, and its place among those of its name: one may be defined and then changed.
type item map[string]any

// kinds are what an item can be; the key holds its name.
var kinds = []string{"rule", "macro", "list"}

// Parse reads rules files, in the order in which Falco would.
func Parse(files []archive.File) (Rules, error) {
	required, err := ruleset.Required(files)
	if err != nil {
		return Rules{}, err
	}
	r := Rules{Requirements: required, items: map[string]map[string]item{}}
	for _, k := range kinds {
		r.items[k] = map[string]item{}
	}
	var failed []error
	for _, f := range files {
		if err := r.file(f.Content); err != nil {
			failed = append(failed, fmt.Errorf("reading rules %s: %w", f.Name, err))
		}
	}
	return r, errors.Join(failed...)
}

func (r *Rules) file(text []byte) error {
	var all []item
	if err := yaml.Unmarshal(text, &all); err != nil {
		return err
	}
	for k, one := range all {
		if err := r.add(one); err != nil {
			return fmt.Errorf("item %d: %w", k+1, err)
		}
	}
	return nil
}

func (r *Rules) add(one item) error {
	for _, kind := range kinds {
		name, ok := one[kind].(string)
		if !ok {
			continue
		}
		key := name
		for n := 2; r.items[kind][key] != nil; n++ {
			key = fmt.Sprintf("%s (%d)", name, n)
		}
		r.items[kind][key] = one
		return nil
	}
	if one["required_engine_version"] == nil && one["required_plugin_versions"] == nil {
		return fmt.Errorf("it is none of a rule, a macro, a list and a requirement: it has the keys %s", strings.Join(slices.Sorted(maps.Keys(one)), ", "))
	}
	return nil
}

// Plugin is the required version of a plugin; false if it is not required.
func (r Rules) Plugin(name string) (version string, ok bool) {
	d, ok := byName(r.Plugins)[name]
	return d.Version, ok
}

func byName(list []ruleset.Dependency) map[string]ruleset.Dependency {
	all := map[string]ruleset.Dependency{}
	for _, d := range list {
		all[d.Name] = d
	}
	return all
}

func versions(list []ruleset.Plugin) map[string]string {
	all := map[string]string{}
	for _, p := range list {
		all[p.Name] = p.Version
	}
	return all
}

// less orders versions; "" comes first.
func less(a, b string) bool { return semver.Compare("v"+a, "v"+b) < 0 }

// Diff lists what changed. What the words of a condition mean no tool can
// tell: a rule's is left to review, a macro's counts as major.
func Diff(old, new Rules) []plughost.Change {
	d := &differ{}
	d.engine(old.Engine, new.Engine)
	d.plugins(byName(old.Plugins), byName(new.Plugins))
	for _, kind := range kinds {
		was, is := old.items[kind], new.items[kind]
		for _, name := range slices.Sorted(maps.Keys(was)) {
			subject := kind + " " + name
			if is[name] == nil {
				d.add(plughost.Major, subject, "removed")
				continue
			}
			d.item(kind, subject, was[name], is[name])
		}
		for _, name := range slices.Sorted(maps.Keys(is)) {
			if was[name] == nil {
				d.add(plughost.Minor, kind+" "+name, "added")
			}
		}
	}
	return d.changes
}

type differ struct{ changes []plughost.Change }

func (d *differ) add(bump, subject, format string, args ...any) {
	d.changes = append(d.changes, plughost.Change{Subject: subject, Text: fmt.Sprintf(format, args...), Bump: bump})
}

func (d *differ) engine(old, new string) {
	const subject = "required_engine_version"
	switch {
	case old == new:
	case new == "":
		d.add(plughost.Patch, subject, "%s dropped", old)
	case less(old, new):
		d.add(plughost.Minor, subject, "%s -> %s", orNone(old), new)
	default:
		d.add(plughost.Patch, subject, "%s -> %s", old, new)
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func (d *differ) plugins(old, new map[string]ruleset.Dependency) {
	for _, name := range slices.Sorted(maps.Keys(old)) {
		subject := "required plugin " + name
		was := old[name]
		is, still := new[name]
		if !still {
			d.add(plughost.Patch, subject, "dropped")
			continue
		}
		switch {
		case less(was.Version, is.Version):
			d.add(plughost.Minor, subject, "%s -> %s", was.Version, is.Version)
		case less(is.Version, was.Version):
			d.add(plughost.Patch, subject, "%s -> %s", was.Version, is.Version)
		}
		had, has := versions(was.Alternatives), versions(is.Alternatives)
		for _, other := range slices.Sorted(maps.Keys(had)) {
			before, now := had[other], has[other]
			switch {
			case now == "":
				d.add(plughost.Major, subject, "alternative %s dropped", other)
			case less(before, now):
				d.add(plughost.Minor, subject, "alternative %s %s -> %s", other, before, now)
			case less(now, before):
				d.add(plughost.Patch, subject, "alternative %s %s -> %s", other, before, now)
			}
		}
		for _, other := range slices.Sorted(maps.Keys(has)) {
			if had[other] == "" {
				d.add(plughost.Patch, subject, "alternative %s added", other)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(new)) {
		if _, had := old[name]; !had {
			d.add(plughost.Minor, "required plugin "+name, "added")
		}
	}
}

// item compares what two versions say under one name.
func (d *differ) item(kind, subject string, was, is item) {
	all := map[string]bool{}
	for _, side := range []item{was, is} {
		for key := range side {
			all[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		before, now := was[key], is[key]
		if key == "condition" {
			before, now = words(before), words(now)
		}
		if reflect.DeepEqual(before, now) {
			continue
		}
		switch {
		case key == "condition" && kind == "macro":
			d.add(plughost.Major, subject, "condition changed: rules that others wrote may use it")
		case key == "condition":
			d.add(plughost.Patch, subject, "condition changed")
			d.changes[len(d.changes)-1].Review = "is its purpose the same, and does it still fire where it fired? Else it takes a major version"
		case key == "source":
			d.add(plughost.Major, subject, "source %v -> %v", or(before, "syscall"), or(now, "syscall"))
		case key == "enabled":
			d.enabled(subject, before, now)
		case key == "priority":
			d.priority(subject, before, now)
		case key == "tags":
			d.tags(subject, before, now)
		default:
			d.add(plughost.Patch, subject, "%s changed", key)
		}
	}
}

// words is a condition without its layout.
func words(condition any) any {
	text, ok := condition.(string)
	if !ok {
		return condition
	}
	return strings.Join(strings.Fields(text), " ")
}

func or(v, other any) any {
	if v == nil {
		return other
	}
	return v
}

func (d *differ) enabled(subject string, before, now any) {
	switch was, is := or(before, true), or(now, true); {
	case was == is:
	case is == true:
		d.add(plughost.Patch, subject, "enabled by default")
	default:
		d.add(plughost.Major, subject, "disabled by default")
	}
}

// priorities are the names of priorities, the most urgent first, as Falco spells and shortens them.
var priorities = [][]string{
	{"emergency"}, {"alert"}, {"critical"}, {"error"}, {"warning"}, {"notice"}, {"informational", "info"}, {"debug"},
}

func rank(priority any) int {
	name := strings.ToLower(fmt.Sprint(priority))
	return slices.IndexFunc(priorities, func(names []string) bool { return slices.Contains(names, name) })
}

func (d *differ) priority(subject string, before, now any) {
	was, is := rank(before), rank(now)
	switch {
	case was == is && was >= 0:
	case was < 0 || is < 0 || is > was:
		d.add(plughost.Major, subject, "priority %v -> %v: less urgent", before, now)
	default:
		d.add(plughost.Patch, subject, "priority %v -> %v: more urgent", before, now)
	}
}

func (d *differ) tags(subject string, before, now any) {
	list := func(v any) []string {
		var out []string
		many, _ := v.([]any)
		for _, one := range many {
			out = append(out, fmt.Sprint(one))
		}
		return out
	}
	was, is := list(before), list(now)
	for _, t := range was {
		if !slices.Contains(is, t) {
			d.add(plughost.Major, subject, "tag %s removed", t)
		}
	}
	for _, t := range is {
		if !slices.Contains(was, t) {
			d.add(plughost.Patch, subject, "tag %s added", t)
		}
	}
}
