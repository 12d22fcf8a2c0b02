// SPDX-License-Identifier: Apache-2.0

// Package extract gives a plugin the capability to extract fields from events.
//
// A field is a row in a table: its name, its argument, its help text, and the
// function that sets its value. The type of the field follows from that
// function, so a value of another type does not compile:
//
//	var Extraction = extract.Options[*Plugin]{Fields: []extract.Field[*Plugin]{
//		{Name: "dummy.size", Desc: "Size of the payload in bytes.", Value: extract.Uint64((*Plugin).size)},
//	}}
//
//	func (p *Plugin) size(c *extract.Call, out *extract.Uint64Out) error {
//		if payload, ok := c.Event().Payload(); ok {
//			out.Set(uint64(len(payload)))
//		}
//		return nil
//	}
//
// A function reads the event, the plugin's configuration and the state that
// parsing built, and nothing else: the same event of a capture file, replayed,
// has to give the same value.
package extract

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Field is one row of a plugin's field table; P is the plugin's type.
type Field[P any] struct {
	// Name is how rules call the field: at least two parts with a dot between,
	// each starting with a letter. The first part should be the plugin's own:
	// a framework looks no further once some other field is a prefix.
	Name string

	// Display is a short name for lists, Desc the help text, which says the
	// value's unit and where it comes from.
	Display, Desc string

	// Arg says what may stand in brackets after the name.
	Arg Arg

	// AddOutput suggests to show the field in the output of every rule of its
	// sources. It costs an extraction on each alert, and is refused for fields
	// whose argument is required.
	AddOutput bool

	// Properties are hints for viewers: "hidden", "info", "conversation".
	Properties []string

	// Value is made by String, Strings, Uint64 and their like.
	Value Value[P]
}

// Arg says which argument a field takes.
type Arg uint8

// The zero Arg is NoArg.
const (
	NoArg Arg = 0
	// Key takes any text, Index a number; either may be left out.
	Key   Arg = 1 << 0
	Index Arg = 1 << 1
	// KeyOrIndex takes both; a number then arrives as a key too.
	KeyOrIndex Arg = Key | Index
	required   Arg = 1 << 2
	// With these a rule that gives no argument is refused.
	RequiredKey        Arg = Key | required
	RequiredIndex      Arg = Index | required
	RequiredKeyOrIndex Arg = KeyOrIndex | required
)

// fieldJSON is a row as get_fields tells it. The official SDK's own type has
// no addOutput.
type fieldJSON struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"`
	IsList     bool     `json:"isList,omitempty"`
	AddOutput  bool     `json:"addOutput,omitempty"`
	Display    string   `json:"display,omitempty"`
	Desc       string   `json:"desc"`
	Arg        *argJSON `json:"arg,omitempty"`
	Properties []string `json:"properties,omitempty"`
}

type argJSON struct {
	IsRequired bool `json:"isRequired"`
	IsIndex    bool `json:"isIndex"`
	IsKey      bool `json:"isKey"`
}

var typeNames = map[uint32]string{
	abi.FieldString: "string", abi.FieldUint64: "uint64", abi.FieldBool: "bool",
	abi.FieldRelTime: "reltime", abi.FieldAbsTime: "abstime",
	abi.FieldIPAddr: "ipaddr", abi.FieldIPNet: "ipnet",
}

var (
	nameForm   = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]*(\.[a-zA-Z][a-zA-Z0-9_]*)+$`)
	properties = []string{"hidden", "info", "conversation"}
)

func (f *Field[P]) check() error {
	switch {
	case !nameForm.MatchString(f.Name):
		return fmt.Errorf("field %q: a name has two or more parts with a dot between, each a letter and then letters, digits or _", f.Name)
	case f.Desc == "":
		return fmt.Errorf("field %q: a description is needed", f.Name)
	case f.Value.call == nil:
		return fmt.Errorf("field %q: a value is needed, such as extract.String(f)", f.Name)
	case f.Arg&required != 0 && f.AddOutput:
		return fmt.Errorf("field %q: AddOutput with a required argument breaks every rule of the source", f.Name)
	}
	for _, p := range f.Properties {
		if !slices.Contains(properties, p) {
			return fmt.Errorf("field %q: unknown property %q; use hidden, info or conversation", f.Name, p)
		}
	}
	return nil
}

// describe is the answer of get_fields.
func describe[P any](fields []Field[P]) (string, error) {
	if len(fields) == 0 {
		return "", fmt.Errorf("a plugin that extracts needs at least one field")
	}
	rows := make([]fieldJSON, len(fields))
	seen := map[string]bool{}
	for i := range fields {
		f := &fields[i]
		if err := f.check(); err != nil {
			return "", err
		}
		if seen[f.Name] {
			return "", fmt.Errorf("field %q: declared twice", f.Name)
		}
		seen[f.Name] = true
		rows[i] = fieldJSON{
			Name: f.Name, Type: typeNames[f.Value.kind], IsList: f.Value.list, AddOutput: f.AddOutput,
			Display: f.Display, Desc: f.Desc, Properties: f.Properties,
		}
		if f.Arg != NoArg {
			rows[i].Arg = &argJSON{IsRequired: f.Arg&required != 0, IsIndex: f.Arg&Index != 0, IsKey: f.Arg&Key != 0}
		}
	}
	text, err := json.Marshal(rows)
	return string(text), err
}
