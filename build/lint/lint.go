// SPDX-License-Identifier: Apache-2.0

// Package lint checks the sources of the checkout: form, licence lines, module
// files, who may import whom, workflows, and what vet and staticcheck find.
package lint

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/aerie-falco/aerie/build/gocmd"
	"github.com/aerie-falco/aerie/build/workspace"
)

// check is one of the checks. It returns what it found wrong, one text each, and an error if it could not look.
type check struct {
	name string
	run  func(ctx context.Context, l linter) ([]string, error)
}

var checks = []check{
	{"gofmt", gofmt},
	{"SPDX lines", spdx},
	{"go.work", goWork},
	{"imports", arrows},
	{"workflows", workflows},
	{"go mod tidy", tidy},
	{"go build without workspace", build},
	{"go vet", vet},
	{"staticcheck", staticcheck},
}

// linter is what the checks work on.
type linter struct {
	w       workspace.Workspace
	modules []workspace.Module
}

// Run runs all checks, whatever the earlier ones found, and prints every
// finding. The error names the checks that found something.
func Run(ctx context.Context, w workspace.Workspace, out io.Writer) error {
	modules, err := w.Modules()
	if err != nil {
		return err
	}
	l := linter{w: w, modules: modules}
	var failed []string
	for _, c := range checks {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		began := time.Now()
		findings, err := c.run(ctx, l)
		if err != nil {
			findings = append(findings, err.Error())
		}
		verdict := "ok"
		if len(findings) > 0 {
			verdict = "FAILED"
			failed = append(failed, c.name)
		}
		fmt.Fprintf(out, "%-28s %-6s %s\n", c.name, verdict, time.Since(began).Round(100*time.Millisecond))
		for _, f := range findings {
			fmt.Fprintf(out, "  %s\n", strings.ReplaceAll(strings.TrimSpace(f), "\n", "\n  "))
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("lint: %s failed", strings.Join(failed, ", "))
	}
	return nil
}

// alone is the environment in which a module is on its own, as it is for whoever depends on it.
func alone() []string { return gocmd.Inherit("GOWORK=off", "GOFLAGS=-buildvcs=false") }

// eachModule runs the go command with the same arguments in every module and returns what it said where it failed.
func (l linter) eachModule(ctx context.Context, args ...string) ([]string, error) {
	var findings []string
	for _, m := range l.modules {
		if ctx.Err() != nil {
			return findings, ctx.Err()
		}
		var said strings.Builder
		if err := (gocmd.Go{Dir: m.Dir, Env: alone(), Stdout: &said, Stderr: &said}).Run(ctx, args...); err != nil {
			findings = append(findings, fmt.Sprintf("%s: %v\n%s", m.Rel, err, said.String()))
		}
	}
	return findings, nil
}

// tool builds a tool of the root module's go.mod and returns the program's path.
func (l linter) tool(ctx context.Context, pkg string) (string, error) {
	program := filepath.Join(l.w.Dist(), ".build", "bin", filepath.Base(pkg))
	var said strings.Builder
	if err := (gocmd.Go{Dir: l.w.Root, Env: alone(), Stdout: &said, Stderr: &said}).Run(ctx, "build", "-o", program, pkg); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", pkg, err, said.String())
	}
	return program, nil
}
