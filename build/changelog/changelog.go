// SPDX-License-Identifier: Apache-2.0

// Package changelog reads and completes the CHANGELOG.md of plugins: a heading,
// and a section "## vX.Y.Z" for each release, the newest first, on top of which
// may stand "## dev build (unreleased)". What people wrote is never changed.
package changelog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/aerie-falco/aerie/build/tag"
	"github.com/aerie-falco/aerie/build/workspace"
)

// FileName is the changelog in a plugin's folder.
const FileName = "CHANGELOG.md"

const (
	title       = "# Changelog"
	unreleased  = "dev build (unreleased)"
	sectionMark = "## "
)

// Log is a changelog.
type Log struct {
	Head     string // what stands before the first section
	Sections []Section
}

// Section is what one version brings.
type Section struct {
	Title string // v1.2.3, or dev build (unreleased)
	Body  string // the text up to the next section
}

// Version is the version that the section is about, "" for what is not released.
func (s Section) Version() string {
	version := strings.TrimPrefix(s.Title, "v")
	if version == s.Title || tag.CheckVersion(version) != nil {
		return ""
	}
	return version
}

// Parse reads a changelog. Titles that are neither a version nor the one for
// what is not released, and versions that are not in order, are errors: nobody
// would find them again.
func Parse(text string) (Log, error) {
	var l Log
	var failed []error
	for line := range strings.Lines(text) {
		name, isTitle := strings.CutPrefix(line, sectionMark)
		switch {
		case isTitle:
			l.Sections = append(l.Sections, Section{Title: strings.TrimSpace(name)})
		case len(l.Sections) == 0:
			l.Head += line
		default:
			l.Sections[len(l.Sections)-1].Body += line
		}
	}
	if strings.TrimSpace(text) != "" && !strings.HasPrefix(l.Head, title+"\n") {
		failed = append(failed, fmt.Errorf("the first line is not %q", title))
	}
	last := ""
	for k, s := range l.Sections {
		version := s.Version()
		switch {
		case version == "" && s.Title != unreleased:
			failed = append(failed, fmt.Errorf("section %q is neither \"## vX.Y.Z\" nor \"## %s\"", s.Title, unreleased))
		case version == "" && k > 0:
			failed = append(failed, fmt.Errorf("section %q does not stand on top", s.Title))
		case version != "" && last != "" && tag.Compare(version, last) >= 0:
			failed = append(failed, fmt.Errorf("section v%s stands below v%s; the newest comes first, and each once", version, last))
		}
		if version != "" {
			last = version
		}
	}
	return l, errors.Join(failed...)
}

// Load reads the changelog of a plugin. One without a file is empty.
func Load(w workspace.Workspace, plugin string) (Log, error) {
	text, err := os.ReadFile(path(w, plugin))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Log{}, fmt.Errorf("reading the changelog of %s: %w", plugin, err)
	}
	l, err := Parse(string(text))
	if err != nil {
		return l, fmt.Errorf("plugins/%s/%s: %w", plugin, FileName, err)
	}
	return l, nil
}

func path(w workspace.Workspace, plugin string) string { return w.Path("plugins", plugin, FileName) }

// String is the changelog's text.
func (l Log) String() string {
	var b strings.Builder
	b.WriteString(l.Head)
	for _, s := range l.Sections {
		b.WriteString(sectionMark + s.Title + "\n" + s.Body)
	}
	return b.String()
}

// Section is that of a version. One with nothing in it counts as missing.
func (l Log) Section(version string) (Section, bool) {
	for _, s := range l.Sections {
		if s.Version() == version && strings.TrimSpace(s.Body) != "" {
			return s, true
		}
	}
	return Section{}, false
}

// Ahead is the items of what is not released before a version: of its section,
// of those of its pre-releases, and of what has no version yet.
func (l Log) Ahead(version string) []string {
	core, _, _ := strings.Cut(version, "-")
	var items []string
	for _, s := range l.Sections {
		if of, _, _ := strings.Cut(s.Version(), "-"); of == core || s.Title == unreleased {
			items = append(items, s.Items()...)
		}
	}
	return items
}

// Items is the section's items without their bullets, each on one line.
func (s Section) Items() []string {
	var items []string
	open := false
	for line := range strings.Lines(s.Body) {
		text := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "* ") || strings.HasPrefix(line, "- "):
			items = append(items, strings.TrimSpace(text[1:]))
			open = true
		case text == "":
			open = false
		case open:
			items[len(items)-1] += " " + text
		}
	}
	return items
}

// Breaks reports whether one of the items tells of a break: it begins with BREAKING.
func Breaks(items []string) bool {
	return slices.ContainsFunc(items, func(item string) bool { return strings.HasPrefix(item, "BREAKING") })
}

var (
	fixPattern    = regexp.MustCompile("^Fixes ((?:`[^`]+`(?:, | and |, and )?)+):")
	quotedPattern = regexp.MustCompile("`([^`]+)`")
)

// Fixed is the names, of fields or macros, whose new values or conditions are a
// fix, as items that begin so say: "Fixes `json.value`, `json.obj`: ...".
func Fixed(items []string) []string {
	var names []string
	for _, item := range items {
		if found := fixPattern.FindStringSubmatch(item); found != nil {
			for _, name := range quotedPattern.FindAllStringSubmatch(found[1], -1) {
				names = append(names, name[1])
			}
		}
	}
	return names
}
