// SPDX-License-Identifier: Apache-2.0

package plugintest_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/async"
	"github.com/aerie-falco/aerie/shared/plugin/capture"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
	"github.com/aerie-falco/aerie/shared/plugin/parse"
	"github.com/aerie-falco/aerie/shared/plugin/plugintest"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// noter notes in the table of threads what they are told.
type noter struct {
	log     func(string, ...any)
	threads *table.Foreign[int64]
	note    table.Field[string]
	cgroups *table.Sub[uint64]
	path    table.Field[string]
	events  *async.Emitter
	closed  int
}

type row struct {
	Text string `table:"text"`
}

func (n *noter) Init(h *plugin.Host, config string) error {
	if config != "" {
		return fmt.Errorf("config %q: want none", config)
	}
	n.log, n.events = h.Log().Warn, async.EmitterOf(h)
	var errs [5]error
	n.threads, errs[0] = table.Open[int64](h.Tables(), "threads")
	n.note, errs[1] = table.AddField[string](n.threads, "note")
	n.cgroups, errs[2] = table.OpenSub[uint64](n.threads, "cgroups")
	n.path, errs[3] = table.FieldOf[string](n.cgroups, "second")
	_, errs[4] = table.FieldOf[string](n.threads, "comm")
	offered := table.New[string, row]("rows")
	offered.Put("key", row{"text"})
	return errors.Join(errors.Join(errs[:]...), table.Offer(h.Tables(), offered))
}

func (n *noter) Destroy() {}

func (n *noter) Parse(e *event.Event, a *table.Access) error {
	thread, err := n.threads.Get(a, int64(e.ThreadID()))
	if err != nil {
		return err
	}
	if result, ok := e.Int64(0); !ok || result != 0 {
		return errors.New("no result of 0")
	}
	n.log("noted", "thread", e.ThreadID())
	text, _ := e.String(1)
	return n.note.Set(thread, text)
}

func (n *noter) text(c *extract.Call, out *extract.StringOut) error {
	thread, err := n.threads.Get(c.Tables(), int64(c.Event().ThreadID()))
	if err != nil {
		return err
	}
	if key, ok := c.Key(); ok {
		out.Add(key)
	}
	cgroups, err := n.cgroups.Of(thread)
	if err != nil {
		return err
	}
	return cgroups.Each(c.Tables(), func(cgroup table.Entry) bool {
		path, err := n.path.Get(cgroup)
		out.Add(path)
		return err == nil
	})
}

func (n *noter) CaptureOpen(c *capture.Capture) error {
	return n.threads.Each(c.Tables(), func(thread table.Entry) bool { return n.note.Set(thread, "open") == nil })
}

func (n *noter) CaptureClose(*capture.Capture) error { n.closed++; return nil }

func (n *noter) DumpState(d *async.Dump) error { return d.Emit("note", []byte("all")) }

func register(r *plugin.Registration[*noter]) {
	table.RequireSubtables(r)
	parse.Register(r, parse.Options{EventTypes: []uint16{event.TypeExecveX}})
	async.Register(r, async.Options{Events: []string{"note"}})
	capture.Register(r)
	extract.Register(r, extract.Options[*noter]{EveryEventType: true, Fields: []extract.Field[*noter]{
		{Name: "noter.paths", Desc: "d", Arg: extract.Key, Value: extract.Strings((*noter).text)},
	}})
}

var info = plugin.Info{Name: "noter", Description: "d", Contact: "c", Version: "1.0.0"}

func TestAPluginRunsInsideATest(t *testing.T) {
	n := &noter{}
	h, err := plugintest.Start(t, info, register, func() *noter { return n }, "")
	require.NoError(t, err)
	h.PutThread(7, "cpu=/a", "memory=/b=c")
	h.PutThread(8)

	zero := binary.NativeEndian.AppendUint64(nil, 0)
	exec := plugintest.Syscall(event.TypeExecveX, 7, 1, zero, []byte("hello\x00"))
	require.NoError(t, h.Parse(exec))
	assert.Equal(t, "hello", h.ThreadText(7, "note"))
	assert.Empty(t, h.ThreadText(8, "note"))
	assert.EqualError(t, h.Parse(plugintest.Syscall(event.TypeExecveX, 7, 1)), "parse_event: no result of 0")
	assert.Contains(t, h.Log(), "WARN noted")
	assert.EqualValues(t, 1, h.Metrics().Counter("parse_errors").Value())

	values, err := h.Texts(exec, 0, nil)
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"/a", "/b=c"}, values)
	key := "key"
	h.MoveThread(7, "cpu=/d")
	values, err = h.Texts(exec, 0, &key)
	require.NoError(t, err)
	assert.Equal(t, []string{"key", "/d"}, values)
	_, err = h.Texts(plugintest.Async(1, "note", nil), 0, nil)
	assert.ErrorContains(t, err, "no entry")

	h.SetThreadText(8, "note", "set")
	require.NoError(t, h.Parsing(exec)())
	require.NoError(t, h.Extracting(exec, 0, &key)())
	assert.Equal(t, "set", h.ThreadText(8, "note"))
	require.NoError(t, h.OpenCapture())
	assert.Equal(t, "open", h.ThreadText(8, "note"))
	h.EndThread(7)
	assert.ErrorContains(t, h.Parse(exec), "no entry")
	require.NoError(t, h.CloseCapture())
	assert.Equal(t, 1, n.closed)

	text, ok := h.TableText("rows", "key", "text")
	assert.True(t, ok)
	assert.Equal(t, "text", text)
	_, ok = h.TableText("rows", "other", "text")
	assert.False(t, ok)

	assert.ErrorIs(t, n.events.Emit("note", nil), async.ErrNoCapture)
	h.TakeEvents()
	require.NoError(t, n.events.Emit("note", []byte("x")))
	h.RefuseEvents()
	assert.Error(t, n.events.Emit("note", []byte("y")))
	require.Len(t, h.Events(), 1)
	dumped, err := h.Dump()
	require.NoError(t, err)
	require.Len(t, dumped, 1)
	e := event.New(dumped[0], 1, "")
	_, name, data, _ := e.Async()
	assert.Equal(t, "note all", name+" "+string(data))
	h.Destroy()
	h.Destroy()
}

func TestAnInitialisationThatFailsSaysWhy(t *testing.T) {
	_, err := plugintest.Start(t, info, register, func() *noter { return &noter{} }, "x")
	assert.EqualError(t, err, `config "x": want none`)
}
