//go:build mage

// SPDX-License-Identifier: Apache-2.0

// Aerie builds, tests and documents Falco plugins.
//
// `go tool mage demo` shows the plugins at work; `go tool mage test:all` runs
// everything that has to hold. The work is done by the packages in build/.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/magefile/mage/mg"

	"github.com/aerie-falco/aerie/build/artifacts"
	"github.com/aerie-falco/aerie/build/changelog"
	"github.com/aerie-falco/aerie/build/demo"
	"github.com/aerie-falco/aerie/build/docs"
	"github.com/aerie-falco/aerie/build/gotest"
	"github.com/aerie-falco/aerie/build/index"
	"github.com/aerie-falco/aerie/build/levels"
	"github.com/aerie-falco/aerie/build/lifecycle"
	"github.com/aerie-falco/aerie/build/lint"
	"github.com/aerie-falco/aerie/build/oci"
	"github.com/aerie-falco/aerie/build/plughost"
	"github.com/aerie-falco/aerie/build/registrycheck"
	packages "github.com/aerie-falco/aerie/build/release"
	"github.com/aerie-falco/aerie/build/scaffold"
	"github.com/aerie-falco/aerie/build/sinsp"
	"github.com/aerie-falco/aerie/build/toolchain"
	"github.com/aerie-falco/aerie/build/workspace"
)

// Build makes plugins and tools, in dist/.
type Build mg.Namespace

// All builds every plugin for linux/amd64 and linux/arm64, and checks each file.
func (Build) All(ctx context.Context) {
	mg.SerialCtxDeps(ctx, Build.Host, foreign)
}

// Host builds every plugin for this machine, and checks each file.
func (Build) Host(ctx context.Context) error {
	return in(func(w workspace.Workspace) error { return artifacts.BuildAll(ctx, w, artifacts.Host, os.Stdout) })
}

// Plugin builds the plugin NAME for this machine, and checks the file.
func (Build) Plugin(ctx context.Context, name string) error {
	return in(func(w workspace.Workspace) error { return artifacts.Build(ctx, w, artifacts.Host, name, os.Stdout) })
}

// Plughost builds dist/bin/plughost, which runs plugins without Falco.
func (Build) Plughost(ctx context.Context) error {
	return in(func(w workspace.Workspace) error { return plughost.Build(ctx, w, os.Stdout) })
}

// foreign builds every plugin for the architecture that this machine is not.
func foreign(ctx context.Context) error {
	return in(func(w workspace.Workspace) error {
		for _, arch := range artifacts.Foreign() {
			if err := artifacts.BuildAll(ctx, w, arch, os.Stdout); err != nil {
				return err
			}
		}
		return nil
	})
}

// Demo streams sample audit events through the built plugins and shows their fields.
func Demo(ctx context.Context) error {
	mg.SerialCtxDeps(ctx, Build.Host, Build.Plughost)
	return in(func(w workspace.Workspace) error { return demo.Run(ctx, w, os.Stdout) })
}

// Test runs tests.
type Test mg.Namespace

// All runs every level of test, in the order in which a fault is cheapest to find.
func (Test) All(ctx context.Context) error {
	return levels.Run(ctx, os.Stdout, os.Getenv("CI") == "true", []levels.Level{
		{Name: "lint", Run: Lint},
		{Name: "build", Run: func(ctx context.Context) error { mg.SerialCtxDeps(ctx, Build.Host, Build.Plughost); return nil }},
		{Name: "cross-build", Run: foreign},
		{Name: "registry:check", Run: Registry{}.Check},
		{Name: "docs:check", Run: Docs{}.Check},
		{Name: "lifecycle:check", Run: Lifecycle{}.Check},
		{Name: "test:unit", Run: Test{}.Unit},
		{Name: "test:conformance", Run: Test{}.Conformance},
		{Name: "test:sinsp", Run: realFramework},
		{Name: "test:rules", Run: rulesFiles},
		{Name: "test:scaffold", Run: scaffolded},
		{Name: "test:arm64", Run: emulated},
		{Name: "test:glibc", Run: oldGlibc},
		{Name: "test:release", Run: rehearsal},
	})
}

