// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

type shapeKind int

const (
	shapeString shapeKind = iota
	shapeBool
	shapeInt
	shapeUint
	shapeFloat
	shapeDuration
	shapeSize
	shapeSecret
	shapeList
	shapeMap
	shapeSection
)

// shape is what a Go type takes as its value.
type shape struct {
	kind    shapeKind
	typ     reflect.Type
	enum    []string // of a string; nil means any
	limits  limits
	elem    *shape   // of a list or map
	section *section // of a section
	pointer bool     // a section that is nil when it is not given
	hint    string   // of a string: an example to add to what it wants
}

// limits are the bounds of a numeric shape, both included. Which pair counts
// follows from the kind: Int, Duration and Size use the int pair.
type limits struct {
	minInt, maxInt     int64
	minUint, maxUint   uint64
	minFloat, maxFloat float64
	// The bounds as a person reads them; "" where there is none to speak of.
	minText, maxText string
}

// section is a struct: its options in the order of the fields.
type section struct {
	typ          reflect.Type
	options      []*option
	embedded     [][]int // field indexes of embedded structs, inner ones first
	allowUnknown bool
}

// option is one field of a struct.
type option struct {
	key         string
	index       []int // for reflect.Value.FieldByIndex
	shape       *shape
	title, desc string
	unit        string
	required    bool
	preset      *node // the default, as it would stand in a text
	example     *node
}

var (
	typeDuration = reflect.TypeFor[time.Duration]()
	typeSize     = reflect.TypeFor[Size]()
	typeSecret   = reflect.TypeFor[Secret]()
)

// declare reads a struct type. Its error is a bug of the struct's author.
func declare(t reflect.Type) (*section, error) {
	if t == nil || t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("config: declare %v: want a struct", t)
	}
	s, err := declareSection(t, nil)
	if err != nil {
		return nil, fmt.Errorf("config: declare %v: %w", t, err)
	}
	return s, nil
}

// declareSection reads a struct type; around holds the structs that it is
// nested in.
func declareSection(t reflect.Type, around []reflect.Type) (*section, error) {
	if slices.Contains(around, t) {
		return nil, fmt.Errorf("%v contains itself", t)
	}
	s := &section{typ: t}
	if err := s.declareFields(t, nil, append(slices.Clone(around), t)); err != nil {
		return nil, err
	}
	for i, o := range s.options {
		for _, other := range s.options[:i] {
			if strings.EqualFold(o.key, other.key) {
				return nil, fmt.Errorf("the keys %q and %q differ in case at most", other.key, o.key)
			}
		}
	}
	return s, nil
}

func (s *section) declareFields(t reflect.Type, index []int, around []reflect.Type) error {
	for i := range t.NumField() {
		f := t.Field(i)
		at := append(slices.Clone(index), i)
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if words, ok := f.Tag.Lookup("config"); ok {
			if f.Name != "_" || words != "allowUnknown" {
				return fmt.Errorf(`field %s: tag config:%q: want a field named _ with config:"allowUnknown"`, f.Name, words)
			}
			s.allowUnknown = true
			continue
		}
		if f.Anonymous && key == "" {
			if f.Type.Kind() != reflect.Struct || !f.IsExported() {
				return fmt.Errorf("field %s: an embedded field must be an exported struct, not %v", f.Name, f.Type)
			}
			if slices.Contains(around, f.Type) {
				return fmt.Errorf("%v contains itself", f.Type)
			}
			if err := s.declareFields(f.Type, at, append(slices.Clone(around), f.Type)); err != nil {
				return err
			}
			s.embedded = append(s.embedded, at)
			continue
		}
		if !f.IsExported() || key == "-" {
			continue
		}
		if key == "" {
			return fmt.Errorf("field %s: no json tag with its key", f.Name)
		}
		o, err := declareOption(f, key, around)
		if err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
		o.index = at
		s.options = append(s.options, o)
	}
	return nil
}

