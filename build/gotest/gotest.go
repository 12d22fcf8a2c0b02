// SPDX-License-Identifier: Apache-2.0

// Package gotest runs the Go tests of the checkout, module by module, and shows
// what go test says as it says it.
package gotest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aerie-falco/aerie/build/gocmd"
	"github.com/aerie-falco/aerie/build/workspace"
)

// conformance is the folder of tests that need built plugins.
const conformance = "test/conformance"

// framework is the folder of tests that need the real framework.
const framework = "test/sinsp"

// rehearsal is the folder of tests that release the built plugins, for a test.
const rehearsal = "build/rehearsal"

// Unit tests every module with the race detector, except what needs built
// plugins. All modules are tested; the error names those that failed.
func Unit(ctx context.Context, w workspace.Workspace, out io.Writer) error {
	failed, err := eachModule(ctx, w, func(m workspace.Module, packages []string) error {
		fmt.Fprintf(out, "\n%s\n", m.Path)
		in := gocmd.Go{Dir: m.Dir, Stdout: out, Stderr: out}
		return in.Run(ctx, append([]string{"test", "-race", "-p", "2"}, packages...)...)
	})
	if err != nil {
		return err
	}
	return failure("unit tests", failed)
}

// eachModule calls f for every module that has packages to test, with those
// packages, and returns the modules for which it failed.
func eachModule(ctx context.Context, w workspace.Workspace, f func(m workspace.Module, packages []string) error) (failed []string, err error) {
	modules, err := w.Modules()
	if err != nil {
		return nil, err
	}
	for _, m := range modules {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		packages, err := unitPackages(ctx, m)
		if err != nil {
			return nil, err
		}
		if len(packages) > 0 && f(m, packages) != nil {
			failed = append(failed, m.Rel)
		}
	}
	return failed, nil
}

// unitPackages lists a module's packages that can be tested without built plugins.
func unitPackages(ctx context.Context, m workspace.Module) ([]string, error) {
	text, err := gocmd.Go{Dir: m.Dir}.Output(ctx, "list", "./...")
	if err != nil {
		return nil, fmt.Errorf("listing the packages of %s: %w", m.Path, err)
	}
	return slices.DeleteFunc(strings.Fields(text), func(name string) bool {
		rel := path.Join(m.Rel, strings.TrimPrefix(name, m.Path))
		return rel == conformance || strings.HasPrefix(rel, conformance+"/") || rel == framework || rel == rehearsal
	}), nil
}

// Conformance runs the developers guide's tests over every built plugin.
func Conformance(ctx context.Context, w workspace.Workspace, out io.Writer) error {
	dir := w.Path(filepath.FromSlash(conformance))
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("running the conformance tests: %w", err)
	}
	in := gocmd.Go{Dir: dir, Stdout: out, Stderr: out}
	// -count=1: the plugins are no Go dependency of the tests, so a cached result would be one of older files
	return in.Run(ctx, "test", "-count=1", "-p", "2", "./...")
}

// Release runs the tests that package every built plugin, for all architectures, and publish it to a registry of their own.
func Release(ctx context.Context, w workspace.Workspace, out io.Writer) error {
	in := gocmd.Go{Dir: w.Root, Stdout: out, Stderr: out}
	// -count=1: the plugins are no Go dependency of the tests
	return in.Run(ctx, "test", "-count=1", "-v", "./"+rehearsal)
}

func failure(what string, failed []string) error {
	if len(failed) == 0 {
		return nil
	}
	return errors.New(what + " failed in: " + strings.Join(failed, ", "))
}
