// SPDX-License-Identifier: Apache-2.0

package sinsp_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

var everything = reference{"everything", `{"meanings": ["tea=Tee", "milk=Milch"]}`}

func TestReferenceEverythingAtOnce(t *testing.T) {
	frameworks(t, everythingAtOnce)
}

func TestReferenceEverythingWithAPoolForItsRoutine(t *testing.T) {
	need(t, "AERIE_SINSP")
	on := host(t) // Debian's libsinsp has none
	for _, inspector := range []string{"live", "replayed"} {
		do(t, on, stage.Command{Do: "feeder", Inspector: inspector, ID: 1, Source: "unused"})
		do(t, on, stage.Command{Do: "pool", Inspector: inspector, Threads: 2})
	}
	everythingAtOnce(t, on)
}

func everythingAtOnce(t *testing.T, on *stage.Process) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "capture")
	prepare := func(inspector string) {
		load(t, on, inspector, everything)
		do(t, on, stage.Command{Do: "fields", Inspector: inspector, Fields: []string{
			"words.word", "words.meaning", "words.uses", "words.behind[tea]", "words.known", "evt.source",
		}})
	}
	prepare("live")
	open := stage.Command{Do: "open", Inspector: "live", Plugin: "everything", Params: "tea milk jam tea milk tea"}
	want := []map[string]any{
		{"words.known": uint64(1)},
		{"words.known": uint64(2)},
		{"words.known": uint64(2), "words.word": "tea", "words.meaning": "Tee", "words.uses": uint64(1), "words.behind[tea]": uint64(0)},
		{"words.known": uint64(2), "words.word": "milk", "words.meaning": "Milch", "words.uses": uint64(1), "words.behind[tea]": uint64(1)},
		{"words.known": uint64(3), "words.word": "jam", "words.uses": uint64(1), "words.behind[tea]": uint64(0)},
		{"words.known": uint64(3), "words.word": "tea", "words.meaning": "Tee", "words.uses": uint64(2), "words.behind[tea]": uint64(0)},
		{"words.known": uint64(3), "words.word": "milk", "words.meaning": "Milch", "words.uses": uint64(2), "words.behind[tea]": uint64(2)},
		{"words.known": uint64(3), "words.word": "tea", "words.meaning": "Tee", "words.uses": uint64(3), "words.behind[tea]": uint64(0)},
	}
	check := func(events []stage.Event) {
		t.Helper()
		require.Len(t, events, len(want))
		for k := range want {
			want[k]["evt.source"] = "words"
			assert.Equal(t, want[k], events[k].Values, "event %d", k+1)
			assert.Equal(t, k < 2, events[k].Type == abi.TypeAsyncEvent, "event %d", k+1)
		}
	}
	do(t, on, stage.Command{Do: "write", Inspector: "live", File: file})
	do(t, on, open)
	live := rest(t, on, "live")
	check(live)
	closed(t, on, "live")

	do(t, on, open)
	check(rest(t, on, "live")) // what the first capture told is forgotten
	closed(t, on, "live")

	prepare("replayed")
	do(t, on, stage.Command{Do: "replay", Inspector: "replayed", File: file})
	assert.Equal(t, seen(returned(live)), seen(rest(t, on, "replayed")))
	closed(t, on, "replayed")
}

func TestReferenceEverythingsTableIsTheSameLiveAndReplayed(t *testing.T) {
	on := framework(t)
	file := filepath.Join(t.TempDir(), "capture")
	load(t, on, "live", everything)
	do(t, on, stage.Command{Do: "write", Inspector: "live", File: file})
	do(t, on, stage.Command{Do: "open", Inspector: "live", Plugin: "everything", Params: "tea milk jam tea milk tea"})
	rest(t, on, "live")
	live := table(t, on, "live", "words")
	assert.ElementsMatch(t, []map[string]any{
		{"meaning": "Tee", "uses": uint64(3), "behind": []any{
			map[string]any{"uses": uint64(1)}, map[string]any{"uses": uint64(1)},
		}},
		{"meaning": "Milch", "uses": uint64(2), "behind": []any{map[string]any{"uses": uint64(2)}}},
		{"meaning": "", "uses": uint64(1), "behind": []any{map[string]any{"uses": uint64(1)}}},
	}, live)
	closed(t, on, "live")
	load(t, on, "replayed", everything)
	do(t, on, stage.Command{Do: "replay", Inspector: "replayed", File: file})
	rest(t, on, "replayed")
	assert.Equal(t, live, table(t, on, "replayed", "words"))
}
