// SPDX-License-Identifier: Apache-2.0

package scaffold

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/aerie-falco/aerie/build/gocmd"
	"github.com/aerie-falco/aerie/build/sinsp"
	"github.com/aerie-falco/aerie/build/workspace"
)

// Page shows how a plugin is made, with what its commands print.
const Page = "docs/new-plugin.md"

// Try copies the checkout to a folder of its own. There it types what Page shows and
// expects what Page says. Then it makes a plugin of each kind, by the command that a
// contributor types; each has to pass its unit tests, the developers guide and its
// scenarios and rules on libsinsp as it was made.
//
// It needs what the tests on libsinsp need. The time that each step takes is printed.
func Try(ctx context.Context, w workspace.Workspace, out io.Writer) error {
	dir, err := os.MkdirTemp("", "scaffold")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := copyTo(w, dir); err != nil {
		return fmt.Errorf("copying the checkout: %w", err)
	}
	t := trial{Workspace: workspace.Workspace{Root: dir}, out: out}
	// first, for the page begins with a fresh clone
	page := t.timed(Page, func() error { return t.page(ctx) })
	var names []string
	for _, kind := range Kinds {
		name := "new-" + kind
		names = append(names, name)
		if err := t.timed("new:plugin "+kind+" "+name, func() error { return t.run(ctx, "go", "tool", "mage", "new:plugin", kind, name) }); err != nil {
			return errors.Join(page, err)
		}
	}
	return errors.Join(page,
		t.timed("unit tests", func() error { return t.each(ctx, names, "test", "-race", "./...") }),
		t.timed("vet", func() error { return t.each(ctx, names, "vet", "./...") }),
		t.timed("registry:check, docs:check, lifecycle:check", func() error {
			return t.run(ctx, "go", "tool", "mage", "registry:check", "docs:check", "lifecycle:check")
		}),
		t.timed("the developers guide", func() error {
			guide := "^TestEveryLibraryFollowsTheGuide$/^lib(" + strings.Join(names, "|") + `)\.so$`
			return t.run(ctx, "go", "test", "-C", "test", "-count=1", "-run", guide, "./conformance")
		}),
		t.timed("libsinsp and sysdig", func() error { return sinsp.TestPlugins(ctx, t.Workspace, out, names) }),
	)
}

type trial struct {
	workspace.Workspace
	out io.Writer
}

// timed runs one step and says how long it took.
func (t trial) timed(what string, step func() error) error {
	began := time.Now()
	err := step()
	verdict := "done"
	if err != nil {
		verdict = "FAILED"
		err = fmt.Errorf("%s, in a copy of the checkout: %w", what, err)
	}
	fmt.Fprintf(t.out, "new plugins: %s: %s in %s\n", what, verdict, time.Since(began).Round(100*time.Millisecond))
	return err
}

// run runs a command at the root of the copy.
func (t trial) run(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.Root, t.out, t.out
	return cmd.Run()
}

// each runs the go command in each plugin's folder.
func (t trial) each(ctx context.Context, names []string, args ...string) error {
	var failed []error
	for _, name := range names {
		failed = append(failed, gocmd.Go{Dir: t.Path("plugins", name), Stdout: t.out, Stderr: t.out}.Run(ctx, args...))
	}
	return errors.Join(failed...)
}

// copyTo copies what the checkout holds, but not its history and what was built.
func copyTo(w workspace.Workspace, dir string) error {
	return filepath.WalkDir(w.Root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(w.Root, path)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, rel)
		switch {
		case rel == ".git" || rel == "dist":
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil // the .git of a worktree is a file
		case d.IsDir():
			return os.MkdirAll(to, 0o755)
		case !d.Type().IsRegular():
			return fmt.Errorf("%s is not a regular file", rel)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.WriteFile(to, text, info.Mode().Perm())
	})
}

// page types the commands of the page's blocks, in order, and compares what they print.
func (t trial) page(ctx context.Context) error {
	text, err := os.ReadFile(t.Path(filepath.FromSlash(Page)))
	if err != nil {
		return err
	}
	here := strings.NewReplacer("linux_amd64", "linux_"+runtime.GOARCH)
	var failed []error
	for _, b := range consoles(string(text)) {
		var got strings.Builder
		for line := range strings.Lines(b.text) {
			command, ok := strings.CutPrefix(line, "$ ")
			if !ok {
				continue
			}
			var said bytes.Buffer
			cmd := exec.CommandContext(ctx, "sh", "-c", here.Replace(command))
			cmd.Dir, cmd.Stderr = t.Root, &said
			shown, err := cmd.Output()
			if err != nil {
				return fmt.Errorf("%s:%d: %s%w: %s%s", Page, b.line, line, err, shown, said.Bytes())
			}
			got.WriteString(line)
			got.Write(shown)
		}
		if want := timeless(b.text); timeless(got.String()) != want {
			failed = append(failed, fmt.Errorf("%s:%d: the page says\n%s\nbut the commands print\n%s", Page, b.line, b.text, got.String()))
		}
	}
	return errors.Join(failed...)
}
