// SPDX-License-Identifier: Apache-2.0

package release

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/archive"
	"github.com/aerie-falco/aerie/build/git/scratch"
	"github.com/aerie-falco/aerie/build/plughost"
	"github.com/aerie-falco/aerie/build/ruleset"
	"github.com/aerie-falco/aerie/build/workspace"
)

const ledger = `# SPDX-License-Identifier: Apache-2.0
plugins:
  - name: sample
    description: A sample
    authors: Jo
    contact: https://example.org
    url: https://example.org/sample
    rules_url: https://example.org/sample/rules
    license: Apache-2.0
    capabilities: {extraction: {supported: true}}
  - name: held
    reserved: true
    capabilities: {sourcing: {supported: true, id: 7}}
`

const (
	goMod = "module github.com/aerie-falco/aerie/plugins/sample\n\ngo 1.26.0\n"
	main  = "package main\n\nimport \"os\"\n\nfunc main() { os.Exit(0) }\n"
)

// program stands for the libraries: a small ELF file with build information.
var program = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "aerie-release-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{"go.mod": goMod, "main.go": main} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command("go", "build", "-ldflags", "-s -w", "-o", "program", ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, said)
	}
	return os.ReadFile(filepath.Join(dir, "program"))
})

// shop is a checkout with one plugin.
type shop struct {
	*scratch.Repo
	t    *testing.T
	says map[string]plughost.Inspection // by GOARCH: what the library tells of itself
	log  bytes.Buffer
}

func open(t *testing.T) *shop {
	t.Helper()
	s := &shop{Repo: scratch.New(t), t: t, says: map[string]plughost.Inspection{}}
	licence, err := os.ReadFile(filepath.Join("..", "..", "LICENSE"))
	require.NoError(t, err)
	for name, text := range map[string]string{
		"go.work": "go 1.26.0\n", "LICENSE": string(licence), ".gitignore": "/dist/\n", "registry.yaml": ledger,
		"plugins/sample/go.mod":                  goMod,
		"plugins/sample/lib/main.go":             main,
		"plugins/sample/CHANGELOG.md":            "# Changelog\n\n## v1.2.3\n\n* All of it.\n",
		"plugins/sample/rules/sample_rules.yaml": "- required_plugin_versions:\n    - name: sample\n      version: 1.2.0\n",
	} {
		s.Write(name, text)
	}
	s.Commit("All of it")
	content, err := program()
	require.NoError(t, err)
	for _, arch := range []string{"amd64", "arm64"} {
		s.Write("dist/linux_"+arch+"/libsample.so", string(content))
		s.says[arch] = plughost.Inspection{Name: "sample", Version: "1.2.3", RequiredAPI: "3.12.0"}
	}
	return s
}

func (s *shop) request(what ...string) Request {
	ask := map[string]plughost.Asking{}
	for arch := range s.says {
		ask[arch] = func(context.Context, string) (plughost.Inspection, error) { return s.says[arch], nil }
	}
	return Request{What: what, Out: s.path("dist/release"), Inspect: ask, Log: &s.log}
}

func (s *shop) path(name string) string { return filepath.Join(s.Dir, filepath.FromSlash(name)) }

func (s *shop) workspace() workspace.Workspace { return workspace.Workspace{Root: s.Dir} }

func (s *shop) pack(what ...string) error {
	return Package(s.t.Context(), s.workspace(), s.request(what...))
}

