// SPDX-License-Identifier: Apache-2.0

// Package schema knows what the framework's events are called and what
// parameters they have. A plugin that does not use it does not carry it.
//
// The table is taken from the Falco libraries themselves and belongs to the
// event schema of Version. Frameworks of another schema may know types that the
// table does not have, and give parameters behind those that it lists: schemas
// of one major version only ever add at the end.
package schema

//go:generate go run ../internal/gen ..

// Event describes an event type. It is a small value; the zero Event has no
// name and no parameters.
type Event struct {
	Name     string // as in evt.type: "execve"
	Category Category
	Origin   Origin
	Flags    Flags
	first, n int
}

// Param describes a parameter.
type Param struct {
	Name string // as in evt.arg: "res"
	Kind Kind
}

// Of describes an event type; false if the table does not have it.
func Of(typ uint16) (Event, bool) {
	if int(typ) >= len(events) {
		return Event{}, false
	}
	p := &events[typ]
	return Event{
		Name:     name(p.name, p.nameLen),
		Category: p.category,
		Origin:   p.origin,
		Flags:    p.flags,
		first:    int(p.first),
		n:        int(p.n),
	}, true
}

// Types is how many types the table has: they are numbered from 0.
func Types() int { return len(events) }

// NumParams is how many parameters the type has in the table's schema.
func (e Event) NumParams() int { return e.n }

// Param describes parameter i, from 0. It panics if there is none.
func (e Event) Param(i int) Param {
	p := params[e.first : e.first+e.n][i]
	return Param{Name: name(p.name, p.nameLen), Kind: p.kind}
}

// Index is the number of the named parameter, -1 if the event has none of that
// name.
func (e Event) Index(param string) int {
	list := params[e.first : e.first+e.n]
	for i := range list {
		if name(list[i].name, list[i].nameLen) == param {
			return i
		}
	}
	return -1
}

// Index is the number of the named parameter of an event type, -1 if the table
// has no such type or parameter.
func Index(typ uint16, param string) int {
	if int(typ) >= len(events) {
		return -1
	}
	return Event{first: int(events[typ].first), n: int(events[typ].n)}.Index(param)
}

// The table holds no pointers, so that a shared object has nothing to relocate.
type packedEvent struct {
	name     uint16 // offset in names
	nameLen  uint8
	category Category
	origin   Origin
	flags    Flags
	first    uint16 // index in params
	n        uint8
}

type packedParam struct {
	name    uint16
	nameLen uint8
	kind    Kind
}

func name(offset uint16, length uint8) string { return names[offset : int(offset)+int(length)] }
