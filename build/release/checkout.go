// SPDX-License-Identifier: Apache-2.0

package release

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aerie-falco/aerie/build/git"
	"github.com/aerie-falco/aerie/build/tag"
	"github.com/aerie-falco/aerie/build/workspace"
)

// Checkout is the state of the sources that is released.
type Checkout struct {
	Commit string    // 40 hexadecimal digits
	Time   time.Time // of everything in the release: SOURCE_DATE_EPOCH, or when the commit was made
	Dirty  []string  // files that differ from the commit, or that git does not know; relative to the root
}

// Look reads the state of a checkout. epoch is SOURCE_DATE_EPOCH, seconds since 1970, or "".
func Look(ctx context.Context, w workspace.Workspace, epoch string) (Checkout, error) {
	has, err := git.HasCommit(ctx, w.Root)
	if err != nil {
		return Checkout{}, fmt.Errorf("looking at the checkout: %w", err)
	}
	if !has {
		return Checkout{}, fmt.Errorf("looking at the checkout: %s has no commit of its own; releases are made from a git checkout", w.Root)
	}
	text, err := git.Output(ctx, w.Root, "log", "-1", "--format=%H %ct")
	if err != nil {
		return Checkout{}, fmt.Errorf("looking at the checkout: %w", err)
	}
	commit, seconds, _ := strings.Cut(strings.TrimSpace(text), " ")
	if epoch != "" {
		seconds = epoch
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || n < 0 {
		return Checkout{}, fmt.Errorf("looking at the checkout: SOURCE_DATE_EPOCH is %q; give seconds since 1970", seconds)
	}
	changed, err := git.Output(ctx, w.Root, "status", "--porcelain", "--untracked-files=all", "-z", "--no-renames")
	if err != nil {
		return Checkout{}, fmt.Errorf("looking at the checkout: %w", err)
	}
	c := Checkout{Commit: commit, Time: time.Unix(n, 0).UTC()}
	for _, line := range strings.FieldsFunc(changed, func(r rune) bool { return r == 0 }) {
		c.Dirty = append(c.Dirty, line[min(3, len(line)):]) // two letters and a space stand before the name
	}
	return c, nil
}

// clean refuses a checkout whose files are not those of its commit.
func (c Checkout) clean() error {
	if len(c.Dirty) == 0 {
		return nil
	}
	shown, more := c.Dirty, ""
	if len(shown) > 5 {
		shown, more = shown[:5], fmt.Sprintf(" and %d more", len(c.Dirty)-5)
	}
	return fmt.Errorf("the checkout differs from commit %s in %s%s; commit or remove what differs", c.Commit[:7], strings.Join(shown, ", "), more)
}

// target is what a release command was asked for: a plugin, or the tag of its release.
type target struct {
	name   string
	tagged string // the version that the tag says, "" if a plugin was named
}

// parseTarget reads NAME or plugins/NAME/vX.Y.Z.
func parseTarget(what string) (target, error) {
	if !strings.Contains(what, "/") {
		return target{name: what}, nil
	}
	if !strings.HasPrefix(strings.TrimPrefix(what, "refs/tags/"), "plugins/") {
		return target{}, fmt.Errorf("%q is neither the name of a plugin nor the tag of a release, plugins/NAME/vX.Y.Z", what)
	}
	t, err := tag.Parse(what)
	return target{name: t.Plugin, tagged: t.Version}, err
}

// releasedAs returns the tag at HEAD that stands for this version, "" if HEAD has
// no tag of the plugin. Tags that mean another version, or nothing, are refused.
func releasedAs(ctx context.Context, w workspace.Workspace, asked target, version string) (string, error) {
	names, err := git.Lines(ctx, w.Root, "tag", "--points-at", "HEAD", "--list", "plugins/"+asked.name+"/*")
	if err != nil {
		return "", fmt.Errorf("looking for the tag: %w", err)
	}
	found := ""
	for _, name := range names {
		t, err := tag.Parse(name)
		if err != nil {
			return "", err
		}
		if t.Version != version {
			return "", fmt.Errorf("tag %s is at HEAD, but the built plugin says that its version is %s; tag plugins/%s/v%s, or change the version and tag again", name, version, asked.name, version)
		}
		found = name
	}
	if asked.tagged == "" {
		return found, nil
	}
	want := tag.Tag{Plugin: asked.name, Version: asked.tagged}.String()
	switch {
	case asked.tagged != version:
		return "", fmt.Errorf("tag %s was asked for, but the built plugin says that its version is %s", want, version)
	case found == "":
		return "", fmt.Errorf("tag %s was asked for, but it is not at HEAD; check it out first", want)
	}
	return found, nil
}

// CheckTagged refuses a packaged release that was not made from the commit that is
// checked out, or whose commit lacks the tag of the release. what is what
// publishing was asked for, as in Request.
func CheckTagged(ctx context.Context, w workspace.Workspace, what string, c Compatibility) error {
	doing := fmt.Sprintf("publishing %s %s", c.Name, c.Version)
	asked, err := parseTarget(what)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	here, err := Look(ctx, w, "")
	if err == nil {
		err = here.clean()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if here.Commit != c.Commit {
		return fmt.Errorf("%s: dist/release was made from commit %.7s, but %.7s is checked out; make it anew: go tool mage release:package %s", doing, c.Commit, here.Commit, what)
	}
	found, err := releasedAs(ctx, w, asked, c.Version)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if found == "" {
		return fmt.Errorf("%s: HEAD has no tag plugins/%s/v%s; only a registry on this machine takes what is not tagged", doing, c.Name, c.Version)
	}
	return nil
}

// CheckAsked refuses a packaged release of another version than the tag says that
// publishing was asked for, if it was asked for by a tag.
func CheckAsked(what string, c Compatibility) error {
	asked, err := parseTarget(what)
	if err == nil && asked.tagged != "" && asked.tagged != c.Version {
		err = fmt.Errorf("dist/release has version %s; make the other: go tool mage release:package %s", c.Version, what)
	}
	if err != nil {
		return fmt.Errorf("publishing %s: %w", what, err)
	}
	return nil
}

// Name is the plugin that a request names, by its name or by the tag of a release.
func Name(what string) (string, error) {
	t, err := parseTarget(what)
	return t.name, err
}