func TestAReleaseHasTheseFiles(t *testing.T) {
	s := open(t)
	s.Write("dist/release/left-over-0.1.0.tar.gz", "of an earlier release")
	require.NoError(t, s.pack("sample"))
	p, err := Open(s.path("dist/release"))
	require.NoError(t, err)
	want := []string{
		"linux-aarch64/libsample.so", "linux-x86_64/libsample.so",
		"sample-1.2.3-compatibility.json", "sample-1.2.3-licenses.tar.gz",
		"sample-1.2.3-linux-aarch64.cdx.json", "sample-1.2.3-linux-aarch64.tar.gz",
		"sample-1.2.3-linux-x86_64.cdx.json", "sample-1.2.3-linux-x86_64.tar.gz",
		"sample-rules-1.2.3.tar.gz",
	}
	assert.Equal(t, want, slices.Sorted(maps.Keys(p.sums)))
	entries, err := os.ReadDir(p.Dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	assert.Equal(t, append([]string{"SHA256SUMS", "linux-aarch64", "linux-x86_64"}, append(slices.Clone(want[2:8]), "sample-1.2.3-provenance.intoto.json", "sample-rules-1.2.3.tar.gz")...), names)

	library, err := os.ReadFile(s.path("dist/linux_arm64/libsample.so"))
	require.NoError(t, err)
	packed, err := p.Read(TarballFile("sample", "1.2.3", "arm64"))
	require.NoError(t, err)
	files, err := archive.Untar(bytes.NewReader(packed), 1<<30)
	require.NoError(t, err)
	require.Len(t, files, 1)
	assert.Equal(t, "libsample.so", files[0].Name)
	assert.True(t, bytes.Equal(library, files[0].Content))

	packed, err = p.Read(LicencesFile("sample", "1.2.3"))
	require.NoError(t, err)
	files, err = archive.Untar(bytes.NewReader(packed), 1<<20)
	require.NoError(t, err)
	names = nil
	for _, f := range files {
		names = append(names, f.Name)
	}
	assert.Subset(t, names, []string{"github.com/aerie-falco/aerie/LICENSE", "licenses.txt", "std/LICENSE"})

	facts, err := p.Compatibility("sample")
	require.NoError(t, err)
	assert.Equal(t, "1.2.3", facts.Version)
	assert.Equal(t, "3.12.0", facts.PluginAPI)
	assert.Equal(t, "2026-01-02T03:04:05Z", facts.Created)
	assert.Equal(t, strings.TrimSpace(s.Git("rev-parse", "HEAD")), facts.Commit)
	assert.Equal(t, sum(library), facts.Platforms["linux/arm64"].SHA256)
	assert.Equal(t, &Rules{Plugins: []ruleset.Dependency{{Plugin: ruleset.Plugin{Name: "sample", Version: "1.2.0"}}}}, facts.Rules)

	text, err := p.Provenance("sample", "1.2.3")
	require.NoError(t, err)
	var origin statement
	require.NoError(t, json.Unmarshal(text, &origin))
	assert.Len(t, origin.Subject, len(want))
	assert.Equal(t, map[string]string{"gitCommit": facts.Commit}, origin.Predicate.BuildDefinition.ResolvedDependencies[0].Digest)
	assert.NotContains(t, origin.Predicate.BuildDefinition.ExternalParameters, "ref")
	assert.NotContains(t, string(text), s.Dir, "the provenance tells of the folder")
}

func TestPackagingTwiceGivesTheSameBytes(t *testing.T) {
	s := open(t)
	require.NoError(t, s.pack())
	one := contents(t, s.path("dist/release"))
	require.NoError(t, s.pack("sample"))
	assert.Equal(t, one, contents(t, s.path("dist/release")))
	r := s.request()
	r.Epoch = "1800000000"
	require.NoError(t, Package(t.Context(), s.workspace(), r))
	assert.NotEqual(t, one["SHA256SUMS"], contents(t, s.path("dist/release"))["SHA256SUMS"])
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, dir+"/")] = sum(content)
		return err
	}))
	return all
}

