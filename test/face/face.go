// SPDX-License-Identifier: Apache-2.0

// Package face is what others rely on in a plugin, its public face: name, ID
// and event source, fields, configuration, open parameters, events, metrics and
// state tables. It compares two of them and says which version the newer one
// may have.
//
// A face is taken from a built plugin once, at its release, and kept as JSON.
// Comparing needs no plugin then, nor what the old one was built with.
package face

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Face is one version of a plugin as others see it. Lists are in the plugin's
// order if that can be seen, else sorted.
type Face struct {
	Name         string   `json:"name"`
	Version      string   `json:"version"`
	Description  string   `json:"description"`
	Contact      string   `json:"contact"`
	RequiredAPI  string   `json:"required_api_version"`
	ID           uint32   `json:"id"`           // 0 without a source of its own
	EventSource  string   `json:"event_source"` // "" without one
	Capabilities []string `json:"capabilities"` // sourcing, extraction, parsing, async, capture

	Fields []Field `json:"fields"`
	// Empty lists of sources and types mean: all.
	ExtractSources []string `json:"extract_event_sources"`
	ExtractTypes   []uint16 `json:"extract_event_types"`
	ParseSources   []string `json:"parse_event_sources"`
	ParseTypes     []uint16 `json:"parse_event_types"`
	AsyncSources   []string `json:"async_event_sources"`
	AsyncEvents    []string `json:"async_events"`

	InitSchema json.RawMessage `json:"init_schema"` // null: none
	// OpenSchema describes the open parameters. It is a file beside the plugin, which the plugin does not show; null: none.
	OpenSchema json.RawMessage `json:"open_params_schema"`
	OpenParams []string        `json:"open_params"` // values that list_open_params offers

	Metrics []Metric `json:"metrics"` // those that there are right after init
	Tables  []Table  `json:"tables"`  // those that init adds
}

// Field is a field, spelled as get_fields spells it.
type Field struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"`
	List       bool     `json:"isList"`
	Arg        Argument `json:"arg"`
	Display    string   `json:"display"`
	Desc       string   `json:"desc"`
	AddOutput  bool     `json:"addOutput"`
	Properties []string `json:"properties"`
}

// Argument says what stands between a field's brackets. All false: nothing does.
type Argument struct {
	Required bool `json:"isRequired"`
	Index    bool `json:"isIndex"`
	Key      bool `json:"isKey"`
}

// Metric is one of the plugin's metrics.
type Metric struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // counter or gauge
}

// Table is a state table that the plugin owns, as other plugins find it.
type Table struct {
	Name   string       `json:"name"`
	Key    string       `json:"key"` // type of the key
	Fields []TableField `json:"fields"`
}

// TableField is a field of a table's entries.
type TableField struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	ReadOnly bool   `json:"read_only"`
}

// Encode is the face as JSON, always the same for the same face.
func (f Face) Encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(f); err != nil {
		return nil, fmt.Errorf("writing the face of %s: %w", f.Name, err)
	}
	return b.Bytes(), nil
}

// Decode reads what Encode wrote. An older or newer Encode may have known other keys: missing ones are empty, unknown ones skipped.
func Decode(text []byte) (Face, error) {
	var f Face
	if err := json.Unmarshal(text, &f); err != nil {
		return f, fmt.Errorf("reading a plugin's face: %w", err)
	}
	if f.Name == "" || f.Version == "" {
		return f, fmt.Errorf("reading a plugin's face: it has no name or no version")
	}
	return f, nil
}
