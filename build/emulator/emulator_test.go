// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/levels"
)

func TestProgramsOfThisMachineNeedNoEmulator(t *testing.T) {
	run, err := Ensure(t.Context(), runtime.GOARCH, t.Output())
	require.NoError(t, err)
	assert.Empty(t, run)
}

func TestProgramsOfTheOtherArchitectureRunOnTheirOwnLibc(t *testing.T) {
	arch := map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]
	run, err := Ensure(t.Context(), arch, t.Output())
	if errors.Is(err, levels.ErrCannotRun) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	require.NoError(t, err)
	require.Equal(t, []string{emulators[arch], "-L", crossLibc[arch]}, run)
	said, err := exec.Command(run[0], "--version").CombinedOutput()
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(said), "qemu-"), "%s", said)
}

func TestAnArchitectureThatNobodyKnowsIsRefused(t *testing.T) {
	_, err := Ensure(t.Context(), "riscv64", t.Output())
	assert.EqualError(t, err, `running programs for linux/riscv64: unknown architecture "riscv64"; use amd64 or arm64`)
}
