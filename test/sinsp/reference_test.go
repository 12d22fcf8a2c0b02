// SPDX-License-Identifier: Apache-2.0

package sinsp_test

import (
	"encoding/hex"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/sinsp/act"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// reference is a plugin of test/reference with its configuration.
type reference struct{ name, config string }

func (r reference) library(t *testing.T) string {
	t.Helper()
	return here.built(t, "reference/"+r.name, "-buildmode=c-shared")
}

// load registers and initialises reference plugins in a new inspector, and asks
// for all of their fields.
func load(t *testing.T, on *stage.Process, inspector string, all ...reference) {
	t.Helper()
	var fields []string
	for _, r := range all {
		learnt := do(t, on, stage.Command{Do: "register", Inspector: inspector, Library: r.library(t)}).Done.Plugin
		do(t, on, stage.Command{Do: "init", Inspector: inspector, Plugin: r.name, Config: r.config})
		for _, f := range learnt.Fields {
			if !f.Required {
				fields = append(fields, f.Name)
			}
		}
	}
	do(t, on, stage.Command{Do: "fields", Inspector: inspector, Fields: fields})
}

// feeder puts a source of given payloads into an inspector.
func feeder(t *testing.T, on *stage.Process, inspector string) {
	t.Helper()
	do(t, on, stage.Command{Do: "feeder", Inspector: inspector, ID: 999, Source: "words"})
	do(t, on, stage.Command{Do: "init", Inspector: inspector, Plugin: stage.Feeder})
}

// fed opens the feeder; events come a millisecond apart.
func fed(inspector string, payloads ...string) stage.Command {
	open := stage.Command{Do: "open", Inspector: inspector, Plugin: stage.Feeder}
	for k, payload := range payloads {
		open.Feed = append(open.Feed, stage.Fed{TS: act.FirstTime + uint64(k)*act.TimeStep, Hex: hex.EncodeToString([]byte(payload))})
	}
	return open
}

// rest reads an inspector to its end.
func rest(t *testing.T, on *stage.Process, inspector string) []stage.Event {
	t.Helper()
	r := do(t, on, stage.Command{Do: "next", Inspector: inspector, Events: 1 << 40, Idle: 1 << 40})
	require.Equal(t, "eof", r.Done.Result)
	return r.Events
}

// some reads so many events of a stream that need not end.
func some(t *testing.T, on *stage.Process, inspector string, n int) []stage.Event {
	t.Helper()
	r := do(t, on, stage.Command{Do: "next", Inspector: inspector, Events: uint64(n), Idle: 1 << 40})
	require.Equal(t, "events", r.Done.Result)
	return r.Events
}

// table is the rows of a state table, as the framework sees them.
func table(t *testing.T, on *stage.Process, inspector, name string) []map[string]any {
	t.Helper()
	rows := do(t, on, stage.Command{Do: "table", Inspector: inspector, Name: name}).Done.Table
	for _, r := range rows {
		for name, v := range r {
			r[name] = stage.Canonical(v)
		}
	}
	return rows
}

// seen is what fields say of events, whatever number and inspector these have.
func seen(events []stage.Event) []stage.Event {
	out := slices.Clone(events)
	for k := range out {
		out[k].Num, out[k].Inspector = 0, ""
	}
	return out
}

// closed closes an inspector, which completes the file that it writes.
func closed(t *testing.T, on *stage.Process, inspector string) {
	t.Helper()
	do(t, on, stage.Command{Do: "close", Inspector: inspector})
}

// frameworks runs f on libsinsp and on the test host.
func frameworks(t *testing.T, f func(t *testing.T, on *stage.Process)) {
	need(t, "AERIE_SINSP")
	t.Run("libsinsp", func(t *testing.T) { f(t, framework(t)) })
	t.Run("host", func(t *testing.T) { f(t, host(t)) })
}

var (
	counter   = reference{name: "counter"}
	annotator = reference{name: "annotator"}
)

func TestReferenceATableIsSharedByItsOwnerAndAnExtender(t *testing.T) {
	const ms = uint64(act.TimeStep)
	want := []map[string]any{
		{"counter.count": uint64(1), "counter.words": uint64(1), "annotator.total": uint64(1), "annotator.note": "once"},
		{"counter.count": uint64(1), "counter.words": uint64(2), "annotator.total": uint64(2), "annotator.note": "once"},
		{"counter.count": uint64(2), "counter.words": uint64(2), "annotator.total": uint64(3), "annotator.note": "twice", "annotator.since": 2 * ms},
		{"counter.words": uint64(2), "annotator.total": uint64(3)}, // there is no word in it
		{"counter.count": uint64(3), "counter.words": uint64(2), "annotator.total": uint64(4), "annotator.note": "often", "annotator.since": 2 * ms},
		{"counter.count": uint64(2), "counter.words": uint64(2), "annotator.total": uint64(5), "annotator.note": "twice", "annotator.since": 4 * ms},
	}
	check := func(t *testing.T, events []stage.Event) {
		t.Helper()
		require.Len(t, events, len(want))
		for k := range want {
			assert.Equal(t, want[k], events[k].Values, "event %d", k+1)
		}
	}
	frameworks(t, func(t *testing.T, on *stage.Process) {
		file := filepath.Join(t.TempDir(), "capture")
		feeder(t, on, "live")
		load(t, on, "live", counter, annotator)
		do(t, on, stage.Command{Do: "write", Inspector: "live", File: file})
		do(t, on, fed("live", "tea now", "milk", "tea", " ", "tea", "milk"))
		live := rest(t, on, "live")
		check(t, live)
		metrics := do(t, on, stage.Command{Do: "metrics", Inspector: "live"}).Done.Metrics
		assert.EqualValues(t, stage.Canonical(metrics["counter.parse_errors"].Value), uint64(1), "the one without a word")
		closed(t, on, "live")

		feeder(t, on, "replayed")
		load(t, on, "replayed", counter, annotator)
		do(t, on, stage.Command{Do: "replay", Inspector: "replayed", File: file})
		assert.Equal(t, seen(live), seen(rest(t, on, "replayed")))
		assert.Equal(t, metrics, do(t, on, stage.Command{Do: "metrics", Inspector: "replayed"}).Done.Metrics)
	})
}

func TestReferenceTheFrameworkSeesTheSameTableLiveAndReplayed(t *testing.T) {
	on := framework(t)
	file := filepath.Join(t.TempDir(), "capture")
	feeder(t, on, "live")
	load(t, on, "live", counter, annotator)
	do(t, on, stage.Command{Do: "write", Inspector: "live", File: file})
	do(t, on, fed("live", "tea", "milk", "tea"))
	rest(t, on, "live")
	live := table(t, on, "live", "counters")
	assert.Equal(t, []map[string]any{
		{"count": uint64(2), "annotator_last": uint64(act.FirstTime + 2*act.TimeStep), "annotator_since": uint64(2 * act.TimeStep), "annotator_note": "twice"},
		{"count": uint64(1), "annotator_last": uint64(act.FirstTime + act.TimeStep), "annotator_since": uint64(0), "annotator_note": "once"},
	}, sortedBy(live, "annotator_note", "twice"))
	closed(t, on, "live")
	feeder(t, on, "replayed")
	load(t, on, "replayed", counter, annotator)
	do(t, on, stage.Command{Do: "replay", Inspector: "replayed", File: file})
	rest(t, on, "replayed")
	assert.Equal(t, live, table(t, on, "replayed", "counters"))
}

// sortedBy puts the row first that has the value.
func sortedBy(rows []map[string]any, field string, first any) []map[string]any {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b map[string]any) int {
		switch first {
		case a[field]:
			return -1
		case b[field]:
			return 1
		}
		return 0
	})
	return rows
}

