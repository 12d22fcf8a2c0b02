// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheChildRunsUnderTheEmulatorThatPlughostIsToldOf(t *testing.T) {
	dir := t.TempDir()
	emulator := filepath.Join(dir, "emulator")
	require.NoError(t, os.WriteFile(emulator, []byte("#!/bin/sh\necho \"$1 $(basename \"$3\")\" >> \""+dir+"/ran\"\nshift\nexec \"$@\"\n"), 0o755))
	cmd := command(t, "inspect", small(t))
	cmd.Env = append(cmd.Env, emulatorVariable+"="+emulator+" -L")
	got := finish(t, cmd)
	assert.Equal(t, exitDone, got.code, got.stderr)
	ran, err := os.ReadFile(filepath.Join(dir, "ran"))
	require.NoError(t, err)
	assert.Equal(t, "-L child\n", string(ran))
}
