// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/artifacts"
	"github.com/aerie-falco/aerie/build/git/scratch"
	"github.com/aerie-falco/aerie/build/gocmd"
	"github.com/aerie-falco/aerie/build/levels"
	"github.com/aerie-falco/aerie/build/plughost"
	"github.com/aerie-falco/aerie/build/workspace"
)

// programs holds what the tests build once, for as long as they run.
var programs string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "aerie-lifecycle-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	programs = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// realPlughost is the path of plughost, built from this checkout.
var realPlughost = sync.OnceValues(func() (string, error) {
	out := filepath.Join(programs, "plughost")
	_, err := gocmd.Go{Dir: "../../test", Env: gocmd.Inherit("CGO_ENABLED=1", "GOWORK=off")}.Output(context.Background(), "build", "-o", out, "./host/cmd/plughost")
	return out, err
})

// bench is a repository with one plugin: dummy, from which contributors learn.
type bench struct {
	*scratch.Repo
	w       workspace.Workspace
	p       workspace.Plugin
	source  string // of lib/main.go
	version string
	t       *testing.T
}

// history is the sections of all releases that the tests make.
const history = "## v1.1.0\n\n* One.\n\n## v1.0.1-rc1\n\n* One.\n\n## v1.0.0\n\n* One.\n\n## v1.0.0-rc1\n\n* One.\n\n## v0.9.0\n\n* One.\n\n## v0.8.0\n\n* One.\n"

const fixture = `{"open": "{\"count\": 2, \"every\": \"1ms\"}", "fields": ["dummy.divisible[2]"]}`

// newBench builds the plugin as version 1.0.0 and releases it, with rules.
func newBench(t *testing.T) *bench {
	t.Helper()
	source, err := os.ReadFile("../../test/conformance/fixtures/dummy/main.go")
	require.NoError(t, err)
	text, err := os.ReadFile("../../plugins/json/go.mod")
	require.NoError(t, err)
	mod := strings.Join(slices.DeleteFunc(strings.SplitAfter(string(text), "\n"), func(line string) bool { return strings.Contains(line, "jsonfields") }), "")
	sum, err := os.ReadFile("../../plugins/json/go.sum")
	require.NoError(t, err)
	kit, err := filepath.Abs("../../shared/plugin")
	require.NoError(t, err)
	host, err := realPlughost()
	require.NoError(t, err)

	b := &bench{Repo: scratch.New(t), t: t, source: string(source), version: "0.1.0"}
	b.w = workspace.Workspace{Root: b.Dir}
	b.Write(".gitignore", "dist/\n")
	b.Write("plugins/dummy/go.mod", strings.ReplaceAll(mod, "plugins/json", "plugins/dummy"))
	b.Write("plugins/dummy/go.sum", string(sum))
	b.Write("plugins/dummy/CHANGELOG.md", "# Changelog\n\n"+history)
	b.Write("plugins/dummy/testdata/payloads/ticks.json", fixture)
	b.Write("plugins/dummy/rules/dummy_rules.yaml", "- required_plugin_versions: [{name: dummy, version: 0.9.0}]\n- macro: even\n  condition: dummy.divisible[2] = true\n")
	require.NoError(t, os.MkdirAll(filepath.Join(b.Dir, "shared"), 0o755))
	require.NoError(t, os.Symlink(kit, filepath.Join(b.Dir, "shared", "plugin")))
	require.NoError(t, os.MkdirAll(filepath.Dir(plughost.Program(b.w)), 0o755))
	require.NoError(t, os.Symlink(host, plughost.Program(b.w)))
	b.setVersion("1.0.0")
	b.edit()
	b.p, err = b.w.Plugin("dummy")
	require.NoError(t, err)
	b.generate()
	b.Commit("the first release")
	return b
}

// edit replaces parts of the plugin, as old, new, old, new, and builds it.
func (b *bench) edit(replace ...string) {
	b.t.Helper()
	for k := 0; k < len(replace); k += 2 {
		require.Contains(b.t, b.source, replace[k])
	}
	b.source = strings.NewReplacer(replace...).Replace(b.source)
	b.Write("plugins/dummy/lib/main.go", b.source)
	out := artifacts.Library(b.w, artifacts.Host, "dummy")
	kept := filepath.Join(programs, fmt.Sprintf("%x.so", sha256.Sum256([]byte(b.source))))
	if library, err := os.ReadFile(kept); err == nil {
		require.NoError(b.t, os.MkdirAll(filepath.Dir(out), 0o755))
		require.NoError(b.t, os.WriteFile(out, library, 0o755))
		return
	}
	env := gocmd.Inherit("CGO_ENABLED=1", "GOWORK=off", "GOFLAGS=-mod=mod")
	_, err := gocmd.Go{Dir: filepath.Join(b.Dir, "plugins/dummy"), Env: env}.Output(b.t.Context(), "build", "-buildmode=c-shared", "-o", out, "./lib")
	require.NoError(b.t, err)
	library, err := os.ReadFile(out)
	require.NoError(b.t, err)
	require.NoError(b.t, os.WriteFile(kept, library, 0o755))
}

