// SPDX-License-Identifier: Apache-2.0

// Package toolchain sees to it that a C compiler for the wanted architecture
// is there. On Debian and Ubuntu, as root, it installs a missing one with
// apt-get; anywhere else the error names the exact command to run.
package toolchain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// ErrMissing marks errors about a compiler that is not there and may not be installed by us.
var ErrMissing = errors.New("compiler missing")

// Compiler is a C compiler for one architecture of Linux.
type Compiler struct {
	Arch     string   // GOARCH: amd64 or arm64
	Command  string   // name on the PATH
	Packages []string // what brings it on Debian and Ubuntu
}

// For returns the compiler for arch on this machine. It need not be installed.
func For(arch string) (Compiler, error) { return forHost(arch, runtime.GOARCH) }

func forHost(arch, host string) (Compiler, error) {
	switch {
	case arch != "amd64" && arch != "arm64":
		return Compiler{}, fmt.Errorf("choosing a C compiler for linux/%s: unknown architecture %q; use amd64 or arm64", arch, arch)
	case arch == host:
		return Compiler{Arch: arch, Command: "gcc", Packages: []string{"gcc", "libc6-dev"}}, nil
	case arch == "arm64":
		return Compiler{Arch: arch, Command: "aarch64-linux-gnu-gcc", Packages: []string{"gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"}}, nil
	default:
		return Compiler{Arch: arch, Command: "x86_64-linux-gnu-gcc", Packages: []string{"gcc-x86-64-linux-gnu", "libc6-dev-amd64-cross"}}, nil
	}
}

// Ensure returns the compiler for arch once it compiles and links, installing
// it if need be and allowed. What apt-get says goes to log. If the compiler is
// missing and may not be installed, the error wraps ErrMissing.
func Ensure(ctx context.Context, arch string, log io.Writer) (Compiler, error) {
	c, err := For(arch)
	if err != nil {
		return Compiler{}, err
	}
	return c, machine{run: run, root: os.Geteuid() == 0, apt: hasApt()}.ensure(ctx, c, log)
}

// machine is what Ensure needs to know of, and may do to, this computer.
type machine struct {
	run  func(ctx context.Context, stdin string, out io.Writer, env []string, name string, args ...string) error
	root bool
	apt  bool
}

// probe needs the compiler, its linker, the C library's headers and both of its libraries.
const probe = "#include <pthread.h>\n#include <stdlib.h>\nint aerie_probe(void) { return pthread_equal(pthread_self(), pthread_self()); }\n"

func (m machine) ensure(ctx context.Context, c Compiler, log io.Writer) error {
	first := m.try(ctx, c)
	if first == nil {
		return nil
	}
	if !m.root || !m.apt {
		return fmt.Errorf("compiling for linux/%s: %w: %w; install it with: %s", c.Arch, ErrMissing, first, c.installation(m.apt))
	}
	fmt.Fprintf(log, "installing %s for linux/%s\n", strings.Join(c.Packages, " "), c.Arch)
	quiet := []string{"DEBIAN_FRONTEND=noninteractive"}
	if err := m.run(ctx, "", log, quiet, "apt-get", "-q", "update"); err != nil {
		return fmt.Errorf("installing a compiler for linux/%s: apt-get update: %w", c.Arch, err)
	}
	install := append([]string{"-q", "install", "-y", "--no-install-recommends"}, c.Packages...)
	if err := m.run(ctx, "", log, quiet, "apt-get", install...); err != nil {
		return fmt.Errorf("installing a compiler for linux/%s: apt-get %s: %w", c.Arch, strings.Join(install, " "), err)
	}
	if err := m.try(ctx, c); err != nil {
		return fmt.Errorf("compiling for linux/%s: still fails after installing %s: %w", c.Arch, strings.Join(c.Packages, " "), err)
	}
	return nil
}

// try compiles and links the probe.
func (m machine) try(ctx context.Context, c Compiler) error {
	var said bytes.Buffer
	args := []string{"-x", "c", "-shared", "-fPIC", "-o", os.DevNull, "-", "-l:libpthread.so.0"}
	if err := m.run(ctx, probe, &said, []string{"LC_ALL=C"}, c.Command, args...); err != nil {
		line, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		return errors.New(strings.TrimSuffix(fmt.Sprintf("%s: %v: %s", c.Command, err, line), ": "))
	}
	return nil
}

// installation is the command that a user would type, or what to look for where apt is not at home.
func (c Compiler) installation(apt bool) string {
	command := "sudo apt-get update && sudo apt-get install -y " + strings.Join(c.Packages, " ")
	if apt {
		return command
	}
	return fmt.Sprintf("%s (on Debian or Ubuntu; elsewhere the package that brings %s and its C library's headers)", command, c.Command)
}

func hasApt() bool {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return false
	}
	release, err := os.ReadFile("/etc/os-release")
	return err == nil && debianLike(string(release))
}

// debianLike reads the text of os-release(5): ID, or one word of ID_LIKE, is debian or ubuntu.
func debianLike(release string) bool {
	for line := range strings.Lines(release) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if name != "ID" && name != "ID_LIKE" {
			continue
		}
		for _, id := range strings.Fields(strings.Trim(value, `"'`)) {
			if id == "debian" || id == "ubuntu" {
				return true
			}
		}
	}
	return false
}

func run(ctx context.Context, stdin string, out io.Writer, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), out, out
	cmd.Env = append(os.Environ(), env...)
	return cmd.Run()
}
