// SPDX-License-Identifier: Apache-2.0

package sinsp_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// fiveTicks ticks as fast as it may, and then no more.
var fiveTicks = reference{"ticker", `{"interval": "1ms", "ticks": 5}`}

// words is a capture file of plugin events.
func words(t *testing.T, payloads ...string) string {
	t.Helper()
	on, file := framework(t), filepath.Join(t.TempDir(), "words")
	feeder(t, on, "words")
	do(t, on, stage.Command{Do: "write", Inspector: "words", File: file})
	do(t, on, fed("words", payloads...))
	require.Len(t, rest(t, on, "words"), len(payloads))
	closed(t, on, "words")
	return file
}

// returned is what a replay gives of recorded events: asynchronous ones at the
// head of a file count as state, which is parsed and not returned.
func returned(events []stage.Event) []stage.Event {
	first := slices.IndexFunc(events, func(e stage.Event) bool { return e.Type != abi.TypeAsyncEvent })
	if first < 0 {
		return nil
	}
	return events[first:]
}

// ticks are the numbers of the ticks among events. They must ascend.
func ticks(t *testing.T, events []stage.Event) (numbers []uint64) {
	t.Helper()
	for _, e := range events {
		if e.Type == abi.TypeAsyncEvent {
			n, ok := e.Values["ticker.count"].(uint64)
			require.True(t, ok, "a tick counts itself")
			numbers = append(numbers, n)
		}
	}
	return numbers
}

func TestReferenceTicksAreTheSameLiveAndReplayed(t *testing.T) {
	need(t, "AERIE_SINSP")
	input := words(t, "a", "b", "c", "d", "e", "f") // behind whose events is an idle stream
	frameworks(t, func(t *testing.T, on *stage.Process) {
		prepare := func(inspector string) {
			do(t, on, stage.Command{Do: "register", Inspector: inspector, Library: everything.library(t)}) // whose ID the words have
			do(t, on, stage.Command{Do: "init", Inspector: inspector, Plugin: "everything"})
			load(t, on, inspector, fiveTicks)
		}
		whole, later := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "later")
		prepare("live")
		do(t, on, stage.Command{Do: "write", Inspector: "live", File: whole})
		do(t, on, stage.Command{Do: "inject", Inspector: "live", File: input})
		live := some(t, on, "live", 11)
		assert.Equal(t, []uint64{1, 2, 3, 4, 5}, ticks(t, live))
		last := live[len(live)-1].Values["ticker.time"]
		metrics := do(t, on, stage.Command{Do: "metrics", Inspector: "live"}).Done.Metrics
		assert.Equal(t, uint64(5), stage.Canonical(metrics["ticker.ticks"].Value))
		closed(t, on, "live")

		// opened again there are no more ticks; how far it was is at the head of this file
		do(t, on, stage.Command{Do: "write", Inspector: "live", File: later})
		do(t, on, stage.Command{Do: "inject", Inspector: "live", File: input})
		again := some(t, on, "live", 6)
		for _, e := range again {
			assert.Equal(t, last, e.Values["ticker.time"])
			assert.Equal(t, uint64(5), e.Values["ticker.count"])
		}
		closed(t, on, "live")

		for file, live := range map[string][]stage.Event{whole: live, later: again} {
			prepare(file)
			do(t, on, stage.Command{Do: "replay", Inspector: file, File: file})
			assert.Equal(t, seen(returned(live)), seen(rest(t, on, file)))
			closed(t, on, file)
		}
	})
}