// Unit runs the unit tests of every module with the race detector.
func (Test) Unit(ctx context.Context) error {
	mg.CtxDeps(ctx, compiler)
	return in(func(w workspace.Workspace) error { return gotest.Unit(ctx, w, os.Stdout) })
}

// Conformance runs the developers guide's tests over every built plugin.
func (Test) Conformance(ctx context.Context) error {
	mg.SerialCtxDeps(ctx, Build.Host, Build.Plughost)
	return in(func(w workspace.Workspace) error { return gotest.Conformance(ctx, w, os.Stdout) })
}

// Sinsp runs every plugin on libsinsp and sysdig, live, captured and replayed, and compares the test host with both.
func (Test) Sinsp(ctx context.Context) error { return level(ctx, "test:sinsp", realFramework) }

// Scaffold makes a plugin of each kind in a copy of the checkout, and tests them there.
func (Test) Scaffold(ctx context.Context) error { return level(ctx, "test:scaffold", scaffolded) }

// Rules compiles the plugins' rules with libsinsp, and tries each on an event that fires it and one that does not.
func (Test) Rules(ctx context.Context) error { return level(ctx, "test:rules", rulesFiles) }

// Arm64 plays the plugins' scenarios with the arm64 libraries, under qemu.
func (Test) Arm64(ctx context.Context) error { return level(ctx, "test:arm64", emulated) }

// Glibc plays the plugins' scenarios on glibc 2.31.
func (Test) Glibc(ctx context.Context) error { return level(ctx, "test:glibc", oldGlibc) }

// Release packages every plugin twice, publishes it to a registry of the test's own, and fetches it from there.
func (Test) Release(ctx context.Context) error { return level(ctx, "test:release", rehearsal) }

// level runs one level by itself, so that it tells as loudly as in test:all what it could not do.
func level(ctx context.Context, name string, run func(context.Context) error) error {
	return levels.Run(ctx, os.Stdout, os.Getenv("CI") == "true", []levels.Level{{Name: name, Run: run}})
}

func realFramework(ctx context.Context) error {
	mg.SerialCtxDeps(ctx, Build.Host)
	return in(func(w workspace.Workspace) error { return sinsp.Test(ctx, w, os.Stdout) })
}

func scaffolded(ctx context.Context) error {
	return in(func(w workspace.Workspace) error { return scaffold.Try(ctx, w, os.Stdout) })
}

func rulesFiles(ctx context.Context) error {
	mg.SerialCtxDeps(ctx, Build.Host)
	return in(func(w workspace.Workspace) error { return sinsp.Rules(ctx, w, os.Stdout) })
}

func emulated(ctx context.Context) error {
	mg.SerialCtxDeps(ctx, Build.All)
	return in(func(w workspace.Workspace) error { return sinsp.Arm64(ctx, w, os.Stdout) })
}

func oldGlibc(ctx context.Context) error {
	mg.SerialCtxDeps(ctx, Build.Host)
	return in(func(w workspace.Workspace) error { return sinsp.Glibc(ctx, w, os.Stdout) })
}

func rehearsal(ctx context.Context) error {
	mg.SerialCtxDeps(ctx, Build.All, Build.Plughost)
	return in(func(w workspace.Workspace) error { return gotest.Release(ctx, w, os.Stdout) })
}

// Lint checks form, licence lines, module files, imports and workflows, and runs vet and staticcheck.
func Lint(ctx context.Context) error {
	mg.CtxDeps(ctx, compiler)
	return in(func(w workspace.Workspace) error { return lint.Run(ctx, w, os.Stdout) })
}

// Registry works on registry.yaml.
type Registry mg.Namespace

