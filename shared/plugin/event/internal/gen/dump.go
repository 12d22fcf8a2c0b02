// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"slices"
)

// dump is a libscap's event table, ordered by type.
type dump struct {
	Libs   string
	Schema string
	Events []entry
}

// entry is one event type.
type entry struct {
	Type     int
	Symbol   string // the type's name in C, without PPME_
	Name     string
	Category string
	Origin   string // empty for the unused halves of pairs
	Flags    []string
	Params   [][2]string // name and type
}

// current tells whether running drivers and frameworks still make the event;
// others are known for old captures' sake, or only fill a pair.
func (e entry) current() bool {
	return !slices.Contains(e.Flags, "old_version") && !slices.Contains(e.Flags, "unused")
}

func parse(text []byte) (dump, error) {
	var d dump
	if err := json.Unmarshal(text, &d); err != nil {
		return dump{}, err
	}
	if d.Libs == "" || d.Schema == "" || len(d.Events) == 0 {
		return dump{}, fmt.Errorf("libs %q, schema %q, %d events; want all three", d.Libs, d.Schema, len(d.Events))
	}
	for i, e := range d.Events {
		if e.Type != i {
			return dump{}, fmt.Errorf("event %d (%s) has the type %d; want them in order and without gaps", i, e.Symbol, e.Type)
		}
	}
	return d, nil
}
