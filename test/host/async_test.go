// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
	"github.com/aerie-falco/aerie/test/host/internal/fixture"
)

const (
	noTime   = "18446744073709551615"
	noThread = noTime
)

// pluginEvent is the bytes of a plugin event of the fed source.
func pluginEvent(ts uint64, payload string) []byte {
	e := host.NewPluginEvent(999, ts, []byte(payload))
	defer e.Free()
	return e.Bytes()
}

// shown is an event in short.
func shown(e *host.Event) string {
	if name, data, ok := e.Async(); ok {
		id, _ := e.PluginID()
		return fmt.Sprintf("%d: %s %q at %d from %d", e.Num(), name, data, e.Timestamp(), id)
	}
	payload, _ := e.Payload()
	return fmt.Sprintf("%d: %q at %d", e.Num(), payload, e.Timestamp())
}

// rest is what is left of an open inspector's events, with idle turns as "idle".
func (s *stage) rest() []string {
	s.t.Helper()
	all := []string{}
	for {
		e, rc, err := s.Next()
		require.NoError(s.t, err)
		switch rc {
		case abi.Success:
			all = append(all, shown(e))
		case abi.Timeout:
			all = append(all, "idle")
		default:
			require.Equal(s.t, abi.EOF, rc)
			return all
		}
	}
}

func TestAsyncEventsAreJudgedAsLibsinspDoes(t *testing.T) {
	for name, c := range map[string]struct {
		send, want string
		macros     []string
	}{
		"a good one":                 {send: "Y tick " + noTime + " " + noThread + " 0 d", want: "0"},
		"an undeclared name":         {send: "Y tock " + noTime + " " + noThread + " 0 d", want: "1(incompatible async event 'tock' produced by plugin: 'script')"},
		"another type":               {send: "Z type", want: "1(malformed async event produced by plugin: 'script': type 322 with 3 parameters; use type 402 with 3)"},
		"two parameters":             {send: "Z nparams", want: "1(malformed async event produced by plugin: 'script': type 402 with 2 parameters; use type 402 with 3)"},
		"a thread on a source":       {send: "Y tick " + noTime + " 5 0 d", want: "1(async events of plugin 'script' can have no thread ID with open event source 'fed'; use 2^64-1)"},
		"a foreign source":           {send: "Y tick " + noTime + " " + noThread + " 0 d", want: "1(async events of plugin 'script' are not compatible with open event source 'fed')", macros: []string{fixture.Quoted("ASYNC_SOURCES", `["other"]`)}},
		"a source that is listed":    {send: "Y tick " + noTime + " " + noThread + " 0 d", want: "0", macros: []string{fixture.Quoted("ASYNC_SOURCES", `["fed"]`)}},
		"a time in the far future":   {send: "Y tick 9000000000000000000 " + noThread + " 0 d", want: "0"},
		"a time of the distant past": {send: "Y tick 1 " + noThread + " 0 d", want: "0"},
	} {
		t.Run(name, func(t *testing.T) {
			s := play(t, "set="+c.send, c.macros...)
			require.NoError(t, s.OpenFeed(999, "fed", payloads()))
			said := s.said()
			if c.want == "0" {
				assert.Contains(t, said, "script: set: 0", "the handler is valid before the call returns")
			} else {
				assert.Contains(t, said, "script: set: "+c.want)
				assert.Equal(t, host.AsyncStats{Refused: 1}, s.Plugin("script").AsyncStats())
			}
			if name == "a time in the far future" {
				assert.Contains(t, said, "framework: async event ts too far in future")
				assert.Equal(t, host.AsyncStats{Dropped: 1}, s.Plugin("script").AsyncStats())
			}
			assert.Empty(t, s.Plugin("script").Violations())
		})
	}
}

func TestAsyncEventsThatLibsinspWouldTrustAreViolations(t *testing.T) {
	for broken, want := range map[string]string{
		"short":   "its length 42 leaves no room for a name",
		"endless": "its name has no end",
		"lengths": "parameters of 4, 5 and 99 bytes in an event of 51",
	} {
		t.Run(broken, func(t *testing.T) {
			s := play(t, "open=Z "+broken)
			err := s.OpenFeed(999, "fed", payloads())
			var v *host.Violation
			require.ErrorAs(t, err, &v)
			assert.Contains(t, v.Detail, want)
		})
	}
}

func TestTheHandlerWorksFromSetToUnset(t *testing.T) {
	const send = "Y tick " + noTime + " " + noThread + " 7 d"
	s := play(t, "init="+send+"|set="+send+"|unset="+send+"|close="+send+"|destroy="+send)
	require.NoError(t, s.OpenFeed(999, "fed", payloads("")))
	assert.Equal(t, []string{"1: tick \"d\" at " + "TIME from 999"}, []string{withoutTime(s.next())})
	require.NoError(t, s.Close())
	p := s.Plugin("script")
	p.Destroy()
	assert.Equal(t, []string{
		"script: init: -9", "script: set: 0", "script: open", "script: parse 1 type 402 of fed", "script: unset: 0",
		"script: close: 1(async event sent with NULL handler: script)",
		"script: destroy: 1(async event sent with NULL handler: script)",
	}, s.said())
	assert.Equal(t, host.AsyncStats{Accepted: 2, Refused: 2}, p.AsyncStats())
}

