// SPDX-License-Identifier: Apache-2.0

// Package index writes the list that falcoctl searches: which plugins and rules
// there are, and in which repositories of which registry.
package index

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/aerie-falco/aerie/build/oci"
	"github.com/aerie-falco/aerie/build/registry"
	"github.com/aerie-falco/aerie/build/workspace"
)

// Entry is one artifact. Its name has to be that in the artifact's config, and
// Registry and Repository together are the reference without a tag.
type Entry struct {
	Name        string       `yaml:"name"`
	Type        string       `yaml:"type"` // plugin or rulesfile
	Registry    string       `yaml:"registry"`
	Repository  string       `yaml:"repository"`
	Signature   *Signature   `yaml:"signature,omitempty"` // falcoctl verifies what has one
	Description string       `yaml:"description"`
	Home        string       `yaml:"home"`
	Keywords    []string     `yaml:"keywords"`
	License     string       `yaml:"license"`
	Maintainers []Maintainer `yaml:"maintainers"`
	Sources     []string     `yaml:"sources"`
}

// Signature says who signs, in cosign's words.
type Signature struct {
	Cosign map[string]any `yaml:"cosign"`
}

// Maintainer is one of the people behind a plugin.
type Maintainer struct {
	Name  string `yaml:"name,omitempty"`
	Email string `yaml:"email,omitempty"`
}

// File is where the index is written.
func File(w workspace.Workspace) string { return filepath.Join(w.Dist(), "index", "index.yaml") }

// Write writes the index of what is published under a target, and returns how many
// entries it has. Registries that do not tell what is missing from what is not
// allowed are believed that it is missing, unless they tell nothing else.
func Write(ctx context.Context, w workspace.Workspace, t oci.Target) (int, error) {
	ledger, err := registry.Load(w.Path(registry.FileName))
	if err != nil {
		return 0, err
	}
	var entries []Entry
	var denied error
	for _, e := range Entries(ledger, t) {
		// falcoctl installs the latest version unless told otherwise, so that an entry without one would fail its users
		published, err := t.Has(ctx, e.Repository, "latest")
		switch {
		case errors.Is(err, oci.ErrDenied):
			denied = err
		case err != nil:
			return 0, fmt.Errorf("writing the index: %w", err)
		case published:
			entries = append(entries, e)
		}
	}
	if denied != nil && len(entries) == 0 {
		return 0, fmt.Errorf("writing the index: %w", denied)
	}
	text, err := Encode(entries)
	if err != nil {
		return 0, err
	}
	if err := os.MkdirAll(filepath.Dir(File(w)), 0o755); err != nil {
		return 0, fmt.Errorf("writing the index: %w", err)
	}
	if err := os.WriteFile(File(w), text, 0o644); err != nil {
		return 0, fmt.Errorf("writing the index: %w", err)
	}
	return len(entries), nil
}

// Entries lists what the registry's plugins become under a target, sorted by name.
func Entries(ledger *registry.Registry, t oci.Target) []Entry {
	var entries []Entry
	for _, p := range ledger.Plugins {
		if p.Reserved {
			continue
		}
		e := Entry{
			Name: p.Name, Type: "plugin", Registry: t.Registry, Repository: t.PluginRepository(p.Name),
			Description: p.Description, Home: p.URL, License: p.License, Sources: []string{p.URL}, Keywords: keywords(p, p.Name),
		}
		for _, m := range p.Maintainers {
			e.Maintainers = append(e.Maintainers, Maintainer(m))
		}
		if p.Cosign != nil {
			e.Signature = &Signature{Cosign: p.Cosign}
		}
		entries = append(entries, e)
		if p.RulesURL == "" {
			continue
		}
		e.Name, e.Type, e.Repository = p.Name+"-rules", "rulesfile", t.RulesRepository(p.Name)
		e.Description = "Rules for the plugin " + p.Name + ": " + p.Description
		e.Home, e.Sources, e.Keywords = p.RulesURL, []string{p.RulesURL}, keywords(p, e.Name)
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Name, b.Name) })
	return entries
}

func keywords(p registry.Entry, own string) []string {
	words := slices.Clone(p.Keywords)
	if !slices.Contains(words, own) {
		words = append(words, own)
	}
	return words
}

// Encode writes entries as falcoctl reads them.
func Encode(entries []Entry) ([]byte, error) {
	out := bytes.NewBufferString("# SPDX-License-Identifier: Apache-2.0\n# Made by go tool mage release:index. falcoctl index add NAME URL-OF-THIS-FILE\n")
	if entries == nil {
		entries = []Entry{}
	}
	e := yaml.NewEncoder(out)
	e.SetIndent(2)
	if err := e.Encode(entries); err != nil {
		return nil, fmt.Errorf("writing the index: %w", err)
	}
	if err := e.Close(); err != nil {
		return nil, fmt.Errorf("writing the index: %w", err)
	}
	return out.Bytes(), nil
}
