// SPDX-License-Identifier: Apache-2.0

// Package scratch makes git repositories for tests. They depend on nothing of
// the user's: identity, signing, hooks and the name of the first branch are set.
package scratch

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Repo is a repository that lives as long as its test.
type Repo struct {
	Dir string
	t   *testing.T
}

// New makes an empty repository.
func New(t *testing.T) *Repo { return In(t, t.TempDir()) }

// In makes a folder a repository in which nothing is committed yet.
func In(t *testing.T, dir string) *Repo {
	t.Helper()
	r := &Repo{Dir: dir, t: t}
	r.Git("init", "--quiet", "--initial-branch=main")
	return r
}

// Git runs git in the repository and returns what it printed.
func (r *Repo) Git(args ...string) string {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "git", args...)
	cmd.Dir = r.Dir
	cmd.Env = append(os.Environ(),
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "LC_ALL=C",
		"GIT_AUTHOR_NAME=Jo", "GIT_AUTHOR_EMAIL=jo@example.org", "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z",
		"GIT_COMMITTER_NAME=Jo", "GIT_COMMITTER_EMAIL=jo@example.org", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z")
	said, err := cmd.CombinedOutput()
	require.NoError(r.t, err, "git %v: %s", args, said)
	return string(said)
}

// Write writes a file, whose name is slash-separated.
func (r *Repo) Write(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.Dir, filepath.FromSlash(name))
	require.NoError(r.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(r.t, os.WriteFile(path, []byte(text), 0o644))
}

// Commit commits all that is there.
func (r *Repo) Commit(message string) {
	r.t.Helper()
	r.Git("add", "--all")
	r.Git("commit", "--quiet", "--allow-empty", "--message", message)
}

// Tag gives HEAD these tags.
func (r *Repo) Tag(names ...string) {
	r.t.Helper()
	for _, name := range names {
		r.Git("tag", name)
	}
}