// withoutTime is an event in short that has the time of the clock.
func withoutTime(e *host.Event) string {
	name, data, _ := e.Async()
	id, _ := e.PluginID()
	return fmt.Sprintf("%d: %s %q at TIME from %d", e.Num(), name, data, id)
}

func TestAsyncEventsTakeTheirTurn(t *testing.T) {
	send := func(ts, data string) string { return "Y tick " + ts + " " + noThread + " 0 " + data + "; " }
	for name, c := range map[string]struct {
		set    string
		events [][]byte
		want   []string
	}{
		"by time, and equal times as they came, before a source event of the same time": {
			set:    send("20", "c") + send("10", "a") + send("10", "b") + send("30", "d") + send("31", "e"),
			events: [][]byte{pluginEvent(15, ""), pluginEvent(30, ""), pluginEvent(16, "")},
			want: []string{
				`1: tick "a" at 10 from 999`, `2: tick "b" at 10 from 999`, `3: "" at 15`,
				`4: tick "c" at 20 from 999`, `5: tick "d" at 30 from 999`, `6: "" at 30`, `7: "" at 16`,
			},
		},
		"without a time before all others, with the time of the last event": {
			set:    send("10", "a"),
			events: [][]byte{pluginEvent(15, send(noTime, "now")), pluginEvent(20, "")},
			want:   []string{`1: tick "a" at 10 from 999`, `2: "` + send(noTime, "now") + `" at 15`, `3: tick "now" at 15 from 999`, `4: "" at 20`},
		},
		"on an idle source only what is not later than the last event": {
			events: [][]byte{pluginEvent(15, send("15", "due")+send("16", "late")+send(noTime, "now")), nil, nil, nil, pluginEvent(17, "")},
			want: []string{
				`1: "` + send("15", "due") + send("16", "late") + send(noTime, "now") + `" at 15`,
				`2: tick "now" at 15 from 999`, `3: tick "due" at 15 from 999`, "idle", `4: tick "late" at 16 from 999`, `5: "" at 17`,
			},
		},
		"and what is left at the end is lost": {
			set:    send("99", "never"),
			events: [][]byte{pluginEvent(15, "")},
			want:   []string{`1: "" at 15`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := play(t, "set="+c.set)
			feed := given(c.events...)
			require.NoError(t, s.OpenStream(999, "fed", feed))
			assert.Equal(t, c.want, s.rest())
		})
	}
}

func TestTheQueueOfAsyncEventsIsBounded(t *testing.T) {
	s := play(t, "")
	send := ""
	for range 512 {
		send += "Y tick 5 " + noThread + " 0 d;"
	}
	events := [][]byte{pluginEvent(1, send), pluginEvent(1, send), pluginEvent(1, send), pluginEvent(1, send),
		pluginEvent(1, send), pluginEvent(1, send), pluginEvent(1, send), pluginEvent(1, send), pluginEvent(1, send), pluginEvent(9, "")}
	require.NoError(t, s.OpenStream(999, "fed", given(events...)))
	assert.Len(t, s.rest(), len(events)+4096)
	assert.Equal(t, host.AsyncStats{Accepted: 4096, Dropped: 512}, s.Plugin("script").AsyncStats())
	assert.Contains(t, s.said(), "framework: async event queue is full")
}

func TestTheQueueOutlivesACapture(t *testing.T) {
	s := play(t, "unset=Y tick 5 "+noThread+" 0 d")
	require.NoError(t, s.OpenStream(999, "fed", given()))
	require.NoError(t, s.Close())
	require.NoError(t, s.OpenEvents(given(host.EncodeEvent(3, 9, 1))))
	assert.Equal(t, []string{`1: tick "d" at 5 from 999`, `2: "" at 9`}, s.rest())
}

func TestAsyncEventsOfSystemCallsHaveNoID(t *testing.T) {
	s := play(t, "set=Y tick 5 77 3 d|parse=", "TYPES=322,402,3")
	require.NoError(t, s.OpenEvents(given(host.EncodeEvent(3, 9, 1, []byte("p")))))
	e := s.next()
	assert.Equal(t, `1: tick "d" at 5 from 0`, shown(e))
	assert.EqualValues(t, 77, e.ThreadID(), "there a thread is allowed")
	assert.Equal(t, "syscall", e.Source())
	assert.EqualValues(t, 3, s.next().Type())
	assert.Equal(t, []string{"script: init", "script: set: 0", "script: open", "script: parse 1 type 402 of syscall", "script: parse 2 type 3 of syscall"}, s.said())
}

func TestThreadsMaySendWhileTheCaptureCloses(t *testing.T) {
	s := play(t, "open=M 32; m")
	for range 3 {
		require.NoError(t, s.OpenFeed(999, "fed", func() ([]byte, error) { return nil, host.ErrIdle }))
		for range 100 {
			e, _, err := s.Next()
			require.NoError(t, err)
			if e != nil {
				assert.WithinDuration(t, time.Now(), time.Unix(0, int64(e.Timestamp())), time.Hour)
			}
		}
		require.NoError(t, s.Close())
	}
	p := s.Plugin("script")
	assert.Zero(t, p.AsyncStats().Refused)
	assert.Empty(t, p.Violations())
	m, err := p.Metrics()
	require.NoError(t, err)
	assert.EqualValues(t, m[0].Value, p.AsyncStats().Accepted+p.AsyncStats().Dropped)
}
