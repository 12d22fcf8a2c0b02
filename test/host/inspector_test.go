// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
	"github.com/aerie-falco/aerie/test/host/internal/fixture"
)

// inspector is one with the libraries given, initialised.
func inspector(t *testing.T, libs ...*host.Library) *host.Inspector {
	t.Helper()
	n := host.NewInspector()
	t.Cleanup(n.Destroy)
	for _, lib := range libs {
		p, err := n.Register(lib)
		require.NoError(t, err)
		require.NoError(t, p.Init(host.InitOptions{}))
	}
	return n
}

// payloads is a feed of payloads that ends.
func payloads(all ...string) func() ([]byte, error) {
	return func() ([]byte, error) {
		if len(all) == 0 {
			return nil, io.EOF
		}
		next := all[0]
		all = all[1:]
		return []byte(next), nil
	}
}

func TestAnInspectorRefusesTwins(t *testing.T) {
	lib := load(t, "full.c")
	n := inspector(t, lib)
	_, err := n.Register(lib)
	assert.ErrorContains(t, err, `a plugin named "full" is already loaded`)
	_, err = n.Register(load(t, "small.c", "ID=777", fixture.Quoted("SOURCE", "other")))
	assert.ErrorContains(t, err, `plugin ID 777 of "small" is also that of "full"`)
	_, err = n.Register(load(t, "small.c", "NO_NAME"))
	assert.ErrorContains(t, err, "does not export plugin_get_name")
	assert.Len(t, n.Plugins(), 1)
}

func TestAnInspectorNumbersEventsFromOneAtEachOpen(t *testing.T) {
	n := inspector(t, load(t, "full.c"))
	c, err := n.Compile("full.echo")
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, n.Open("full", "2"))
		assert.ErrorContains(t, n.Open("full", "2"), "open already")
		for want := uint64(1); want <= 2; want++ {
			e, rc, err := n.Next()
			require.NoError(t, err)
			require.Equal(t, abi.Success, rc)
			assert.Equal(t, want, e.Num())
			assert.Equal(t, "full_source", e.Source())
			r, err := n.Value(e, c)
			require.NoError(t, err)
			assert.Contains(t, r.Values[0], "src=full_source")
		}
		_, rc, err := n.Next()
		require.NoError(t, err)
		assert.Equal(t, abi.EOF, rc)
		n.Close()
	}
	_, rc, err := n.Next()
	assert.Equal(t, abi.Failure, rc)
	assert.ErrorContains(t, err, "the inspector is not open")
}

func TestAnInspectorRefusesToOpenWhatIsNoSource(t *testing.T) {
	n := inspector(t, load(t, "small.c"))
	assert.EqualError(t, n.Open("nosuch", "p"), `open "p": plugin nosuch does not exist`)
	assert.EqualError(t, n.Open("small", "p"), `open "p": plugin small has no event source`)
	assert.ErrorContains(t, n.OpenFeed(0, "", payloads()), "both must be given")
	n = inspector(t, load(t, "full.c"))
	assert.ErrorContains(t, n.Open("full", "refuse"), `open full with "refuse": xxx`)
	require.NoError(t, n.Open("full", "1"), "a failed open can be tried again")
}

func TestAFeedTakesThePlaceOfASource(t *testing.T) {
	n := inspector(t, load(t, "full.c"))
	require.NoError(t, n.OpenFeed(999, "other_source", payloads("a", "bc")))
	c, err := n.Compile("full.payload")
	require.NoError(t, err)
	for k, want := range []string{"a", "bc"} {
		e, _, err := n.Next()
		require.NoError(t, err)
		assert.EqualValues(t, k+1, e.Num())
		assert.Equal(t, "other_source", e.Source())
		r, err := n.Value(e, c)
		require.NoError(t, err)
		assert.Equal(t, []any{want}, r.Values)
	}
	_, rc, err := n.Next()
	require.NoError(t, err)
	assert.Equal(t, abi.EOF, rc)
	n.Close()

	require.NoError(t, n.OpenFeed(999, "foreign", func() ([]byte, error) { return nil, errors.New("disk gone") }))
	_, rc, err = n.Next()
	assert.Equal(t, abi.Failure, rc)
	assert.EqualError(t, err, "read next payload: disk gone")
}

func TestPluginsAreNotAskedForForeignEvents(t *testing.T) {
	n := inspector(t, load(t, "full.c"))
	require.NoError(t, n.OpenFeed(999, "foreign", payloads("a")))
	c, err := n.Compile("full.payload")
	require.NoError(t, err)
	e, _, err := n.Next()
	require.NoError(t, err)
	r, err := n.Value(e, c)
	require.NoError(t, err)
	assert.Empty(t, r.Values)
}

