// SPDX-License-Identifier: Apache-2.0

package sinsp_test

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/sinsp/act"
	"github.com/aerie-falco/aerie/test/sinsp/scenario"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// Marks that no payload here has, between fields and at the end of a sysdig
// line. A blank must follow a plugin's field in a format: up to it, libsinsp
// takes the next bracket for the field's own.
const (
	between = " |;| "
	end     = " |.|"
)

// sysdig runs the program itself and gives the lines that it prints.
func sysdig(t *testing.T, args ...string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), act.Patience)
	defer cancel()
	s := theSetting(t)
	command := slices.Concat(s.Run, []string{filepath.Join(s.Root, "usr/bin/sysdig")}, args)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	require.NoError(t, cmd.Run(), "sysdig %q: %s", args, said.String())
	lines := strings.Split(out.String(), end)
	for k := range lines {
		lines[k] = strings.TrimPrefix(lines[k], "\n")
	}
	return lines[:len(lines)-1]
}

// format asks for all fields of a scenario; the star lets an event pass that lacks some.
func format(s scenario.Scenario) string {
	var f strings.Builder
	f.WriteString("*%evt.num")
	for _, name := range s.Fields() {
		f.WriteString(between + "%" + name)
	}
	return f.String() + end
}

// printed performs a scenario on the driver and gives the lines that a rule with the format has as its output.
func printed(t *testing.T, p plugin, s scenario.Scenario) []string {
	t.Helper()
	on := framework(t)
	prepare(t, on, "a", p, s)
	do(t, on, stage.Command{Do: "rule", Inspector: "a", Name: "all", Condition: "evt.num exists", Output: format(s)})
	var lines []string
	for _, e := range perform(t, on, "a", p, s).Events {
		require.Contains(t, e.Rules, "all")
		lines = append(lines, strings.TrimSuffix(string(e.Rules["all"]), end))
	}
	return lines
}

func TestSysdigShowsALiveSourceAndItsCapture(t *testing.T) {
	each(t, func(t *testing.T, p plugin, s scenario.Scenario) {
		if s.Open == nil || s.Post != nil || s.Blocks || s.Fails != "" || s.Asynchronous {
			return // only sources that end of themselves, and events that sysdig shows
		}
		load := []string{"-H", p.Library(p.Plugin) + ":" + s.Config}
		for _, name := range s.With {
			load = append(load, "-H", p.Library(name))
		}
		input := append(load, "-I", p.Plugin+":"+*s.Open)
		want := printed(t, p, s)
		assert.Equal(t, want, sysdig(t, append(input, "-p", format(s))...), "live")
		file := filepath.Join(t.TempDir(), "capture.scap")
		sysdig(t, append(input, "-w", file)...)
		assert.Equal(t, want, sysdig(t, append(load, "-r", file, "-p", format(s))...), "replayed")
	})
}

func TestSysdigReplaysWhatAnExtractorIsFed(t *testing.T) {
	each(t, func(t *testing.T, p plugin, s scenario.Scenario) {
		if s.Feed == nil || s.Feed.ID != scenario.TestID || p.Plugin == fixture {
			return // sysdig needs a plugin with that ID: the fixture has the one for tests
		}
		s.Feed.Source = fixture
		file, _ := record(t, p, s)
		args := []string{"-H", p.Library(fixture), "-H", p.Library(p.Plugin) + ":" + s.Config, "-r", file, "-p", format(s)}
		assert.Equal(t, printed(t, p, s), sysdig(t, args...))
	})
}
