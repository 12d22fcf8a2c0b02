// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/host"
	"github.com/aerie-falco/aerie/test/host/internal/fixture"
)

func TestACaptureOpensAndClosesInTheFrameworksOrder(t *testing.T) {
	s := play(t, "")
	s.enter("script.c", "", fixture.Quoted("NAME", "second"))
	s.enter("full.c", "")
	s.said()
	require.NoError(t, s.Open("full", "1"))
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "a second close does nothing")
	assert.Equal(t, []string{
		"script: set", "second: set", "script: open", "second: open",
		"script: unset", "second: unset", "script: close", "second: close",
	}, s.said())
}

func TestAFailedOpenIsClosedWithoutItsOpeningHalf(t *testing.T) {
	s := play(t, "")
	s.enter("full.c", "")
	s.said()
	assert.ErrorContains(t, s.Open("full", "refuse"), "xxx")
	assert.Equal(t, []string{"full: closed NULL"}, s.said())
	require.NoError(t, s.Close())
	assert.Equal(t, []string{"script: unset", "script: close"}, s.said())
}

func TestAFailureOfAListenerFailsTheOpen(t *testing.T) {
	for callback, c := range map[string]struct {
		want string
		said []string
	}{
		"set":  {"open: can't set async event handler for plugin 'script' : told to fail", []string{"script: set"}},
		"open": {"open: capture_open error for plugin 'script' : told to fail", []string{"script: set", "second: set", "script: open"}},
	} {
		s := play(t, callback+"=f")
		s.enter("script.c", "", fixture.Quoted("NAME", "second"))
		s.enter("full.c", "")
		s.said()
		assert.EqualError(t, s.Open("full", "1"), c.want)
		assert.Equal(t, c.said, s.said())
		require.NoError(t, s.Close())
		assert.Equal(t, []string{"script: unset", "second: unset", "script: close", "second: close"}, s.said())
	}
	s := play(t, "unset=f|close=f")
	require.NoError(t, s.OpenFeed(999, "fed", payloads()))
	assert.EqualError(t, s.Close(), "close: can't reset async event handler for plugin 'script' : told to fail\n"+
		"capture_close error for plugin 'script' : told to fail")
}

func TestParsersSeeTheEventsThatTheyAreFor(t *testing.T) {
	s := play(t, "parse=", "TYPES=322")
	s.enter("script.c", "parse=", fixture.Quoted("NAME", "async"), "TYPES=402")
	s.enter("script.c", "", fixture.Quoted("NAME", "foreign"), fixture.Quoted("SOURCES", `["other"]`))
	require.NoError(t, s.OpenStream(999, "fed", given(pluginEvent(1, "f;B"), host.NewAsyncEvent(999, 2, "tick", nil).Bytes())))
	s.said()
	assert.Len(t, s.rest(), 2)
	assert.Equal(t, []string{"script: parse 1 type 322 of fed: threads:4", "async: parse 2 type 402 of fed"}, s.said(),
		"a parser that fails stops nothing")
}

func TestUnderAFilterExtractionComesBeforeParsing(t *testing.T) {
	s := play(t, "init=T t threads 4|extract=V t")
	f, err := s.CompileFilter("script.run = nothing")
	require.NoError(t, err)
	s.SetFilter(f)
	require.NoError(t, s.OpenStream(999, "fed", given(pluginEvent(1, ""), pluginEvent(2, ""))))
	s.said()
	assert.Empty(t, s.rest(), "filtered out")
	assert.Equal(t, []string{
		"script: extract: threads", "script: parse 1 type 322 of fed", "script: extract: threads", "script: parse 2 type 322 of fed",
	}, s.said(), "and parsed and numbered all the same")
	require.NoError(t, s.Close())
	s.SetFilter(nil)
	require.NoError(t, s.OpenStream(999, "fed", given(pluginEvent(1, ""))))
	s.said()
	assert.Len(t, s.rest(), 1)
	assert.Equal(t, []string{"script: parse 1 type 322 of fed"}, s.said())
}

func TestAViolationEndsTheStream(t *testing.T) {
	s := play(t, "")
	require.NoError(t, s.OpenStream(999, "fed", given(pluginEvent(1, "T t threads 4; C e t; D t e; D t e"))))
	_, _, err := s.Next()
	var v *host.Violation
	require.ErrorAs(t, err, &v)
	assert.Contains(t, err.Error(), "plugin script: plugin_parse_event broke the plugin interface: destroy_table_entry of table threads")
}

func TestRoutinesNeedAPool(t *testing.T) {
	s := play(t, "open=O r 3")
	require.NoError(t, s.OpenFeed(999, "fed", payloads()))
	assert.Equal(t, "script: open: NULL", s.said()[2], "as in Falco")
	require.NoError(t, s.Close())

	s = play(t, "open=O r 3; J 3; O r 1000000000; U r; U r; U q|close=O r 1000000000; J 7")
	s.EnableRoutines(2)
	require.NoError(t, s.OpenFeed(999, "fed", payloads()))
	assert.Equal(t, "script: open: routine routine 0 1 1", s.said()[2])
	require.NoError(t, s.Close(), "it waits for the routine of close, which would go on for ever")
	assert.Equal(t, []string{"script: unset", "script: close: routine"}, s.said())
}
