// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aerie-falco/aerie/build/elfgate"
	"github.com/aerie-falco/aerie/build/licences"
)

// The ID space is split into blocks by its two top bits. The public block is
// assigned by the public Falco plugin registry, the private one is anybody's;
// the two above are not for plugins.
const (
	firstPrivateID  = 1 << 30
	firstBarredID   = 1 << 31 // of the block that is reserved for ever
	firstInternalID = firstBarredID + firstPrivateID
)

// TestID is the ID that anybody may use while developing, and so nobody's.
const TestID = 999

// The patterns of the public registry.
var (
	namePattern   = regexp.MustCompile(`^[a-z]+[a-z0-9-_]*$`)
	sourcePattern = regexp.MustCompile(`^[a-z]+[a-z0-9_]*$`)
)

// rulesSuffix ends the name under which a plugin's rules are published.
const rulesSuffix = "-rules"

// frameworkSources may be extracted from although no plugin produces them.
var frameworkSources = []string{"syscall"}

// checker applies the rules and collects what breaks them.
type checker struct {
	reserved []at[string]
	problems []Problem

	names, sources map[string]rawEntry
	ids            map[uint64]rawEntry
}

func (c *checker) wrong(line int, format string, args ...any) {
	c.problems = append(c.problems, Problem{Line: line, Text: fmt.Sprintf(format, args...)})
}

func (c *checker) file(raw rawFile) *Registry {
	c.names, c.sources, c.ids = map[string]rawEntry{}, map[string]rawEntry{}, map[uint64]rawEntry{}
	r := &Registry{ReservedSources: values(raw.ReservedSources)}
	for _, s := range raw.ReservedSources {
		c.source(s)
	}
	for _, e := range raw.Plugins {
		r.Plugins = append(r.Plugins, c.entry(e))
	}
	for _, e := range raw.Plugins { // after all sources are known
		for _, s := range slices.Concat(e.Capabilities.Extraction.Sources, e.Capabilities.Parsing.Sources, e.Capabilities.Async.Sources) {
			c.source(s)
			if _, produced := c.sources[s.value]; !produced && !slices.Contains(frameworkSources, s.value) {
				c.wrong(s.line, "source %q is produced by no plugin of this registry, nor by the framework (%s)", s.value, strings.Join(frameworkSources, ", "))
			}
		}
	}
	return r
}

func (c *checker) entry(e rawEntry) Entry {
	c.name(e)
	if !e.Reserved {
		c.presentation(e)
	}
	c.sourcing(e)
	out := Entry{
		Name: e.Name.value, Description: e.Description.value, Authors: e.Authors.value, Contact: e.Contact.value,
		URL: e.URL.value, License: e.License.value, Reserved: e.Reserved,
		RulesURL: e.RulesURL.value, Keywords: values(e.Keywords), Cosign: e.Signature.Cosign,
		ID: uint32(e.Capabilities.Sourcing.ID.value), Source: e.Capabilities.Sourcing.Source.value,
		ExtractSources: values(e.Capabilities.Extraction.Sources), ParseSources: values(e.Capabilities.Parsing.Sources),
		AsyncSources: values(e.Capabilities.Async.Sources), AsyncEvents: values(e.Capabilities.Async.Events),
		line: e.line,
	}
	for _, m := range e.Maintainers {
		out.Maintainers = append(out.Maintainers, Maintainer{Name: m.Name.value, Email: m.Email.value})
	}
	for _, has := range []struct {
		capability elfgate.Capability
		supported  at[bool]
		lists      [][]at[string]
	}{
		{elfgate.Source, e.Capabilities.Sourcing.Supported, nil},
		{elfgate.Extract, e.Capabilities.Extraction.Supported, [][]at[string]{e.Capabilities.Extraction.Sources}},
		{elfgate.Parse, e.Capabilities.Parsing.Supported, [][]at[string]{e.Capabilities.Parsing.Sources}},
		{elfgate.Async, e.Capabilities.Async.Supported, [][]at[string]{e.Capabilities.Async.Sources, e.Capabilities.Async.Events}},
		{elfgate.Capture, e.Capabilities.Capture.Supported, nil},
	} {
		if has.supported.value {
			out.Capabilities = append(out.Capabilities, has.capability)
			continue
		}
		for _, list := range has.lists {
			if len(list) > 0 {
				c.wrong(list[0].line, "%s lists %q, but is not supported", has.capability, list[0].value)
			}
		}
	}
	if len(out.Capabilities) == 0 && !e.Reserved {
		c.wrong(e.line, "plugin %q supports no capability", e.Name.value)
	}
	if out.Has(elfgate.Async) && len(out.AsyncEvents) == 0 {
		c.wrong(e.Capabilities.Async.Supported.line, "plugin %q emits async events, but lists none under events", e.Name.value)
	}
	return out
}

func (c *checker) name(e rawEntry) {
	name := e.Name.value
	if e.Name.line == 0 {
		c.wrong(e.line, "entry has no name")
		return
	}
	if !namePattern.MatchString(name) {
		c.wrong(e.Name.line, "name %q does not match %s", name, namePattern)
	}
	if strings.HasSuffix(name, rulesSuffix) {
		c.wrong(e.Name.line, "name %q ends in %s, as the rules of a plugin do when they are published", name, rulesSuffix)
	}
	if first, taken := c.names[name]; taken {
		c.wrong(e.Name.line, "name %q is taken, see line %d", name, first.Name.line)
		return
	}
	c.names[name] = e
}