func declareOption(f reflect.StructField, key string, around []reflect.Type) (*option, error) {
	o := &option{
		key:   key,
		title: f.Tag.Get("title"),
		desc:  f.Tag.Get("desc"),
		unit:  f.Tag.Get("unit"),
	}
	if o.title == "" {
		o.title = titleOf(key)
	}
	var err error
	if o.shape, err = declareShape(f.Type, f.Tag, around); err != nil {
		return nil, err
	}
	if text, ok := f.Tag.Lookup("required"); ok {
		if o.required, err = strconv.ParseBool(text); err != nil {
			return nil, fmt.Errorf("tag required:%q: want true or false", text)
		}
	}
	if o.preset, err = o.tagValue(f.Tag, "default"); err != nil {
		return nil, err
	}
	if o.example, err = o.tagValue(f.Tag, "example"); err != nil {
		return nil, err
	}
	if o.example != nil && o.shape.kind == shapeString {
		o.shape.hint = ", for example " + strconv.Quote(o.example.text)
	}
	if o.required && o.preset != nil {
		return nil, fmt.Errorf("a required option has no use for a default")
	}
	if zero := o.effectiveDefault(); o.preset == nil && zero != nil &&
		!o.shape.decodeScalar(*zero, reflect.New(o.shape.typ).Elem()) {
		return nil, fmt.Errorf("zero is outside the bounds, give it a default or make it required")
	}
	return o, nil
}

// tagValue reads the default or example tag, checked like a value in a text.
func (o *option) tagValue(tag reflect.StructTag, name string) (*node, error) {
	text, ok := tag.Lookup(name)
	if !ok {
		return nil, nil
	}
	if name == "default" && o.shape.kind == shapeSection {
		return nil, fmt.Errorf("tag default: a struct takes the defaults of its fields")
	}
	n, err := o.shape.tagNode(text)
	if err != nil {
		return nil, fmt.Errorf("tag %s:%q: %w", name, text, err)
	}
	var p problems
	o.shape.decode(n, reflect.New(o.shape.typ).Elem(), "", &p)
	if p.count() > 0 {
		return nil, fmt.Errorf("tag %s:%q: %w", name, text, &p)
	}
	return &n, nil
}

// tagNode makes of a tag what would stand in a text.
func (s *shape) tagNode(text string) (node, error) {
	switch s.kind {
	case shapeBool:
		if text != "true" && text != "false" {
			return node{}, fmt.Errorf("want true or false")
		}
		return node{kind: nodeBool, text: text}, nil
	case shapeInt, shapeUint, shapeFloat:
		return parse(text)
	case shapeDuration, shapeSize:
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			return parse(text)
		}
	case shapeList:
		if strings.HasPrefix(text, "[") {
			return parse(text)
		}
		list := node{kind: nodeList}
		for part := range strings.SplitSeq(text, ",") {
			if text == "" {
				break
			}
			n, err := s.elem.tagNode(strings.TrimSpace(part))
			if err != nil {
				return node{}, err
			}
			list.list = append(list.list, n)
		}
		return list, nil
	case shapeMap, shapeSection:
		return parse(text)
	}
	return node{kind: nodeString, text: text}, nil
}

// declareShape reads a field's type. Of the tags, enum, min and max count; a
// list and a map pass them on to their elements.
func declareShape(t reflect.Type, tag reflect.StructTag, around []reflect.Type) (*shape, error) {
	s := &shape{typ: t}
	var err error
	switch kind := t.Kind(); {
	case t == typeDuration:
		s.kind = shapeDuration
	case t == typeSize:
		s.kind = shapeSize
	case t == typeSecret:
		s.kind = shapeSecret
	case kind == reflect.String:
		s.kind = shapeString
	case kind == reflect.Bool:
		s.kind = shapeBool
	case kind >= reflect.Int && kind <= reflect.Int64:
		s.kind = shapeInt
	case kind >= reflect.Uint && kind <= reflect.Uint64:
		s.kind = shapeUint
	case kind == reflect.Float64:
		s.kind = shapeFloat
	case kind == reflect.Slice:
		s.kind = shapeList
		s.elem, err = declareShape(t.Elem(), tag, around)
		return s, err
	case kind == reflect.Map && t.Key().Kind() == reflect.String:
		s.kind = shapeMap
		s.elem, err = declareShape(t.Elem(), tag, around)
		return s, err
	case kind == reflect.Struct:
		s.kind = shapeSection
		s.section, err = declareSection(t, around)
	case kind == reflect.Pointer && t.Elem().Kind() == reflect.Struct && t.Elem() != typeSecret:
		s.kind, s.pointer = shapeSection, true
		s.section, err = declareSection(t.Elem(), around)
	default:
		err = fmt.Errorf("type %v: want a string, bool, number, time.Duration, Size, Secret, a list, a map with string keys, a struct or a pointer to a struct", t)
	}
	if err != nil {
		return nil, err
	}
	if list, ok := tag.Lookup("enum"); ok {
		if s.kind != shapeString {
			return nil, fmt.Errorf("tag enum:%q: only strings can have one", list)
		}
		s.enum = strings.Split(list, ",")
	}
	return s, s.declareLimits(tag)
}

