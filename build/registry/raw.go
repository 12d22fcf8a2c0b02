// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"go.yaml.in/yaml/v3"
)

// rawFile mirrors the text of registry.yaml, with lines. Keys beyond those of
// the public Falco plugin registry are ours; its reader skips them.
type rawFile struct {
	ReservedSources []at[string] `yaml:"reserved_sources"`
	Plugins         []rawEntry   `yaml:"plugins"`
}

type rawEntry struct {
	Name         at[string]      `yaml:"name"`
	Description  at[string]      `yaml:"description"`
	Authors      at[string]      `yaml:"authors"`
	Contact      at[string]      `yaml:"contact"`
	Maintainers  []rawMaintainer `yaml:"maintainers"`
	Keywords     []at[string]    `yaml:"keywords"`
	URL          at[string]      `yaml:"url"`
	RulesURL     at[string]      `yaml:"rules_url"`
	License      at[string]      `yaml:"license"`
	Reserved     bool            `yaml:"reserved"`
	Capabilities struct {
		Sourcing   rawSourcing `yaml:"sourcing"`
		Extraction rawOn       `yaml:"extraction"`
		Parsing    rawOn       `yaml:"parsing"` // ours
		Async      rawAsync    `yaml:"async"`   // ours
		Capture    rawFlag     `yaml:"capture"` // ours
	} `yaml:"capabilities"`
	Signature struct {
		Cosign map[string]any `yaml:"cosign"`
	} `yaml:"signature"`

	line int
}

type rawMaintainer struct {
	Name  at[string] `yaml:"name"`
	Email at[string] `yaml:"email"`
}

type rawSourcing struct {
	Supported at[bool]   `yaml:"supported"`
	ID        at[uint64] `yaml:"id"`
	Source    at[string] `yaml:"source"`
	// SamePayloadAs names an earlier plugin of the same source. Whoever shares a source promises an identical payload,
	// so it has to be said. Ours.
	SamePayloadAs at[string] `yaml:"same_payload_as"`
}

type rawOn struct {
	Supported at[bool]     `yaml:"supported"`
	Sources   []at[string] `yaml:"sources"`
}

type rawAsync struct {
	Supported at[bool]     `yaml:"supported"`
	Sources   []at[string] `yaml:"sources"`
	Events    []at[string] `yaml:"events"`
}

type rawFlag struct {
	Supported at[bool] `yaml:"supported"`
}

// at is a scalar and the line where it stands; line 0 means that the key is absent.
type at[T any] struct {
	value T
	line  int
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (a *at[T]) UnmarshalYAML(node *yaml.Node) error {
	a.line = node.Line
	return node.Decode(&a.value)
}

func values[T any](list []at[T]) []T {
	var out []T
	for _, a := range list {
		out = append(out, a.value)
	}
	return out
}

// locate notes the line where each entry begins, for what is wrong by absence.
func (r *rawFile) locate(text []byte) {
	var document struct {
		Plugins []yaml.Node `yaml:"plugins"`
	}
	if err := yaml.Unmarshal(text, &document); err != nil {
		return // the strict reading has succeeded, so this cannot fail; lines are only missing if it does
	}
	for i := range document.Plugins {
		r.Plugins[i].line = document.Plugins[i].Line
	}
}
