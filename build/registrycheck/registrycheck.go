// SPDX-License-Identifier: Apache-2.0

// Package registrycheck compares registry.yaml with everything that it speaks
// of: the plugins' folders, what the built files export and say of themselves,
// and the entry that each plugin had at its last release.
package registrycheck

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aerie-falco/aerie/build/artifacts"
	"github.com/aerie-falco/aerie/build/elfgate"
	"github.com/aerie-falco/aerie/build/levels"
	"github.com/aerie-falco/aerie/build/plughost"
	"github.com/aerie-falco/aerie/build/registry"
	"github.com/aerie-falco/aerie/build/workspace"
)

// Inspector says what the plugin in a file tells of itself.
type Inspector func(ctx context.Context, file string) (plughost.Inspection, error)

// Inspectors returns the Inspector for files of an architecture, by its Go name.
// An error that wraps levels.ErrCannotRun says that this machine has none.
type Inspectors func(ctx context.Context, arch string) (Inspector, error)

// Run makes all comparisons. Plugins must have been built for this machine; files
// of other architectures are compared too if they are there, and log says if
// not. The error is a *registry.Invalid with every problem. Without problems it
// wraps levels.ErrCannotRun if files of another architecture are there and
// nothing can run them.
func Run(ctx context.Context, w workspace.Workspace, inspectors Inspectors, log io.Writer) error {
	ledger, err := registry.Load(w.Path(registry.FileName))
	if err != nil {
		return err
	}
	plugins, err := w.Plugins()
	if err != nil {
		return err
	}
	var problems []registry.Problem
	add := func(line int, found []string) {
		for _, text := range found {
			problems = append(problems, registry.Problem{Line: line, Text: text})
		}
	}
	for _, p := range plugins {
		e, ok := ledger.Entry(p.Name)
		switch {
		case !ok:
			add(0, []string{fmt.Sprintf("plugins/%s has no entry", p.Name)})
		case e.Reserved:
			add(e.Line(), []string{fmt.Sprintf("plugin %q: the name is reserved, but there is a plugins/%s", e.Name, e.Name)})
		}
	}
	b := &builtFiles{w: w, inspectors: inspectors, known: map[string]Inspector{}, log: log}
	for _, e := range ledger.Plugins {
		if e.Reserved {
			continue
		}
		if !slices.ContainsFunc(plugins, func(p workspace.Plugin) bool { return p.Name == e.Name }) {
			add(e.Line(), []string{fmt.Sprintf("plugin %q: there is no plugins/%s/lib/main.go", e.Name, e.Name)})
			continue
		}
		add(e.Line(), b.compare(ctx, e))
		add(e.Line(), rules(w, e))
		found, err := released(ctx, w, e)
		if err != nil {
			return err
		}
		add(e.Line(), found)
	}
	if len(problems) == 0 {
		if b.cannot != nil {
			return b.cannot
		}
		fmt.Fprintf(log, "%s agrees with the plugins: %d\n", registry.FileName, len(plugins))
		return nil
	}
	slices.SortStableFunc(problems, func(a, b registry.Problem) int { return a.Line - b.Line })
	return &registry.Invalid{File: registry.FileName, Problems: problems}
}

// builtFiles compares entries with the files in dist/.
type builtFiles struct {
	w          workspace.Workspace
	inspectors Inspectors
	known      map[string]Inspector // by architecture, nil where there is none
	cannot     error                // why there is none
	log        io.Writer
}

// inspector is that for an architecture, or nil.
func (b *builtFiles) inspector(ctx context.Context, arch string) (Inspector, error) {
	if found, ok := b.known[arch]; ok {
		return found, nil
	}
	found, err := b.inspectors(ctx, arch)
	if err != nil && !errors.Is(err, levels.ErrCannotRun) {
		return nil, err
	}
	if err != nil {
		found, b.cannot = nil, err
	}
	b.known[arch] = found
	return found, nil
}

