// SPDX-License-Identifier: Apache-2.0

package scaffold

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/registry"
	"github.com/aerie-falco/aerie/build/workspace"
)

const ledger = `# SPDX-License-Identifier: Apache-2.0
reserved_sources: ["syscall"]

plugins:
  - name: first
    description: The first plugin
    authors: Somebody
    contact: https://example.com
    url: https://example.com
    license: Apache-2.0
    capabilities:
      sourcing: {supported: true, id: 29, source: first}
      extraction: {supported: false}
`

// checkout is one that a plugin can be made in. Its modules are empty but for what a
// new plugin's go.mod is made from, so `go mod tidy` cannot succeed in it.
func checkout(t *testing.T) workspace.Workspace {
	t.Helper()
	w := workspace.Workspace{Root: t.TempDir()}
	for name, text := range map[string]string{
		"go.work":       "go 1.26.0\n\nuse (\n\t.\n\t./shared/jsonfields\n\t./test\n)\n",
		"registry.yaml": ledger,
		"shared/jsonfields/go.mod": "module github.com/aerie-falco/aerie/shared/jsonfields\n\ngo 1.26.0\n\nrequire (\n" +
			"\tgithub.com/aerie-falco/aerie/shared/plugin v0.0.0\n\tgithub.com/stretchr/testify v1.12.1\n)\n",
		"plugins/first/lib/main.go": "package main\n",
	} {
		file := w.Path(filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	return w
}

// content is all files of a checkout.
func content(t *testing.T, w workspace.Workspace) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(w.Root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, w.Root)] = string(text)
		return err
	}))
	return all
}

func TestWhatCannotBeMadeIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	w := checkout(t)
	before := content(t, w)
	for _, c := range []struct{ kind, name, says string }{
		{"sauce", "orders", `unknown kind "sauce"; use one of source, extractor, parser, full`},
		{Source, "", "no name is given"},
		{Source, "../orders", "a name is no path"},
		{Source, "a/b", "a name is no path"},
		{Source, `a\b`, "a name is no path"},
		{Source, "..", "a name is no path"},
		{Source, "Orders", "use lower-case letters"},
		{Source, "1orders", "beginning with a letter"},
		{Source, "my_orders", "single hyphens"},
		{Source, "my--orders", "single hyphens"},
		{Source, "orders-", "single hyphens"},
		{Source, "orders\n", "use lower-case letters"},
		{Source, strings.Repeat("o", 41), "it has 41 characters; use at most 40"},
		{Source, "func", "use another"},
		{Source, "plugin", "use another"},
		{Extractor, "extract", "a package of Go or the kit has that name"},
		{Extractor, "proc", "the framework has fields or tables of its own that begin with proc"},
		{Parser, "threads", "the framework has fields or tables of its own"},
		{Extractor, "first", "plugins/first exists already"},
		{Source, "syscall", "syscall"},
	} {
		err := New(t.Context(), w, c.kind, c.name, &bytes.Buffer{})
		assert.ErrorContains(t, err, c.says, "%s %q", c.kind, c.name)
		assert.ErrorContains(t, err, fmt.Sprintf("making plugin %q", c.name))
		assert.Equal(t, before, content(t, w), "%s %q", c.kind, c.name)
	}
}

func TestAnEntryOfTheNameIsRefusedWithoutAFolder(t *testing.T) {
	w := checkout(t)
	require.NoError(t, os.RemoveAll(w.Path("plugins", "first")))
	before := content(t, w)
	assert.ErrorContains(t, New(t.Context(), w, Extractor, "first", &bytes.Buffer{}), "has an entry of that name already")
	assert.Equal(t, before, content(t, w))
}

func TestWhatCouldNotBeFinishedIsTakenBack(t *testing.T) {
	w := checkout(t)
	before := content(t, w)
	err := New(t.Context(), w, Full, "orders", &bytes.Buffer{})
	assert.ErrorContains(t, err, "mod tidy", "the kit is not there")
	assert.Equal(t, before, content(t, w))
	assert.NoDirExists(t, w.Path("plugins", "orders"))
}

