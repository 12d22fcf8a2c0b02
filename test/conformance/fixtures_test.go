// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
)

// fixtures holds the libraries that tests build, for as long as the tests run:
// a Go library is never unloaded.
var fixtures string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "aerie-conformance")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fixtures = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// kitLibrary is the fixture that uses the whole kit, built with the checks of
// pointers that cgo leaves out by default.
var kitLibrary = sync.OnceValues(func() (*host.Library, error) {
	lib := filepath.Join(fixtures, "libkit.so")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-o", lib, "./fixtures/kit")
	build.Env = append(os.Environ(), "GOEXPERIMENT=cgocheck2", "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the kit fixture: %w\n%s", err, out)
	}
	return host.Load(lib, nil)
})

// rig is one state of the kit fixture.
type rig struct {
	*host.Plugin
	t testing.TB

	mu  sync.Mutex
	log []host.LogLine
}

func newRig(t testing.TB) *rig {
	lib, err := kitLibrary()
	require.NoError(t, err)
	p, err := host.Register(lib)
	require.NoError(t, err)
	return &rig{Plugin: p, t: t}
}

func (r *rig) note(l host.LogLine) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, l)
}

// logged waits for a log line with that text.
func (r *rig) logged(text string) {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, l := range r.log {
			if l.Text == text {
				return true
			}
		}
		return false
	}, 10*time.Second, time.Millisecond, "log line %q", text)
}

func (r *rig) init(config string) error {
	return r.Plugin.Init(host.InitOptions{Config: config, Log: r.note})
}

// start makes an initialised state that is destroyed with the test.
func start(t testing.TB) *rig {
	r := newRig(t)
	require.NoError(t, r.init(""))
	t.Cleanup(r.Destroy)
	return r
}

// words reads events up to the first result code that is not success.
func words(t testing.TB, in *host.Instance) (got []string, rc abi.RC, err error) {
	for {
		e, rc, err := in.Next()
		if rc != abi.Success {
			return got, rc, err
		}
		payload, ok := e.Payload()
		require.True(t, ok)
		got = append(got, string(payload))
	}
}

func (r *rig) metric(name string) any {
	all, err := r.Metrics()
	require.NoError(r.t, err)
	for _, m := range all {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// value asks for one field of an event with that payload.
func (r *rig) value(payload, field, arg string, written bool) (host.Extraction, error) {
	e := host.NewPluginEvent(999, 42, []byte(payload))
	defer e.Free()
	e.SetNum(1)
	e.SetSource("kit")
	req, err := r.Request(field, arg, written)
	require.NoError(r.t, err)
	return r.Extract(e, req, true)
}
