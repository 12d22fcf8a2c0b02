// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Schema describes a struct, or what a pointer to a struct points to, as a JSON
// Schema of draft 7, the only one that libsinsp reads. It accepts what Decode
// accepts, also the values that Falco's YAML reading has given another type;
// it is narrower in one point, keys must be spelled as they are declared, and
// wider where a keyword could only give a worse message than Decode's: the
// spelling of durations, sizes and secrets, and what Validate methods check.
// The first of the types of a value is the one to show to a person.
//
// The text is the same for the same struct. Schema panics when the struct is
// declared wrongly: call it while the plugin registers.
func Schema(of any) string {
	t := reflect.TypeOf(of)
	if t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	s, err := declare(t)
	if err != nil {
		panic(err.Error())
	}
	root := object{{"$schema", "http://json-schema.org/draft-07/schema#"}}
	root = append(root, s.schema(!s.needed())...)
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("config: write the schema of %v: %v", t, err))
	}
	return string(text)
}

// object is a JSON object whose keys keep their order.
type object []keyword

type keyword struct {
	name  string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, k := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(k.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(k.value)
		if err != nil {
			return nil, fmt.Errorf("keyword %q: %w", k.name, err)
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// needed reports whether an empty object lacks something that is required.
func (s *section) needed() bool {
	for _, o := range s.options {
		if o.needed() {
			return true
		}
	}
	return false
}

// needed reports whether the option must be given.
func (o *option) needed() bool {
	return o.required || o.shape.kind == shapeSection && !o.shape.pointer && o.shape.section.needed()
}

// types writes the types allowed, with null where it means the default.
func types(orNull bool, names ...string) keyword {
	if orNull {
		names = append(names, "null")
	}
	if len(names) == 1 {
		return keyword{"type", names[0]}
	}
	return keyword{"type", names}
}

func (s *section) schema(orNull bool) object {
	out := object{types(orNull, "object")}
	properties := object{}
	var required []string
	for _, o := range s.options {
		properties = append(properties, keyword{o.key, o.schema()})
		if o.needed() {
			required = append(required, o.key)
		}
	}
	out = append(out, keyword{"properties", properties})
	if required != nil {
		out = append(out, keyword{"required", required})
	}
	if !s.allowUnknown {
		out = append(out, keyword{"additionalProperties", false})
	}
	return out
}

func (o *option) schema() object {
	out := object{{"title", o.title}}
	if text := o.description(); text != "" {
		out = append(out, keyword{"description", text})
	}
	out = append(out, o.shape.schema(!o.needed())...)
	if o.required && (o.shape.kind == shapeString || o.shape.kind == shapeSecret) {
		out = append(out, keyword{"minLength", 1})
	}
	if preset := o.effectiveDefault(); preset != nil {
		out = append(out, keyword{"default", preset})
	}
	if o.example != nil {
		out = append(out, keyword{"examples", []*node{o.example}})
	}
	return out
}

// effectiveDefault is the default tag, or the zero of a type whose zero is
// worth telling.
func (o *option) effectiveDefault() *node {
	if o.preset != nil || o.required {
		return o.preset
	}
	switch o.shape.kind {
	case shapeBool:
		return &node{kind: nodeBool, text: "false"}
	case shapeInt, shapeUint, shapeFloat, shapeSize, shapeDuration:
		return &node{kind: nodeNumber, text: "0"}
	}
	return nil
}

// description is what the author wrote and how values are spelled.
func (o *option) description() string {
	parts := make([]string, 0, 3)
	if o.desc != "" {
		parts = append(parts, o.desc)
	}
	if o.unit != "" {
		parts = append(parts, "Unit: "+o.unit+".")
	}
	elem := o.shape
	for elem.elem != nil {
		elem = elem.elem
	}
	switch elem.kind {
	case shapeDuration, shapeSize, shapeSecret:
		parts = append(parts, "Written as "+elem.want()+".")
	}
	return strings.Join(parts, " ")
}

func (s *shape) schema(orNull bool) object {
	switch s.kind {
	case shapeBool:
		return object{types(orNull, "boolean")}
	case shapeInt, shapeUint:
		return append(object{types(orNull, "integer")}, s.limits.schema()...)
	case shapeFloat:
		return append(object{types(orNull, "number")}, s.limits.schema()...)
	case shapeDuration:
		return append(object{types(orNull, "string", "number")}, s.limits.numbers(seconds)...)
	case shapeSize:
		bytes := func(i int64) float64 { return float64(i) }
		return append(object{types(orNull, "string", "integer")}, s.limits.numbers(bytes)...)
	case shapeSecret:
		return object{types(orNull, "string")}
	case shapeList:
		return object{types(orNull, "array"), {"items", s.elem.schema(s.elem.nullElement())}}
	case shapeMap:
		return object{types(orNull, "object"), {"additionalProperties", s.elem.schema(s.elem.nullElement())}}
	case shapeSection:
		return s.section.schema(orNull)
	}
	out := object{types(orNull, "string", "number", "boolean")}
	if s.enum != nil {
		out = append(out, keyword{"enum", s.enumValues(orNull)})
	}
	return out
}

// nullElement reports whether a list or map may hold null for such an element.
func (s *shape) nullElement() bool {
	switch s.kind {
	case shapeList, shapeMap:
		return true
	case shapeSection:
		return !s.section.needed()
	}
	return false
}

// schema writes the bounds of a number; their texts are numbers.
func (l *limits) schema() object {
	var out object
	if l.minText != "" {
		out = append(out, keyword{"minimum", json.Number(l.minText)})
	}
	if l.maxText != "" {
		out = append(out, keyword{"maximum", json.Number(l.maxText)})
	}
	return out
}

// numbers writes the bounds that hold for a Duration or Size that is given as
// a number, converted to that number's unit.
func (l *limits) numbers(convert func(int64) float64) object {
	number := func(i int64) json.Number {
		return json.Number(strconv.FormatFloat(convert(i), 'f', -1, 64))
	}
	out := object{{"minimum", number(l.minInt)}}
	if l.maxText != "" {
		out = append(out, keyword{"maximum", number(l.maxInt)})
	}
	return out
}

// enumValues lists the strings and what YAML may make of them.
func (s *shape) enumValues(orNull bool) []any {
	var out []any
	for _, v := range s.enum {
		out = append(out, v)
	}
	for _, v := range s.enum {
		if n, err := parse(v); err == nil && n.kind == nodeNumber {
			out = append(out, n)
		}
	}
	for _, b := range []bool{true, false} {
		if _, ok := s.text(node{kind: nodeBool, text: strconv.FormatBool(b)}); ok {
			out = append(out, b)
		}
	}
	if orNull {
		out = append(out, nil)
	}
	return out
}
