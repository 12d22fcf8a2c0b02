// SPDX-License-Identifier: Apache-2.0

package sinsp_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/sinsp/act"
	"github.com/aerie-falco/aerie/test/sinsp/scenario"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

var threads = reference{name: "threads"}

// pods is five seconds of system calls in three pods and around them.
func pods(t *testing.T) string {
	t.Helper()
	file, err := filepath.Abs("../reference/threads/testdata/pods.scap.gz")
	require.NoError(t, err)
	return file
}

var threadFields = []string{
	"threads.comm", "threads.pid", "threads.lineage", "threads.programs", "threads.files", "threads.file[0]", "threads.file[3]",
}

// replayPods replays a capture with the plugin.
func replayPods(t *testing.T, on *stage.Process, inspector, file string) []stage.Event {
	t.Helper()
	load(t, on, inspector, threads)
	do(t, on, stage.Command{Do: "fields", Inspector: inspector, Fields: threadFields})
	do(t, on, stage.Command{Do: "replay", Inspector: inspector, File: file})
	return rest(t, on, inspector)
}

// lineages is the threads' entries by what the plugin and the framework say of them.
func lineages(rows []map[string]any) map[string]string {
	all := map[string]string{}
	for _, r := range rows {
		all[fmt.Sprint(r["tid"])] = fmt.Sprint(r["comm"], " of ", r["pid"], ", behind ", r["threads_lineage"], ", with ", r["threads_programs"])
	}
	return all
}

func TestReferenceThreadsOfARealCapture(t *testing.T) {
	on := framework(t)
	events := replayPods(t, on, "a", pods(t))
	require.Len(t, events, 4197)
	with, ran := map[string]int{}, map[string]int{}
	for _, e := range events {
		for name := range e.Values {
			with[name]++
		}
		if e.Type == 293 && e.Values["threads.programs"] != uint64(0) {
			ran[fmt.Sprint(e.Values["threads.lineage"], " runs ", e.Values["threads.comm"])]++
		}
	}
	assert.Equal(t, map[string]int{
		"threads.comm": 4197, "threads.pid": 4197, "threads.files": 4197, "threads.programs": 4197,
		"threads.lineage": 3610, "threads.file[0]": 4188, "threads.file[3]": 1582,
	}, with)
	assert.Equal(t, map[string]int{
		"/bash runs cat": 1, "/bash runs chroot": 5, "/bash runs exotic": 2, "/bash runs ls": 1, "/bash runs sh": 2, "/bash runs unshare": 1,
		"/bash/exotic runs busybox": 1, "/bash/exotic runs true": 3,
		"/bash/sh runs cat": 1, "/bash/sh runs id": 2,
		"/bash/unshare runs batch-job": 1, "/bash/unshare runs chroot": 1, "/bash/unshare runs sh": 3,
		"/bash/unshare/batch-job runs cat": 4, "/bash/unshare/batch-job runs sleep": 1, "/bash/unshare/batch-job runs wget": 2,
		"/bash/unshare/batch-job/batch-job runs ls": 2,
		"/bash/unshare/sh runs hostname":            1, "/bash/unshare/sh runs mount": 1,
		"/log-shipper runs cat": 3, "/log-shipper runs grep": 3, "/log-shipper runs sleep": 3,
		"/payments-api runs cat": 3, "/payments-api runs curl": 3, "/payments-api runs ls": 3, "/payments-api runs sleep": 3,
		"/redis-worker runs dd": 3, "/redis-worker runs mv": 3, "/redis-worker runs rm": 3, "/redis-worker runs sleep": 3, "/redis-worker runs wget": 3,
	}, ran)
	metrics := do(t, on, stage.Command{Do: "metrics", Inspector: "a"}).Done.Metrics
	assert.Equal(t, uint64(0), stage.Canonical(metrics["threads.parse_errors"].Value))
}

func TestReferenceThreadsAreThoseThatSysdigShows(t *testing.T) {
	lines := sysdig(t, "-H", threads.library(t), "-r", pods(t), "-p", strings.Join([]string{
		"*%threads.comm", "%proc.name", "%threads.pid", "%proc.pid", "%threads.files", "%proc.fdopencount",
	}, between)+end)
	require.Len(t, lines, 4197)
	for _, l := range lines {
		v := strings.Split(l, between)
		require.Len(t, v, 6, "%q", l)
		require.Equal(t, v[1], v[0])
		require.Equal(t, v[3], v[2])
		require.Equal(t, v[5], v[4], "%q", l)
	}
}

