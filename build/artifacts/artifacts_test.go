// SPDX-License-Identifier: Apache-2.0

package artifacts_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/artifacts"
	"github.com/aerie-falco/aerie/build/elfgate"
	"github.com/aerie-falco/aerie/build/workspace"
)

// exportsOf is the source of a library with these symbols.
func exportsOf(names ...string) string {
	text := "package main\n\nimport \"C\"\n\nfunc main() {}\n"
	for _, n := range names {
		text += "\n//export plugin_" + n + "\nfunc plugin_" + n + "() {}\n"
	}
	return text
}

var captureListener = exportsOf("get_required_api_version", "get_version", "get_name", "get_description", "get_contact", "init", "destroy",
	"get_last_error", "get_init_schema", "set_config", "get_metrics", "get_required_event_schema_version", "capture_open", "capture_close")

// checkout has one plugin, sample, with this entry and a registry that gives it the capture capability.
func checkout(t *testing.T, entry string) workspace.Workspace {
	t.Helper()
	w := workspace.Workspace{Root: t.TempDir()}
	write(t, w, "go.work", "go 1.26.0\n")
	write(t, w, "registry.yaml", `plugins:
  - name: sample
    description: A sample
    authors: The Authors
    contact: jo@example.org
    url: https://example.org/sample
    license: Apache-2.0
    capabilities: {capture: {supported: true}}
`)
	write(t, w, "plugins/sample/go.mod", "module example.org/plugins/sample\n\ngo 1.26.0\n")
	write(t, w, "plugins/sample/lib/main.go", entry)
	return w
}

func write(t *testing.T, w workspace.Workspace, name, text string) {
	t.Helper()
	path := w.Path(filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

func TestAPluginThatPassesTheGateIsPlacedAndStaysWhenNothingChanged(t *testing.T) {
	w := checkout(t, captureListener)
	write(t, w, "dist/linux_"+artifacts.Host+"/libgone.so", "of a plugin that was removed")
	var log bytes.Buffer
	require.NoError(t, artifacts.BuildAll(t.Context(), w, artifacts.Host, &log))

	lib := artifacts.Library(w, artifacts.Host, "sample")
	assert.Equal(t, w.Path("dist", "linux_"+artifacts.Host, "libsample.so"), lib)
	assert.Contains(t, log.String(), "libsample.so")
	assert.NotContains(t, log.String(), "unchanged")
	left, err := os.ReadDir(filepath.Dir(lib))
	require.NoError(t, err)
	assert.Len(t, left, 1, "only libraries of plugins that there are")
	first, err := os.Stat(lib)
	require.NoError(t, err)

	log.Reset()
	require.NoError(t, artifacts.Build(t.Context(), w, artifacts.Host, "sample", &log))
	assert.Contains(t, log.String(), "(unchanged)")
	second, err := os.Stat(lib)
	require.NoError(t, err)
	assert.True(t, os.SameFile(first, second))
	assert.Equal(t, first.ModTime(), second.ModTime())
}

func TestAPluginThatTheGateRefusesTakesTheOldFileWithIt(t *testing.T) {
	w := checkout(t, exportsOf("init", "get_fields"))
	lib := artifacts.Library(w, artifacts.Host, "sample")
	write(t, w, "dist/linux_"+artifacts.Host+"/libsample.so", "of an earlier build")
	var log bytes.Buffer
	err := artifacts.BuildAll(t.Context(), w, artifacts.Host, &log)
	var refused *elfgate.Refused
	require.ErrorAs(t, err, &refused)
	assert.Contains(t, refused.Violations, "does not export plugin_capture_open (capture)")
	assert.Contains(t, refused.Violations, "exports plugin_get_fields (extract), a capability that the registry does not list")
	assert.NoFileExists(t, lib)
}

func TestAPluginWithoutAnEntryIsNotBuilt(t *testing.T) {
	w := checkout(t, captureListener)
	write(t, w, "plugins/unlisted/lib/main.go", captureListener)
	var log bytes.Buffer
	err := artifacts.Build(t.Context(), w, artifacts.Host, "unlisted", &log)
	assert.EqualError(t, err, `building plugin "unlisted": it has no entry in registry.yaml; add one`)
}

func TestAForeignArchitectureIsNotTheHosts(t *testing.T) {
	assert.NotContains(t, artifacts.Foreign(), artifacts.Host)
	assert.ElementsMatch(t, artifacts.Architectures, append(artifacts.Foreign(), artifacts.Host))
}
