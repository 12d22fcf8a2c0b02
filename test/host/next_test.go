// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
	"github.com/aerie-falco/aerie/test/host/internal/fixture"
)

// turns are the results of Next until the script ends: payloads of events, and
// result codes with their texts.
func turns(t *testing.T, i *host.Instance, n int) []string {
	t.Helper()
	names := map[abi.RC]string{abi.Failure: "failure", abi.Timeout: "timeout", abi.EOF: "eof", abi.NotSupported: "unsupported"}
	var got []string
	for range n {
		e, rc, err := i.Next()
		switch {
		case rc == abi.Success:
			payload, ok := e.Payload()
			require.True(t, ok)
			got = append(got, string(payload))
		case err != nil:
			got = append(got, names[rc]+": "+err.Error())
		default:
			got = append(got, names[rc])
		}
	}
	return got
}

func TestBatchesAreDeliveredByLibscapsRules(t *testing.T) {
	seq := func(n int) string { return fmt.Sprintf(`{"seq": %d}`, n) }
	tests := map[string]struct {
		script string
		want   []string
	}{
		"events of several batches, then the end twice": {"2 1", []string{seq(1), seq(2), seq(3), "eof", "eof", "eof", "eof"}},
		"a timeout without events comes twice":          {"0:timeout 1", []string{"timeout", "timeout", seq(1)}},
		"a timeout with events comes after them, once":  {"2:timeout 1", []string{seq(1), seq(2), "timeout", seq(3)}},
		"an end with events comes after them":           {"1:eof", []string{seq(1), "eof", "eof", "eof"}},
		"a failure with events comes after them":        {"1:failure 1", []string{seq(1), "failure: end of step 1:failure", seq(2)}},
		"a failure without events comes twice":          {"0:failure 1", []string{"failure: end of step 0:failure", "failure: end of step 0:failure", seq(1)}},
		"success without events is a failure":           {"0 1", []string{"failure: unexpected 0 size event returned by plugin: full", seq(1)}},
		"an unknown result code is a failure":           {"1:odd", []string{seq(1), "failure: end of step 1:odd"}},
		"not supported ends like a failure":             {"0:unsupported", []string{"unsupported: end of step 0:unsupported"}},
		"a count not written delivers the old events":   {"2 stale 1", []string{seq(1), seq(2), seq(1), seq(2), "timeout", seq(3)}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := full(t)
			i, err := p.Open(tt.script)
			require.NoError(t, err)
			defer p.Close(i)
			assert.Equal(t, tt.want, turns(t, i, len(tt.want)))
		})
	}
}

func TestBadEventsAreFailuresThatStay(t *testing.T) {
	tests := map[string]struct {
		want      string
		violation bool
	}{
		"wrongtype": {"malformed plugin event produced by plugin: 'full': type 402 with 2 parameters", false},
		"wrongid":   {"unexpected plugin ID in plugin event: plugin='full', expected_id=777, actual_id=778", false},
		"badlen":    {"an event of length 1000, whose header and parameters take 39", true},
		"null":      {"a count of 1 with no events", true},
		"nullevent": {"event 0 of the batch's 1 is NULL", true},
	}
	for script, tt := range tests {
		t.Run(script, func(t *testing.T) {
			p := full(t)
			i, err := p.Open(script)
			require.NoError(t, err)
			defer p.Close(i)
			for range 3 {
				_, rc, err := i.Next()
				assert.Equal(t, abi.Failure, rc)
				require.ErrorContains(t, err, tt.want)
				var broken *host.Violation
				assert.Equal(t, tt.violation, assert.ErrorAs(mute{}, err, &broken))
			}
		})
	}
}

// mute lets an assertion answer a question without failing the test.
type mute struct{}

func (mute) Errorf(string, ...any) {}

func TestEventHeadersAreCompleted(t *testing.T) {
	p := full(t)
	i, err := p.Open("1 keep")
	require.NoError(t, err)
	defer p.Close(i)

	before := time.Now().Truncate(time.Microsecond)
	e, rc, err := i.Next()
	require.NoError(t, err)
	require.Equal(t, abi.Success, rc)
	after := time.Now()
	id, ok := e.PluginID()
	assert.True(t, ok)
	assert.EqualValues(t, 777, id, "an ID of 0 is filled in")
	assert.Equal(t, abi.NoThread, e.ThreadID())
	stamped := time.Unix(0, int64(e.Timestamp()))
	assert.False(t, stamped.Before(before) || stamped.After(after), "stamped %s, between %s and %s", stamped, before, after)
	assert.Zero(t, e.Timestamp()%1000, "with the framework's clock, which has microseconds")

	e, _, err = i.Next()
	require.NoError(t, err)
	assert.EqualValues(t, 1234567890, e.Timestamp(), "a time of the plugin's own is kept")
}

