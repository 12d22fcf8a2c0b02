// SPDX-License-Identifier: Apache-2.0

package tag

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/aerie-falco/aerie/build/git"
)

// Folders lists what a plugin is made of: its own folder first, then those of
// the modules of this checkout that it needs, directly or not. Slash-separated,
// relative to dir, the root of the checkout.
func Folders(dir, plugin string) ([]string, error) {
	own := path.Join("plugins", plugin)
	file := filepath.Join(dir, filepath.FromSlash(own), "go.mod")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading what plugin %s is made of: %w", plugin, err)
	}
	mod, err := modfile.Parse(own+"/go.mod", text, nil)
	if err != nil {
		return nil, fmt.Errorf("reading what plugin %s is made of: %w", plugin, err)
	}
	replaced := map[string]string{}
	for _, r := range mod.Replace {
		if modfile.IsDirectoryPath(r.New.Path) {
			replaced[r.Old.Path] = path.Join(own, filepath.ToSlash(r.New.Path))
		}
	}
	folders := []string{own}
	for _, r := range mod.Require {
		if folder, ok := replaced[r.Mod.Path]; ok && !strings.HasPrefix(folder, "../") {
			folders = append(folders, folder)
		}
	}
	slices.Sort(folders[1:])
	return folders, nil
}

// Changed lists the files of a plugin's Folders that differ from those of a
// release, committed or not, gone ones included. Relative to dir, sorted.
func Changed(ctx context.Context, dir string, since Tag) ([]string, error) {
	folders, err := Folders(dir, since.Plugin)
	if err != nil {
		return nil, err
	}
	differ, err := git.Output(ctx, dir, append([]string{"diff", "--name-only", "--no-renames", "-z", since.String(), "--"}, folders...)...)
	if err != nil {
		return nil, fmt.Errorf("looking for changes since %s: %w", since, err)
	}
	added, err := git.Output(ctx, dir, append([]string{"ls-files", "--others", "--exclude-standard", "-z", "--"}, folders...)...)
	if err != nil {
		return nil, fmt.Errorf("looking for changes since %s: %w", since, err)
	}
	files := strings.FieldsFunc(differ+added, func(r rune) bool { return r == 0 })
	slices.Sort(files)
	return slices.Compact(files), nil
}
