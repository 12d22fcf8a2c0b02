// SPDX-License-Identifier: Apache-2.0

package release

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/aerie-falco/aerie/build/archive"
	"github.com/aerie-falco/aerie/build/artifacts"
	"github.com/aerie-falco/aerie/build/changelog"
	"github.com/aerie-falco/aerie/build/elfgate"
	"github.com/aerie-falco/aerie/build/licences"
	"github.com/aerie-falco/aerie/build/registry"
	"github.com/aerie-falco/aerie/build/ruleset"
	"github.com/aerie-falco/aerie/build/tag"
	"github.com/aerie-falco/aerie/build/workspace"
)

// Uname has the machine names that stand in file names, by GOARCH.
var Uname = map[string]string{"amd64": "x86_64", "arm64": "aarch64"}

// plugin is everything about one plugin that a release says or carries.
type plugin struct {
	entry       registry.Entry
	version     string
	tag         string // at HEAD, or ""
	api         string // the Plugin API that it requires
	eventSchema string // "": none
	goVersion   string // without "go"
	libraries   []library
	rules       []archive.File // none: the plugin has no rules of its own
	requires    ruleset.Requirements
	licences    []licences.Text
}

// library is the shared object for one architecture.
type library struct {
	arch    string // GOARCH
	file    string // libNAME.so
	content []byte
	glibc   string // the lowest that it loads on
}

// gather reads everything about the plugin that is asked for, and refuses what
// does not fit together. It writes nothing.
func (p *packer) gather(ctx context.Context, asked target) (plugin, error) {
	entry, err := p.entry(asked.name)
	if err != nil {
		return plugin{}, err
	}
	out := plugin{entry: entry}
	for _, arch := range artifacts.Architectures {
		if err := p.library(ctx, &out, arch); err != nil {
			return plugin{}, err
		}
	}
	if out.tag, err = releasedAs(ctx, p.w, asked, out.version); err != nil {
		return plugin{}, err
	}
	if out.tag != "" {
		if err := changelog.Check(ctx, p.w, entry.Name, out.version); err != nil {
			return plugin{}, err
		}
	}
	if err := out.readRules(p.w); err != nil {
		return plugin{}, err
	}
	out.licences, err = licences.Of(ctx, p.w.Root, p.w.Path("plugins", entry.Name), artifacts.Architectures)
	return out, err
}

// entry finds the plugin in the registry and in plugins/.
func (p *packer) entry(name string) (registry.Entry, error) {
	entry, ok := p.ledger.Entry(name)
	if !ok || entry.Reserved {
		var names []string
		for _, e := range p.ledger.Plugins {
			if !e.Reserved {
				names = append(names, e.Name)
			}
		}
		return entry, fmt.Errorf("%s has no plugin %q; there are: %s", registry.FileName, name, strings.Join(names, ", "))
	}
	_, err := p.w.Plugin(name)
	return entry, err
}

// library reads the shared object for arch, which has to say the same of itself as that for the architecture before.
func (p *packer) library(ctx context.Context, out *plugin, arch string) error {
	path := artifacts.Library(p.w, arch, out.entry.Name)
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no %s; a release has all architectures: go tool mage build:all", path)
	}
	if err != nil {
		return err
	}
	says, err := p.inspect[arch](ctx, path)
	if err != nil {
		return err
	}
	if says.Name != out.entry.Name {
		return fmt.Errorf("%s says that its name is %q, the registry %q", path, says.Name, out.entry.Name)
	}
	if err := tag.CheckVersion(says.Version); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	info, err := buildinfo.Read(bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("%s: reading its build information: %w", path, err)
	}
	glibc, err := elfgate.Glibc(bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	goVersion := strings.TrimPrefix(info.GoVersion, "go")
	if len(out.libraries) == 0 {
		out.version, out.api, out.eventSchema, out.goVersion = says.Version, says.RequiredAPI, says.EventSchema, goVersion
	}
	for _, f := range []struct{ what, here, before string }{
		{"version", says.Version, out.version}, {"required Plugin API", says.RequiredAPI, out.api},
		{"event schema", says.EventSchema, out.eventSchema}, {"Go version", goVersion, out.goVersion},
	} {
		if f.here != f.before {
			return fmt.Errorf("%s has %s %q, that for %s %q; build both anew: go tool mage build:all", path, f.what, f.here, out.libraries[0].arch, f.before)
		}
	}
	out.libraries = append(out.libraries, library{arch: arch, file: "lib" + out.entry.Name + ".so", content: content, glibc: glibc})
	return nil
}

// readRules reads the plugin's rules. The registry's rules_url and the folder go together.
func (p *plugin) readRules(w workspace.Workspace) error {
	files, err := ruleset.Files(w.Path("plugins", p.entry.Name, "rules"))
	switch {
	case err != nil:
		return err
	case len(files) == 0 && p.entry.RulesURL != "":
		return fmt.Errorf("%s has a rules_url, but plugins/%s/rules has no *.yaml file", registry.FileName, p.entry.Name)
	case len(files) > 0 && p.entry.RulesURL == "":
		return fmt.Errorf("plugins/%s/rules has rules, but the plugin's entry in %s has no rules_url, under which they are published; add it", p.entry.Name, registry.FileName)
	case len(files) == 0:
		return nil
	}
	p.rules = files
	p.requires, err = ruleset.Read(files, ruleset.Plugin{Name: p.entry.Name, Version: p.version})
	return err
}