func TestAFailedOpenClosesNull(t *testing.T) {
	var calls []host.Symbol
	var log lines
	lib, err := host.Load(build(t, "full.c"), &host.LoadOptions{Observe: func(s host.Symbol, _ uint64) { calls = append(calls, s) }})
	require.NoError(t, err)
	p := initialised(t, lib, host.InitOptions{Log: log.add})
	calls = nil
	_, err = p.Open("refuse")
	assert.EqualError(t, err, `open full with "refuse": `+strings.Repeat("x", 255), "the framework keeps 255 bytes of the text")
	assert.Equal(t, []host.Symbol{host.SymOpen, host.SymGetLastError, host.SymClose}, calls)
	assert.Equal(t, "full: closed NULL", log.texts()[2])
}

func TestCallsOutOfOrderReachThePlugin(t *testing.T) {
	t.Run("close of NULL", func(t *testing.T) {
		var log lines
		p := initialised(t, load(t, "full.c"), host.InitOptions{Log: log.add})
		p.Close(nil)
		assert.Equal(t, "full: closed NULL", log.texts()[2])
	})
	t.Run("destroy with an instance open", func(t *testing.T) {
		p := full(t)
		_, err := p.Open("1")
		require.NoError(t, err)
		p.Destroy()
		assert.False(t, p.HasState())
	})
	t.Run("two instances of one state", func(t *testing.T) {
		p := full(t)
		a, err := p.Open("1")
		require.NoError(t, err)
		b, err := p.Open("1")
		require.NoError(t, err)
		assert.Equal(t, []string{`{"seq": 1}`}, turns(t, a, 1))
		assert.Equal(t, []string{`{"seq": 1}`}, turns(t, b, 1))
		p.Close(a)
		assert.Equal(t, []string{"eof"}, turns(t, b, 1))
		p.Close(b)
	})
	t.Run("close during next_batch", func(t *testing.T) {
		waiting := make(chan struct{})
		p := initialised(t, load(t, "full.c"), host.InitOptions{Log: func(l host.LogLine) {
			if l.Text == "waiting" {
				close(waiting)
			}
		}})
		i, err := p.Open("wait")
		require.NoError(t, err)
		thread := host.NewThread()
		defer thread.Stop()
		ended := make(chan abi.RC)
		go thread.Do(func() {
			_, rc, _ := i.Next()
			ended <- rc
		})
		<-waiting
		p.Close(i)
		assert.Equal(t, abi.EOF, <-ended)
	})
}

func TestOneCallOfNextBatchCanBeLookedAt(t *testing.T) {
	p := full(t)
	i, err := p.Open("2 stale 0:timeout")
	require.NoError(t, err)
	defer p.Close(i)
	for _, want := range []host.Batch{{RC: abi.Success, N: 2}, {RC: abi.Timeout, N: 99}, {RC: abi.Timeout, N: 0}} {
		b, err := i.NextBatch(99)
		require.NoError(t, err)
		assert.Equal(t, want, b)
	}
}

func TestProgressAndTexts(t *testing.T) {
	p := full(t)
	i, err := p.Open("3")
	require.NoError(t, err)
	defer p.Close(i)
	e, _, err := i.Next()
	require.NoError(t, err)
	hundredths, text, ok := i.Progress()
	assert.True(t, ok)
	assert.EqualValues(t, 300, hundredths)
	assert.Equal(t, "3 sent", text)

	text, ok = p.EventText(e)
	assert.True(t, ok)
	assert.Equal(t, `event 0 of NULL: {"seq": 1}`, text)

	params, ok, err := p.OpenParams()
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, []host.OpenParam{{Value: "3", Desc: "three events"}, {Value: "5"}}, params)
}

func TestWhatAPluginCannotDoIsSaid(t *testing.T) {
	p := initialised(t, load(t, "small.c", "ID=0", fixture.Quoted("SOURCE", "")), host.InitOptions{})
	_, ok, err := p.OpenParams()
	assert.False(t, ok)
	require.NoError(t, err)
	i, err := p.Open("")
	require.NoError(t, err, "a NULL instance with success is one")
	_, _, ok = i.Progress()
	assert.False(t, ok)
	_, ok = p.EventText(host.NewPluginEvent(1, 1, nil))
	assert.False(t, ok)
	p.Close(i)

	p = initialised(t, load(t, "small.c"), host.InitOptions{})
	_, err = p.Open("")
	assert.ErrorContains(t, err, "call plugin_open: ")
	assert.ErrorContains(t, err, "does not export it")
	p.Close(nil) // no symbol, no call
}
