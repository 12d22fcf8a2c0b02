// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Decode reads a JSON object into the struct that into points to. Text that is
// empty, blank or null means {}. The struct is replaced as a whole: options that
// the text does not name get their defaults. After an error it is as it was.
//
// Falco makes JSON of a YAML map by giving every scalar the type that it looks
// like, quotes or not, and writing {} and [] as null. So a string takes a number
// or bool as it is spelled in the JSON text, a whole number may be spelled 3.0,
// and null gives an option its default. Elements of lists and maps have no
// default, so a scalar among them must not be null. Nothing else is converted.
//
// Keys match whatever their case. An unknown key, one given twice, a value of
// another type or outside its bounds, and a missing required one are errors. The
// error is a single line that names, of the first few problems, the dotted path,
// the value and what would be right; the values of Secrets are not shown. It
// does not depend on the order of keys. The caller adds what was being read.
func Decode(text string, into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("config: decode into %T: want a pointer to a struct", into)
	}
	s, err := declare(v.Type().Elem())
	if err != nil {
		return err
	}
	root := node{kind: nodeNull}
	if strings.TrimSpace(text) != "" {
		if root, err = parse(text); err != nil {
			return fmt.Errorf("%w, want %s", err, s.want())
		}
	}
	fresh := reflect.New(s.typ).Elem()
	var p problems
	s.decode(root, fresh, "", &p)
	if p.count() > 0 {
		return &p
	}
	v.Elem().Set(fresh)
	return nil
}

// decode fills a struct, which is zero, from an object or null.
func (s *section) decode(n node, into reflect.Value, at path, p *problems) {
	if n.kind != nodeObject && n.kind != nodeNull {
		// What was given may be a secret one level too high.
		p.add(at, "got %s, want %s", n.name(), s.want())
		return
	}
	before := p.count()
	values, conflict := s.assign(n, at, p)
	for _, o := range s.options {
		if conflict[o] {
			continue
		}
		o.decode(values[o], into.FieldByIndex(o.index), at.key(o.key), p)
	}
	if p.count() > before {
		return
	}
	for _, index := range s.embedded {
		validate(into.FieldByIndex(index), at, p)
	}
	validate(into, at, p)
}

// validate asks the Validate method, where there is one.
func validate(v reflect.Value, at path, p *problems) {
	if checked, ok := v.Addr().Interface().(interface{ Validate() error }); ok {
		if err := checked.Validate(); err != nil {
			p.addError(at, err)
		}
	}
}

// assign finds the value of every option that is given, and notes keys that
// are unknown or given more than once; an option given more than once is in
// conflict, and which of its values is kept means nothing.
func (s *section) assign(n node, at path, p *problems) (values map[*option]node, conflict map[*option]bool) {
	values, conflict = make(map[*option]node), make(map[*option]bool)
	spellings := make(map[*option][]string)
	var unknown []string
	for _, m := range n.members {
		if o := s.option(m.key); o != nil {
			spellings[o] = append(spellings[o], m.key)
			values[o] = m.value
		} else {
			unknown = append(unknown, m.key)
		}
	}
	for _, o := range s.options {
		keys := spellings[o]
		slices.Sort(keys)
		switch keys = slices.Compact(keys); {
		case len(spellings[o]) < 2:
			continue
		case len(keys) == 1:
			p.add(at.key(keys[0]), "given twice")
		default:
			p.add(at.key(o.key), "given as %s and as %s, keys match whatever their case", quoted(keys[0]), quoted(keys[1]))
		}
		conflict[o] = true
	}
	slices.Sort(unknown)
	for i, key := range unknown {
		switch again := i > 0 && unknown[i-1] == key; {
		case again && s.allowUnknown:
			p.add(at.key(key), "given twice")
		case again || s.allowUnknown:
		case p.full():
			p.more++ // without looking for what it was meant to be
		default:
			p.add(at.key(key), "unknown key%s (%s)", s.guess(key), s.known())
		}
	}
	return values, conflict
}

// guess asks about the key that was probably meant.
func (s *section) guess(key string) string {
	if meant := nearest(key, s.keys()); meant != "" {
		return fmt.Sprintf(", did you mean %q?", meant)
	}
	return ""
}