// presentation checks what people are shown, and what publishing relies on.
func (c *checker) presentation(e rawEntry) {
	for _, field := range []struct {
		key   string
		value at[string]
	}{
		{"description", e.Description}, {"authors", e.Authors}, {"contact", e.Contact}, {"url", e.URL}, {"license", e.License},
	} {
		switch line := max(field.value.line, e.line); {
		case strings.TrimSpace(field.value.value) == "":
			c.wrong(line, "plugin %q has no %s", e.Name.value, field.key)
		case strings.ContainsAny(field.value.value, "\r\n"):
			c.wrong(line, "%s of plugin %q has a line break; use one line, tables show it", field.key, e.Name.value)
		}
	}
	if v := e.Contact; v.value != "" && !isURL(v.value) && !isAddress(v.value) {
		c.wrong(v.line, "contact %q is neither an https URL nor a mail address", v.value)
	}
	for _, v := range []at[string]{e.URL, e.RulesURL} {
		if v.value != "" && !isURL(v.value) {
			c.wrong(v.line, "%q is no https URL", v.value)
		}
	}
	if v := e.License; v.value != "" && !slices.Contains(licences.Allowed, v.value) {
		c.wrong(v.line, "license %q is not one of the SPDX identifiers %s", v.value, strings.Join(licences.Allowed, ", "))
	}
	for _, m := range e.Maintainers {
		if m.Email.value != "" && !isAddress(m.Email.value) {
			c.wrong(m.Email.line, "email %q is no mail address", m.Email.value)
		}
		if m.Name.value == "" && m.Email.value == "" {
			c.wrong(e.line, "a maintainer of plugin %q has neither name nor email", e.Name.value)
		}
	}
	for _, k := range e.Keywords {
		if strings.TrimSpace(k.value) == "" {
			c.wrong(k.line, "an empty keyword")
		}
	}
}

// sourcing checks ID and source, and that neither is another's.
func (c *checker) sourcing(e rawEntry) {
	s := e.Capabilities.Sourcing
	if !s.Supported.value {
		if !e.Reserved && (s.ID.line > 0 || s.Source.line > 0 || s.SamePayloadAs.line > 0) {
			c.wrong(max(s.ID.line, s.Source.line, s.SamePayloadAs.line), "plugin %q has an ID or a source, but does not support sourcing", e.Name.value)
		}
		if s.ID.line > 0 {
			c.id(e)
		}
		return
	}
	line := max(s.Supported.line, e.line)
	switch {
	case s.ID.line == 0:
		c.wrong(line, "plugin %q supports sourcing, but has no id", e.Name.value)
	case s.ID.value == 0 && !e.Reserved:
		c.wrong(s.ID.line, "id 0 means none; plugin %q needs one of its own, from %d on if none is assigned to it", e.Name.value, firstPrivateID)
	default:
		c.id(e)
	}
	if s.Source.line == 0 {
		if !e.Reserved {
			c.wrong(line, "plugin %q supports sourcing, but has no source", e.Name.value)
		}
		return
	}
	c.source(s.Source)
	for _, r := range c.reserved {
		if r.value == s.Source.value {
			c.wrong(s.Source.line, "source %q is reserved, see line %d", s.Source.value, r.line)
		}
	}
	first, taken := c.sources[s.Source.value]
	switch {
	case !taken:
		c.sources[s.Source.value] = e
		if s.SamePayloadAs.line > 0 {
			c.wrong(s.SamePayloadAs.line, "same_payload_as %q: no earlier plugin produces source %q", s.SamePayloadAs.value, s.Source.value)
		}
	case s.SamePayloadAs.value != first.Name.value:
		c.wrong(s.Source.line, "source %q is produced by %q, see line %d; only a plugin with the identical payload may share it, and says so with same_payload_as: %s",
			s.Source.value, first.Name.value, first.Capabilities.Sourcing.Source.line, first.Name.value)
	}
}

func (c *checker) id(e rawEntry) {
	id := e.Capabilities.Sourcing.ID
	const allowed = "assigned IDs are below 1073741824, and from there to 2147483647 are those that anybody may use in house"
	switch {
	case id.value == TestID && !e.Reserved:
		c.wrong(id.line, "id %d is for trying things; captures of plugin %q could not be told from those of others", id.value, e.Name.value)
	case id.value >= 1<<32:
		c.wrong(id.line, "id %d has more than 32 bits; %s", id.value, allowed)
	case id.value >= firstInternalID:
		c.wrong(id.line, "id %d is in the block of the framework itself; %s", id.value, allowed)
	case id.value >= firstBarredID:
		c.wrong(id.line, "id %d is in the reserved block, which nobody may use; %s", id.value, allowed)
	}
	if first, taken := c.ids[id.value]; taken {
		c.wrong(id.line, "id %d is taken by %q, see line %d", id.value, first.Name.value, first.Capabilities.Sourcing.ID.line)
		return
	}
	c.ids[id.value] = e
}

func (c *checker) source(s at[string]) {
	if !sourcePattern.MatchString(s.value) {
		c.wrong(s.line, "source %q does not match %s", s.value, sourcePattern)
	}
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != ""
}

func isAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}
