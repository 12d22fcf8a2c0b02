// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/host"
	"github.com/aerie-falco/aerie/test/host/internal/fixture"
)

func TestMain(m *testing.M) { os.Exit(fixture.Main(m)) }

// build compiles a fixture from testdata.
func build(t *testing.T, source string, macros ...string) string {
	t.Helper()
	return fixture.Build(t, filepath.Join("testdata", source), macros...)
}

// load builds a fixture and loads it.
func load(t *testing.T, source string, macros ...string) *host.Library {
	t.Helper()
	lib, err := host.Load(build(t, source, macros...), nil)
	require.NoError(t, err)
	return lib
}

// lines collects what a plugin logs.
type lines struct {
	mu  sync.Mutex
	all []host.LogLine
}

func (l *lines) add(line host.LogLine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, line)
}

func (l *lines) texts() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var texts []string
	for _, line := range l.all {
		texts = append(texts, line.String())
	}
	return texts
}

// full is a fresh state of the fixture that does as it is told.
func full(t *testing.T) *host.Plugin {
	t.Helper()
	return initialised(t, load(t, "full.c"), host.InitOptions{})
}

func initialised(t *testing.T, lib *host.Library, o host.InitOptions) *host.Plugin {
	t.Helper()
	p, err := host.Register(lib)
	require.NoError(t, err)
	require.NoError(t, p.Init(o))
	t.Cleanup(p.Destroy)
	return p
}
