// SPDX-License-Identifier: Apache-2.0

package sinsp_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/sinsp/scenario"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// record performs a scenario live and writes it to a capture file.
func record(t *testing.T, p plugin, s scenario.Scenario) (file string, events []stage.Event) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "capture.scap")
	on := framework(t)
	prepare(t, on, "a", p, s)
	do(t, on, stage.Command{Do: "write", Inspector: "a", File: file})
	went := perform(t, on, "a", p, s)
	do(t, on, stage.Command{Do: "close", Inspector: "a"})
	return file, went.Events
}

func TestG9ReplayedEventsHaveTheSameValues(t *testing.T) {
	each(t, func(t *testing.T, p plugin, s scenario.Scenario) {
		if len(s.Events) == 0 {
			return // nothing to write
		}
		file, live := record(t, p, s)
		on := framework(t)
		prepare(t, on, "a", p, s)
		declareRules(t, on, "a", s)
		do(t, on, stage.Command{Do: "replay", Inspector: "a", File: file})
		r := do(t, on, stage.Command{Do: "next", Inspector: "a", Events: 1 << 40, Idle: 1 << 40})
		assert.Equal(t, "eof", r.Done.Result)
		checkRules(t, s, r.Events)
		for k := range r.Events {
			r.Events[k].Rules = nil
		}
		if s.Asynchronous {
			live, r.Events = ofTheSource(live), ofTheSource(r.Events)
		}
		require.Len(t, r.Events, len(live))
		for k := range live {
			assert.Equal(t, live[k], r.Events[k], "event %d", k+1)
		}
	})
}

// ofTheSource leaves asynchronous events out, and the numbers. A capture file has those
// at its beginning twice, as dumped state and as events, counts them all and does not
// give them to its reader.
func ofTheSource(events []stage.Event) (of []stage.Event) {
	for _, e := range events {
		if e.Type != abi.TypeAsyncEvent {
			e.Num = 0
			of = append(of, e)
		}
	}
	return of
}

func TestG3G9EventsWithoutAnyOpenSourceHaveTheSameValues(t *testing.T) {
	each(t, func(t *testing.T, p plugin, s scenario.Scenario) {
		if len(s.Events) == 0 || s.Asynchronous {
			return // nothing to write, or values that need more than the source's events
		}
		file, live := record(t, p, s)
		on := framework(t)
		prepare(t, on, "a", p, s)
		do(t, on, stage.Command{Do: "inject", Inspector: "a", File: file})
		r := do(t, on, stage.Command{Do: "next", Inspector: "a", Events: uint64(len(live)), Idle: 3})
		require.Len(t, r.Events, len(live))
		for k := range live {
			assert.Equal(t, live[k], r.Events[k], "event %d", k+1)
		}
	})
}