// Check compares registry.yaml with the folders and with what the built plugins say.
func (Registry) Check(ctx context.Context) error {
	mg.SerialCtxDeps(ctx, Build.Host, Build.Plughost)
	return in(func(w workspace.Workspace) error {
		ask := func(ctx context.Context, arch string) (registrycheck.Inspector, error) {
			return plughost.Foreign(ctx, w, arch, os.Stdout)
		}
		return registrycheck.Run(ctx, w, ask, os.Stdout)
	})
}

// Docs works on the tables of the READMEs.
type Docs mg.Namespace

// Generate fills the tables from the registry and from what the built plugins say.
func (Docs) Generate(ctx context.Context) error {
	mg.SerialCtxDeps(ctx, Build.Host, Build.Plughost)
	return in(func(w workspace.Workspace) error { return generate(ctx, w) })
}

func generate(ctx context.Context, w workspace.Workspace) error {
	return updated(docs.Generate(ctx, w, plughost.ByName(w)))
}

// updated tells which files were written anew.
func updated(files []string, err error) error {
	for _, file := range files {
		fmt.Println("updated", file)
	}
	return err
}

// Check fails if a table is not up to date.
func (Docs) Check(ctx context.Context) error {
	mg.SerialCtxDeps(ctx, Build.Host, Build.Plughost)
	return in(func(w workspace.Workspace) error { return docs.Check(ctx, w, plughost.ByName(w)) })
}

// Lifecycle keeps versions in step with what changes.
type Lifecycle mg.Namespace

// Generate writes each plugin's face.json, and records what it makes of the payloads in its testdata/payloads.
func (Lifecycle) Generate(ctx context.Context) error {
	mg.SerialCtxDeps(ctx, Build.Host, Build.Plughost)
	return in(func(w workspace.Workspace) error { return updated(lifecycle.Generate(ctx, w)) })
}

// Check compares each plugin with its last release: what changed, and which version that takes.
func (Lifecycle) Check(ctx context.Context) error {
	mg.SerialCtxDeps(ctx, Build.Host, Build.Plughost)
	return in(func(w workspace.Workspace) error { return lifecycle.Check(ctx, w, os.Stdout) })
}

// Changelog writes the sections that the changelog of the plugin NAME lacks.
func Changelog(ctx context.Context, name string) error {
	return in(func(w workspace.Workspace) error {
		version, err := lifecycle.Declared(w, name)
		if err != nil {
			return err
		}
		added, err := changelog.Generate(ctx, w, name, version)
		for _, title := range added {
			fmt.Printf("plugins/%s/%s: %s\n", name, changelog.FileName, title)
		}
		if err == nil && len(added) == 0 {
			fmt.Printf("plugins/%s/%s has every section\n", name, changelog.FileName)
		}
		return err
	})
}

// Release makes what is handed out, in dist/release, and publishes it.
type Release mg.Namespace

// Check checks registry, lifecycle and what release:package checks for WHAT, a plugin or a tag plugins/NAME/vX.Y.Z. It writes nothing.
func (Release) Check(ctx context.Context, what string) error {
	if err := ready(ctx, what); err != nil { // told before minutes of building
		return err
	}
	mg.SerialCtxDeps(ctx, Registry.Check, Lifecycle.Check)
	return release(ctx, packages.Check, what)
}

// Package makes archives, SBOMs, licences and checksums of WHAT, a plugin or a tag plugins/NAME/vX.Y.Z, in dist/release.
func (Release) Package(ctx context.Context, what string) error {
	return release(ctx, packages.Package, what)
}

// All packages every plugin into dist/release.
func (Release) All(ctx context.Context) error { return release(ctx, packages.Package) }

// Publish publishes WHAT, a plugin or a tag, from dist/release to REF, REGISTRY/NAMESPACE, with its rules.
func (Release) Publish(ctx context.Context, what, ref string) error {
	return in(func(w workspace.Workspace) error {
		to, err := oci.ParseTarget(ref, oci.Options{PlainHTTP: os.Getenv("AERIE_OCI_PLAIN_HTTP")})
		if err != nil {
			return err
		}
		return oci.FromCheckout(ctx, w, what, to, os.Stdout)
	})
}