func TestReferenceThreadsAreTheSameWhenWrittenAndReplayed(t *testing.T) {
	on := framework(t)
	first, second := filepath.Join(t.TempDir(), "first"), filepath.Join(t.TempDir(), "second")

	// live, to the framework: a stream of events that are thrown in
	load(t, on, "live", threads)
	do(t, on, stage.Command{Do: "write", Inspector: "live", File: first})
	do(t, on, stage.Command{Do: "inject", Inspector: "live", File: pods(t)})
	live := some(t, on, "live", 4197)
	rows := table(t, on, "live", "threads")
	closed(t, on, "live")

	load(t, on, "replayed", threads)
	do(t, on, stage.Command{Do: "write", Inspector: "replayed", File: second})
	do(t, on, stage.Command{Do: "replay", Inspector: "replayed", File: first})
	replayed := rest(t, on, "replayed")
	require.Len(t, replayed, len(live))
	for k := range live {
		require.Equal(t, seen(live)[k], seen(replayed)[k], "event %d", k+1)
	}
	assert.Equal(t, lineages(rows), lineages(table(t, on, "replayed", "threads")))
	closed(t, on, "replayed")

	load(t, on, "again", threads)
	do(t, on, stage.Command{Do: "replay", Inspector: "again", File: second})
	assert.Equal(t, seen(live), seen(rest(t, on, "again")))
}

func TestReferenceThreadsOfALiveCaptureAreKnownFromItsStart(t *testing.T) {
	need(t, "AERIE_SINSP")
	threads := plugin{Cast: act.Cast{Plugin: "threads", Folder: "../reference/threads", Library: func(string) string { return threads.library(t) }}}
	r := scenario.Recorded{Capture: "pods.scap.gz", Live: []scenario.Step{
		{Play: 1000, Groups: []scenario.Group{{Where: "thread.cgroup.cpu contains 5f2c8e11_90ab", Events: 131}}},
		{Play: scenario.Rest},
	}, Groups: []scenario.Group{
		{Where: "thread.cgroup.cpu contains 0b1d3a52_6c1f", Events: 2125},
		{Where: "thread.cgroup.cpu contains 5f2c8e11_90ab", Events: 962},
		{Where: "not thread.cgroups contains pod", Events: 213, Fields: map[string]any{}},
		{Where: "evt.type = execve and evt.arg.res = 0 and proc.name = mv", Events: 3, Fields: map[string]any{"threads.lineage": "/redis-worker"}},
	}}
	file := filepath.Join(t.TempDir(), "written")
	on := framework(t)
	live := playLive(t, on, threads, r, livePlay{file: file}).events
	require.Len(t, live, 4197)
	assert.Less(t, time.Since(time.Unix(0, int64(live[0].TS))), time.Hour, "it happens now")
	replayed := replayRecorded(t, on, "replayed", threads, r, "", file)
	compareCalls(t, live, replayed)
}

func TestReferenceThreadsAreTheSameOnTheHost(t *testing.T) {
	on, played := framework(t), host(t)
	all := replayPods(t, on, "all", pods(t))
	const clone, execve = 223, 293
	for _, what := range []struct {
		name string
		is   func(e stage.Event) bool
	}{
		{"a new thread's first event", func(e stage.Event) bool {
			lineage, _ := e.Values["threads.lineage"].(string)
			return e.Type == clone && strings.Count(lineage, "/") == 1 && e.Values["threads.programs"] == uint64(0)
		}},
		{"a new program", func(e stage.Event) bool {
			return e.Type == execve && e.Values["threads.programs"] == uint64(1) && e.Values["threads.file[3]"] != nil
		}},
	} {
		k := slices.IndexFunc(all, what.is)
		require.GreaterOrEqual(t, k, 0, what.name)
		file := filepath.Join(t.TempDir(), "one")
		load(t, on, what.name, threads)
		do(t, on, stage.Command{Do: "replay", Inspector: what.name, File: pods(t)})
		some(t, on, what.name, k)
		do(t, on, stage.Command{Do: "write", Inspector: what.name, File: file})
		some(t, on, what.name, 1)
		rows := do(t, on, stage.Command{Do: "table", Inspector: what.name, Name: "threads"}).Done.Table
		closed(t, on, what.name)

		// the host does not follow system calls, so it is given the table as libsinsp has it behind the event
		load(t, played, what.name, threads)
		do(t, played, stage.Command{Do: "fields", Inspector: what.name, Fields: threadFields})
		do(t, played, stage.Command{Do: "processes", Inspector: what.name, Table: rows})
		do(t, played, stage.Command{Do: "inject", Inspector: what.name, File: file})
		want := all[k].Values
		if lineage, _ := want["threads.lineage"].(string); lineage != "" && all[k].Type == execve {
			want = maps.Clone(want)
			delete(want, "threads.lineage") // it was noted by an earlier event
		}
		events := do(t, played, stage.Command{Do: "next", Inspector: what.name, Events: 1 << 40, Idle: 1}).Events
		require.NotEmpty(t, events)
		assert.Equal(t, want, events[len(events)-1].Values, "%s, behind the file's users and groups", what.name)
	}
}
