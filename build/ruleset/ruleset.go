// SPDX-License-Identifier: Apache-2.0

// Package ruleset reads what the rules of a plugin ask of whoever loads them: a
// version of Falco's engine, and plugins.
package ruleset

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/semver"

	"github.com/aerie-falco/aerie/build/archive"
)

// Plugin is a plugin of at least that version.
type Plugin struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Dependency is a required plugin, and what will do in its place.
type Dependency struct {
	Plugin
	Alternatives []Plugin `json:"alternatives,omitempty"`
}

// Requirements are those of all files of a ruleset together.
type Requirements struct {
	Engine  string       // X.Y.Z; "" if no file asks for one
	Plugins []Dependency // sorted by name
}

// Files reads the *.yaml files of a rules folder. A folder that is not there has
// none. What could not be installed (links, folders) is an error.
func Files(dir string) ([]archive.File, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading rules: %w", err)
	}
	var files []archive.File
	for _, e := range entries {
		if !e.Type().IsRegular() {
			return nil, fmt.Errorf("reading rules: %s is no regular file; rules are *.yaml files right in %s", e.Name(), dir)
		}
		if filepath.Ext(e.Name()) != ".yaml" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("reading rules: %w", err)
		}
		files = append(files, archive.File{Name: e.Name(), Content: text})
	}
	return files, nil
}

// Read returns what the files require. They belong to own, which has to be
// among the required plugins with at most its own version.
func Read(files []archive.File, own Plugin) (Requirements, error) {
	r, err := Required(files)
	if err != nil {
		return Requirements{}, err
	}
	i := slices.IndexFunc(r.Plugins, func(d Dependency) bool { return d.Name == own.Name })
	if i < 0 {
		return Requirements{}, fmt.Errorf("reading the requirements of the rules of %s: none of their files has it under required_plugin_versions; add: name: %s, version: %s", own.Name, own.Name, own.Version)
	}
	// what a pre-release has is already there for who asks for its final version: Falco reads the three numbers only
	final := strings.TrimSuffix("v"+own.Version, semver.Prerelease("v"+own.Version))
	if required := r.Plugins[i].Version; semver.Compare("v"+required, final) > 0 {
		return Requirements{}, fmt.Errorf("reading the requirements of the rules of %s: they require %s %s, but it is at %s", own.Name, own.Name, required, own.Version)
	}
	return r, nil
}

// Required returns what the files require, whoever they belong to.
func Required(files []archive.File) (Requirements, error) {
	all := collector{plugins: map[string]map[string]string{}}
	for _, f := range files {
		if err := all.file(f); err != nil {
			return Requirements{}, fmt.Errorf("reading the requirements of %s: %w", f.Name, err)
		}
	}
	return all.requirements(), nil
}

// item is a list item of a rules file; its other keys are Falco's business.
type item struct {
	Engine  yaml.Node `yaml:"required_engine_version"`
	Plugins []struct {
		Plugin       `yaml:",inline"`
		Alternatives []Plugin `yaml:"alternatives"`
	} `yaml:"required_plugin_versions"`
}

type collector struct {
	engine  string
	plugins map[string]map[string]string // of a required plugin: version by name, its own and those of alternatives
}

func (c *collector) file(f archive.File) error {
	var items []item
	if err := yaml.Unmarshal(f.Content, &items); err != nil {
		return err
	}
	for _, it := range items {
		if !it.Engine.IsZero() {
			version, err := engineVersion(it.Engine.Value)
			if err != nil {
				return err
			}
			c.engine = higher(c.engine, version)
		}
		seen := map[string]bool{}
		for _, p := range it.Plugins {
			if seen[p.Name] {
				return fmt.Errorf("plugin %q is required twice in one entry, which Falco refuses", p.Name)
			}
			seen[p.Name] = true
			if err := c.plugin(p.Name, append([]Plugin{p.Plugin}, p.Alternatives...)); err != nil {
				return err
			}
		}
	}
	return nil
}

// plugin adds a requirement; list has the plugin, then its alternatives.
func (c *collector) plugin(name string, list []Plugin) error {
	if c.plugins[name] == nil {
		c.plugins[name] = map[string]string{}
	}
	for _, p := range list {
		if p.Name == "" || !isTriple(p.Version) {
			return fmt.Errorf("required plugin %q has version %q; give a name and three numbers X.Y.Z", p.Name, p.Version)
		}
		old := c.plugins[name][p.Name]
		if old != "" && semver.Major("v"+old) != semver.Major("v"+p.Version) {
			return fmt.Errorf("plugin %s is required as %s and as %s; no version satisfies two major versions", p.Name, old, p.Version)
		}
		c.plugins[name][p.Name] = higher(old, p.Version)
	}
	return nil
}

func (c *collector) requirements() Requirements {
	r := Requirements{Engine: c.engine}
	for name, versions := range c.plugins {
		d := Dependency{Plugin: Plugin{name, versions[name]}}
		for other, version := range versions {
			if other != name {
				d.Alternatives = append(d.Alternatives, Plugin{other, version})
			}
		}
		slices.SortFunc(d.Alternatives, func(a, b Plugin) int { return cmp.Compare(a.Name, b.Name) })
		r.Plugins = append(r.Plugins, d)
	}
	slices.SortFunc(r.Plugins, func(a, b Dependency) int { return cmp.Compare(a.Name, b.Name) })
	return r
}

// engineVersion reads X.Y.Z, or the older form N, which means 0.N.0.
func engineVersion(text string) (string, error) {
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		return fmt.Sprintf("0.%d.0", n), nil
	}
	if !isTriple(text) {
		return "", fmt.Errorf("required_engine_version %q is neither X.Y.Z nor a number", text)
	}
	return text, nil
}

func isTriple(version string) bool {
	v := "v" + version
	return semver.IsValid(v) && semver.Canonical(v) == v && semver.Prerelease(v) == ""
}

func higher(a, b string) string {
	if a == "" || semver.Compare("v"+b, "v"+a) > 0 {
		return b
	}
	return a
}
