// SPDX-License-Identifier: Apache-2.0

package registrycheck

import (
	"context"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/aerie-falco/aerie/build/git"
	"github.com/aerie-falco/aerie/build/registry"
	"github.com/aerie-falco/aerie/build/tag"
	"github.com/aerie-falco/aerie/build/workspace"
)

// released compares ID and source with the plugin's entry at its last release:
// both are written into capture files, and must stay what they were for ever.
// A plugin that was never released, or a checkout without git, has nothing to compare with.
func released(ctx context.Context, w workspace.Workspace, e registry.Entry) ([]string, error) {
	last, ok, err := tag.Latest(ctx, w.Root, e.Name)
	if err != nil || !ok {
		return nil, err
	}
	text, ok, err := git.Show(ctx, w.Root, last.String(), registry.FileName)
	if err != nil {
		return nil, fmt.Errorf("reading the registry of %s: %w", last, err)
	}
	if !ok {
		return nil, nil
	}
	// read leniently: it was checked by the rules of its time
	var old struct {
		Plugins []struct {
			Name         string `yaml:"name"`
			Capabilities struct {
				Sourcing struct {
					ID     uint32 `yaml:"id"`
					Source string `yaml:"source"`
				} `yaml:"sourcing"`
			} `yaml:"capabilities"`
		} `yaml:"plugins"`
	}
	if err := yaml.Unmarshal(text, &old); err != nil {
		return nil, fmt.Errorf("reading the registry of %s: %w", last, err)
	}
	var found []string
	for _, o := range old.Plugins {
		was := o.Capabilities.Sourcing
		if o.Name != e.Name || was.ID == 0 {
			continue
		}
		if was.ID != e.ID {
			found = append(found, fmt.Sprintf("plugin %q: its ID is %d, but was %d when %s was released; captures hold it, so it must not change", e.Name, e.ID, was.ID, last))
		}
		if was.Source != e.Source {
			found = append(found, fmt.Sprintf("plugin %q: its source is %q, but was %q when %s was released; captures and rules hold it, so it must not change", e.Name, e.Source, was.Source, last))
		}
	}
	return found, nil
}
