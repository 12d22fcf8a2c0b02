// SPDX-License-Identifier: Apache-2.0

package workspace_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/workspace"
)

// checkout lays files out in a new folder and returns its workspace.
func checkout(t *testing.T, files map[string]string) workspace.Workspace {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return workspace.Workspace{Root: root}
}

func TestFindGoesUpToTheFolderWithGoWork(t *testing.T) {
	w := checkout(t, map[string]string{"go.work": "go 1.26.0\n", "plugins/a/lib/main.go": "package main\n"})
	found, err := workspace.Find(w.Path("plugins", "a", "lib"))
	require.NoError(t, err)
	assert.Equal(t, w.Root, found.Root)
}

func TestFindOutsideACheckoutSaysWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	_, err := workspace.Find(dir)
	require.Error(t, err)
	assert.Contains(t, err.Error(), dir)
	assert.Contains(t, err.Error(), "no go.work")
}

func TestModulesAreThoseThatPeopleWrote(t *testing.T) {
	w := checkout(t, map[string]string{
		"go.mod":                            "module example.org/root\n",
		"plugins/b/go.mod":                  "module example.org/root/plugins/b\n",
		"plugins/a/go.mod":                  "module example.org/root/plugins/a\n",
		"plugins/a/testdata/fixture/go.mod": "module fixture\n",
		"dist/.build/x/go.mod":              "module built\n",
	})
	modules, err := w.Modules()
	require.NoError(t, err)
	assert.Equal(t, []workspace.Module{
		{Path: "example.org/root", Dir: w.Root, Rel: "."},
		{Path: "example.org/root/plugins/a", Dir: w.Path("plugins", "a"), Rel: "plugins/a"},
		{Path: "example.org/root/plugins/b", Dir: w.Path("plugins", "b"), Rel: "plugins/b"},
	}, modules)
}

func TestAModuleFileWithoutAModuleLineIsAnError(t *testing.T) {
	w := checkout(t, map[string]string{"plugins/a/go.mod": "go 1.26.0\n"})
	_, err := w.Modules()
	require.Error(t, err)
	assert.Contains(t, err.Error(), "plugins/a/go.mod: no module line")
}

func TestPluginsAreFoldersWithAnEntryOfASharedObject(t *testing.T) {
	w := checkout(t, map[string]string{
		"plugins/json/lib/main.go":      "package main\n",
		"plugins/collector/lib/main.go": "package main\n",
		"plugins/notes/README.md":       "no plugin\n",
	})
	plugins, err := w.Plugins()
	require.NoError(t, err)
	assert.Equal(t, []workspace.Plugin{
		{Name: "collector", Dir: w.Path("plugins", "collector")},
		{Name: "json", Dir: w.Path("plugins", "json")},
	}, plugins)

	_, err = w.Plugin("jsn")
	require.Error(t, err)
	assert.Equal(t, `finding plugin "jsn": no plugins/jsn/lib/main.go; there are: collector, json`, err.Error())
}
