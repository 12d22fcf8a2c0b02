// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/host"
)

// counting is a plugin that keeps a number in the field "seen" of threads,
// which parsing of async events sets and plugin events read.
const counting = "init=T t threads 4; A s t seen 8" +
	"|parse=C e t; P e t 4242 e; W t e s 8 6; L t e" +
	"|dump=Y state 77 " + noThread + " 999 saved"

func TestARecordingIsReplayedAsTheFrameworkDoes(t *testing.T) {
	s := play(t, counting)
	s.SetProcesses([]host.Process{{TID: 1, Fields: map[string]any{"comm": "init"}, Args: []string{"-x"}}})
	require.NoError(t, s.OpenStream(999, "fed", given(
		pluginEvent(10, "Y tick 15 "+noThread+" 0 early;Y tick 99 "+noThread+" 0 never"), pluginEvent(20, "G e t 4242; R t e s 8"))))
	r, err := s.Record(nil)
	require.NoError(t, err)
	live := s.rest()
	assert.Contains(t, s.said(), "script: dump: 0")
	rows, err := s.ReadTable("threads")
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.Len(t, r.Events, 4, "the state, and what was returned")

	var file bytes.Buffer
	require.NoError(t, r.Save(&file))
	loaded, err := host.LoadRecording(&file)
	require.NoError(t, err)

	again := play(t, counting)
	require.NoError(t, again.OpenReplay(loaded))
	assert.Equal(t, []string{"script: init: table added", "script: parse 1 type 402 of fed: created same 0", "script: open"}, again.said(),
		"state is parsed before the capture opens, and no async handler is set")
	replayed := again.rest()
	require.Len(t, live, 3)
	require.Len(t, replayed, 3)
	for k := range live {
		assert.Equal(t, live[k][1:], replayed[k][1:], "the events are the same, with other numbers")
		assert.NotEqual(t, live[k][0], replayed[k][0])
	}
	said := again.said()
	assert.Equal(t, "script: parse 4 type 322 of fed: entry 6", said[len(said)-1], "state is there again")
	rebuilt, err := again.ReadTable("threads")
	require.NoError(t, err)
	assert.Equal(t, rows, rebuilt)
	require.NoError(t, again.Close())
	assert.Equal(t, []string{"script: close"}, again.said())
	_, err = host.LoadRecording(bytes.NewBufferString("junk"))
	assert.ErrorContains(t, err, "load recording")
}

func TestARecordingMayBeginMidStream(t *testing.T) {
	s := play(t, "")
	_, err := s.Record(nil)
	assert.EqualError(t, err, "record: the inspector is not open")
	require.NoError(t, s.OpenStream(999, "fed", given(pluginEvent(1, ""), pluginEvent(2, ""), pluginEvent(3, ""))))
	s.next()
	late, err := s.Record(s.next())
	require.NoError(t, err)
	s.next()
	assert.Equal(t, [][]byte{pluginEvent(2, ""), pluginEvent(3, "")}, late.Events)
	s.StopRecording(late)
	assert.Empty(t, s.rest())
	assert.Len(t, late.Events, 2)
}

func TestTheStateIsDumpedAsItIs(t *testing.T) {
	s := play(t, "dump=Y state "+noTime+" 5 3 a;Y nosuch 1 1 1 b", "KEEP_DUMP")
	p := s.Plugin("script")
	events, err := p.DumpState()
	require.NoError(t, err)
	require.Len(t, events, 1)
	e := host.NewRawEvent(events[0])
	defer e.Free()
	assert.Equal(t, "0: state \"a\" at "+noTime+" from 3", shown(e), "neither ID nor time is set")
	assert.EqualValues(t, 5, e.ThreadID())
	assert.Equal(t, []string{"script: init", "script: dump: 0 1(incompatible async event 'nosuch' produced by plugin: 'script')"}, s.said())
	assert.Equal(t, "1(state is not being dumped now: the handler of dump_state works during the call only)", s.prints("Y state 1 1 1 x"))

	s = play(t, "dump=f")
	_, err = s.Plugin("script").DumpState()
	assert.EqualError(t, err, "dump state of plugin script: it returned failure, which is fatal in Falco: told to fail")
	require.NoError(t, s.OpenFeed(999, "fed", payloads()))
	_, err = s.Record(nil)
	assert.ErrorContains(t, err, "fatal in Falco")

	s = play(t, "dump=Z lengths")
	_, err = s.Plugin("script").DumpState()
	var v *host.Violation
	assert.ErrorAs(t, err, &v)
}
