// SPDX-License-Identifier: Apache-2.0

package sinsp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/aerie-falco/aerie/build/artifacts"
	"github.com/aerie-falco/aerie/build/debroot"
	"github.com/aerie-falco/aerie/build/emulator"
	"github.com/aerie-falco/aerie/build/gocmd"
	"github.com/aerie-falco/aerie/build/gotest"
	"github.com/aerie-falco/aerie/build/toolchain"
	"github.com/aerie-falco/aerie/build/workspace"
)

// Test runs the plugins' scenarios on libsinsp and sysdig, and compares the
// test host with both. It needs the plugins built for this machine.
func Test(ctx context.Context, w workspace.Workspace, log io.Writer) error {
	return onFramework(ctx, w, log, "-skip", "^Test(Elsewhere|Rules)", "./sinsp/...")
}

// Rules compiles the plugins' rules with libsinsp, and tries each on events. It
// needs the plugins built for this machine.
func Rules(ctx context.Context, w workspace.Workspace, log io.Writer) error {
	return onFramework(ctx, w, log, "-run", "^TestRules", "./sinsp")
}

// TestPlugins is Test and Rules for these plugins alone.
func TestPlugins(ctx context.Context, w workspace.Workspace, log io.Writer, names []string) error {
	these := "^((" + strings.Join(names, "|") + ")|(" + strings.Join(names, "|") + ")_rules\\.yaml)$"
	return onFramework(ctx, w, log, "-skip", "^Test(Elsewhere|Reference)", "-run", "^Test/"+these, "./sinsp")
}

// Bench measures, on libsinsp's own tables, what plugins do for recorded system
// calls, and prints a table. It needs the plugins built for this machine.
func Bench(ctx context.Context, w workspace.Workspace, out io.Writer) error {
	if _, _, err := prepare(ctx, w, out); err != nil { // which takes a while, the first time
		return err
	}
	var said bytes.Buffer
	if err := onFramework(ctx, w, &said, "-run", "^$", "-bench", "^BenchmarkRecordedSystemCalls$", "-benchtime", "1x", "./sinsp"); err != nil {
		fmt.Fprint(out, said.String())
		return err
	}
	return gotest.Tabulate(out, said.String())
}

func onFramework(ctx context.Context, w workspace.Workspace, log io.Writer, args ...string) error {
	root, driver, err := prepare(ctx, w, log)
	if err != nil {
		return err
	}
	run, err := debroot.Interpreted(root, artifacts.Host)
	if err != nil {
		return err
	}
	place, err := json.Marshal(setting{Root: root, Run: run, Driver: driver})
	if err != nil {
		return err
	}
	return goTest(ctx, w, log, args, "AERIE_SINSP="+string(place))
}

// setting is where the framework is; its JSON is read by the tests.
type setting struct {
	Root   string
	Run    []string // command that runs programs of the root from outside
	Driver string
}

func goTest(ctx context.Context, w workspace.Workspace, log io.Writer, args []string, places ...string) error {
	env := gocmd.Inherit(append(places, "AERIE_DIST="+w.Dist())...)
	// -count=1: the plugins are no Go dependency of the tests, so a cached result would be one of older files
	return gocmd.Go{Dir: w.Path("test"), Env: env, Stdout: log, Stderr: log}.Run(ctx, append([]string{"test", "-count=1"}, args...)...)
}

// machine is where the tests play the scenarios on the test host; its JSON is read by them.
type machine struct {
	Arch string
	CC   string
	Run  []string
}

func (m machine) play(ctx context.Context, w workspace.Workspace, log io.Writer) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	fmt.Fprintln(log, "there is no libsinsp here: all is played on the test host, which follows of system calls the threads' programs and cgroups alone")
	return goTest(ctx, w, log, []string{"-run", "^TestElsewhere", "./sinsp"}, "AERIE_ELSEWHERE="+string(text))
}

// Arm64 plays the scenarios on the test host with the arm64 libraries, under
// qemu-user on other machines. It needs the plugins built for arm64.
func Arm64(ctx context.Context, w workspace.Workspace, log io.Writer) error {
	const arch = "arm64"
	cc, err := toolchain.Ensure(ctx, arch, log)
	if err != nil {
		return err
	}
	run, err := emulator.Ensure(ctx, arch, log)
	if err != nil {
		return err
	}
	return machine{Arch: arch, CC: cc.Command, Run: run}.play(ctx, w, log)
}

// oldLibc is the oldest C library that Debian's mirrors still have: glibc 2.31.
// The ELF gate proves that plugins need no more than 2.17.
func oldLibc(arch string) debroot.Set {
	return debroot.Set{Suite: "bullseye", Arch: arch, Packages: []string{"libc6", "libc6-dev", "linux-libc-dev"}}
}

var triplets = map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}

// Glibc plays the scenarios on a test host linked with an old C library, and run
// with it. It needs the plugins built for this machine.
func Glibc(ctx context.Context, w workspace.Workspace, log io.Writer) error {
	m, err := withOldLibc(ctx, artifacts.Host, log)
	if err != nil {
		return err
	}
	return m.play(ctx, w, log)
}

func withOldLibc(ctx context.Context, arch string, log io.Writer) (machine, error) {
	cc, err := toolchain.Ensure(ctx, arch, log)
	if err != nil {
		return machine{}, err
	}
	set, err := oldLibc(arch).Ensure(ctx, log)
	if err != nil {
		return machine{}, err
	}
	run, err := debroot.Interpreted(set, arch)
	if err != nil {
		return machine{}, err
	}
	// a compiler looks below its own folder before it looks below the sysroot, so each place is named
	triplet := triplets[arch]
	usr, lib := filepath.Join(set, "usr/lib", triplet), filepath.Join(set, "lib", triplet)
	include := filepath.Join(set, "usr/include")
	flags := fmt.Sprintf("%s --sysroot=%s -B%s -L%s -L%s -isystem %s -isystem %s", cc.Command, set, usr, usr, lib, include, filepath.Join(include, triplet))
	return machine{Arch: arch, CC: flags, Run: run}, nil
}
