// SPDX-License-Identifier: Apache-2.0

// Package workspace knows what the checkout holds: its root, its Go modules,
// its plugins and where built files go. It reads folders only, never the
// network or the Go command.
package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/mod/modfile"
)

// Workspace is one checkout.
type Workspace struct {
	// Root is the absolute path of the folder that holds go.work.
	Root string
}

// Module is one Go module of the checkout.
type Module struct {
	Path string // import path, as its go.mod says
	Dir  string // absolute
	Rel  string // slash-separated, relative to the root; "." for the root module
}

// Plugin is one folder of plugins/ that builds into a shared object.
type Plugin struct {
	Name string // the folder's name, which is the plugin's name
	Dir  string // absolute; the folder is a module of its own
}

// Find returns the workspace that dir lies in: the nearest folder upwards with a go.work file.
func Find(dir string) (Workspace, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Workspace{}, fmt.Errorf("finding the workspace of %q: %w", dir, err)
	}
	for at := abs; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.work")); err == nil {
			return Workspace{Root: at}, nil
		}
		if filepath.Dir(at) == at {
			return Workspace{}, fmt.Errorf("finding the workspace of %q: no go.work in it or above; run this inside the checkout", abs)
		}
	}
}

// Path joins slash-separated parts below the root.
func (w Workspace) Path(parts ...string) string {
	return filepath.Join(append([]string{w.Root}, parts...)...)
}

// Dist is the folder of everything that is built, and the only one that building writes to.
func (w Workspace) Dist() string { return w.Path("dist") }

// Modules lists the checkout's Go modules, sorted by folder, the root first.
func (w Workspace) Modules() ([]Module, error) {
	var found []Module
	err := w.Walk(func(path, rel string, d fs.DirEntry) error {
		if d.Name() != "go.mod" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := modfile.ModulePath(text)
		if name == "" {
			return fmt.Errorf("%s: no module line", rel)
		}
		dir := filepath.Dir(path)
		relDir, err := filepath.Rel(w.Root, dir)
		if err != nil {
			return err
		}
		found = append(found, Module{Path: name, Dir: dir, Rel: filepath.ToSlash(relDir)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing the modules of %s: %w", w.Root, err)
	}
	sort.Slice(found, func(i, j int) bool { return found[i].Rel < found[j].Rel })
	return found, nil
}

// Plugins lists the folders of plugins/ that have lib/main.go, sorted by name.
// A checkout without plugins/ has none.
func (w Workspace) Plugins() ([]Plugin, error) {
	entries, err := os.ReadDir(w.Path("plugins"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing the plugins: %w", err)
	}
	var found []Plugin
	for _, e := range entries {
		dir := w.Path("plugins", e.Name())
		if _, err := os.Stat(filepath.Join(dir, "lib", "main.go")); err == nil {
			found = append(found, Plugin{Name: e.Name(), Dir: dir})
		}
	}
	return found, nil
}

// Plugin returns the plugin of that name.
func (w Workspace) Plugin(name string) (Plugin, error) {
	all, err := w.Plugins()
	if err != nil {
		return Plugin{}, err
	}
	var names []string
	for _, p := range all {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Plugin{}, fmt.Errorf("finding plugin %q: no plugins/%s/lib/main.go; there are: %s", name, name, strings.Join(names, ", "))
}

// Walk calls f with every file of the checkout that people wrote: not what is
// in dist, testdata or .git, nor what a folder named node_modules or vendor
// brought along. rel is slash-separated and relative to the root.
func (w Workspace) Walk(f func(path, rel string, d fs.DirEntry) error) error {
	return filepath.WalkDir(w.Root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(w.Root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch d.Name() {
			case "testdata", ".git", "vendor", "node_modules":
				return filepath.SkipDir
			}
			if rel == "dist" {
				return filepath.SkipDir
			}
			return nil
		}
		return f(path, filepath.ToSlash(rel), d)
	})
}
