// SPDX-License-Identifier: Apache-2.0

package host

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Field is one field that a plugin declares, spelled in JSON as get_fields does.
type Field struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"`
	List       bool     `json:"isList"`
	Arg        FieldArg `json:"arg"`
	Display    string   `json:"display"`
	Desc       string   `json:"desc"`
	AddOutput  bool     `json:"addOutput"`
	Properties []string `json:"properties"`
	// ID is the field's place in the list, which extraction requests carry.
	ID uint32 `json:"-"`
}

// FieldArg says what argument a field takes. All false: none.
type FieldArg struct {
	Required bool `json:"isRequired"`
	Index    bool `json:"isIndex"`
	Key      bool `json:"isKey"`
}

var fieldTypes = map[string]uint32{
	"string": abi.FieldString, "uint64": abi.FieldUint64, "bool": abi.FieldBool,
	"reltime": abi.FieldRelTime, "abstime": abi.FieldAbsTime,
	"ipaddr": abi.FieldIPAddr, "ipnet": abi.FieldIPNet,
}

// TypeCode is the field's type as extraction requests carry it.
func (f *Field) TypeCode() uint32 { return fieldTypes[f.Type] }

// parseFields reads what get_fields returned.
func parseFields(text string) ([]Field, error) {
	v, err := decodeLeading(text)
	if err != nil {
		return nil, fmt.Errorf("read field list: %w", err)
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("read field list: a JSON %s; use an array of objects", jsonKind(v))
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("read field list: it is empty; name at least one field")
	}
	fields := make([]Field, len(list))
	for i, item := range list {
		if fields[i], err = parseField(item); err != nil {
			return nil, fmt.Errorf("read field list: field %d: %w", i, err)
		}
		fields[i].ID = uint32(i)
	}
	return fields, nil
}

func parseField(item any) (Field, error) {
	o, ok := item.(map[string]any)
	if !ok {
		return Field{}, fmt.Errorf("a JSON %s; use an object", jsonKind(item))
	}
	f := Field{Properties: []string{}}
	for _, m := range []struct {
		key  string
		into *string
		must bool
	}{{"name", &f.Name, true}, {"type", &f.Type, true}, {"desc", &f.Desc, true}, {"display", &f.Display, false}} {
		if err := readMember(o, m.key, "string", m.into); err != nil {
			return f, err
		}
		if m.must && *m.into == "" {
			return f, fmt.Errorf("%q has no %q, which may not be empty", f.Name, m.key)
		}
	}
	if _, known := fieldTypes[f.Type]; !known {
		return f, fmt.Errorf("%q has type %q; use string, uint64, bool, reltime, abstime, ipaddr or ipnet", f.Name, f.Type)
	}
	if err := readMember(o, "isList", "boolean", &f.List); err != nil {
		return f, fmt.Errorf("%q: %w", f.Name, err)
	}
	if err := readMember(o, "addOutput", "boolean", &f.AddOutput); err != nil {
		return f, fmt.Errorf("%q: %w", f.Name, err)
	}
	if err := readArg(o, &f.Arg); err != nil {
		return f, fmt.Errorf("%q: %w", f.Name, err)
	}
	if v, there := o["properties"]; there && v != nil {
		props, err := stringArray(v)
		if err != nil {
			return f, fmt.Errorf("%q: properties: %w", f.Name, err)
		}
		f.Properties = append(f.Properties, props...)
	}
	return f, nil
}

func readArg(o map[string]any, arg *FieldArg) error {
	v, there := o["arg"]
	if !there || v == nil {
		return nil
	}
	a, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("arg is a JSON %s; use an object", jsonKind(v))
	}
	for _, m := range []struct {
		key  string
		into *bool
	}{{"isRequired", &arg.Required}, {"isIndex", &arg.Index}, {"isKey", &arg.Key}} {
		if err := readMember(a, m.key, "boolean", m.into); err != nil {
			return fmt.Errorf("arg: %w", err)
		}
	}
	if arg.Required && !arg.Index && !arg.Key {
		return fmt.Errorf("arg isRequired needs isIndex or isKey")
	}
	return nil
}

// readMember stores the member key of o, if it is there and of the type that
// into points to; kind names that type in the error.
func readMember[T any](o map[string]any, key, kind string, into *T) error {
	v, there := o[key]
	if !there || v == nil {
		return nil
	}
	t, ok := v.(T)
	if !ok {
		return fmt.Errorf("%s is a JSON %s; use a %s", key, jsonKind(v), kind)
	}
	*into = t
	return nil
}

// parseNames reads a JSON array of strings; "" counts as an empty one, and
// empty strings in it are dropped.
func parseNames(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	v, err := decodeLeading(text)
	if err != nil {
		return nil, err
	}
	names, err := stringArray(v)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(names, func(s string) bool { return s == "" }), nil
}

func stringArray(v any) ([]string, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("a JSON %s; use an array of strings", jsonKind(v))
	}
	var names []string
	for i, item := range list {
		s, ok := item.(string)
		if !ok {
			return nil, fmt.Errorf("item %d is a JSON %s; use a string", i, jsonKind(item))
		}
		names = append(names, s)
	}
	return names, nil
}

func jsonKind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

// findField is the field of that exact name, or nil.
func findField(fields []Field, name string) *Field {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	return nil
}

// longestField is the field with the longest name that text starts with, or nil.
func longestField(fields []Field, text string) *Field {
	var best *Field
	for i := range fields {
		if strings.HasPrefix(text, fields[i].Name) && (best == nil || len(fields[i].Name) > len(best.Name)) {
			best = &fields[i]
		}
	}
	return best
}