// Sign has cosign sign what release:publish published last, by digest, with the identity of whoever runs it.
func (Release) Sign(ctx context.Context) error {
	return in(func(w workspace.Workspace) error { return oci.Sign(ctx, w, os.Stdout) })
}

// Index writes dist/index/index.yaml, the list for falcoctl of what is published under REF, REGISTRY/NAMESPACE.
func (Release) Index(ctx context.Context, ref string) error {
	return in(func(w workspace.Workspace) error {
		from, err := oci.ParseTarget(ref, oci.Options{PlainHTTP: os.Getenv("AERIE_OCI_PLAIN_HTTP")})
		if err != nil {
			return err
		}
		n, err := index.Write(ctx, w, from)
		if err == nil {
			fmt.Printf("%s: %d entries\n", index.File(w), n)
		}
		return err
	})
}

func release(ctx context.Context, do func(context.Context, workspace.Workspace, packages.Request) error, what ...string) error {
	if err := ready(ctx, what...); err != nil {
		return err
	}
	mg.SerialCtxDeps(ctx, Build.All, Build.Plughost)
	return in(func(w workspace.Workspace) error {
		inspect, err := plughost.EachArchitecture(ctx, w, os.Stdout)
		if err != nil {
			return err
		}
		return do(ctx, w, packages.Request{What: what, Out: packages.Dir(w), Epoch: os.Getenv("SOURCE_DATE_EPOCH"), Inspect: inspect, Log: os.Stdout})
	})
}

// ready makes the checks of a release that need nothing built.
func ready(ctx context.Context, what ...string) error {
	if err := in(func(w workspace.Workspace) error { return packages.Ready(ctx, w, what...) }); err != nil {
		return err
	}
	return sinsp.CheckTested()
}

// New makes things to begin with.
type New mg.Namespace

// Plugin makes, registers, builds and documents the plugin NAME of a KIND: source, extractor, parser or full.
func (New) Plugin(ctx context.Context, kind, name string) error {
	return in(func(w workspace.Workspace) error {
		if err := scaffold.New(ctx, w, kind, name, os.Stdout); err != nil {
			return err
		}
		if err := errors.Join(artifacts.BuildAll(ctx, w, artifacts.Host, os.Stderr), plughost.Build(ctx, w, os.Stderr)); err != nil {
			return err
		}
		if err := generate(ctx, w); err != nil {
			return err
		}
		return updated(lifecycle.Generate(ctx, w))
	})
}

// Bench runs benchmarks.
type Bench mg.Namespace

// All measures every built plugin through the ABI, then runs the benchmarks of every module, and bench:sinsp.
func (Bench) All(ctx context.Context) error {
	mg.SerialCtxDeps(ctx, Build.Host, Build.Plughost)
	return in(func(w workspace.Workspace) error {
		return errors.Join(plughost.BenchAll(ctx, w, os.Stdout), gotest.Bench(ctx, w, os.Stdout), Bench{}.Sinsp(ctx))
	})
}

// Sinsp measures what plugins do for recorded system calls on libsinsp's own tables.
func (Bench) Sinsp(ctx context.Context) error { return level(ctx, "bench:sinsp", onTables) }

func onTables(ctx context.Context) error {
	mg.SerialCtxDeps(ctx, Build.Host)
	return in(func(w workspace.Workspace) error { return sinsp.Bench(ctx, w, os.Stdout) })
}

// Clean removes dist/, which holds everything that is built.
func Clean() error {
	return in(func(w workspace.Workspace) error { return os.RemoveAll(w.Dist()) })
}

// compiler installs the C compiler of this machine if it is missing; the kit and the test host are partly C.
func compiler(ctx context.Context) error {
	_, err := toolchain.Ensure(ctx, artifacts.Host, os.Stdout)
	return err
}

// in calls f with the workspace that the current folder lies in.
func in(f func(workspace.Workspace) error) error {
	w, err := workspace.Find(".")
	if err != nil {
		return err
	}
	return f(w)
}