func TestAPlanHasEverythingThatAPluginNeeds(t *testing.T) {
	for _, kind := range Kinds {
		p, err := plan(checkout(t), kind, "late-orders")
		require.NoError(t, err, kind)
		assert.Equal(t, "lateorders", p.Package)
		for _, name := range []string{
			"go.mod", "lateorders.go", "lib/main.go", "README.md", "CHANGELOG.md",
			"rules/late-orders_rules.yaml", "testdata/rules.yaml", "testdata/scenarios.yaml",
		} {
			assert.Contains(t, p.files, name, kind)
		}
		sourcing := kind == Source || kind == Full
		_, hints := p.files["testdata/conformance.json"]
		_, schema := p.files["open_params.schema.json"]
		assert.Equal(t, []bool{sourcing, sourcing}, []bool{hints, schema}, kind)
		for name, text := range p.files {
			assert.NotContains(t, text, "[[.", "%s of %s", name, kind)
			switch filepath.Ext(name) {
			case ".go":
				assert.True(t, strings.HasPrefix(text, "// SPDX-License-Identifier: Apache-2.0\n"), "%s of %s", name, kind)
				_, err := parser.ParseFile(token.NewFileSet(), name, text, parser.AllErrors)
				assert.NoError(t, err, kind)
			case ".yaml":
				assert.True(t, strings.HasPrefix(text, "# SPDX-License-Identifier: Apache-2.0\n"), "%s of %s", name, kind)
			}
		}
		assert.LessOrEqual(t, strings.Count(p.files["lib/main.go"], "\n"), 40, kind)
		assert.Contains(t, p.files["go.mod"], "\tgithub.com/stretchr/testify v1.12.1\n")
	}
}

// Every name that a template's file has, or that lib/main.go imports a package by, is refused as a plugin's.
func TestNoNewPluginIsInItsOwnWay(t *testing.T) {
	for _, kind := range Kinds {
		p, err := plan(checkout(t), kind, "late-orders")
		require.NoError(t, err, kind)
		var names []string
		for name := range p.files {
			if base, ok := strings.CutSuffix(name, ".go"); ok && base != p.Package && !strings.ContainsAny(base, "/_") {
				names = append(names, base)
			}
		}
		file, err := parser.ParseFile(token.NewFileSet(), "main.go", p.files["lib/main.go"], parser.ImportsOnly)
		require.NoError(t, err)
		for _, i := range file.Imports {
			if i.Name == nil {
				names = append(names, path.Base(strings.Trim(i.Path.Value, `"`)))
			}
		}
		require.NotEmpty(t, names)
		for _, name := range names {
			_, err := plan(checkout(t), kind, name)
			assert.ErrorContains(t, err, "use another", "%s %s", kind, name)
		}
	}
}

func TestEntriesGoWhereTheyBelong(t *testing.T) {
	w := checkout(t)
	p, err := plan(w, Full, "late-orders")
	require.NoError(t, err)
	assert.Equal(t, "go 1.26.0\n\nuse (\n\t.\n\t./plugins/late-orders\n\t./shared/jsonfields\n\t./test\n)\n", p.edits["go.work"].after)

	text := p.edits[registry.FileName].after
	assert.True(t, strings.HasPrefix(text, ledger), "what stood there stays as it is")
	require.NoError(t, os.WriteFile(w.Path(registry.FileName), []byte(text), 0o644))
	r, err := registry.Load(w.Path(registry.FileName))
	require.NoError(t, err)
	e, ok := r.Entry("late-orders")
	require.True(t, ok)
	assert.EqualValues(t, 30, e.ID, "29 is the first one's")
	assert.Equal(t, "late_orders", e.Source)
	assert.Equal(t, []string{"team"}, e.AsyncEvents)
}

func TestTheNextFreeIDIsNeitherAssignedNorTheOneForTests(t *testing.T) {
	assert.EqualValues(t, 29, freeID(&registry.Registry{}))
	assert.EqualValues(t, 29, freeID(&registry.Registry{Plugins: []registry.Entry{{ID: 24}, {ID: 30}}}))
	var most registry.Registry
	for id := uint32(29); id < 999; id++ {
		most.Plugins = append(most.Plugins, registry.Entry{ID: id})
	}
	assert.EqualValues(t, 1000, freeID(&most))
}

func TestOnlyBlocksForTheCopyAreTypedThere(t *testing.T) {
	page := "a\n```console\n$ no\n```\n```console scratch\n$ yes\nin 3.5ms\n```\n```sh\n$ no\n```\n```console scratch\n$ also\n```\n"
	assert.Equal(t, []console{{"$ yes\nin 3.5ms\n", 5}, {"$ also\n", 12}}, consoles(page))
	assert.Equal(t, timeless("ok  \tx\t0.012s\n"), timeless("ok  \tx\t(cached)"))
	assert.NotEqual(t, timeless("2 events in 1ms"), timeless("3 events in 1ms"))
}
