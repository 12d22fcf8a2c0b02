// SPDX-License-Identifier: Apache-2.0

package registrycheck

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/aerie-falco/aerie/build/registry"
	"github.com/aerie-falco/aerie/build/workspace"
)

// released compares ID and source with the plugin's entry at its last release:
// both are written into capture files, and must stay what they were for ever.
// A plugin that was never released, or a checkout without git, has nothing to compare with.
func released(ctx context.Context, w workspace.Workspace, e registry.Entry) ([]string, error) {
	tag, err := lastTag(ctx, w, e.Name)
	if err != nil || tag == "" {
		return nil, err
	}
	text, err := git(ctx, w, "show", tag+":"+registry.FileName)
	if err != nil {
		return nil, fmt.Errorf("reading the registry of %s: %w", tag, err)
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
	if err := yaml.Unmarshal([]byte(text), &old); err != nil {
		return nil, fmt.Errorf("reading the registry of %s: %w", tag, err)
	}
	var found []string
	for _, o := range old.Plugins {
		was := o.Capabilities.Sourcing
		if o.Name != e.Name || was.ID == 0 {
			continue
		}
		if was.ID != e.ID {
			found = append(found, fmt.Sprintf("plugin %q: its ID is %d, but was %d when %s was released; captures hold it, so it must not change", e.Name, e.ID, was.ID, tag))
		}
		if was.Source != e.Source {
			found = append(found, fmt.Sprintf("plugin %q: its source is %q, but was %q when %s was released; captures and rules hold it, so it must not change", e.Name, e.Source, was.Source, tag))
		}
	}
	return found, nil
}

// lastTag is the newest release of a plugin that the checkout's history holds, or "".
func lastTag(ctx context.Context, w workspace.Workspace, name string) (string, error) {
	if _, err := os.Stat(w.Path(".git")); err != nil {
		return "", nil
	}
	if _, err := git(ctx, w, "rev-parse", "--verify", "--quiet", "HEAD"); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == 1 {
			return "", nil // no commit yet; other failures have other codes
		}
		return "", fmt.Errorf("looking for releases of %s: %w", name, err)
	}
	text, err := git(ctx, w, "tag", "--merged", "HEAD", "--sort=-creatordate", "--list", "plugins/"+name+"/v*")
	if err != nil {
		return "", fmt.Errorf("looking for releases of %s: %w", name, err)
	}
	first, _, _ := strings.Cut(text, "\n")
	return first, nil
}

func git(ctx context.Context, w workspace.Workspace, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = w.Root
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(said.String()))
	}
	return out.String(), nil
}