func TestAnExtractionFailureIsAnErrorOfItsOwnKind(t *testing.T) {
	n := inspector(t, load(t, "full.c"))
	require.NoError(t, n.Open("full", "1"))
	e, _, err := n.Next()
	require.NoError(t, err)
	c, err := n.Compile("full.fails")
	require.NoError(t, err)
	_, err = n.Value(e, c)
	require.ErrorIs(t, err, host.ErrExtraction)
	assert.EqualError(t, err, "field full.fails: extraction failed: field fails")
	c, err = n.Compile("bad.nullstring")
	require.NoError(t, err)
	_, err = n.Value(e, c)
	var broken *host.Violation
	assert.ErrorAs(t, err, &broken)
}

func TestTheFrameworksOwnFields(t *testing.T) {
	n := inspector(t, load(t, "full.c"))
	require.NoError(t, n.Open("full", "keep"))
	e, _, err := n.Next()
	require.NoError(t, err)
	for field, want := range map[string]any{
		"evt.num":          uint64(1),
		"evt.rawtime":      uint64(1234567890),
		"evt.time.iso8601": "1970-01-01T00:00:01.234567890Z",
		"evt.source":       "full_source",
		"evt.pluginname":   "full",
		"evt.plugininfo":   "event 1 of full_source: x",
		"evt.is_async":     false,
		"evt.args":         "plugin_id=777 event_data=x",
	} {
		c, err := n.Compile(field)
		require.NoError(t, err)
		r, err := n.Value(e, c)
		require.NoError(t, err)
		assert.Equal(t, []any{want}, r.Values, field)
	}
}

func TestTheFrameworksOwnFieldsOfAnAsyncEvent(t *testing.T) {
	n := inspector(t, load(t, "full.c"))
	require.NoError(t, n.OpenStream(777, "full_source", given(host.NewAsyncEvent(777, 5, "tick", []byte("data")).Bytes())))
	e, _, err := n.Next()
	require.NoError(t, err)
	for field, want := range map[string][]any{
		"evt.source": {"full_source"}, "evt.is_async": {true}, "evt.asynctype": {"tick"}, "evt.args": {"plugin_id=777 name=tick data=data"},
		"evt.pluginname": nil, "evt.plugininfo": nil,
	} {
		c, err := n.Compile(field)
		require.NoError(t, err)
		r, err := n.Value(e, c)
		require.NoError(t, err)
		assert.Equal(t, want, r.Values, field)
	}
}

func TestEventsWithoutTextShowTheirPayload(t *testing.T) {
	n := inspector(t, load(t, "small.c"))
	c, err := n.Compile("evt.plugininfo")
	require.NoError(t, err)
	long := "0123456789012345678901234567890123456789012345678é and more"
	require.NoError(t, n.OpenFeed(999, "s", payloads("text", "\x00\x01", long, "")))
	for _, want := range []string{"datalen=4 data=text", "datalen=2 data=<binary>", "datalen=60 data=" + long[:50], "datalen=0 data="} {
		e, _, err := n.Next()
		require.NoError(t, err)
		r, err := n.Value(e, c)
		require.NoError(t, err)
		assert.Equal(t, []any{want}, r.Values)
	}
}

func TestFieldsAreLookedUpAsLibsinspDoes(t *testing.T) {
	first := load(t, "small.c", fixture.Quoted("FIELDS", `[{"type":"string","name":"foo.a","desc":"d"},{"type":"uint64","name":"foo.abc","desc":"d"}]`))
	second := load(t, "small.c", fixture.Quoted("NAME", "second"), fixture.Quoted("FIELDS", `[{"type":"string","name":"foo.ab","desc":"d"},{"type":"bool","name":"bar.b","desc":"d"}]`))
	n := inspector(t, first, second)

	c, err := n.Compile("foo.abc")
	require.NoError(t, err)
	assert.Equal(t, abi.FieldUint64, c.Type, "within a plugin the longest name wins")
	c, err = n.Compile("bar.b")
	require.NoError(t, err)
	assert.Equal(t, abi.FieldBool, c.Type)

	for expr, want := range map[string]string{
		"foo.ab":    `field "foo.ab" is unknown (looked for in plugin small, whose "foo.a" it starts with)`,
		"evt.numx":  `field "evt.numx" is unknown: evt.num is the framework's and hides all that start with it`,
		"nosuch.x":  `field "nosuch.x" is unknown: no loaded plugin has it`,
		"nodots":    `field "nodots" has no dot in its name`,
		"bar.b[x]":  `field "bar.b" takes no argument`,
		"bar.b[x":   "no closing one",
		"bar.b[x]y": "goes on after its first closing bracket",
	} {
		_, err := n.Compile(expr)
		assert.ErrorContains(t, err, want, expr)
	}
}

func TestAThreadRunsEverythingInOnePlace(t *testing.T) {
	thread := host.NewThread()
	n := 0
	for range 100 {
		thread.Do(func() { n++ })
	}
	thread.Stop()
	assert.Equal(t, 100, n)
}
