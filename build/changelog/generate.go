// SPDX-License-Identifier: Apache-2.0

package changelog

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/aerie-falco/aerie/build/git"
	"github.com/aerie-falco/aerie/build/registry"
	"github.com/aerie-falco/aerie/build/tag"
	"github.com/aerie-falco/aerie/build/workspace"
)

// longestSubject is how much of a commit's subject an item shows, in characters.
const longestSubject = 80

// Generate writes the sections that a plugin's changelog lacks, of its releases
// and of the version that it declares, from the commits between one release and
// the next: those that touched its folder or a module of this repository that it
// needs. It returns the titles of what it wrote. Sections that are there stay
// as they are, be they written by hand.
//
// Where the version is released already, or is "", the commits after the last
// release go under "dev build (unreleased)".
func Generate(ctx context.Context, w workspace.Workspace, plugin, version string) ([]string, error) {
	l, err := Load(w, plugin)
	if err != nil {
		return nil, err
	}
	tags, err := tag.Of(ctx, w.Root, plugin)
	if err != nil {
		return nil, err
	}
	if err := whole(ctx, w); err != nil {
		return nil, err
	}
	home, err := repositoryOf(w, plugin)
	if err != nil {
		return nil, err
	}
	var added []string
	before := ""
	for _, t := range tags {
		if _, ok := l.Section(t.Version); !ok {
			if err := l.complete(ctx, w, plugin, home, "v"+t.Version, before, t.String()); err != nil {
				return nil, err
			}
			added = append(added, "v"+t.Version)
		}
		before = t.String()
	}
	ahead := unreleased
	if version != "" {
		if err := tag.CheckVersion(version); err != nil {
			return nil, fmt.Errorf("completing the changelog of %s: %w", plugin, err)
		}
		released := slices.ContainsFunc(tags, func(t tag.Tag) bool { return t.Version == version })
		if _, written := l.Section(version); !released && written {
			ahead = ""
		} else if !released {
			ahead = "v" + version
		}
	}
	if ahead != "" {
		wrote, err := l.ahead(ctx, w, plugin, home, ahead, before)
		if err != nil {
			return nil, err
		}
		if wrote {
			added = append(added, ahead)
		}
	}
	if len(added) == 0 {
		return nil, nil
	}
	if err := os.WriteFile(path(w, plugin), []byte(strings.TrimRight(l.String(), "\n")+"\n"), 0o644); err != nil {
		return nil, fmt.Errorf("completing the changelog of %s: %w", plugin, err)
	}
	return added, nil
}

// whole refuses a history that is cut off: commits would be missing from the sections.
func whole(ctx context.Context, w workspace.Workspace) error {
	has, err := git.HasCommit(ctx, w.Root)
	if err != nil || !has {
		return err
	}
	shallow, err := git.Shallow(ctx, w.Root)
	if err == nil && shallow {
		err = fmt.Errorf("the history of %s is cut off; fetch the rest of it with: git fetch --unshallow --tags", w.Root)
	}
	return err
}

// complete inserts the section of a release where its version belongs.
func (l *Log) complete(ctx context.Context, w workspace.Workspace, plugin, home, name, after, upTo string) error {
	items, err := items(ctx, w, plugin, home, after, upTo)
	if err != nil {
		return err
	}
	if len(items) == 0 {
		items = []string{"* No change to this plugin."}
	}
	l.insert(name, items)
	return nil
}

// ahead inserts or renews what is not released; false if there is nothing new.
func (l *Log) ahead(ctx context.Context, w workspace.Workspace, plugin, home, name, after string) (bool, error) {
	items, err := items(ctx, w, plugin, home, after, "HEAD")
	if err != nil || len(items) == 0 {
		return false, err
	}
	if len(l.Sections) == 0 || l.Sections[0].Title != unreleased {
		l.insert(name, items)
		return true, nil
	}
	// Commits that the section names already are left out. A version takes its place, with what people added to it.
	top := &l.Sections[0]
	var news []string
	for _, item := range items {
		if hash, _, _ := strings.Cut(item, "]"); !strings.Contains(top.Body, hash+"]") {
			news = append(news, item)
		}
	}
	if len(news) == 0 && name == unreleased {
		return false, nil
	}
	kept := strings.Trim(top.Body, "\n")
	if kept != "" {
		news = append(news, kept)
	}
	top.Title, top.Body = name, body(news)
	return true, nil
}

