// SPDX-License-Identifier: Apache-2.0

// Package artifacts builds plugins into dist/: it compiles each, lets the ELF
// gate judge it, and only then puts it in its place. What stands in
// dist/linux_ARCH/ has passed.
package artifacts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/aerie-falco/aerie/build/crossbuild"
	"github.com/aerie-falco/aerie/build/elfgate"
	"github.com/aerie-falco/aerie/build/gocmd"
	"github.com/aerie-falco/aerie/build/registry"
	"github.com/aerie-falco/aerie/build/toolchain"
	"github.com/aerie-falco/aerie/build/workspace"
)

// Architectures are those that plugins are released for, by their Go names.
var Architectures = []string{"amd64", "arm64"}

// Host is the architecture of this machine.
const Host = runtime.GOARCH

// Foreign lists the other architectures.
func Foreign() []string {
	return slices.DeleteFunc(slices.Clone(Architectures), func(a string) bool { return a == Host })
}

// Library is the path of a built plugin: dist/linux_ARCH/libNAME.so.
func Library(w workspace.Workspace, arch, name string) string {
	return filepath.Join(w.Dist(), "linux_"+arch, "lib"+name+".so")
}

// BuildAll builds every plugin of the checkout for arch, and removes what an
// earlier build left of plugins that are gone. All are tried; the error has
// every plugin that failed. A missing compiler is reported as toolchain.Ensure does.
func BuildAll(ctx context.Context, w workspace.Workspace, arch string, log io.Writer) error {
	plugins, err := w.Plugins()
	if err != nil {
		return err
	}
	if err := removeStale(w, arch, plugins); err != nil {
		return err
	}
	return build(ctx, w, arch, plugins, log)
}

// Build builds the plugin of that name for arch.
func Build(ctx context.Context, w workspace.Workspace, arch, name string, log io.Writer) error {
	p, err := w.Plugin(name)
	if err != nil {
		return err
	}
	return build(ctx, w, arch, []workspace.Plugin{p}, log)
}

// builder is what all plugins of one build share.
type builder struct {
	w       workspace.Workspace
	arch    string
	cc      string
	ledger  *registry.Registry
	folders []string // of this machine, which must not show in a plugin
	log     io.Writer
}

func build(ctx context.Context, w workspace.Workspace, arch string, plugins []workspace.Plugin, log io.Writer) error {
	ledger, err := registry.Load(w.Path(registry.FileName))
	if err != nil {
		return err
	}
	cc, err := toolchain.Ensure(ctx, arch, log)
	if err != nil {
		return err
	}
	folders, err := builderFolders(ctx, w)
	if err != nil {
		return err
	}
	b := builder{w: w, arch: arch, cc: cc.Command, ledger: ledger, folders: folders, log: log}
	var failed []error
	for _, p := range plugins {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := b.build(ctx, p); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// build compiles one plugin, has it judged, and puts it in its place.
func (b builder) build(ctx context.Context, p workspace.Plugin) error {
	entry, ok := b.ledger.Entry(p.Name)
	if !ok {
		return fmt.Errorf("building plugin %q: it has no entry in %s; add one", p.Name, registry.FileName)
	}
	final := Library(b.w, b.arch, p.Name)
	scratch := filepath.Join(b.w.Dist(), ".build")
	fresh := filepath.Join(scratch, "linux_"+b.arch, filepath.Base(final))
	err := crossbuild.SharedObject(ctx, crossbuild.Request{Module: p.Dir, Arch: b.arch, CC: b.cc, Out: fresh, Scratch: scratch, Log: b.log})
	if err == nil {
		err = elfgate.Check(fresh, elfgate.Rules{Arch: b.arch, Capabilities: entry.Capabilities, Builder: b.folders})
	}
	if err == nil {
		return place(b.w, fresh, final, b.log)
	}
	// an older file must not be taken for the result of this build
	if gone := os.Remove(final); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// place moves fresh to final unless the same bytes stand there already. A
// rename leaves a process that has the old file mapped undisturbed.
func place(w workspace.Workspace, fresh, final string, log io.Writer) error {
	content, err := os.ReadFile(fresh)
	if err != nil {
		return fmt.Errorf("reading what was built: %w", err)
	}
	note := ""
	if old, err := os.ReadFile(final); err == nil && bytes.Equal(old, content) {
		note = " (unchanged)"
	} else {
		if err := os.MkdirAll(filepath.Dir(final), 0o755); err != nil {
			return fmt.Errorf("placing %s: %w", final, err)
		}
		if err := os.Rename(fresh, final); err != nil {
			return fmt.Errorf("placing %s: %w", final, err)
		}
	}
	shown, err := filepath.Rel(w.Root, final)
	if err != nil {
		shown = final
	}
	fmt.Fprintf(log, "%s  %.1f MB, ELF gate passed%s\n", shown, float64(len(content))/1e6, note)
	return nil
}

// removeStale removes libraries whose plugin is gone from the checkout.
func removeStale(w workspace.Workspace, arch string, plugins []workspace.Plugin) error {
	keep := map[string]bool{}
	for _, p := range plugins {
		keep[Library(w, arch, p.Name)] = true
	}
	built, err := filepath.Glob(Library(w, arch, "*"))
	if err != nil {
		return fmt.Errorf("looking for libraries of plugins that are gone: %w", err)
	}
	for _, file := range built {
		if keep[file] {
			continue
		}
		if err := os.Remove(file); err != nil {
			return fmt.Errorf("removing a library whose plugin is gone: %w", err)
		}
	}
	return nil
}

// builderFolders lists the folders of this machine that must not show in a plugin.
func builderFolders(ctx context.Context, w workspace.Workspace) ([]string, error) {
	text, err := gocmd.Go{Dir: w.Root}.Output(ctx, "env", "-json", "GOROOT", "GOPATH", "GOMODCACHE", "GOCACHE")
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		return nil, fmt.Errorf("reading the go command's folders: %w", err)
	}
	folders := []string{w.Root, os.TempDir(), os.Getenv("HOME")}
	for _, v := range values {
		folders = append(folders, filepath.SplitList(v)...)
	}
	slices.Sort(folders)
	return slices.Compact(folders), nil
}
