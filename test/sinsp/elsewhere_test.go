// SPDX-License-Identifier: Apache-2.0

package sinsp_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// These play the scenarios on the test host where libsinsp cannot run: on
// another architecture under an emulator, and with an old C library. The build
// says where in AERIE_ELSEWHERE, a machine as JSON.
func elsewhere(t *testing.T) machine {
	t.Helper()
	var m machine
	require.NoError(t, json.Unmarshal([]byte(need(t, "AERIE_ELSEWHERE")), &m))
	return m
}

func TestElsewherePluginsLoadAndSayTheSame(t *testing.T) {
	m := elsewhere(t)
	for _, p := range pluginsFor(t, m) {
		t.Run(p.Plugin, func(t *testing.T) {
			on := m.host(t)
			learnt := register(t, on, "a", p)
			assert.Equal(t, p.Plugin, learnt.Name)
			do(t, on, stage.Command{Do: "init", Inspector: "a", Plugin: p.Plugin, Config: p.Scenarios[0].Config})
			for k, r := range p.Refuses {
				name := fmt.Sprint(k)
				register(t, on, name, p)
				_, err := try(t, on, stage.Command{Do: "init", Inspector: name, Plugin: p.Plugin, Config: r.Config})
				assert.ErrorIs(t, err, stage.ErrRefused, r.Config)
			}
			do(t, on, stage.Command{Do: "drop", Inspector: "a"})
		})
	}
}

func TestElsewhereEventsHaveTheirValues(t *testing.T) {
	m := elsewhere(t)
	for _, p := range pluginsFor(t, m) {
		for _, s := range p.Scenarios {
			t.Run(p.Plugin+"/"+s.Name, func(t *testing.T) {
				on := m.host(t)
				prepare(t, on, "a", p, s)
				for range 2 {
					went := perform(t, on, "a", p, s)
					checkEvents(t, s, went.Events)
					checkEnd(t, s, went)
					do(t, on, stage.Command{Do: "close", Inspector: "a"})
				}
				do(t, on, stage.Command{Do: "drop", Inspector: "a"})
			})
		}
	}
}

func TestElsewhereRecordedSystemCallsHaveTheirValues(t *testing.T) {
	m := elsewhere(t)
	for _, p := range pluginsFor(t, m) {
		for _, r := range p.Captures {
			t.Run(p.Plugin+"/"+r.Name, func(t *testing.T) {
				if !p.HasCapture(r) {
					t.Skipf("not run: %s is not here", r.Capture)
				}
				if len(r.Live) > 0 {
					playLive(t, m.host(t), p, r, livePlay{byValues: true})
				} else {
					checkValues(t, r.Groups, playRecorded(t, m.host(t), p, r))
				}
			})
		}
	}
}

func TestElsewherePluginsLoadIntoAProgramWithoutThreads(t *testing.T) {
	m := elsewhere(t)
	cc := strings.Fields(m.CC)
	program := filepath.Join(t.TempDir(), "loader")
	said, err := exec.Command(cc[0], append(cc[1:], "-Wall", "-Wextra", "-Werror", "-o", program, "testdata/loader.c", "-ldl")...).CombinedOutput()
	require.NoError(t, err, "%s", said)
	for _, p := range pluginsFor(t, m) {
		if p.Plugin == fixture {
			continue // it is not built to be taken anywhere
		}
		t.Run(p.Plugin, func(t *testing.T) {
			command := slices.Concat(m.Run, []string{program, p.Library(p.Plugin)})
			said, err := exec.Command(command[0], command[1:]...).CombinedOutput()
			require.NoError(t, err, "%s", said)
			assert.Equal(t, p.Plugin+"\n", string(said))
		})
	}
}
