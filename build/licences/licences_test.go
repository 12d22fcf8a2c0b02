// SPDX-License-Identifier: Apache-2.0

package licences

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// linked lays out modules as the go command would report them: a module's name, its files, and the folders of linked packages.
func linked(t *testing.T, files map[string]string, packages ...string) folders {
	t.Helper()
	f := folders{root: t.TempDir(), of: map[string]*module{}}
	cache := t.TempDir()
	for name, text := range files {
		path := filepath.Join(cache, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	for _, p := range packages {
		name, _, _ := strings.Cut(p, "/")
		f.put(name, filepath.Join(cache, name), filepath.Join(cache, filepath.FromSlash(p)))
	}
	return f
}

func TestTextsAreThoseOfLinkedPackagesAndOfWhatIsAboveThem(t *testing.T) {
	f := linked(t, map[string]string{
		"m/LICENSE": "mit", "m/NOTICE.md": "thanks", "m/docs-LICENSE": "cc", "m/LICENSE-docs": "cc", "m/license.go": "package m", "m/README": "m",
		"m/in/copy/COPYING": "bsd", "m/in/copy/x/x.go": "package x", "m/not/linked/LICENSE": "gpl",
		"n/LICENCE.txt": "mit",
	}, "m/in/copy/x", "n")
	known := table{"m " + Sum([]byte("mit")): "MIT", "m " + Sum([]byte("bsd")): "BSD-3-Clause", "n " + Sum([]byte("mit")): "MIT"}
	texts, err := f.texts(known)
	require.NoError(t, err)
	assert.Equal(t, []Text{
		{"m", "LICENSE", "MIT", []byte("mit")},
		{"m", "NOTICE.md", "", []byte("thanks")},
		{"m", "in/copy/COPYING", "BSD-3-Clause", []byte("bsd")},
		{"n", "LICENCE.txt", "MIT", []byte("mit")},
	}, texts)
	assert.Equal(t, map[string]string{"m": "MIT AND BSD-3-Clause", "n": "MIT"}, ByModule(texts))
	assert.Equal(t, "m\tMIT\tm/LICENSE\nm\tnotice\tm/NOTICE.md\nm\tBSD-3-Clause\tm/in/copy/COPYING\nn\tMIT\tn/LICENCE.txt\n", string(List(texts)))
}

func TestWhatIsNotKnownStopsTheReleaseAndIsNamed(t *testing.T) {
	f := linked(t, map[string]string{"m/LICENSE": "changed", "n/README": "free for all", "o/LICENSE": "mit"}, "m", "n", "o")
	_, err := f.texts(table{"m " + Sum([]byte("mit")): "MIT"})
	assert.EqualError(t, err, "LICENSE of m is not known; read it, and if it is one of Apache-2.0, MIT, BSD-2-Clause, BSD-3-Clause, ISC, MPL-2.0, "+
		"add to build/licences/known.list: m SPDX-ID "+Sum([]byte("changed"))+"\n"+
		"LICENSE of o is not known; read it, and if it is one of Apache-2.0, MIT, BSD-2-Clause, BSD-3-Clause, ISC, MPL-2.0, "+
		"add to build/licences/known.list: o SPDX-ID "+Sum([]byte("mit"))+"\n"+
		"n has no licence file; what has none may not be shipped")
}

func TestTheListOfKnownTextsIsSortedAndAllowed(t *testing.T) {
	_, err := parse(knownList)
	require.NoError(t, err)
	var lines []string
	for line := range strings.Lines(knownList) {
		if line != "\n" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	assert.True(t, slices.IsSorted(lines), "known.list is not sorted")
	assert.Equal(t, len(lines), len(slices.Compact(slices.Clone(lines))))
}

func TestLinesThatSayTooLittleOrTooMuchAreRefused(t *testing.T) {
	sum := Sum(nil)
	known, err := parse("# comment\n\nm MIT+ISC " + sum + "\n")
	require.NoError(t, err)
	assert.Equal(t, table{"m " + sum: "MIT AND ISC"}, known)
	_, err = parse("\nm GPL-3.0-only " + sum)
	assert.EqualError(t, err, `known.list line 2: licence "GPL-3.0-only" is not one of Apache-2.0, MIT, BSD-2-Clause, BSD-3-Clause, ISC, MPL-2.0`)
	_, err = parse("m MIT")
	assert.EqualError(t, err, `known.list line 1: "m MIT" is not MODULE SPDX-ID SHA256`)
}

func TestThePluginsOfThisRepositoryLinkKnownTextsOnly(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	plugins, err := filepath.Glob(filepath.Join(root, "plugins", "*", "lib", "main.go"))
	require.NoError(t, err)
	require.NotEmpty(t, plugins)
	for _, main := range plugins {
		texts, err := Of(t.Context(), root, filepath.Dir(filepath.Dir(main)), []string{"amd64", "arm64"})
		require.NoError(t, err)
		of := ByModule(texts)
		assert.Equal(t, "Apache-2.0", of["github.com/aerie-falco/aerie"])
		assert.Equal(t, "BSD-3-Clause", of[Standard])
	}
}