// setVersion makes the plugin declare a version, with the next build.
func (b *bench) setVersion(version string) {
	b.source = strings.Replace(b.source, fmt.Sprintf(`Version:     "%s"`, b.version), fmt.Sprintf(`Version:     "%s"`, version), 1)
	require.Contains(b.t, b.source, `"`+version+`"`)
	b.version = version
}

func (b *bench) generate() {
	b.t.Helper()
	_, err := Generate(b.t.Context(), b.w)
	require.NoError(b.t, err)
}

// check is what Check tells, and its error's text.
func (b *bench) check() (said, wrong string) {
	b.t.Helper()
	var out bytes.Buffer
	if err := Check(b.t.Context(), b.w, &out); err != nil {
		wrong = err.Error()
	}
	return out.String(), wrong
}

// rewrite changes a file of the plugin, as old, new, old, new.
func (b *bench) rewrite(name string, replace ...string) {
	b.t.Helper()
	path := filepath.Join(b.Dir, "plugins/dummy", filepath.FromSlash(name))
	text, err := os.ReadFile(path)
	require.NoError(b.t, err)
	for k := 0; k < len(replace); k += 2 {
		require.Contains(b.t, string(text), replace[k])
	}
	require.NoError(b.t, os.WriteFile(path, []byte(strings.NewReplacer(replace...).Replace(string(text))), 0o644))
}

const added = `	{Name: "dummy.twice", Desc: "The number, twice.", Value: extract.Uint64((*dummy).number)},
`

func TestTheVersionThatAChangeTakesIsAskedFor(t *testing.T) {
	b := newBench(t)
	said, wrong := b.check()
	require.Empty(t, wrong)
	require.Contains(t, said, "dummy 1.0.0: no release yet, so any version will do\n  requires plugin API 3.3.0; the newest known is 3.12.0\n")

	b.Tag("plugins/dummy/v1.0.0")
	said, wrong = b.check()
	require.Empty(t, wrong)
	require.Contains(t, said, "no release yet", "on its own commit a release is compared with the one before")
	b.Write("plugins/dummy/README.md", "Read this.\n")
	said, wrong = b.check()
	require.Empty(t, wrong)
	require.Contains(t, said, "dummy 1.0.0: as released", "what does not reach the artifact takes no release")
	b.Commit("a readme")
	original := b.source

	for _, c := range []struct {
		name    string
		edit    []string
		says    string
		version string // that it takes; "": none will do
		wrong   string // without it
	}{
		{
			"a field is added", []string{"var fields = []extract.Field[*dummy]{\n", "var fields = []extract.Field[*dummy]{\n" + added},
			"minor    field dummy.twice: added\n", "1.1.0", "; a minor change takes 1.1.0",
		},
		{
			"a field is removed", []string{`{Name: "dummy.label", Desc: "The text behind the number.", Value: extract.String((*dummy).label)},`, "", "func (d *dummy) label", "func (d *dummy) unused"},
			"major    field dummy.label: removed\n", "2.0.0", "; a major change takes 2.0.0",
		},
		{
			"a description is another", []string{"The text behind the number.", "What stands behind the number."},
			"patch    field dummy.label: description \"The text behind the number.\" -> \"What stands behind the number.\"\n           question: did its meaning change?\n", "1.0.1", "; a patch change takes 1.0.1",
		},
		{
			"nothing but the code is another", []string{"// Destroy has nothing to give back.", "// Destroy gives nothing back."},
			"patch    files: plugins/dummy/lib/main.go\n           question: did the meaning of a field", "1.0.1", "; a patch change takes 1.0.1",
		},
		{
			"a field has other values", []string{"out.Set(n)\n", "out.Set(n + 1)\n"},
			"major    value of dummy.number: event 1 of ticks.json gives 2, where it gave 1\n", "2.0.0", "; a major change takes 2.0.0",
		},
		{
			"payloads have another format", []string{`"%d %s", t.n`, `"%d=%s", t.n`, `bytes.Cut(payload, []byte(" "))`, `bytes.Cut(payload, []byte("="))`},
			"refused  payload: event 1 of ticks.json cannot be read any more", "", "event 1 of ticks.json cannot be read any more: it gives none of its values",
		},
		{
			"payloads grow", []string{`"%d %s", t.n`, `"%d %s ", t.n`},
			"minor    payload: the same input makes other payloads, ticks.json: event 1 is \"1 tick \", where it was \"1 tick\"\n           question: can everybody", "1.1.0", "a minor change takes 1.1.0",
		},
		{"the ID is another", []string{"999", "998"}, "refused  ID: 999 -> 998", "", "ID: 999 -> 998; that makes it another plugin"},
		{
			"the source is another", []string{`EventSource: "dummy"`, `EventSource: "puppet"`},
			"refused  event source: \"dummy\" -> \"puppet\"", "", `event source: "dummy" -> "puppet"; that makes it another plugin`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t, b.source, b.version = t, original, "1.0.0"
			b.edit(c.edit...)
			_, wrong := b.check()
			if !strings.HasPrefix(c.says, "patch    files") {
				require.Regexp(t, "is not what the built plugin says: line .* run go tool mage lifecycle:generate", wrong)
			}
			b.generate()
			said, wrong := b.check()
			assert.Contains(t, said, c.says)
			assert.Contains(t, wrong, "dummy 1.0.0 must not be released like this:")
			assert.Contains(t, wrong, c.wrong)
			if c.version != "" {
				assert.Contains(t, said, "these changes take "+c.version+" or higher")
			}
		})
	}
}

