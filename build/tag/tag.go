// SPDX-License-Identifier: Apache-2.0

// Package tag reads release tags, plugins/NAME/vX.Y.Z, and says which versions
// of a plugin were released and which files changed since.
package tag

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/aerie-falco/aerie/build/git"
)

// Tag is one release of a plugin.
type Tag struct {
	Plugin  string // its name, which is that of its folder
	Version string // as get_version says it: X.Y.Z or X.Y.Z-pre, without a v
}

// String is the name of the tag.
func (t Tag) String() string { return "plugins/" + t.Plugin + "/v" + t.Version }

// Final reports whether the release is none of those before a version (X.Y.Z-rc1).
func (t Tag) Final() bool { return Final(t.Version) }

var namePattern = regexp.MustCompile(`^[a-z]+[a-z0-9-_]*$`)

// Parse reads a tag's name, with or without refs/tags/ before it.
func Parse(name string) (Tag, error) {
	parts := strings.Split(strings.TrimPrefix(name, "refs/tags/"), "/")
	const form = "a release tag is plugins/NAME/vX.Y.Z or plugins/NAME/vX.Y.Z-PRE"
	if len(parts) != 3 || parts[0] != "plugins" {
		return Tag{}, fmt.Errorf("reading tag %q: %s", name, form)
	}
	if !namePattern.MatchString(parts[1]) {
		return Tag{}, fmt.Errorf("reading tag %q: plugin name %q does not match %s; %s", name, parts[1], namePattern, form)
	}
	version, ok := strings.CutPrefix(parts[2], "v")
	if !ok {
		return Tag{}, fmt.Errorf("reading tag %q: no v before version %q; %s", name, parts[2], form)
	}
	if err := CheckVersion(version); err != nil {
		return Tag{}, fmt.Errorf("reading tag %q: %w", name, err)
	}
	return Tag{Plugin: parts[1], Version: version}, nil
}

// CheckVersion says what is wrong with a version that a plugin declares. Build
// metadata is refused: nothing that carries a version outside Go can hold its "+".
func CheckVersion(version string) error {
	v := "v" + version
	if !semver.IsValid(v) || semver.Canonical(v) != v {
		return fmt.Errorf("version %q is not X.Y.Z or X.Y.Z-PRE", version)
	}
	return nil
}

// Compare orders two versions as semantic versioning does, negative if a comes first.
func Compare(a, b string) int { return semver.Compare("v"+a, "v"+b) }

// Final reports whether a version is X.Y.Z without a suffix.
func Final(version string) bool { return semver.Prerelease("v"+version) == "" }

// Of lists the releases of a plugin that the history of dir's HEAD holds, the
// oldest version first. Tags that have the plugin's prefix but no correct version
// are no releases. A folder that is no checkout has none.
func Of(ctx context.Context, dir, plugin string) ([]Tag, error) {
	has, err := git.HasCommit(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("looking for releases of %s: %w", plugin, err)
	}
	if !has {
		return nil, nil
	}
	return list(ctx, dir, plugin, "--merged", "HEAD")
}

// At lists the releases of a plugin that dir's HEAD is the commit of, the oldest version first.
func At(ctx context.Context, dir, plugin string) ([]Tag, error) {
	has, err := git.HasCommit(ctx, dir)
	if err != nil || !has {
		return nil, err
	}
	return list(ctx, dir, plugin, "--points-at", "HEAD")
}

func list(ctx context.Context, dir, plugin string, which ...string) ([]Tag, error) {
	names, err := git.Lines(ctx, dir, append(append([]string{"tag"}, which...), "--list", "plugins/"+plugin+"/v*")...)
	if err != nil {
		return nil, fmt.Errorf("looking for releases of %s: %w", plugin, err)
	}
	var tags []Tag
	for _, name := range names {
		if t, err := Parse(name); err == nil {
			tags = append(tags, t)
		}
	}
	slices.SortFunc(tags, func(a, b Tag) int { return Compare(a.Version, b.Version) })
	return tags, nil
}

// Latest is the highest version of a plugin that the history of dir's HEAD
// holds, be it final or not; false if there is none.
func Latest(ctx context.Context, dir, plugin string) (Tag, bool, error) {
	tags, err := Of(ctx, dir, plugin)
	if err != nil || len(tags) == 0 {
		return Tag{}, false, err
	}
	return tags[len(tags)-1], true, nil
}