// declareLimits combines the bounds of the type with the min and max tags.
func (s *shape) declareLimits(tag reflect.StructTag) error {
	l := &s.limits
	bits := 0
	switch s.kind {
	case shapeInt:
		bits = s.typ.Bits()
		l.minInt, l.maxInt = math.MinInt64>>(64-bits), math.MaxInt64>>(64-bits)
		if bits < 64 {
			l.minText, l.maxText = strconv.FormatInt(l.minInt, 10), strconv.FormatInt(l.maxInt, 10)
		}
	case shapeUint:
		bits = s.typ.Bits()
		l.maxUint = math.MaxUint64 >> (64 - bits)
		l.minText = "0"
		if bits < 64 {
			l.maxText = strconv.FormatUint(l.maxUint, 10)
		}
	case shapeFloat:
		l.minFloat, l.maxFloat = -math.MaxFloat64, math.MaxFloat64
	case shapeDuration, shapeSize:
		l.maxInt = math.MaxInt64
	}
	for _, name := range [...]string{"min", "max"} {
		text, ok := tag.Lookup(name)
		if !ok {
			continue
		}
		if err := s.declareLimit(name == "min", text); err != nil {
			return fmt.Errorf("tag %s:%q: %w", name, text, err)
		}
	}
	if l.minInt > l.maxInt || l.minUint > l.maxUint || l.minFloat > l.maxFloat {
		return fmt.Errorf("tags min and max: %s is larger than %s", l.minText, l.maxText)
	}
	return nil
}

func (s *shape) declareLimit(isMin bool, text string) error {
	l := &s.limits
	var i int64
	var u uint64
	var f float64
	var err error
	switch s.kind {
	case shapeInt:
		i, err = strconv.ParseInt(text, 10, s.typ.Bits())
	case shapeUint:
		u, err = strconv.ParseUint(text, 10, s.typ.Bits())
	case shapeFloat:
		f, err = strconv.ParseFloat(text, 64)
	case shapeDuration:
		var d time.Duration
		d, err = time.ParseDuration(text)
		i = int64(d)
	case shapeSize:
		var size Size
		size, err = ParseSize(text)
		i = int64(size)
	default:
		return fmt.Errorf("only numbers, durations and sizes can have bounds")
	}
	if err != nil {
		return err
	}
	if isMin {
		l.minInt, l.minUint, l.minFloat, l.minText = i, u, f, text
	} else {
		l.maxInt, l.maxUint, l.maxFloat, l.maxText = i, u, f, text
	}
	return nil
}

// titleOf makes words of a key: "maxEventSize" becomes "Max event size", and
// "caPEMBundle" "Ca PEM bundle".
func titleOf(key string) string {
	runes := []rune(key)
	upper := func(i int) bool { return i < len(runes) && unicode.IsUpper(runes[i]) }
	lower := func(i int) bool { return i < len(runes) && unicode.IsLower(runes[i]) }
	var b strings.Builder
	for i, r := range runes {
		startsWord := i > 0 && upper(i) && (!upper(i-1) || lower(i+1))
		switch {
		case r == '_' || r == '-':
			b.WriteByte(' ')
		case i == 0:
			b.WriteRune(unicode.ToUpper(r))
		case startsWord && !upper(i+1):
			b.WriteByte(' ')
			b.WriteRune(unicode.ToLower(r))
		case startsWord:
			b.WriteByte(' ')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