func TestTheVersionThatIsAskedForDoes(t *testing.T) {
	b := newBench(t)
	b.Tag("plugins/dummy/v1.0.0")
	b.setVersion("1.1.0")
	b.edit("var fields = []extract.Field[*dummy]{\n", "var fields = []extract.Field[*dummy]{\n"+added)
	b.generate()
	said, wrong := b.check()
	assert.Empty(t, wrong)
	assert.Contains(t, said, "dummy 1.1.0, after 1.0.0; these changes take 1.1.0 or higher:\n")

	b.setVersion("2.0.0")
	b.edit("999", "998")
	b.generate()
	_, wrong = b.check()
	assert.Contains(t, wrong, "ID: 999 -> 998; that makes it another plugin", "no version makes up for it")
}

// released commits what the plugin was once, under a tag, and puts it back to what it is.
func (b *bench) released(version string, rewrite func()) {
	b.t.Helper()
	b.rewrite(FaceFile, `"version": "1.0.0"`, fmt.Sprintf(`"version": %q`, version))
	rewrite()
	b.Commit("as it was")
	b.Tag("plugins/dummy/v" + version)
	b.Git("checkout", "--quiet", "HEAD~", "--", ".")
	b.Commit("as it is")
}

func TestABreakOfAnEarlyVersionIsToldInTheChangelogAndTheRules(t *testing.T) {
	b := newBench(t)
	b.released("0.9.0", func() { b.rewrite(FaceFile, `"dummy.label"`, `"dummy.text"`) })
	b.rewrite(FaceFile, `"version": "1.0.0"`, `"version": "0.10.0"`)
	said, wrong := b.check()
	assert.Contains(t, said, "dummy 1.0.0, after 0.9.0; these changes take 0.10.0 or higher:\n")
	assert.Contains(t, said, "major    field dummy.text: removed; renamed to dummy.label? Type and argument are the same\n")
	assert.Contains(t, wrong, "an item of plugins/dummy/CHANGELOG.md under v0.10.0 has to begin with BREAKING")
	assert.Contains(t, wrong, "its rules have to require dummy 0.10.0; they require 0.9.0")

	b.generate()
	b.Write("plugins/dummy/CHANGELOG.md", strings.Replace("# Changelog\n\n"+history, "## v1.0.0\n", "## v1.0.0\n\n* BREAKING: `dummy.text` is `dummy.label`.\n", 1))
	b.rewrite("rules/dummy_rules.yaml", "version: 0.9.0", "version: 0.10.0")
	said, wrong = b.check()
	assert.Empty(t, wrong)
	assert.Contains(t, said, "minor    required plugin dummy: 0.9.0 -> 0.10.0\n")
}

func TestWhatTheChangelogCallsAFixIsNone(t *testing.T) {
	b := newBench(t)
	b.released("0.9.0", func() {
		b.rewrite("testdata/payloads/ticks.json", `"dummy.divisible[2]": true`, `"dummy.divisible[2]": false`)
		b.rewrite("rules/dummy_rules.yaml", "= true", "= false")
	})
	said, wrong := b.check()
	assert.Contains(t, said, "major    value of dummy.divisible[2]: event 2 of ticks.json gives true, where it gave false\n")
	assert.Contains(t, said, "major    macro even: condition changed")
	assert.Contains(t, wrong, "BREAKING")

	b.Write("plugins/dummy/CHANGELOG.md", "# Changelog\n\n## dev build (unreleased)\n\n* Fixes `dummy.divisible` and `even`: the numbers were turned round.\n\n"+history)
	said, wrong = b.check()
	assert.Empty(t, wrong)
	assert.Contains(t, said, "patch    value of dummy.divisible[2]: event 2 of ticks.json gives true, where it gave false (the changelog calls it a fix)\n")
	assert.Contains(t, said, "patch    macro even: condition changed")
}