func (b *builtFiles) compare(ctx context.Context, e registry.Entry) []string {
	var found []string
	for _, arch := range artifacts.Architectures {
		file := artifacts.Library(b.w, arch, e.Name)
		var wrong []string
		exports, err := elfgate.Exports(file)
		switch {
		case errors.Is(err, fs.ErrNotExist) && arch != artifacts.Host:
			fmt.Fprintf(b.log, "not compared: %s is not built; go tool mage build:all builds it\n", shown(b.w, file))
			continue
		case err != nil:
			wrong = []string{err.Error()}
		default:
			wrong, err = elfgate.Unexpected(exports, e.Capabilities)
			if err != nil {
				wrong = []string{err.Error()}
			}
		}
		if err == nil {
			wrong = append(wrong, b.words(ctx, e, arch, file)...)
		}
		for _, text := range wrong {
			found = append(found, fmt.Sprintf("plugin %q: %s %s", e.Name, shown(b.w, file), text))
		}
	}
	return found
}

// words compares an entry with what the plugin in a file says.
func (b *builtFiles) words(ctx context.Context, e registry.Entry, arch, file string) []string {
	inspect, err := b.inspector(ctx, arch)
	if err != nil {
		return []string{err.Error()}
	}
	if inspect == nil {
		fmt.Fprintf(b.log, "compared by its exports only: %s\n", shown(b.w, file))
		return nil
	}
	i, err := inspect(ctx, file)
	if err != nil {
		return []string{err.Error()}
	}
	return compare(e, i)
}

// rules compares rules_url, whose presence has rules published, with the folder.
func rules(w workspace.Workspace, e registry.Entry) []string {
	files, err := filepath.Glob(w.Path("plugins", e.Name, "rules", "*.yaml"))
	switch {
	case err != nil:
		return []string{err.Error()}
	case len(files) > 0 && e.RulesURL == "":
		return []string{fmt.Sprintf("plugin %q: there are plugins/%s/rules/*.yaml, but no rules_url; without it they are not published", e.Name, e.Name)}
	case len(files) == 0 && e.RulesURL != "":
		return []string{fmt.Sprintf("plugin %q: it has a rules_url, but there are no plugins/%s/rules/*.yaml", e.Name, e.Name)}
	}
	return nil
}

func shown(w workspace.Workspace, file string) string {
	return strings.TrimPrefix(file, w.Root+string(os.PathSeparator))
}

// capabilityNames are what plughost calls the capabilities.
var capabilityNames = map[elfgate.Capability]string{
	elfgate.Source: "sourcing", elfgate.Extract: "extraction", elfgate.Parse: "parsing", elfgate.Async: "async", elfgate.Capture: "capture",
}

// compare lists how the plugin's own words differ from its entry.
func compare(e registry.Entry, i plughost.Inspection) []string {
	var wrong []string
	for _, f := range []struct {
		what           string
		says, shouldBe any
	}{
		{"name", i.Name, e.Name}, {"description", i.Description, e.Description}, {"contact", i.Contact, e.Contact},
		{"ID", i.ID, e.ID}, {"event source", i.EventSource, e.Source},
	} {
		if f.says != f.shouldBe {
			wrong = append(wrong, fmt.Sprintf("says its %s is %s, the registry %s", f.what, quote(f.says), quote(f.shouldBe)))
		}
	}
	var names []string
	for _, c := range e.Capabilities {
		names = append(names, capabilityNames[c])
	}
	for _, l := range []struct {
		what           string
		says, shouldBe []string
	}{
		{"capabilities", i.Capabilities, names},
		{"extraction sources", i.ExtractSources, sources(e, elfgate.Extract, e.ExtractSources)},
		{"parsing sources", i.ParseSources, sources(e, elfgate.Parse, e.ParseSources)},
		{"async sources", i.AsyncSources, sources(e, elfgate.Async, e.AsyncSources)},
		{"async events", i.AsyncEvents, e.AsyncEvents},
	} {
		if says, shouldBe := sorted(l.says), sorted(l.shouldBe); !slices.Equal(says, shouldBe) {
			wrong = append(wrong, fmt.Sprintf("says its %s are [%s], the registry [%s]", l.what, strings.Join(says, " "), strings.Join(shouldBe, " ")))
		}
	}
	return wrong
}

// sources is the list that the framework arrives at: a plugin's own source always belongs to it.
func sources(e registry.Entry, c elfgate.Capability, listed []string) []string {
	if e.Has(c) && e.Source != "" && !slices.Contains(listed, e.Source) {
		return append(slices.Clone(listed), e.Source)
	}
	return listed
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

func quote(v any) string {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprint(v)
}
