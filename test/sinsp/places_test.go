// SPDX-License-Identifier: Apache-2.0

package sinsp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/sinsp/act"
	"github.com/aerie-falco/aerie/test/sinsp/scenario"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// need is a place that the build tells the tests. Where there is none the
// framework was not set up: that is a failure in CI, and said elsewhere.
func need(t testing.TB, variable string) string {
	t.Helper()
	if place := os.Getenv(variable); place != "" {
		return place
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not set; run `go tool mage test:sinsp`", variable)
	}
	t.Skipf("not run: %s is not set; run `go tool mage test:sinsp` as root", variable)
	return ""
}

// fixture is the plugin that uses every part of the kit.
const fixture = "kit"

// plugin is one that is tested, with what it declares.
type plugin struct {
	act.Cast
	*scenario.Declaration
}

// plugins lists all of the checkout's, and the fixture, as the framework here can load them.
func plugins(t testing.TB) []plugin {
	t.Helper()
	need(t, "AERIE_SINSP")
	return pluginsFor(t, here)
}

// machine is what programs are built for and run on.
type machine struct {
	Arch string   // GOARCH
	CC   string   // C compiler for it; "" for Go's choice
	Run  []string // command that runs programs of it; empty where they run as they are
}

var here = machine{Arch: runtime.GOARCH}

func pluginsFor(t testing.TB, m machine) []plugin {
	t.Helper()
	folders := map[string]string{fixture: "../conformance/fixtures/" + fixture}
	libraries := map[string]string{fixture: m.built(t, "conformance/fixtures/"+fixture, "-buildmode=c-shared")}
	entries, err := filepath.Glob("../../plugins/*/lib/main.go")
	require.NoError(t, err)
	for _, entry := range entries {
		dir := filepath.Dir(filepath.Dir(entry))
		name := filepath.Base(dir)
		folders[name] = dir
		libraries[name] = filepath.Join(need(t, "AERIE_DIST"), "linux_"+m.Arch, "lib"+name+".so")
		_, err := os.Stat(libraries[name])
		require.NoError(t, err, "run `go tool mage build:all` first")
	}
	var all []plugin
	for _, name := range slices.Sorted(maps.Keys(folders)) {
		d, err := scenario.Read(folders[name])
		require.NoError(t, err, "every plugin says in %s what it does in the framework", scenario.File)
		all = append(all, plugin{act.Cast{Plugin: name, Folder: folders[name], Library: func(name string) string { return libraries[name] }}, d})
	}
	return all
}

var builds struct {
	sync.Mutex
	done map[string]string
	dir  string
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "aerie-sinsp-")
	if err != nil {
		panic(err)
	}
	builds.dir, builds.done = dir, map[string]string{}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// built compiles a package of this module, once for all tests.
func (m machine) built(t testing.TB, pkg string, flags ...string) string {
	t.Helper()
	return m.builtIn(t, "..", pkg, flags...)
}

// builtIn does so with a package of the module in a folder.
func (m machine) builtIn(t testing.TB, module, pkg string, flags ...string) string {
	t.Helper()
	builds.Lock()
	defer builds.Unlock()
	key := filepath.Join(module, pkg)
	if builds.done[key] == "" {
		out := filepath.Join(builds.dir, fmt.Sprint(len(builds.done), "-", filepath.Base(pkg)))
		args := slices.Concat([]string{"build", "-o", out}, flags, []string{"./" + pkg})
		cmd := exec.Command("go", args...)
		cmd.Dir = module
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "GOARCH="+m.Arch)
		if m.CC != "" {
			cmd.Env = append(cmd.Env, "CC="+m.CC)
		}
		said, err := cmd.CombinedOutput()
		require.NoError(t, err, "go %v: %s", args, said)
		builds.done[key] = out
	}
	return builds.done[key]
}

// setting is where the build has set the framework up.
type setting struct {
	Root   string   // folder of a Debian system with libsinsp and sysdig
	Run    []string // command that runs programs of it from outside
	Driver string   // path of the compiled driver
}

func theSetting(t testing.TB) setting {
	t.Helper()
	var s setting
	require.NoError(t, json.Unmarshal([]byte(need(t, "AERIE_SINSP")), &s))
	return s
}

// poison makes the C library overwrite memory that is freed and handed out: a
// plugin that frees what the framework may still read is found out by its values.
const poison = "MALLOC_PERTURB_=165"

// framework starts the driver: libsinsp in a process of its own.
func framework(t testing.TB) *stage.Process {
	t.Helper()
	s := theSetting(t)
	return start(t, append(s.Run, s.Driver))
}

// host starts the player: the test host in a process of its own.
func host(t *testing.T) *stage.Process {
	t.Helper()
	return here.host(t)
}

func (m machine) host(t *testing.T) *stage.Process {
	t.Helper()
	return start(t, append(slices.Clone(m.Run), m.built(t, "sinsp/player")))
}

func start(t testing.TB, command []string) *stage.Process {
	t.Helper()
	p, err := stage.Start(command, poison)
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := p.Close(); !t.Failed() {
			require.NoError(t, err)
		}
	})
	return p
}

// do carries a command out that must not be refused.
func do(t testing.TB, p *stage.Process, c stage.Command) stage.Reply {
	t.Helper()
	r, err := try(t, p, c)
	require.NoError(t, err)
	return r
}

func try(t testing.TB, p *stage.Process, c stage.Command) (stage.Reply, error) {
	ctx, cancel := context.WithTimeout(t.Context(), act.Patience)
	defer cancel()
	return p.Do(ctx, c)
}
