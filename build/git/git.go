// SPDX-License-Identifier: Apache-2.0

// Package git asks the git command about a checkout. It changes nothing.
package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Output runs git in dir and returns what it printed, as it is. The error has
// the command and what it said; an *exec.ExitError inside it has the exit code.
func Output(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0")
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(said.String()))
	}
	return out.String(), nil
}

// Lines is Output, split into lines without their ends. No output is no lines.
func Lines(ctx context.Context, dir string, args ...string) ([]string, error) {
	text, err := Output(ctx, dir, args...)
	if err != nil || text == "" {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n"), nil
}

// HasCommit reports whether dir is the root of a checkout in which something is
// committed. An exported tree without git, or in somebody else's checkout, is none.
func HasCommit(ctx context.Context, dir string) (bool, error) {
	if _, err := os.Stat(filepath.Join(dir, ".git")); err != nil {
		return false, nil
	}
	_, err := Output(ctx, dir, "rev-parse", "--verify", "--quiet", "HEAD")
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return false, nil // other failures have other codes
	}
	return err == nil, err
}

// Shallow reports whether the history of dir, a checkout, was cut off when it was cloned.
func Shallow(ctx context.Context, dir string) (bool, error) {
	text, err := Output(ctx, dir, "rev-parse", "--is-shallow-repository")
	return strings.TrimSpace(text) == "true", err
}

// Show returns a file as it was at a commit or tag; ok is false if it had no such file.
func Show(ctx context.Context, dir, at, path string) (text []byte, ok bool, err error) {
	names, err := Lines(ctx, dir, "ls-tree", "--name-only", "--full-tree", at, "--", path)
	if err != nil || len(names) == 0 {
		return nil, false, err
	}
	out, err := Output(ctx, dir, "show", at+":"+path)
	return []byte(out), err == nil, err
}