func TestAReleaseFromBeforeThereWereFacesIsComparedByItsNumber(t *testing.T) {
	b := newBench(t)
	b.released("0.8.0", func() { require.NoError(t, os.Remove(filepath.Join(b.Dir, "plugins/dummy", FaceFile))) })
	said, wrong := b.check()
	assert.Empty(t, wrong)
	assert.Contains(t, said, "dummy: plugins/dummy/v0.8.0 has no face.json, so fields and options cannot be compared\n")

	b.released("1.1.0", func() {})
	_, wrong = b.check()
	assert.Contains(t, wrong, "version 1.0.0 does not come after 1.1.0, which is released")
}

func TestAPreReleaseIsNotTheBaselineButComesBefore(t *testing.T) {
	b := newBench(t)
	b.released("0.9.0", func() {})
	b.released("1.0.0-rc1", func() {})
	said, wrong := b.check()
	assert.Empty(t, wrong)
	assert.Contains(t, said, "after 0.9.0", "which differs in nothing but the version")

	b.Tag("plugins/dummy/v1.0.1-rc1")
	b.Write("plugins/dummy/lib/more.go", "package main\n")
	_, wrong = b.check()
	assert.Contains(t, wrong, "version 1.0.0 does not come after 1.0.1-rc1, which is released without these changes: plugins/dummy/lib/more.go")
}

func TestAReleaseHasASectionInTheChangelog(t *testing.T) {
	b := newBench(t)
	b.Tag("plugins/dummy/v1.0.0")
	b.Write("plugins/dummy/CHANGELOG.md", "# Changelog\n\n## v1.0.0\n")
	_, wrong := b.check()
	assert.Contains(t, wrong, "plugins/dummy/CHANGELOG.md has nothing under v1.0.0; go tool mage changelog dummy writes what is missing")
}

func TestAPluginNamesAContact(t *testing.T) {
	b := newBench(t)
	b.edit(`Contact:     "https://github.com/aerie-falco/aerie"`, `Contact: " "`)
	b.generate()
	_, wrong := b.check()
	assert.Contains(t, wrong, "it names no contact; users have to reach somebody")
}

func TestRulesThatNeedAPatchAreAskedAbout(t *testing.T) {
	b := newBench(t)
	b.rewrite("rules/dummy_rules.yaml", "version: 0.9.0", "version: 0.9.1")
	said, wrong := b.check()
	assert.Empty(t, wrong)
	assert.Contains(t, said, "  question: its rules require dummy 0.9.1; do they need that patch?\n")
	b.rewrite("rules/dummy_rules.yaml", "version: 0.9.1", "version: 0.9")
	_, wrong = b.check()
	assert.Contains(t, wrong, `required plugin "dummy" has version "0.9"; give a name and three numbers X.Y.Z`)
}

func TestASourceKeepsPayloadsToBeHeldTo(t *testing.T) {
	b := newBench(t)
	require.NoError(t, os.Remove(filepath.Join(b.Dir, "plugins/dummy", PayloadFolder, "ticks.json")))
	_, wrong := b.check()
	assert.Contains(t, wrong, "plugins/dummy/testdata/payloads has no fixture, so that nothing shows whether its payloads stay what they are; add one for each kind of payload")
}

func TestThePluginAPIIsComparedWithTheNewestKnown(t *testing.T) {
	for _, c := range []struct {
		requires, says string
		wrong          []string
	}{
		{"3.9.0", "  requires plugin API 3.9.0; the newest known is 3.12.0\n", nil},
		{NewestAPI, "", nil},
		{"3.12.1", "", []string{"it requires plugin API 3.12.1, and so no framework loads it: the newest known is 3.12.0"}},
	} {
		var out bytes.Buffer
		is := &checking{out: &out, declared: declaration{RequiredAPI: c.requires}}
		is.api()
		assert.Equal(t, c.says, out.String())
		assert.Equal(t, c.wrong, is.problems)
	}
}

func TestAHistoryThatIsCutOffCannotBeChecked(t *testing.T) {
	b := newBench(t)
	b.Commit("one more")
	clone := filepath.Join(t.TempDir(), "clone")
	b.Git("clone", "--quiet", "--depth=1", "file://"+b.Dir, clone)
	require.NoError(t, os.Symlink(filepath.Join(b.Dir, "dist"), filepath.Join(clone, "dist")))
	err := Check(t.Context(), workspace.Workspace{Root: clone}, t.Output())
	require.ErrorIs(t, err, levels.ErrCannotRun)
	require.ErrorContains(t, err, "git fetch --unshallow --tags")
}
