// SPDX-License-Identifier: Apache-2.0

package tag

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/git/scratch"
)

func TestATagIsReadAndWritten(t *testing.T) {
	for name, want := range map[string]Tag{
		"plugins/json/v0.7.4":                        {"json", "0.7.4"},
		"refs/tags/plugins/json/v1.0.0-rc1":          {"json", "1.0.0-rc1"},
		"plugins/k8saudit-gke/v10.20.30-alpha.1":     {"k8saudit-gke", "10.20.30-alpha.1"},
		"plugins/under_score/v1.0.0-0.3.7.x-y-z.100": {"under_score", "1.0.0-0.3.7.x-y-z.100"},
	} {
		got, err := Parse(name)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	assert.Equal(t, "plugins/json/v1.0.0-rc1", Tag{"json", "1.0.0-rc1"}.String())
	assert.True(t, Tag{"json", "1.0.0"}.Final())
	assert.False(t, Tag{"json", "1.0.0-rc1"}.Final())
}

func TestATagOfAnotherFormIsRefused(t *testing.T) {
	const form = "a release tag is plugins/NAME/vX.Y.Z or plugins/NAME/vX.Y.Z-PRE"
	for name, want := range map[string]string{
		"":                         form,
		"v1.0.0":                   form,
		"json/v1.0.0":              form,
		"plugins/json/lib/v1.0.0":  form,
		"plugins/../v1.0.0":        `plugin name ".." does not match`,
		"plugins//v1.0.0":          `plugin name "" does not match`,
		"plugins/JSON/v1.0.0":      `plugin name "JSON" does not match`,
		"plugins/json/1.0.0":       `no v before version "1.0.0"`,
		"plugins/json/v1.0":        `version "1.0" is not X.Y.Z or X.Y.Z-PRE`,
		"plugins/json/v1":          `version "1" is not X.Y.Z`,
		"plugins/json/v1.0.0+meta": `version "1.0.0+meta" is not X.Y.Z`,
		"plugins/json/v01.0.0":     `version "01.0.0" is not X.Y.Z`,
		"plugins/json/vv1.0.0":     `version "v1.0.0" is not X.Y.Z`,
		"plugins/json/v1.0.0-":     `version "1.0.0-" is not X.Y.Z`,
	} {
		_, err := Parse(name)
		require.Error(t, err, name)
		assert.Contains(t, err.Error(), "reading tag ")
		assert.Contains(t, err.Error(), want)
	}
}

func TestReleasesAreThoseOfHEADsHistoryInTheOrderOfVersions(t *testing.T) {
	r := scratch.New(t)
	none, err := Of(t.Context(), r.Dir, "json")
	require.NoError(t, err)
	assert.Empty(t, none, "nothing is committed yet")

	r.Write("a", "1")
	r.Commit("one")
	r.Tag("plugins/json/v0.9.0", "plugins/json/v0.10.0-rc1", "plugins/json/v0.10.0", "plugins/json-two/v9.0.0", "plugins/json/vnext", "v7.0.0")
	r.Write("a", "2")
	r.Commit("two")
	r.Tag("plugins/json/v0.2.0")
	r.Git("checkout", "--quiet", "-b", "ahead")
	r.Write("a", "3")
	r.Commit("three")
	r.Tag("plugins/json/v3.0.0")
	r.Git("checkout", "--quiet", "-")

	got, err := Of(t.Context(), r.Dir, "json")
	require.NoError(t, err)
	assert.Equal(t, []Tag{{"json", "0.2.0"}, {"json", "0.9.0"}, {"json", "0.10.0-rc1"}, {"json", "0.10.0"}}, got)
	latest, ok, err := Latest(t.Context(), r.Dir, "json")
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, Tag{"json", "0.10.0"}, latest)
	here, err := At(t.Context(), r.Dir, "json")
	require.NoError(t, err)
	assert.Equal(t, []Tag{{"json", "0.2.0"}}, here)
	_, ok, err = Latest(t.Context(), r.Dir, "nobody")
	require.NoError(t, err)
	assert.False(t, ok)
	none, err = Of(t.Context(), filepath.Join(r.Dir, "plugins"), "json")
	require.NoError(t, err)
	assert.Empty(t, none, "a folder of a checkout is none")
}

const pluginModule = `module example.org/plugins/json

go 1.26.0

require (
	example.org/shared/kit v0.0.0
	example.org/elsewhere v1.0.0
)

require example.org/shared/deep v0.0.0 // indirect

replace (
	example.org/shared/kit => ../../shared/kit
	example.org/shared/deep => ../../shared/deep
	example.org/shared/unused => ../../shared/unused
)
`

func TestChangesAreThoseOfThePluginAndOfWhatItNeeds(t *testing.T) {
	r := scratch.New(t)
	for _, name := range []string{"plugins/json/a.go", "plugins/json/b.go", "plugins/other/a.go", "shared/kit/a.go", "shared/deep/a.go", "shared/unused/a.go"} {
		r.Write(name, "one")
	}
	r.Write("plugins/json/go.mod", pluginModule)
	r.Write(".gitignore", "*.so\n")
	r.Commit("one")
	r.Tag("plugins/json/v1.0.0")
	since := Tag{"json", "1.0.0"}

	folders, err := Folders(r.Dir, "json")
	require.NoError(t, err)
	assert.Equal(t, []string{"plugins/json", "shared/deep", "shared/kit"}, folders)
	none, err := Changed(t.Context(), r.Dir, since)
	require.NoError(t, err)
	assert.Empty(t, none)

	for _, name := range []string{"plugins/other/a.go", "shared/deep/a.go", "shared/unused/a.go", "plugins/json/new file.go", "plugins/json/built.so"} {
		r.Write(name, "two")
	}
	require.NoError(t, os.Remove(filepath.Join(r.Dir, "plugins/json/b.go")))
	r.Git("add", "shared")
	r.Git("commit", "--quiet", "--message", "two")
	got, err := Changed(t.Context(), r.Dir, since)
	require.NoError(t, err)
	assert.Equal(t, []string{"plugins/json/b.go", "plugins/json/new file.go", "shared/deep/a.go"}, got)

	_, err = Changed(t.Context(), r.Dir, Tag{"json", "2.0.0"})
	require.Error(t, err)
	assert.Contains(t, err.Error(), "looking for changes since plugins/json/v2.0.0: git diff")
	_, err = Folders(r.Dir, "other")
	require.Error(t, err)
	assert.Contains(t, err.Error(), "reading what plugin other is made of: ")
}
