// SPDX-License-Identifier: Apache-2.0

package face

import (
	"fmt"
	"slices"
	"strings"
)

// Diff lists what differs between two versions of a plugin, except for the
// version itself. Fields are matched by name and options by where they stand.
func Diff(old, new Face) []Change {
	d := &differ{}
	d.identity(old, new)
	d.api(old.RequiredAPI, new.RequiredAPI)
	names(d, "capability", old.Capabilities, new.Capabilities)
	d.fields(old.Fields, new.Fields)
	if both(old, new, "extraction") {
		selection(d, "extraction source", old.ExtractSources, new.ExtractSources)
		selection(d, "extraction event type", old.ExtractTypes, new.ExtractTypes)
	}
	if both(old, new, "parsing") {
		selection(d, "parse source", old.ParseSources, new.ParseSources)
		selection(d, "parse event type", old.ParseTypes, new.ParseTypes)
	}
	if both(old, new, "async") {
		selection(d, "async source", old.AsyncSources, new.AsyncSources)
		names(d, "async event", old.AsyncEvents, new.AsyncEvents)
	}
	d.schema("config", old.InitSchema, new.InitSchema)
	d.schema("open parameters", old.OpenSchema, new.OpenSchema)
	names(d, "open parameter value", old.OpenParams, new.OpenParams)
	d.metrics(old.Metrics, new.Metrics)
	d.tables(old.Tables, new.Tables)
	return d.changes
}

func both(old, new Face, capability string) bool {
	return slices.Contains(old.Capabilities, capability) && slices.Contains(new.Capabilities, capability)
}

// identity compares what captures and rules know a plugin by, and what people read.
func (d *differ) identity(old, new Face) {
	const another = "that makes it another plugin, with a name, an ID and a source of its own; nothing that was recorded or written for this one fits it"
	if old.Name != new.Name {
		d.add(Refused, "name", "%q -> %q; %s", old.Name, new.Name, another)
	}
	if old.ID != new.ID && old.ID != 0 && new.ID != 0 {
		d.add(Refused, "ID", "%d -> %d; %s", old.ID, new.ID, another)
	}
	if old.EventSource != new.EventSource && old.EventSource != "" && new.EventSource != "" {
		d.add(Refused, "event source", "%q -> %q; %s", old.EventSource, new.EventSource, another)
	}
	if old.Contact != new.Contact {
		d.add(Patch, "contact", "%q -> %q", old.Contact, new.Contact)
	}
	if old.Description != new.Description {
		d.add(Patch, "description", "%q -> %q", old.Description, new.Description)
	}
}

// api compares the versions of the plugin API that are required.
func (d *differ) api(old, new string) {
	if old == new {
		return
	}
	before, after := numbers(old), numbers(new)
	bump := Patch // lowered
	if slices.Compare(before[:], after[:]) < 0 {
		switch {
		case before[0] != after[0]:
			bump = Major
		case before[1] != after[1]:
			bump = Minor
		}
	}
	d.add(bump, "required API", "%s -> %s", old, new)
}

// names compares lists whose elements others use one by one.
func names(d *differ, what string, old, new []string) {
	for _, name := range old {
		if !slices.Contains(new, name) {
			d.add(Major, what+" "+name, "removed")
		}
	}
	for _, name := range new {
		if !slices.Contains(old, name) {
			d.add(Minor, what+" "+name, "added")
		}
	}
}

// selection compares lists in which none means all.
func selection[T comparable](d *differ, what string, old, new []T) {
	switch {
	case len(old) == 0 && len(new) == 0:
	case len(new) == 0:
		d.add(Minor, what+"s", "%s -> all", listed(old))
	case len(old) == 0:
		d.add(Major, what+"s", "all -> %s", listed(new))
	default:
		names(d, what, texts(old), texts(new))
	}
}

func texts[T any](list []T) []string {
	var out []string
	for _, v := range list {
		out = append(out, fmt.Sprint(v))
	}
	return out
}

func listed[T any](list []T) string { return strings.Join(texts(list), ", ") }

func (d *differ) metrics(old, new []Metric) {
	entries(d, "metric", old, new, func(m Metric) string { return m.Name }, func(subject string, was, is Metric) {
		if was.Kind != is.Kind {
			d.add(Major, subject, "%s -> %s", was.Kind, is.Kind)
		}
	})
}

func (d *differ) tables(old, new []Table) {
	entries(d, "table", old, new, func(t Table) string { return t.Name }, func(subject string, was, is Table) {
		if was.Key != is.Key {
			d.add(Major, subject, "type of its key %s -> %s", was.Key, is.Key)
		}
		entries(d, "field of "+subject+":", was.Fields, is.Fields, func(f TableField) string { return f.Name }, func(subject string, was, is TableField) {
			if was.Type != is.Type {
				d.add(Major, subject, "type %s -> %s", was.Type, is.Type)
			}
			switch {
			case is.ReadOnly && !was.ReadOnly:
				d.add(Major, subject, "became read-only")
			case was.ReadOnly && !is.ReadOnly:
				d.add(Minor, subject, "became writable")
			}
		})
	})
}

// entries matches the elements of two lists by name. One that went breaks others, a new one does not.
func entries[T any](d *differ, what string, old, new []T, name func(T) string, compare func(subject string, was, is T)) {
	find := func(list []T, n string) int { return slices.IndexFunc(list, func(t T) bool { return name(t) == n }) }
	for _, was := range old {
		subject := what + " " + name(was)
		if at := find(new, name(was)); at < 0 {
			d.add(Major, subject, "removed")
		} else {
			compare(subject, was, new[at])
		}
	}
	for _, is := range new {
		if find(old, name(is)) < 0 {
			d.add(Minor, what+" "+name(is), "added")
		}
	}
}
