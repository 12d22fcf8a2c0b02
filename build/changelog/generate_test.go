// SPDX-License-Identifier: Apache-2.0

package changelog

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/git/scratch"
	"github.com/aerie-falco/aerie/build/registry"
	"github.com/aerie-falco/aerie/build/workspace"
)

// history is a repository with the plugins one and two, of which one needs shared/kit.
func history(t *testing.T) (*scratch.Repo, workspace.Workspace) {
	t.Helper()
	r := scratch.New(t)
	ledger := "plugins:\n"
	for _, name := range []string{"one", "two"} {
		ledger += "  - name: " + name + "\n    description: A sample\n    authors: Jo\n    contact: jo@example.org\n    url: https://example.org/repo/tree/main/plugins/" + name +
			"\n    license: MIT\n    capabilities: {extraction: {supported: true}}\n"
		mod := "module example.org/plugins/" + name + "\n"
		if name == "one" {
			mod += "\nrequire example.org/shared/kit v0.0.0\n\nreplace example.org/shared/kit => ../../shared/kit\n"
		}
		r.Write("plugins/"+name+"/go.mod", mod)
	}
	r.Write(registry.FileName, ledger)
	r.Write("shared/kit/a.go", "1")
	r.Write("plugins/one/a.go", "1")
	r.Commit("plugins/one: begin")
	return r, workspace.Workspace{Root: r.Dir}
}

// change commits a change of a file.
func change(r *scratch.Repo, file, subject string) {
	r.Write(file, subject)
	r.Commit(subject)
}

// text is the changelog of plugin one, with each hash as HASH.
func text(t *testing.T, w workspace.Workspace) string {
	t.Helper()
	b, err := os.ReadFile(w.Path("plugins", "one", FileName))
	require.NoError(t, err)
	return regexp.MustCompile("\\[`[0-9a-f]{7}`\\]\\(https://example.org/repo/commit/[0-9a-f]{40}\\)").ReplaceAllString(string(b), "HASH")
}

func generate(t *testing.T, w workspace.Workspace, version string) []string {
	t.Helper()
	added, err := Generate(t.Context(), w, "one", version)
	require.NoError(t, err)
	return added
}

func TestSectionsThatAreMissingAreWrittenFromCommits(t *testing.T) {
	r, w := history(t)
	r.Tag("plugins/one/v0.1.0")
	change(r, "plugins/two/a.go", "plugins/two: not of this plugin")
	change(r, "shared/kit/a.go", "shared/kit: reach one")
	change(r, "plugins/one/a.go", "plugins/one: "+strings.Repeat("long ", 20)+"subject")
	r.Tag("plugins/one/v0.2.0", "plugins/two/v9.0.0")
	change(r, "plugins/one/"+FileName, "plugins/one: the changelog itself is no change")
	r.Tag("plugins/one/v0.2.1")
	change(r, "plugins/one/a.go", "plugins/one: read a_b and [c] <d>")

	assert.Equal(t, []string{"v0.1.0", "v0.2.0", "v0.2.1", "v0.3.0"}, func() []string {
		require.NoError(t, os.Remove(w.Path("plugins", "one", FileName)))
		return generate(t, w, "0.3.0")
	}())
	assert.Equal(t, `# Changelog

## v0.3.0

* HASH plugins/one: read a\_b and \[c] \<d>

## v0.2.1

* No change to this plugin.

## v0.2.0

* HASH plugins/one: long long long long long long long long long long long long long l…

* HASH shared/kit: reach one

## v0.1.0

* HASH plugins/one: begin
`, text(t, w))
	assert.Empty(t, generate(t, w, "0.3.0"), "nothing is missing now")
	require.NoError(t, Check(t.Context(), w, "one", "0.3.0"))
	require.EqualError(t, Check(t.Context(), w, "one", "0.4.0"), "plugins/one/CHANGELOG.md has nothing under v0.4.0; go tool mage changelog one writes what is missing")
}

