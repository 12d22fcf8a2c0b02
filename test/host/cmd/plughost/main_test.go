// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/host/internal/fixture"
)

// asPlughost, in the environment, makes the test program be plughost.
const asPlughost = "AERIE_TEST_PLUGHOST"

func TestMain(m *testing.M) {
	if os.Getenv(asPlughost) != "" {
		main()
	}
	os.Exit(fixture.Main(m))
}

func full(t *testing.T) string { return fixture.Build(t, "../../testdata/full.c") }

func small(t *testing.T, macros ...string) string {
	return fixture.Build(t, "../../testdata/small.c", macros...)
}

// command is plughost with arguments, as a process.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe, args...)
	// The race detector would have each process sleep for a second at its end.
	cmd.Env = append(os.Environ(), asPlughost+"=1", "GORACE=atexit_sleep_ms=0")
	return cmd
}

type ended struct {
	code   int
	stdout string
	stderr string
}

// lines is standard output's lines.
func (e ended) lines() []string { return strings.Split(strings.TrimSuffix(e.stdout, "\n"), "\n") }

// plughost runs to its end with nothing on standard input.
func plughost(t *testing.T, args ...string) ended {
	t.Helper()
	return finish(t, command(t, args...))
}

func finish(t *testing.T, cmd *exec.Cmd) ended {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil {
		require.True(t, errors.As(err, &exit), "%s", err)
	}
	return ended{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

func TestBadUsageEndsWithCodeOne(t *testing.T) {
	lib := full(t)
	tests := map[string]struct {
		args []string
		want string
	}{
		"an unknown command":        {[]string{"walk"}, `plughost: unknown command "walk"`},
		"an unknown flag":           {[]string{"run", lib, "--nosuch"}, "plughost: unknown flag: --nosuch"},
		"no library":                {[]string{"run"}, "requires at least 1 arg"},
		"two libraries to inspect":  {[]string{"inspect", lib, lib}, "accepts 1 arg"},
		"a config without a name":   {[]string{"run", lib, "--config", "{}"}, `--config "{}": use NAME=TEXT`},
		"two configs of a name":     {[]string{"run", lib, "--config", "full={}", "--config", "full={}"}, "plugin full has one already"},
		"a config of nobody":        {[]string{"run", lib, "--config", "nosuch={}"}, "--config nosuch=...: no plugin of that name is loaded; loaded are full"},
		"an unknown field":          {[]string{"run", lib, "--fields", "full.nosuch"}, `--fields: field "full.nosuch" is unknown`},
		"a filter that is none":     {[]string{"run", lib, "--filter", "full.num like 3"}, `compile filter "full.num like 3": operator "like" is unknown`},
		"a file that is not there":  {[]string{"run", lib, "--events", "/nosuch"}, "--events: open /nosuch: no such file"},
		"events and a source":       {[]string{"run", lib, "--events", "/dev/null", "--open", "1"}, "--events makes the events itself"},
		"a source that is none":     {[]string{"run", lib, "--source", "nosuch"}, "--source nosuch: no plugin of that name with a source"},
		"no source at all":          {[]string{"run", small(t)}, "no plugin here has a source: give events with --events FILE"},
		"feeding no source":         {[]string{"bench", lib, "--feed", "true"}, "--feed needs a source to feed"},
		"a bench without payloads":  {[]string{"bench", lib, "--events", "/dev/null"}, "--events: no payload in it"},
		"a bench of the host":       {[]string{"bench", lib, "--fields", "evt.num"}, "field evt.num is the framework's own"},
		"a bench of unknown fields": {[]string{"bench", lib, "--fields", "x.y"}, `--fields: field "x.y" is unknown`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := plughost(t, tt.args...)
			assert.Equal(t, exitUsage, got.code)
			assert.Contains(t, got.stderr, tt.want)
			assert.Empty(t, got.stdout)
		})
	}
}

func TestTwoSourcesNeedAChoice(t *testing.T) {
	other := small(t, "ID=5", fixture.Quoted("SOURCE", "other"))
	got := plughost(t, "run", full(t), other, "--open", "1")
	assert.Equal(t, exitUsage, got.code)
	assert.Contains(t, got.stderr, "plugins full and small both have a source: name one with --source")

	got = plughost(t, "run", other, full(t), "--source", "full", "--open", "1", "--json", "--fields", "full.payload")
	assert.Equal(t, exitDone, got.code)
	assert.Equal(t, `{"full.payload":"{\"seq\": 1}"}`+"\n", got.stdout)
}
