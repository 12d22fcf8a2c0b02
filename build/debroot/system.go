// SPDX-License-Identifier: Apache-2.0

package debroot

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aerie-falco/aerie/build/levels"
)

// tool is something of this machine, and the Debian package that brings it.
type tool struct {
	name string // of a command, or an absolute path
	pkg  string
}

func (t tool) there() bool {
	if filepath.IsAbs(t.name) {
		_, err := os.Stat(t.name)
		return err == nil
	}
	_, err := exec.LookPath(t.name)
	return err == nil
}

// install brings the tools that are missing, as root on Debian and its kin.
// Elsewhere the error wraps levels.ErrCannotRun and names the command to type.
func install(ctx context.Context, log io.Writer, tools ...tool) error {
	var missing []string
	for _, t := range tools {
		if !t.there() {
			missing = append(missing, t.pkg)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	names := strings.Join(missing, " ")
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return fmt.Errorf("%w: %s missing; install with: sudo apt-get update && sudo apt-get install -y %s", levels.ErrCannotRun, names, names)
	}
	fmt.Fprintf(log, "installing %s\n", names)
	for _, args := range [][]string{{"-q", "update"}, append([]string{"-q", "install", "-y", "--no-install-recommends"}, missing...)} {
		if err := run(ctx, io.Discard, []string{"DEBIAN_FRONTEND=noninteractive"}, "apt-get", args...); err != nil {
			return fmt.Errorf("installing %s: apt-get %s: %w", names, strings.Join(args, " "), err)
		}
	}
	return nil
}

// Require sees to it that a command is there, installing the Debian package
// that brings it as toolchain.Ensure does a compiler.
func Require(ctx context.Context, log io.Writer, command, pkg string) error {
	if err := install(ctx, log, tool{command, pkg}); err != nil {
		return fmt.Errorf("looking for %s: %w", command, err)
	}
	return nil
}

// inOwnMounts runs a command whose mounts and processes end with it, however it
// ends: in a mount and a process namespace of its own.
func inOwnMounts(ctx context.Context, log io.Writer, name string, args ...string) error {
	all := append([]string{"--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--", name}, args...)
	return run(ctx, log, []string{"LC_ALL=C"}, "unshare", all...)
}

// run runs a command. The error ends with the last of what it said.
func run(ctx context.Context, log io.Writer, env []string, name string, args ...string) error {
	const told = 20 // lines
	var all bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	out := io.MultiWriter(log, &all) // one value, so that one goroutine copies both
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		lines := strings.Split(strings.TrimSpace(all.String()), "\n")
		return fmt.Errorf("%s: %w: %s", name, err, strings.Join(lines[max(0, len(lines)-told):], "\n"))
	}
	return nil
}
