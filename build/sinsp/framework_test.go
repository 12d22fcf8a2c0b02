// SPDX-License-Identifier: Apache-2.0

package sinsp

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheDriverIsCompiledAnewWhenASourceChanges(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(t.TempDir(), "abi.h")
	write := func(path, text string) string {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		files, err := contents(dir, other)
		require.NoError(t, err)
		return hash(files)
	}
	require.NoError(t, os.WriteFile(other, nil, 0o644))
	seen := map[string]bool{}
	for _, h := range []string{
		write(filepath.Join(dir, "a.cpp"), "x"), write(filepath.Join(dir, "a.cpp"), "y"),
		write(filepath.Join(dir, "b.cpp"), ""), write(other, "z"),
	} {
		seen[h] = true
	}
	assert.Len(t, seen, 4)
	assert.True(t, seen[write(other, "z")], "the same files have the same name")
}
