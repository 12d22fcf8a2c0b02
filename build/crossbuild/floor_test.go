// SPDX-License-Identifier: Apache-2.0

package crossbuild

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheHeaderPinsWhatTheGoRuntimeImports(t *testing.T) {
	header := floorHeader()
	x86, arm, found := strings.Cut(header, "#elif defined(__aarch64__)\n")
	require.True(t, found)
	for _, name := range []string{
		"pthread_create", "pthread_key_create", "pthread_setspecific", "pthread_attr_getstack", "pthread_attr_getstacksize",
		"pthread_sigmask", "pthread_getattr_np",
	} {
		assert.Contains(t, x86, `__asm__(".symver `+name+`,`+name+`@GLIBC_2.2.5");`)
		assert.Contains(t, arm, `__asm__(".symver `+name+`,`+name+`@GLIBC_2.17");`)
	}
	assert.NotContains(t, header, "pthread_kill", "its code changed in 2.34")
	assert.NotContains(t, header, "symver #")
	assert.Equal(t, strings.Count(x86, ".symver"), strings.Count(arm, ".symver"))
}

func TestAFilesNameChangesWithItsContent(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	one, err := writeHashed(dir, "floor", ".h", "one\n")
	require.NoError(t, err)
	again, err := writeHashed(dir, "floor", ".h", "one\n")
	require.NoError(t, err)
	two, err := writeHashed(dir, "floor", ".h", "two\n")
	require.NoError(t, err)

	assert.Equal(t, one, again)
	assert.NotEqual(t, one, two)
	text, err := os.ReadFile(two)
	require.NoError(t, err)
	assert.Equal(t, "two\n", string(text))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 2, "no temporary file may be left")
}

func TestADamagedFileIsWrittenAnew(t *testing.T) {
	dir := t.TempDir()
	path, err := writeHashed(dir, "floor", ".h", "one\n")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte("cut"), 0o644))
	_, err = writeHashed(dir, "floor", ".h", "one\n")
	require.NoError(t, err)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "one\n", string(text))
}

func TestQuotedWordsSurviveTheGoCommandsSplitting(t *testing.T) {
	for in, want := range map[string]string{
		"/plain/path": "/plain/path",
		"/a b/c":      "'/a b/c'",
		"-x '/a b/c'": `"-x '/a b/c'"`,
	} {
		assert.Equal(t, want, quote(in))
	}
}