func TestWhatDoesNotFitTogetherIsRefusedAndNothingIsWritten(t *testing.T) {
	for _, c := range []struct {
		name, what string
		spoil      func(s *shop)
		want       string
	}{
		{"a plugin that is not there", "other", nil, `packaging: registry.yaml has no plugin "other"; there are: sample`},
		{"a name that is only held", "held", nil, `packaging: registry.yaml has no plugin "held"; there are: sample`},
		{"a name that leads elsewhere", "../sample", nil, `packaging: "../sample" is neither the name of a plugin nor the tag of a release, plugins/NAME/vX.Y.Z`},
		{"a path for a name", "plugins/sample", nil, `packaging: reading tag "plugins/sample": a release tag is plugins/NAME/vX.Y.Z or plugins/NAME/vX.Y.Z-PRE`},
		{"a tag without its v", "plugins/sample/1.2.3", nil, `packaging: reading tag "plugins/sample/1.2.3": no v before version "1.2.3"; `},
		{"a tag of another version", "plugins/sample/v1.2.4", nil, "packaging: plugin sample: tag plugins/sample/v1.2.4 was asked for, but the built plugin says that its version is 1.2.3"},
		{"a tag that is not there", "plugins/sample/v1.2.3", nil, "packaging: plugin sample: tag plugins/sample/v1.2.3 was asked for, but it is not at HEAD; check it out first"},
		{
			"a tag at HEAD of another version", "sample", func(s *shop) { s.Tag("plugins/sample/v1.3.0") },
			"packaging: plugin sample: tag plugins/sample/v1.3.0 is at HEAD, but the built plugin says that its version is 1.2.3; tag plugins/sample/v1.2.3, or change the version and tag again",
		},
		{"a tag at HEAD of another form", "sample", func(s *shop) { s.Tag("plugins/sample/1.2.3") }, `packaging: plugin sample: reading tag "plugins/sample/1.2.3": no v before version`},
		{"a changed file", "sample", func(s *shop) { s.Write("LICENSE", "mine") }, " in LICENSE; commit or remove what differs"},
		{"a file that is not committed", "sample", func(s *shop) { s.Write("plugins/sample/more.go", "package sample") }, " in plugins/sample/more.go; commit or remove what differs"},
		{"many such files", "sample", func(s *shop) {
			for _, name := range strings.Split("abcdefgh", "") {
				s.Write(name, name)
			}
		}, " in a, b, c, d, e and 3 more; commit or remove what differs"},
		{"a missing architecture", "sample", func(s *shop) { require.NoError(s.t, os.Remove(s.path("dist/linux_arm64/libsample.so"))) }, "dist/linux_arm64/libsample.so; a release has all architectures: go tool mage build:all"},
		{"architectures of two versions", "sample", func(s *shop) {
			s.says["arm64"] = plughost.Inspection{Name: "sample", Version: "1.2.2", RequiredAPI: "3.12.0"}
		}, `dist/linux_arm64/libsample.so has version "1.2.2", that for amd64 "1.2.3"; build both anew: go tool mage build:all`},
		{"a library of another plugin", "sample", func(s *shop) { s.says["amd64"] = plughost.Inspection{Name: "other", Version: "1.2.3"} }, `dist/linux_amd64/libsample.so says that its name is "other", the registry "sample"`},
		{"a version that is none", "sample", func(s *shop) { s.says["amd64"] = plughost.Inspection{Name: "sample", Version: "1.2"} }, `dist/linux_amd64/libsample.so: version "1.2" is not X.Y.Z or X.Y.Z-PRE`},
		{"a library that Go did not make", "sample", func(s *shop) { s.Write("dist/linux_amd64/libsample.so", "no ELF") }, "dist/linux_amd64/libsample.so: reading its build information: "},
		{"rules that are promised and missing", "sample", func(s *shop) {
			require.NoError(s.t, os.RemoveAll(s.path("plugins/sample/rules")))
			s.Commit("No rules")
		}, "packaging: plugin sample: registry.yaml has a rules_url, but plugins/sample/rules has no *.yaml file"},
		{"rules that nobody would find", "sample", func(s *shop) {
			s.Write("registry.yaml", strings.Replace(ledger, "    rules_url: https://example.org/sample/rules\n", "", 1))
			s.Commit("No address")
		}, "packaging: plugin sample: plugins/sample/rules has rules, but the plugin's entry in registry.yaml has no rules_url, under which they are published; add it"},
		{"rules for a newer plugin", "sample", func(s *shop) {
			s.Write("plugins/sample/rules/sample_rules.yaml", "- required_plugin_versions: [{name: sample, version: 1.3.0}]\n")
			s.Commit("Newer")
		}, "they require sample 1.3.0, but it is at 1.2.3"},
		{"a tag without a section in the changelog", "sample", func(s *shop) {
			s.Write("plugins/sample/CHANGELOG.md", "# Changelog\n\n## dev build (unreleased)\n\n* All of it.\n")
			s.Commit("Not yet")
			s.Tag("plugins/sample/v1.2.3")
		}, "packaging: plugin sample: plugins/sample/CHANGELOG.md has nothing under v1.2.3; go tool mage changelog sample writes what is missing"},
		{"no checkout", "sample", func(s *shop) { require.NoError(s.t, os.RemoveAll(s.path(".git"))) }, "has no commit of its own; releases are made from a git checkout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			s.t = t
			s.Write("dist/release/kept", "as it was")
			if c.spoil != nil {
				c.spoil(s)
			}
			err := s.pack(c.what)
			require.ErrorContains(t, err, c.want)
			assert.Equal(t, map[string]string{"kept": sum([]byte("as it was"))}, contents(t, s.path("dist/release")))
		})
	}
}

func TestATagIsAnotherNameForItsPlugin(t *testing.T) {
	s := open(t)
	s.Tag("plugins/sample/v1.2.3")
	require.NoError(t, s.pack("plugins/sample/v1.2.3"))
	p, err := Open(s.path("dist/release"))
	require.NoError(t, err)
	text, err := p.Provenance("sample", "1.2.3")
	require.NoError(t, err)
	assert.Contains(t, string(text), `"ref": "refs/tags/plugins/sample/v1.2.3"`)

	s.log.Reset()
	require.NoError(t, Check(t.Context(), s.workspace(), s.request("refs/tags/plugins/sample/v1.2.3")))
	assert.Equal(t, "sample 1.2.3 can be released (plugins/sample/v1.2.3)\n", s.log.String())
}

