// SPDX-License-Identifier: Apache-2.0

// Package release turns built plugins into what is handed out: archives, lists of
// what is in them, licence texts and checksums, in dist/release. The same commit
// gives the same bytes in any folder. Package oci publishes them.
package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/aerie-falco/aerie/build/archive"
	"github.com/aerie-falco/aerie/build/changelog"
	"github.com/aerie-falco/aerie/build/licences"
	"github.com/aerie-falco/aerie/build/plughost"
	"github.com/aerie-falco/aerie/build/registry"
	"github.com/aerie-falco/aerie/build/sbom"
	"github.com/aerie-falco/aerie/build/workspace"
)

// Dir is where releases are put together.
func Dir(w workspace.Workspace) string { return filepath.Join(w.Dist(), "release") }

// Request says what to package.
type Request struct {
	What    []string                   // names of plugins, or tags of their releases; none: every plugin
	Out     string                     // folder; what it held is replaced
	Epoch   string                     // SOURCE_DATE_EPOCH, "" for the commit's time
	Inspect map[string]plughost.Asking // by GOARCH
	Log     io.Writer
}

// packer is what all plugins of a request share.
type packer struct {
	w        workspace.Workspace
	ledger   *registry.Registry
	checkout Checkout
	inspect  map[string]plughost.Asking
}

// Package packages plugins into r.Out. Everything is checked before the first
// byte is written, and the folder changes as a whole or not at all.
func Package(ctx context.Context, w workspace.Workspace, r Request) error {
	plugins, p, err := gatherAll(ctx, w, r)
	if err != nil {
		return fmt.Errorf("packaging: %w", err)
	}
	var all, beside []archive.File
	for _, one := range plugins {
		files, err := p.pack(one)
		if err != nil {
			return fmt.Errorf("packaging %s: %w", one.entry.Name, err)
		}
		origin, err := p.provenance(ctx, one, files)
		if err != nil {
			return fmt.Errorf("packaging %s: %w", one.entry.Name, err)
		}
		all = append(all, files...)
		beside = append(beside, archive.File{Name: ProvenanceFile(one.entry.Name, one.version), Content: origin})
	}
	all = append(all, archive.File{Name: SumsFile, Content: sums(all)})
	all = append(all, beside...)
	if err := place(r.Out, all); err != nil {
		return fmt.Errorf("packaging into %s: %w", r.Out, err)
	}
	for _, one := range plugins {
		fmt.Fprintf(r.Log, "packaged %s %s\n", one.entry.Name, one.version)
	}
	shown := r.Out
	if rel, err := filepath.Rel(w.Root, r.Out); err == nil && filepath.IsLocal(rel) {
		shown = rel
	}
	fmt.Fprintf(r.Log, "%s: %d files\n", shown, len(all))
	return nil
}

// Check makes all checks of Package and writes nothing. Tagged or not, the version
// has to have its section in the changelog: it is about to be released.
func Check(ctx context.Context, w workspace.Workspace, r Request) error {
	plugins, _, err := gatherAll(ctx, w, r)
	if err != nil {
		return fmt.Errorf("checking the release: %w", err)
	}
	for _, p := range plugins {
		if err := changelog.Check(ctx, w, p.entry.Name, p.version); err != nil {
			return fmt.Errorf("checking the release: %w", err)
		}
		name := p.tag
		if name == "" {
			name = "no tag at HEAD"
		}
		fmt.Fprintf(r.Log, "%s %s can be released (%s)\n", p.entry.Name, p.version, name)
	}
	return nil
}

// Ready makes the checks that need no built plugin, to be asked before building:
// whether there are such plugins, and the checkout is that of a commit.
func Ready(ctx context.Context, w workspace.Workspace, what ...string) error {
	if _, _, err := begin(ctx, w, Request{What: what}); err != nil {
		return fmt.Errorf("releasing: %w", err)
	}
	return nil
}

func begin(ctx context.Context, w workspace.Workspace, r Request) ([]target, *packer, error) {
	var targets []target
	for _, what := range r.What {
		t, err := parseTarget(what)
		if err != nil {
			return nil, nil, err
		}
		targets = append(targets, t)
	}
	ledger, err := registry.Load(w.Path(registry.FileName))
	if err != nil {
		return nil, nil, err
	}
	if len(r.What) == 0 {
		for _, e := range ledger.Plugins {
			if !e.Reserved {
				targets = append(targets, target{name: e.Name})
			}
		}
	}
	p := &packer{w: w, ledger: ledger, inspect: r.Inspect}
	for _, t := range targets {
		if _, err := p.entry(t.name); err != nil {
			return nil, nil, err
		}
	}
	if p.checkout, err = Look(ctx, w, r.Epoch); err != nil {
		return nil, nil, err
	}
	return targets, p, p.checkout.clean()
}

func gatherAll(ctx context.Context, w workspace.Workspace, r Request) ([]plugin, *packer, error) {
	targets, p, err := begin(ctx, w, r)
	if err != nil {
		return nil, nil, err
	}
	var plugins []plugin
	var failed []error
	for _, t := range targets {
		one, err := p.gather(ctx, t)
		if err != nil {
			failed = append(failed, fmt.Errorf("plugin %s: %w", t.name, err))
		}
		plugins = append(plugins, one)
	}
	return plugins, p, errors.Join(failed...)
}

// pack makes the files of a plugin that have checksums.
func (p *packer) pack(one plugin) ([]archive.File, error) {
	name, version, when := one.entry.Name, one.version, p.checkout.Time
	of := licences.ByModule(one.licences)
	var files []archive.File
	add := func(file string, content []byte, err error) error {
		files = append(files, archive.File{Name: file, Content: content})
		return err
	}
	var failed []error
	for _, l := range one.libraries {
		packed, err := archive.TarGz([]archive.File{{Name: l.file, Content: l.content}}, when)
		failed = append(failed, add(TarballFile(name, version, l.arch), packed, err))
		list, err := sbom.CycloneDX(sbom.Subject{
			Name: name, Version: version, Description: one.entry.Description, License: one.entry.License, URL: one.entry.URL,
			File: l.file, Content: l.content, Time: when, Licenses: of,
		})
		failed = append(failed, add(SBOMFile(name, version, l.arch), list, err))
		failed = append(failed, add(LibraryFile(name, l.arch), l.content, nil))
	}
	if len(one.rules) > 0 {
		packed, err := archive.TarGz(one.rules, when)
		failed = append(failed, add(RulesFile(name, version), packed, err))
	}
	texts := []archive.File{{Name: licences.ListFile, Content: licences.List(one.licences)}}
	for _, t := range one.licences {
		texts = append(texts, archive.File{Name: t.Module + "/" + t.File, Content: t.Content})
	}
	packed, err := archive.TarGz(texts, when)
	failed = append(failed, add(LicencesFile(name, version), packed, err))
	facts, err := p.compatibility(one)
	failed = append(failed, add(CompatibilityFile(name, version), facts, err))
	return files, errors.Join(failed...)
}

// place makes dir hold these files and nothing else.
func place(dir string, files []archive.File) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	fresh, err := os.MkdirTemp(filepath.Dir(dir), ".release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(fresh) // gone already when renamed
	for _, f := range files {
		path := filepath.Join(fresh, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, f.Content, 0o644); err != nil {
			return err
		}
	}
	if err := os.Chmod(fresh, 0o755); err != nil {
		return err
	}
	// moved away in one step, as half of an earlier release is none
	old := fresh + "-before"
	if err := os.Rename(dir, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	defer os.RemoveAll(old)
	return os.Rename(fresh, dir)
}
