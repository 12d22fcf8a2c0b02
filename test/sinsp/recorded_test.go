// SPDX-License-Identifier: Apache-2.0

package sinsp_test

import (
	"context"
	"fmt"
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

// eachRecorded runs f over the recorded system calls of every plugin.
func eachRecorded(t *testing.T, f func(t *testing.T, p plugin, r scenario.Recorded)) {
	for _, p := range plugins(t) {
		for _, r := range p.Captures {
			t.Run(p.Plugin+"/"+r.Name, func(t *testing.T) {
				if !p.HasCapture(r) {
					t.Skipf("not run: %s is not here; name the folder that has it in AERIE_CAPTURES", r.Capture)
				}
				f(t, p, r)
			})
		}
	}
}

// capture is the path of a scenario's capture file.
func capture(t testing.TB, p plugin, r scenario.Recorded) string {
	t.Helper()
	file, err := p.Capture(r, t.TempDir())
	require.NoError(t, err)
	return file
}

// replayRecorded replays a capture file in a new inspector.
func replayRecorded(t *testing.T, on *stage.Process, inspector string, p plugin, r scenario.Recorded, config, file string) []stage.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), act.Patience)
	defer cancel()
	require.NoError(t, p.PrepareRecorded(ctx, on, inspector, r, config))
	events, err := p.Replay(ctx, on, inspector, file)
	require.NoError(t, err)
	return events
}

// checkGroups holds the events of system calls against what is declared of them.
func checkGroups(t *testing.T, groups []scenario.Group, events []stage.Event) {
	t.Helper()
	for _, g := range groups {
		n, wrong := 0, 0
		for _, e := range act.OfSystemCalls(events) {
			if _, passes := e.Rules[g.Where]; !passes {
				continue
			}
			n++
			for field, want := range g.Fields {
				if got := e.Values[field]; !assert.ObjectsAreEqual(stage.Canonical(want), got) {
					if wrong++; wrong <= 5 { // the others are alike
						assert.Equal(t, stage.Canonical(want), got, "%s: event %d of type %d: %s", g.Where, e.Num, e.Type, field)
					}
				}
			}
		}
		assert.Equal(t, g.Events, n, "events that pass %s", g.Where)
		assert.Zero(t, wrong, "wrong values in events that pass %s", g.Where)
	}
}

// livePlay is a live scenario, how it is written, and how it went.
type livePlay struct {
	file string // a capture file to write, "" for none
	late bool   // which begins behind the last thing that is awaited
	// byValues is for the test host, which has not the framework's filters.
	byValues bool

	config string // what the plugin was given; its server is gone by now
	events []stage.Event
	// written are the events in the file.
	written []stage.Event
}

// playLive plays a live scenario, and checks it.
func playLive(t *testing.T, on *stage.Process, p plugin, r scenario.Recorded, l livePlay) livePlay {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), act.Patience)
	defer cancel()
	var server *act.Server
	l.config = r.Config
	if r.Server != nil {
		var err error
		server, err = p.Serve(here.builtIn(t, p.Folder, r.Server.Run), *r.Server, t.TempDir())
		require.NoError(t, err)
		defer server.Stop()
		l.config = server.Filled(l.config)
	}
	check := checkGroups
	if l.byValues {
		check = checkValues
		prepareBare(t, on, "live", p, r, l.config)
	} else {
		require.NoError(t, p.PrepareRecorded(ctx, on, "live", r, l.config))
	}
	begin := 0
	for k, s := range r.Live {
		if l.late && s.Await != nil {
			begin = k + 1
		}
	}
	live, err := p.GoLive(ctx, on, "live", capture(t, p, r), server)
	require.NoError(t, err)
	for k, s := range r.Live {
		if l.file != "" && k == begin {
			do(t, on, stage.Command{Do: "write", Inspector: "live", File: l.file})
		}
		came, err := live.Do(ctx, s)
		require.NoError(t, err, "step %d; the log: %v", k+1, on.Logs)
		check(t, s.Groups, came)
		l.events = append(l.events, came...)
		if k >= begin {
			l.written = append(l.written, came...)
		}
	}
	check(t, r.Groups, l.events)
	closed(t, on, "live")
	return l
}

func TestRecordedSystemCallsHaveTheirValues(t *testing.T) {
	eachRecorded(t, func(t *testing.T, p plugin, r scenario.Recorded) {
		on := framework(t)
		if len(r.Live) > 0 {
			playLive(t, on, p, r, livePlay{})
		} else {
			checkGroups(t, r.Groups, replayRecorded(t, on, "replay", p, r, r.Config, capture(t, p, r)))
		}
		for _, inspector := range []string{"live", "replay"} {
			_, _ = try(t, on, stage.Command{Do: "drop", Inspector: inspector})
		}
		require.NoError(t, on.Close())
		for _, part := range r.Logs {
			assert.True(t, slices.ContainsFunc(on.Logs, func(l stage.Log) bool { return strings.Contains(string(l.Text), part) }), "%q is logged, in %v", part, on.Logs)
		}
	})
}

// compareCalls compares the events of system calls one by one.
func compareCalls(t *testing.T, want, got []stage.Event) {
	t.Helper()
	want, got = seen(act.OfSystemCalls(want)), seen(act.OfSystemCalls(got))
	require.Equal(t, len(want), len(got), "events of system calls")
	for k := range want {
		require.Equal(t, want[k], got[k], "event %d of system calls", k+1)
	}
}

