// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"go/format"
	"math"
	"slices"
	"strings"
)

// table writes the event table in the packed form of package schema.
func table(d dump) ([]byte, error) {
	names := collect(d)
	var b bytes.Buffer
	head(&b, d, "schema")
	fmt.Fprintf(&b, "// Versions of the table.\nconst (\n// Version is the event schema that the table describes.\nVersion = %q\n"+
		"// Libs is the release of the Falco libraries that it was taken from.\nLibs = %q\n)\n\n", d.Schema, d.Libs)
	names.write(&b)
	fmt.Fprintf(&b, "// events by type.\nvar events = [...]packedEvent{\n")
	first := 0
	for _, e := range d.Events {
		if len(e.Params) > math.MaxUint8 || first > math.MaxUint16 {
			return nil, fmt.Errorf("%s: %d parameters after %d; the packed form has no room", e.Symbol, len(e.Params), first)
		}
		flags := make([]string, len(e.Flags))
		for i, f := range e.Flags {
			flags[i] = "Flag" + identifier(f)
		}
		origin := "OriginNone"
		if e.Origin != "" {
			origin = "Origin" + identifier(e.Origin)
		}
		fmt.Fprintf(&b, "%d: {%s, Category%s, %s, %s, %d, %d}, // %s\n", e.Type, names.packed(e.Name), identifier(e.Category), origin,
			orZero(strings.Join(flags, "|")), first, len(e.Params), e.Symbol)
		first += len(e.Params)
	}
	fmt.Fprintf(&b, "}\n\n// params of all events, one event's after the other's.\nvar params = [...]packedParam{\n")
	for _, e := range d.Events {
		for i, p := range e.Params {
			fmt.Fprintf(&b, "{%s, Kind%s}, // %s %d %s\n", names.packed(p[0]), identifier(p[1]), e.Symbol, i, p[0])
		}
	}
	fmt.Fprintln(&b, "}")
	return format.Source(b.Bytes())
}

func orZero(s string) string {
	if s == "" {
		return "0"
	}
	return s
}

// initialisms are the parts of names that Go writes in capitals.
var initialisms = map[string]string{"fd": "FD", "io": "IO", "ipc": "IPC", "pid": "PID", "uid": "UID", "gid": "GID"}

// identifier is the ending of a constant in package schema.
func identifier(name string) string {
	var b strings.Builder
	for _, word := range strings.Split(name, "_") {
		if s, ok := initialisms[word]; ok {
			b.WriteString(s)
		} else {
			b.WriteString(camel(word))
		}
	}
	return b.String()
}

// pool is all names in one string, each once.
type pool struct {
	text string
	at   map[string]int
	list []string
}

func collect(d dump) *pool {
	p := &pool{at: map[string]int{}}
	for _, e := range d.Events {
		p.list = append(p.list, e.Name)
		for _, q := range e.Params {
			p.list = append(p.list, q[0])
		}
	}
	slices.Sort(p.list)
	p.list = slices.Compact(p.list)
	for _, name := range p.list {
		p.at[name] = len(p.text)
		p.text += name
	}
	return p
}

func (p *pool) packed(name string) string { return fmt.Sprintf("%d, %d", p.at[name], len(name)) }

func (p *pool) write(b *bytes.Buffer) {
	const perLine = 10
	fmt.Fprintf(b, "// names of events and parameters, one after the other.\nconst names = \"\" +\n")
	for chunk := range slices.Chunk(p.list, perLine) {
		for _, name := range chunk {
			fmt.Fprintf(b, "%q + ", name)
		}
		fmt.Fprintln(b)
	}
	fmt.Fprintf(b, "\"\"\n\n")
}