// insert puts a section where its version belongs: before the first older one.
func (l *Log) insert(name string, items []string) {
	s := Section{Title: name, Body: body(items)}
	version := s.Version()
	l.Sections = slices.DeleteFunc(l.Sections, func(old Section) bool { return old.Title == name }) // it is empty
	at := slices.IndexFunc(l.Sections, func(old Section) bool {
		return version == "" || old.Version() != "" && tag.Compare(old.Version(), version) < 0
	})
	if at < 0 {
		at = len(l.Sections)
	}
	if l.Head == "" {
		l.Head = title + "\n\n"
	}
	if at > 0 && !strings.HasSuffix(l.Sections[at-1].Body, "\n\n") {
		l.Sections[at-1].Body += "\n"
	}
	l.Sections = slices.Insert(l.Sections, at, s)
}

// body is a section's text: a blank line after its title and after each item.
func body(items []string) string { return "\n" + strings.Join(items, "\n\n") + "\n\n" }

// items is a line for each commit of the plugin after one release and up to
// another, the newest first. Changes of the changelog itself are none.
func items(ctx context.Context, w workspace.Workspace, plugin, home, after, upTo string) ([]string, error) {
	has, err := git.HasCommit(ctx, w.Root)
	if err != nil || !has {
		return nil, err
	}
	folders, err := tag.Folders(w.Root, plugin)
	if err != nil {
		return nil, err
	}
	which := upTo
	if after != "" {
		which = after + ".." + upTo
	}
	args := []string{"log", "--no-merges", "--format=%H %s", which, "--"}
	for _, f := range folders {
		args = append(args, ":(top)"+f)
	}
	args = append(args, ":(top,exclude)plugins/"+plugin+"/"+FileName)
	lines, err := git.Lines(ctx, w.Root, args...)
	if err != nil {
		return nil, fmt.Errorf("listing the commits of %s: %w", plugin, err)
	}
	var out []string
	for _, line := range lines {
		hash, subject, _ := strings.Cut(line, " ")
		out = append(out, fmt.Sprintf("* [`%.7s`](%s/commit/%s) %s", hash, home, hash, cut(subject)))
	}
	return out, nil
}

// cut shortens a subject, and keeps Markdown from reading anything into it.
func cut(subject string) string {
	runes := []rune(subject)
	if len(runes) > longestSubject {
		subject = strings.TrimSpace(string(runes[:longestSubject-1])) + "…"
	}
	return strings.NewReplacer("<", `\<`, "[", `\[`, "*", `\*`, "_", `\_`, "`", "\\`").Replace(subject)
}

// repositoryOf is the address of the repository: what the plugin's url in the registry begins with.
func repositoryOf(w workspace.Workspace, plugin string) (string, error) {
	ledger, err := registry.Load(w.Path(registry.FileName))
	if err != nil {
		return "", fmt.Errorf("completing the changelog of %s: %w", plugin, err)
	}
	e, ok := ledger.Entry(plugin)
	if !ok {
		return "", fmt.Errorf("completing the changelog of %s: it has no entry in %s", plugin, registry.FileName)
	}
	home, _, _ := strings.Cut(e.URL, "/tree/")
	return home, nil
}

// Check returns an error if a release of the plugin, or this version of it, has no section.
func Check(ctx context.Context, w workspace.Workspace, plugin, version string) error {
	l, err := Load(w, plugin)
	if err != nil {
		return err
	}
	tags, err := tag.Of(ctx, w.Root, plugin)
	if err != nil {
		return err
	}
	var missing []string
	for _, t := range tags {
		if _, ok := l.Section(t.Version); !ok {
			missing = append(missing, "v"+t.Version)
		}
	}
	if _, ok := l.Section(version); !ok && version != "" && !slices.Contains(missing, "v"+version) {
		missing = append(missing, "v"+version)
	}
	if len(missing) > 0 {
		return fmt.Errorf("plugins/%s/%s has nothing under %s; go tool mage changelog %s writes what is missing", plugin, FileName, strings.Join(missing, ", "), plugin)
	}
	return nil
}
