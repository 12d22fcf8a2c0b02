// SPDX-License-Identifier: Apache-2.0

package toolchain

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEachPairOfMachinesHasItsCompiler(t *testing.T) {
	for _, c := range []struct {
		name, arch, host, command, packages string
	}{
		{"amd64 for itself", "amd64", "amd64", "gcc", "gcc libc6-dev"},
		{"arm64 for itself", "arm64", "arm64", "gcc", "gcc libc6-dev"},
		{"amd64 for arm64", "arm64", "amd64", "aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu libc6-dev-arm64-cross"},
		{"arm64 for amd64", "amd64", "arm64", "x86_64-linux-gnu-gcc", "gcc-x86-64-linux-gnu libc6-dev-amd64-cross"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := forHost(c.arch, c.host)
			require.NoError(t, err)
			assert.Equal(t, c.command, got.Command)
			assert.Equal(t, c.packages, strings.Join(got.Packages, " "))
		})
	}
	_, err := For("riscv64")
	assert.EqualError(t, err, `choosing a C compiler for linux/riscv64: unknown architecture "riscv64"; use amd64 or arm64`)
}

// fake is a machine that records its commands; the compiler works once apt-get has installed it, if ever.
type fake struct {
	ran       []string
	installed bool
	useless   bool // the installed compiler does not work either
}

func (f *fake) run(_ context.Context, _ string, out io.Writer, _ []string, name string, args ...string) error {
	f.ran = append(f.ran, name+" "+strings.Join(args, " "))
	switch {
	case name == "apt-get" && args[1] == "install":
		f.installed = true
		return nil
	case name == "apt-get":
		return nil
	case f.installed && !f.useless:
		return nil
	}
	_, _ = io.WriteString(out, "fatal error: stdlib.h: No such file or directory\ncompilation terminated.\n")
	return errors.New("exit status 1")
}

func TestRootOnDebianInstallsAMissingCompiler(t *testing.T) {
	c, err := forHost("arm64", "amd64")
	require.NoError(t, err)
	f := &fake{}
	require.NoError(t, machine{run: f.run, root: true, apt: true}.ensure(t.Context(), c, io.Discard))
	require.Len(t, f.ran, 4)
	assert.Equal(t, "apt-get -q update", f.ran[1])
	assert.Equal(t, "apt-get -q install -y --no-install-recommends gcc-aarch64-linux-gnu libc6-dev-arm64-cross", f.ran[2])
}

func TestACompilerThatWorksIsLeftAlone(t *testing.T) {
	c, err := forHost("arm64", "amd64")
	require.NoError(t, err)
	f := &fake{installed: true}
	require.NoError(t, machine{run: f.run, root: true, apt: true}.ensure(t.Context(), c, io.Discard))
	assert.Len(t, f.ran, 1)
}

func TestWhoMayNotInstallIsToldTheCommand(t *testing.T) {
	c, err := forHost("arm64", "amd64")
	require.NoError(t, err)
	f := &fake{}
	err = machine{run: f.run, root: false, apt: true}.ensure(t.Context(), c, io.Discard)
	require.ErrorIs(t, err, ErrMissing)
	assert.EqualError(t, err, "compiling for linux/arm64: compiler missing: aarch64-linux-gnu-gcc: exit status 1: "+
		"fatal error: stdlib.h: No such file or directory; install it with: "+
		"sudo apt-get update && sudo apt-get install -y gcc-aarch64-linux-gnu libc6-dev-arm64-cross")
	assert.Len(t, f.ran, 1, "nothing may be installed")

	err = machine{run: f.run, root: true, apt: false}.ensure(t.Context(), c, io.Discard)
	require.ErrorIs(t, err, ErrMissing)
	assert.Contains(t, err.Error(), "elsewhere the package that brings aarch64-linux-gnu-gcc")
}

func TestACompilerThatFailsAfterInstallingIsAnError(t *testing.T) {
	c, err := forHost("arm64", "amd64")
	require.NoError(t, err)
	f := &fake{useless: true}
	err = machine{run: f.run, root: true, apt: true}.ensure(t.Context(), c, io.Discard)
	require.Error(t, err)
	assert.NotErrorIs(t, err, ErrMissing)
	assert.Contains(t, err.Error(), "still fails after installing gcc-aarch64-linux-gnu libc6-dev-arm64-cross")
}

func TestTheProbeTellsAWorkingCompilerFromNone(t *testing.T) {
	c, err := Ensure(t.Context(), runtime.GOARCH, io.Discard)
	require.NoError(t, err)
	m := machine{run: run}
	require.NoError(t, m.try(t.Context(), c))

	c.Command = "no-such-gcc"
	err = m.try(t.Context(), c)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "no-such-gcc")
}

func TestDebianAndItsDescendantsAreKnown(t *testing.T) {
	for _, c := range []struct {
		name, release string
		want          bool
	}{
		{"Debian", "PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n", true},
		{"Ubuntu", "ID=ubuntu\nID_LIKE=debian\n", true},
		{"a descendant of Ubuntu", "ID=\"pop\"\nID_LIKE=\"ubuntu debian\"\n", true},
		{"another family", "ID=fedora\nPRETTY_NAME=\"not debian\"\n", false},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, debianLike(c.release)) })
	}
}