func TestWhatPeopleWroteStays(t *testing.T) {
	r, w := history(t)
	r.Tag("plugins/one/v0.1.0")
	change(r, "plugins/one/a.go", "two")
	r.Tag("plugins/one/v0.2.0")
	change(r, "plugins/one/a.go", "three")
	r.Tag("plugins/one/v0.3.0")
	const written = "# Changelog\n\nAll of it.\n\n## v0.3.0\n\nBy hand.\n\n## v0.1.0\n\n* By hand too.\n"
	r.Write("plugins/one/"+FileName, written)
	require.ErrorContains(t, Check(t.Context(), w, "one", ""), "has nothing under v0.2.0;")
	assert.Equal(t, []string{"v0.2.0"}, generate(t, w, ""))
	assert.Equal(t, strings.Replace(written, "## v0.1.0", "## v0.2.0\n\n* HASH two\n\n## v0.1.0", 1), text(t, w))
	require.NoError(t, Check(t.Context(), w, "one", ""))
}

func TestWhatIsNotReleasedGrowsUntilItHasAVersion(t *testing.T) {
	r, w := history(t)
	assert.Equal(t, []string{"dev build (unreleased)"}, generate(t, w, ""))
	assert.Equal(t, "# Changelog\n\n## dev build (unreleased)\n\n* HASH plugins/one: begin\n", text(t, w))
	r.Write("plugins/one/"+FileName, strings.TrimSuffix(readAll(t, w), "\n")+"\n\n* By hand.\n")
	change(r, "plugins/one/a.go", "second")
	assert.Equal(t, []string{"dev build (unreleased)"}, generate(t, w, ""))
	assert.Empty(t, generate(t, w, ""))
	assert.Equal(t, "# Changelog\n\n## dev build (unreleased)\n\n* HASH second\n\n* HASH plugins/one: begin\n\n* By hand.\n", text(t, w))

	assert.Equal(t, []string{"v0.1.0"}, generate(t, w, "0.1.0"))
	assert.Equal(t, "# Changelog\n\n## v0.1.0\n\n* HASH second\n\n* HASH plugins/one: begin\n\n* By hand.\n", text(t, w))
	r.Commit("the changelog")
	r.Tag("plugins/one/v0.1.0")
	assert.Empty(t, generate(t, w, "0.1.0"))
	change(r, "plugins/one/a.go", "third")
	assert.Equal(t, []string{"dev build (unreleased)"}, generate(t, w, "0.1.0"), "0.1.0 is released")
}

func readAll(t *testing.T, w workspace.Workspace) string {
	t.Helper()
	b, err := os.ReadFile(w.Path("plugins", "one", FileName))
	require.NoError(t, err)
	return string(b)
}

func TestASectionIsNotMadeUpFromHalfAHistory(t *testing.T) {
	r, _ := history(t)
	change(r, "plugins/one/a.go", "two")
	clone := filepath.Join(t.TempDir(), "clone")
	r.Git("clone", "--quiet", "--depth=1", "file://"+r.Dir, clone)
	_, err := Generate(t.Context(), workspace.Workspace{Root: clone}, "one", "")
	require.ErrorContains(t, err, "is cut off; fetch the rest of it with: git fetch --unshallow --tags")
}

func TestABrokenChangelogOrVersionChangesNothing(t *testing.T) {
	r, w := history(t)
	_, err := Generate(t.Context(), w, "one", "1.0")
	require.EqualError(t, err, `completing the changelog of one: version "1.0" is not X.Y.Z or X.Y.Z-PRE`)
	_, err = Generate(t.Context(), w, "none", "1.0.0")
	require.ErrorContains(t, err, "completing the changelog of none: it has no entry in registry.yaml")
	r.Write("plugins/one/"+FileName, "# Changelog\n\n## next\n")
	_, err = Generate(t.Context(), w, "one", "1.0.0")
	require.ErrorContains(t, err, `plugins/one/CHANGELOG.md: section "next" is neither`)
	assert.Equal(t, "# Changelog\n\n## next\n", readAll(t, w))
}