func TestRecordedSystemCallsHaveTheSameValuesWrittenAndReplayed(t *testing.T) {
	eachRecorded(t, func(t *testing.T, p plugin, r scenario.Recorded) {
		on := framework(t)
		file := filepath.Join(t.TempDir(), "written")
		if len(r.Live) > 0 {
			for _, late := range []bool{false, true} { // late, the file's head alone tells what was parsed before
				live := playLive(t, on, p, r, livePlay{file: file, late: late})
				compareCalls(t, live.written, replayRecorded(t, on, "again", p, r, live.config, file))
				do(t, on, stage.Command{Do: "drop", Inspector: "live"})
				do(t, on, stage.Command{Do: "drop", Inspector: "again"})
			}
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), act.Patience)
		defer cancel()
		require.NoError(t, p.PrepareRecorded(ctx, on, "first", r, r.Config))
		do(t, on, stage.Command{Do: "write", Inspector: "first", File: file})
		first, err := p.Replay(ctx, on, "first", capture(t, p, r))
		require.NoError(t, err)
		closed(t, on, "first")
		compareCalls(t, first, replayRecorded(t, on, "again", p, r, r.Config, file))
	})
}

// prepareBare sets an inspector of system calls up on the test host, with the
// plugin's own fields: the framework's filters are not the host's.
func prepareBare(t *testing.T, played *stage.Process, inspector string, p plugin, r scenario.Recorded, config string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), act.Patience)
	defer cancel()
	require.NoError(t, p.PrepareRecorded(ctx, played, inspector, scenario.Recorded{}, config))
	do(t, played, stage.Command{Do: "fields", Inspector: inspector, Fields: r.Fields()})
}

// playRecorded replays a scenario on the test host.
func playRecorded(t *testing.T, played *stage.Process, p plugin, r scenario.Recorded) []stage.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), act.Patience)
	defer cancel()
	prepareBare(t, played, "a", p, r, r.Config)
	events, err := p.Replay(ctx, played, "a", capture(t, p, r))
	require.NoError(t, err)
	return events
}

// checkValues counts the events with a group's values, without its filter. Groups
// that have the same are counted together.
func checkValues(t *testing.T, groups []scenario.Group, events []stage.Event) {
	t.Helper()
	for k, g := range groups {
		same := func(other scenario.Group) bool { return assert.ObjectsAreEqual(g.Fields, other.Fields) }
		if slices.ContainsFunc(groups[:k], same) {
			continue
		}
		want, got := 0, 0
		for _, other := range groups {
			if same(other) {
				want += other.Events
			}
		}
		for _, e := range act.OfSystemCalls(events) {
			if hasValues(e, g.Fields) {
				got++
			}
		}
		assert.Equal(t, want, got, "events with the values of those that pass %s", g.Where)
	}
}

func hasValues(e stage.Event, fields map[string]any) bool {
	for name, want := range fields {
		if !assert.ObjectsAreEqual(stage.Canonical(want), e.Values[name]) {
			return false
		}
	}
	return true
}

func TestHostAndFrameworkReplayRecordedSystemCallsAlike(t *testing.T) {
	eachRecorded(t, func(t *testing.T, p plugin, r scenario.Recorded) {
		if len(r.Live) > 0 {
			playLive(t, host(t), p, r, livePlay{byValues: true})
			return // the times of live ones are not the same
		}
		real := replayRecorded(t, framework(t), "a", p, r, r.Config, capture(t, p, r))
		ours := playRecorded(t, host(t), p, r)
		require.Equal(t, len(real), len(ours))
		for k := range real {
			real[k].Rules = nil
			require.Equal(t, real[k], ours[k], "event %d", k+1)
		}
	})
}

// shown is a value as the framework prints it.
func shown(v any) string {
	switch v := stage.Canonical(v).(type) {
	case nil:
		return "<NA>"
	case []any:
		parts := make([]string, len(v))
		for k := range v {
			parts[k] = shown(v[k])
		}
		return "(" + strings.Join(parts, ",") + ")"
	default:
		return fmt.Sprint(v)
	}
}

func TestSysdigShowsTheSameOfRecordedSystemCalls(t *testing.T) {
	eachRecorded(t, func(t *testing.T, p plugin, r scenario.Recorded) {
		file := capture(t, p, r)
		config := r.Config
		if len(r.Live) > 0 {
			file = filepath.Join(t.TempDir(), "live")
			config = playLive(t, framework(t), p, r, livePlay{file: file}).config
		}
		load := p.Library(p.Plugin) + ":" + config
		for _, g := range r.Groups {
			format := "*%evt.num"
			var want []string
			for _, field := range r.Fields() {
				if value, declared := g.Fields[field]; declared {
					format += between + "%" + field
					want = append(want, shown(value))
				}
			}
			// the filter is of the framework's own fields: who has them is asked of nobody else
			lines := sysdig(t, "-H", load, "-r", file, "-p", format+end, "evt.is_async = false and ("+g.Where+")")
			assert.Equal(t, g.Events, len(lines), "events that sysdig has for %s", g.Where)
			for _, l := range lines {
				require.Equal(t, want, strings.Split(l, between)[1:], "%q, of %s", l, g.Where)
			}
		}
	})
}