// option finds an option by its key, whatever its case.
func (s *section) option(key string) *option {
	for _, o := range s.options {
		if strings.EqualFold(o.key, key) {
			return o
		}
	}
	return nil
}

func (s *section) keys() []string {
	keys := make([]string, len(s.options))
	for i, o := range s.options {
		keys[i] = o.key
	}
	return keys
}

// known lists the keys for a person.
func (s *section) known() string {
	if len(s.options) == 0 {
		return "no keys are known"
	}
	return "known keys: " + strings.Join(s.keys(), ", ")
}

// decode fills a field, which is zero. A value that is not given is null.
func (o *option) decode(n node, into reflect.Value, at path, p *problems) {
	switch {
	case n.kind != nodeNull:
		o.shape.decode(n, into, at, p)
		if o.required && n.kind == nodeString && n.text == "" {
			p.add(at, "required, must not be empty, want %s", o.shape.want())
		}
	case o.required:
		p.add(at, "required but not given, want %s", o.shape.want())
	case o.preset != nil:
		o.shape.decode(*o.preset, into, at, p)
	case o.shape.kind == shapeSection && !o.shape.pointer:
		o.shape.section.decode(n, into, at, p)
	}
}

// decode fills a value, which is zero, from what is given.
func (s *shape) decode(n node, into reflect.Value, at path, p *problems) {
	switch s.kind {
	case shapeList:
		s.decodeList(n, into, at, p)
	case shapeMap:
		s.decodeMap(n, into, at, p)
	case shapeSection:
		if s.pointer && n.kind != nodeNull {
			into.Set(reflect.New(s.section.typ))
			into = into.Elem()
		}
		if !s.pointer || n.kind != nodeNull {
			s.section.decode(n, into, at, p)
		}
	default:
		if !s.decodeScalar(n, into) {
			p.add(at, "got %s, want %s", s.shown(n), s.want())
		}
	}
}

func (s *shape) decodeList(n node, into reflect.Value, at path, p *problems) {
	if n.kind != nodeList {
		p.add(at, "got %s, want %s", s.shown(n), s.want())
		return
	}
	into.Set(reflect.MakeSlice(s.typ, len(n.list), len(n.list)))
	for i, elem := range n.list {
		s.elem.decodeElement(elem, into.Index(i), at.index(i), p)
	}
}

func (s *shape) decodeMap(n node, into reflect.Value, at path, p *problems) {
	if n.kind != nodeObject {
		p.add(at, "got %s, want %s", s.shown(n), s.want())
		return
	}
	into.Set(reflect.MakeMapWithSize(s.typ, len(n.members)))
	members := slices.Clone(n.members)
	slices.SortStableFunc(members, func(a, b member) int { return strings.Compare(a.key, b.key) })
	for i, m := range members {
		if i > 0 && members[i-1].key == m.key || i+1 < len(members) && members[i+1].key == m.key {
			p.add(at.key(m.key), "given twice")
			continue
		}
		value := reflect.New(s.typ.Elem()).Elem()
		s.elem.decodeElement(m.value, value, at.key(m.key), p)
		into.SetMapIndex(reflect.ValueOf(m.key).Convert(s.typ.Key()), value)
	}
}

// decodeElement fills an element of a list or map. YAML's {} and [] arrive as
// null and stand for themselves here; any other null is a forgotten value.
func (s *shape) decodeElement(n node, into reflect.Value, at path, p *problems) {
	if n.kind == nodeNull {
		switch s.kind {
		case shapeSection:
			n.kind = nodeObject
		case shapeList:
			n.kind = nodeList
		case shapeMap:
			n.kind = nodeObject
		}
	}
	s.decode(n, into, at, p)
}

// shown tells what was given, unless it may be a secret: one spelled out, or
// one level too high.
func (s *shape) shown(n node) string {
	elem := s
	for elem.elem != nil {
		elem = elem.elem
	}
	if elem.kind == shapeSecret && n.kind == nodeString {
		return "a string (not shown)"
	}
	if elem.kind == shapeSecret || elem.kind == shapeSection {
		return n.name()
	}
	return n.shown()
}
