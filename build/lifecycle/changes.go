// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aerie-falco/aerie/build/archive"
	"github.com/aerie-falco/aerie/build/artifacts"
	"github.com/aerie-falco/aerie/build/changelog"
	"github.com/aerie-falco/aerie/build/git"
	"github.com/aerie-falco/aerie/build/plughost"
	"github.com/aerie-falco/aerie/build/rulesdiff"
	"github.com/aerie-falco/aerie/build/ruleset"
	"github.com/aerie-falco/aerie/build/tag"
)

// changes is what changed since a release beside the face: files, values of
// payloads, rules. It returns the rules as they are now too. dir is for files.
func (c *checking) changes(ctx context.Context, last tag.Tag, dir string) ([]plughost.Change, rulesdiff.Rules, error) {
	var none rulesdiff.Rules
	files, err := c.reaching(ctx, last)
	if err != nil {
		return nil, none, err
	}
	var all []plughost.Change
	if len(files) > 0 {
		all = append(all, plughost.Change{
			Subject: "files", Text: some(files), Bump: plughost.Patch,
			Review: "did the meaning of a field, the format of open parameters, or anything else that users see change?",
		})
	}
	values, err := c.values(ctx, last, dir)
	if err != nil {
		return nil, none, err
	}
	rules, changed, err := c.rules(ctx, last)
	if err != nil {
		return nil, none, err
	}
	waived, err := c.waive(append(values, changed...))
	return append(all, waived...), rules, err
}

// reaching lists the changed files that become part of what is released.
func (c *checking) reaching(ctx context.Context, since tag.Tag) ([]string, error) {
	files, err := tag.Changed(ctx, c.w.Root, since)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(files, func(name string) bool {
		switch base := path.Base(name); {
		case strings.HasSuffix(base, "_test.go"), strings.Contains("/"+name, "/testdata/"):
			return true
		case path.Ext(base) == ".md", base == FaceFile, base == "go.sum", base == "OWNERS":
			return true
		}
		return false
	}), nil
}

// some names the first of many files.
func some(files []string) string {
	const shown = 3
	if len(files) <= shown+1 {
		return strings.Join(files, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(files[:shown], ", "), len(files)-shown)
}

// values compares what the built plugin makes of the payloads of the release with what was recorded then.
func (c *checking) values(ctx context.Context, last tag.Tag, dir string) ([]plughost.Change, error) {
	old, err := c.released(ctx, last, PayloadFolder, ".json")
	if err != nil {
		return nil, err
	}
	var all []plughost.Change
	for _, f := range old {
		name := path.Base(f.rel)
		fixture := filepath.Join(dir, "payload-"+name)
		if err := os.WriteFile(fixture, f.text, 0o600); err != nil {
			return nil, fmt.Errorf("comparing payloads of %s: %w", last, err)
		}
		changes, err := plughost.CompareRecorded(ctx, c.w, artifacts.Library(c.w, artifacts.Host, c.p.Name), fixture, name)
		if err != nil {
			// its configuration or open parameters, for one, are refused now
			c.wrong("what %s made of %s cannot be compared: %v", last, f.rel, err)
			continue
		}
		all = append(all, changes...)
	}
	return all, nil
}

// rules compares the rules files. It returns those of now.
func (c *checking) rules(ctx context.Context, last tag.Tag) (rulesdiff.Rules, []plughost.Change, error) {
	var none rulesdiff.Rules
	released, err := c.released(ctx, last, "rules", ".yaml")
	if err != nil {
		return none, nil, err
	}
	var before []archive.File
	for _, f := range released {
		before = append(before, archive.File{Name: path.Base(f.rel), Content: f.text})
	}
	now, err := ruleset.Files(filepath.Join(c.p.Dir, "rules"))
	if err != nil {
		return none, nil, fmt.Errorf("%s: %w", c.p.Name, err)
	}
	old, err := rulesdiff.Parse(before)
	if err != nil {
		return none, nil, fmt.Errorf("%s: %w", last, err)
	}
	is, err := rulesdiff.Parse(now)
	if err != nil {
		return none, nil, fmt.Errorf("%s: %w", c.p.Name, err)
	}
	return is, rulesdiff.Diff(old, is), nil
}

// released reads the files of a folder of the plugin as they were at a release.
func (c *checking) released(ctx context.Context, at tag.Tag, folder, ext string) ([]file, error) {
	dir := path.Join("plugins", c.p.Name, folder)
	names, err := git.Output(ctx, c.w.Root, "ls-tree", "--name-only", "--full-tree", "-z", at.String(), "--", dir+"/")
	if err != nil {
		return nil, fmt.Errorf("listing %s of %s: %w", folder, at, err)
	}
	var files []file
	var failed []error
	for _, name := range strings.FieldsFunc(names, func(r rune) bool { return r == 0 }) {
		if path.Ext(name) != ext {
			continue
		}
		text, _, err := git.Show(ctx, c.w.Root, at.String(), name)
		files, failed = append(files, file{rel: name, text: text}), append(failed, err)
	}
	return files, errors.Join(failed...)
}

// waive lowers to a patch what the changelog calls a fix: other values of a
// field, and another condition of a macro. What cannot be read any more stays refused.
func (c *checking) waive(changes []plughost.Change) ([]plughost.Change, error) {
	log, err := changelog.Load(c.w, c.p.Name)
	if err != nil {
		return nil, err
	}
	fixed := changelog.Fixed(log.Ahead(c.declared.Version))
	for k, change := range changes {
		kind, name, _ := strings.Cut(change.Subject, " ")
		name = strings.TrimPrefix(name, "of ")
		field, _, _ := strings.Cut(name, "[")
		if change.Bump == plughost.Major && (kind == "value" || kind == "macro") && (slices.Contains(fixed, name) || slices.Contains(fixed, field)) {
			changes[k].Bump, changes[k].Text = plughost.Patch, change.Text+" (the changelog calls it a fix)"
		}
	}
	return changes, nil
}
