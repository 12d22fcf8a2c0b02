// SPDX-License-Identifier: Apache-2.0

package debroot

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fill is a build that writes one file and counts.
func fill(builds *int) func(dir string) error {
	return func(dir string) error {
		*builds++
		return os.WriteFile(filepath.Join(dir, "file"), []byte("content"), 0o644)
	}
}

func TestWhatIsWholeIsMadeOnce(t *testing.T) {
	final, builds := filepath.Join(t.TempDir(), "a", "root"), 0
	for range 3 {
		require.NoError(t, ensure(t.Context(), final, io.Discard, fill(&builds)))
		assert.FileExists(t, filepath.Join(final, "file"))
	}
	assert.Equal(t, 1, builds)
}

func TestWhatAnInterruptedRunLeftIsMadeAnew(t *testing.T) {
	final, builds := filepath.Join(t.TempDir(), "root"), 0
	for _, left := range []string{final, final + ".new"} {
		require.NoError(t, os.MkdirAll(filepath.Join(left, "old"), 0o755))
	}
	require.NoError(t, ensure(t.Context(), final, io.Discard, fill(&builds)))
	assert.Equal(t, 1, builds)
	assert.NoDirExists(t, filepath.Join(final, "old"))
	assert.NoDirExists(t, final+".new")
}

func TestAFailedBuildLeavesNothing(t *testing.T) {
	final, broken := filepath.Join(t.TempDir(), "root"), errors.New("broken")
	err := ensure(t.Context(), final, io.Discard, func(dir string) error {
		return errors.Join(os.WriteFile(filepath.Join(dir, "file"), nil, 0o644), broken)
	})
	require.ErrorIs(t, err, broken)
	assert.NoDirExists(t, final)
	assert.NoDirExists(t, final+".new")
}

func TestWhoeverWantsTheSameWaits(t *testing.T) {
	final, builds := filepath.Join(t.TempDir(), "root"), 0
	second := make(chan error, 1)
	require.NoError(t, ensure(t.Context(), final, io.Discard, func(dir string) error {
		waiting, says := io.Pipe()
		go func() {
			second <- ensure(t.Context(), final, says, func(string) error { return errors.New("made again") })
		}()
		line := make([]byte, 100)
		n, err := waiting.Read(line)
		assert.Contains(t, string(line[:n]), "waiting for another process")
		return errors.Join(err, fill(&builds)(dir))
	}))
	require.NoError(t, <-second)
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path, io.Discard)
	require.NoError(t, err)
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = lock(ctx, path, io.Discard)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestMountsBelowAFolderAreFound(t *testing.T) {
	const table = `22 1 0:20 / /sys rw - sysfs sysfs rw
30 1 0:5 / /cache/a\040root/proc rw - proc proc rw
31 1 0:5 / /cache/other rw - proc proc rw
short line
`
	for dir, want := range map[string]string{"/cache/a root": "/cache/a root/proc", "/cache/othe": "", "/cache/other": "/cache/other", "/none": ""} {
		at, err := mountedBelow(strings.NewReader(table), dir)
		require.NoError(t, err)
		assert.Equal(t, want, at, dir)
	}
}

func TestAnotherRecipeHasAnotherFolder(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	seen := map[string]bool{}
	for _, recipe := range []string{Root{Suite: "forky"}.recipe(), Root{Suite: "forky", Packages: []string{"a"}}.recipe(), Root{Suite: "forky", Packages: []string{"a", "b"}}.recipe()} {
		dir, err := cached("forky", recipe)
		require.NoError(t, err)
		seen[dir] = true
	}
	assert.Len(t, seen, 3)
}

func TestAbsoluteLinksOfASetStayInIt(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "usr/lib"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "lib"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "lib/libx.so.1"), []byte("x"), 0o644))
	require.NoError(t, os.Symlink("/lib/libx.so.1", filepath.Join(dir, "usr/lib/libx.so")))
	require.NoError(t, os.Symlink("libx.so", filepath.Join(dir, "usr/lib/same.so")))
	require.NoError(t, relink(dir))
	for _, link := range []string{"usr/lib/libx.so", "usr/lib/same.so"} {
		text, err := os.ReadFile(filepath.Join(dir, link))
		require.NoError(t, err, link)
		assert.Equal(t, "x", string(text))
	}
}