func TestReferenceATableThatIsNotThereEndsInit(t *testing.T) {
	frameworks(t, func(t *testing.T, on *stage.Process) {
		do(t, on, stage.Command{Do: "register", Inspector: "a", Library: annotator.library(t)})
		_, err := try(t, on, stage.Command{Do: "init", Inspector: "a", Plugin: "annotator"})
		require.ErrorIs(t, err, stage.ErrRefused)
		assert.ErrorContains(t, err, `open table "counters": no such table; there are threads; load the counter before the annotator`)
	})
}

func TestReferenceStatesOfOneLibraryDoNotMeet(t *testing.T) {
	frameworks(t, func(t *testing.T, on *stage.Process) {
		var reading []stage.Command
		names := []string{"a", "b", "c"}
		for _, name := range names {
			feeder(t, on, name)
			load(t, on, name, counter, annotator)
			do(t, on, fed(name, strings.Fields(strings.Repeat(name+" tea ", 200))...))
			reading = append(reading, stage.Command{Do: "next", Inspector: name, Events: 1 << 40, Idle: 1})
		}
		of := map[string][]stage.Event{}
		for _, e := range do(t, on, stage.Command{Do: "together", Steps: reading}).Events {
			of[e.Inspector] = append(of[e.Inspector], e)
		}
		for _, name := range names {
			require.Len(t, of[name], 400)
			for k, e := range of[name] {
				require.Equal(t, uint64(k/2+1), e.Values["counter.count"])
				require.Equal(t, uint64(k+1), e.Values["annotator.total"])
			}
		}
	})
}
