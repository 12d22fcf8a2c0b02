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
	"slices"
	"strings"

	"github.com/aerie-falco/aerie/build/artifacts"
	"github.com/aerie-falco/aerie/build/elfgate"
	"github.com/aerie-falco/aerie/build/plughost"
	"github.com/aerie-falco/aerie/build/registry"
	"github.com/aerie-falco/aerie/build/workspace"
)

// Inspector says what the plugin in a file tells of itself.
type Inspector func(ctx context.Context, file string) (plughost.Inspection, error)

// Run makes all comparisons. Plugins must have been built for this machine; files
// of other architectures are compared by their exports if they are there, and
// log says if not. The error is a *registry.Invalid with every problem.
func Run(ctx context.Context, w workspace.Workspace, inspect Inspector, log io.Writer) error {
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
		if _, ok := ledger.Entry(p.Name); !ok {
			add(0, []string{fmt.Sprintf("plugins/%s has no entry", p.Name)})
		}
	}
	for _, e := range ledger.Plugins {
		if e.Reserved {
			continue
		}
		if !slices.ContainsFunc(plugins, func(p workspace.Plugin) bool { return p.Name == e.Name }) {
			add(e.Line(), []string{fmt.Sprintf("plugin %q: there is no plugins/%s/lib/main.go", e.Name, e.Name)})
			continue
		}
		add(e.Line(), built(ctx, w, e, inspect, log))
		found, err := released(ctx, w, e)
		if err != nil {
			return err
		}
		add(e.Line(), found)
	}
	if len(problems) == 0 {
		fmt.Fprintf(log, "%s agrees with the plugins: %d\n", registry.FileName, len(plugins))
		return nil
	}
	slices.SortStableFunc(problems, func(a, b registry.Problem) int { return a.Line - b.Line })
	return &registry.Invalid{File: registry.FileName, Problems: problems}
}

// built compares an entry with the files in dist/.
func built(ctx context.Context, w workspace.Workspace, e registry.Entry, inspect Inspector, log io.Writer) []string {
	var found []string
	for _, arch := range artifacts.Architectures {
		file := artifacts.Library(w, arch, e.Name)
		var wrong []string
		exports, err := elfgate.Exports(file)
		switch {
		case errors.Is(err, fs.ErrNotExist) && arch != artifacts.Host:
			fmt.Fprintf(log, "not compared: %s is not built; go tool mage build:all builds it\n", shown(w, file))
			continue
		case err != nil:
			wrong = []string{err.Error()}
		default:
			wrong, err = elfgate.Unexpected(exports, e.Capabilities)
			if err != nil {
				wrong = []string{err.Error()}
			}
		}
		if err == nil && arch == artifacts.Host {
			if i, err := inspect(ctx, file); err != nil {
				wrong = append(wrong, err.Error())
			} else {
				wrong = append(wrong, compare(e, i)...)
			}
		}
		for _, text := range wrong {
			found = append(found, fmt.Sprintf("plugin %q: %s %s", e.Name, shown(w, file), text))
		}
	}
	return found
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