func TestCheckingWritesNothing(t *testing.T) {
	s := open(t)
	require.NoError(t, Check(t.Context(), s.workspace(), s.request()))
	assert.Equal(t, "sample 1.2.3 can be released (no tag at HEAD)\n", s.log.String())
	assert.NoDirExists(t, s.path("dist/release"))
	require.NoError(t, Ready(t.Context(), s.workspace()))
	s.Write("LICENSE", "mine")
	require.ErrorContains(t, Ready(t.Context(), s.workspace(), "sample"), "releasing: the checkout differs from commit ")
	require.ErrorContains(t, Check(t.Context(), s.workspace(), s.request("other")), `checking the release: registry.yaml has no plugin "other"`)

	s = open(t)
	s.Write("plugins/sample/CHANGELOG.md", "# Changelog\n\n## dev build (unreleased)\n\n* All of it.\n")
	s.Commit("Not yet")
	require.ErrorContains(t, Check(t.Context(), s.workspace(), s.request("sample")), "checking the release: plugins/sample/CHANGELOG.md has nothing under v1.2.3")
	require.NoError(t, s.pack("sample"), "a build for trying")
}

func TestOnlyTheTaggedCommitIsPublished(t *testing.T) {
	s := open(t)
	require.NoError(t, s.pack("sample"))
	p, err := Open(s.path("dist/release"))
	require.NoError(t, err)
	facts, err := p.Compatibility("sample")
	require.NoError(t, err)
	check := func(what string) error { return CheckTagged(t.Context(), s.workspace(), what, facts) }

	assert.EqualError(t, check("sample"), "publishing sample 1.2.3: HEAD has no tag plugins/sample/v1.2.3; only a registry on this machine takes what is not tagged")
	s.Tag("plugins/sample/v1.2.3")
	assert.NoError(t, check("sample"))
	assert.NoError(t, check("plugins/sample/v1.2.3"))
	assert.ErrorContains(t, check("plugins/sample/v1.2.4"), "tag plugins/sample/v1.2.4 was asked for")
	s.Write("LICENSE", "mine")
	assert.ErrorContains(t, check("sample"), "in LICENSE; commit or remove what differs")
	s.Commit("Another")
	assert.ErrorContains(t, check("sample"), "publishing sample 1.2.3: dist/release was made from commit "+facts.Commit[:7])
}

func TestAReleaseThatWasTamperedWithIsNotRead(t *testing.T) {
	s := open(t)
	_, err := Open(s.path("dist/release"))
	assert.ErrorContains(t, err, "make it first: go tool mage release:package NAME")
	require.NoError(t, s.pack("sample"))
	p, err := Open(s.path("dist/release"))
	require.NoError(t, err)
	_, err = p.Read("nothing.tar.gz")
	assert.ErrorContains(t, err, "SHA256SUMS has no nothing.tar.gz")
	_, err = p.Compatibility("sampl")
	assert.ErrorContains(t, err, `has no plugin "sampl"`)

	s.Write("dist/release/sample-rules-1.2.3.tar.gz", "evil")
	_, err = p.Read("sample-rules-1.2.3.tar.gz")
	assert.ErrorContains(t, err, "reading the release: sample-rules-1.2.3.tar.gz has SHA-256 "+sum([]byte("evil"))+", but SHA256SUMS says ")
	s.Write("dist/release/sample-1.2.3-provenance.intoto.json", `{"subject":[{"name":"x","digest":{"sha256":"00"}}]}`)
	_, err = p.Provenance("sample", "1.2.3")
	assert.ErrorContains(t, err, "is about another x than SHA256SUMS")

	s.Write("dist/release/SHA256SUMS", "00  ../../etc/passwd\n")
	_, err = Open(s.path("dist/release"))
	assert.ErrorContains(t, err, `has the line "00  ../../etc/passwd\n", which is no checksum and file`)
}

func TestTimesAreThoseOfTheCommitUnlessToldOtherwise(t *testing.T) {
	s := open(t)
	c, err := Look(t.Context(), s.workspace(), "")
	require.NoError(t, err)
	assert.Equal(t, "2026-01-02T03:04:05Z", c.Time.Format(timeForm))
	c, err = Look(t.Context(), s.workspace(), "1800000000")
	require.NoError(t, err)
	assert.EqualValues(t, 1800000000, c.Time.Unix())
	_, err = Look(t.Context(), s.workspace(), "yesterday")
	assert.EqualError(t, err, `looking at the checkout: SOURCE_DATE_EPOCH is "yesterday"; give seconds since 1970`)
}
