// SPDX-License-Identifier: Apache-2.0

// Package crossbuild compiles one plugin into a shared object that loads on
// every glibc from 2.17 on and whose bytes depend on the sources and the tools
// alone: not on the folder, the user, the time or the state of git.
//
// It compiles only; package elfgate judges the result.
package crossbuild

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/aerie-falco/aerie/build/gocmd"
)

// Request says what to build.
type Request struct {
	Module  string    // absolute folder of the plugin's module; its package ./lib is the entry
	Arch    string    // GOARCH: amd64 or arm64
	CC      string    // C compiler for Arch
	Out     string    // absolute path of the shared object
	Scratch string    // absolute folder for the generated linker inputs; created if need be
	Log     io.Writer // what the go command says
}

// Tags keep the C resolver and user database out: they would pull in libresolv and NSS of the building machine's glibc.
const Tags = "netgo,osusergo"

// exports hides everything but the plugin API. The node is anonymous, for a named one would give our symbols a version.
const exports = "/* SPDX-License-Identifier: Apache-2.0 */\n{ global: plugin_*; local: *; };\n"

// SharedObject builds r.Out. Nothing is left beside it; the C header that the go command writes is removed.
func SharedObject(ctx context.Context, r Request) error {
	doing := fmt.Sprintf("building %s for linux/%s", r.Module, r.Arch)
	if err := checkPath(r.Scratch); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	header, err := writeHashed(r.Scratch, "floor", ".h", floorHeader())
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	script, err := writeHashed(r.Scratch, "exports", ".map", exports)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	env, err := gocmd.Hermetic(ctx, r.Module, environment(r, header)...)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if err := os.MkdirAll(filepath.Dir(r.Out), 0o755); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	err = gocmd.Go{Dir: r.Module, Env: env, Stdout: r.Log, Stderr: r.Log}.Run(ctx, arguments(script, r.Out)...)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if err := os.Remove(strings.TrimSuffix(r.Out, filepath.Ext(r.Out)) + ".h"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: removing the C header: %w", doing, err)
	}
	return nil
}

// Recipe is how SharedObject compiles for arch: the settings of its environment
// and the command, with the names of the generated files for their paths. Those
// names have a hash of the content.
func Recipe(arch, cc string) (environ, command []string) {
	environ = environment(Request{Arch: arch, CC: cc}, hashedName("floor", ".h", floorHeader()))
	return environ, append([]string{"go"}, arguments(hashedName("exports", ".map", exports), "out.so")...)
}

func arguments(script, out string) []string {
	linker := "-s -w -buildid= " + quote("-extldflags=-Wl,--build-id=sha1 "+quote("-Wl,--version-script="+script))
	return []string{"build", "-tags", Tags, "-trimpath", "-buildvcs=false", "-buildmode=c-shared", "-ldflags", linker, "-o", out, "./lib"}
}

// environment is what the result may depend on.
//
// The header goes through CGO_CPPFLAGS because setting CGO_CFLAGS would replace
// the default flags, and a #cgo line would reach one package only, not
// runtime/cgo. libpthread is named because the functions that the header pins
// live there before glibc 2.34; a host need not have loaded it itself.
func environment(r Request, header string) []string {
	return []string{
		"CGO_ENABLED=1", "GOOS=linux", "GOARCH=" + r.Arch, "GOAMD64=v1", "GOARM64=v8.0", "GOFIPS140=off", "GOWORK=off",
		"CC=" + r.CC,
		"CGO_CPPFLAGS=-include " + quote(header),
		"CGO_LDFLAGS=-O2 -g -Wl,--push-state,--no-as-needed -l:libpthread.so.0 -Wl,--pop-state",
	}
}

// quote makes s one word of a flag list as the go command splits it, which knows quotes of both kinds but no escapes.
func quote(s string) string {
	switch {
	case !strings.ContainsAny(s, " \t\n'\""):
		return s
	case !strings.Contains(s, "'"):
		return "'" + s + "'"
	default:
		return `"` + s + `"`
	}
}

// checkPath refuses what quote, or the comma-separated -Wl of the C compiler, cannot carry.
func checkPath(path string) error {
	if i := strings.IndexAny(path, "'\",\n"); i >= 0 {
		return fmt.Errorf("the path %q contains %q, which linker flags cannot carry; move the checkout to a folder without it", path, path[i])
	}
	return nil
}
