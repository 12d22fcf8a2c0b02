// SPDX-License-Identifier: Apache-2.0

package extract

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/internal/abitest"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
	"github.com/aerie-falco/aerie/shared/plugin/internal/tabletest"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// lookup is a plugin that extracts from the threads table.
type lookup struct {
	threads *table.Foreign[int64]
	ino     table.Field[uint64]
	kept    table.Entry
}

func (l *lookup) Init(h *plugin.Host, _ string) (err error) {
	if l.threads, err = table.Open[int64](h.Tables(), "threads"); err != nil {
		return err
	}
	if l.ino, err = table.FieldOf[uint64](l.threads, "ino"); err != nil {
		return err
	}
	e, err := l.threads.Add(h.Tables().Access(), 5)
	if err != nil {
		return err
	}
	return l.ino.Set(e, 77)
}

func (l *lookup) Destroy() {}

func lookupFields() []Field[*lookup] {
	inode := func(l *lookup, c *Call, o *Uint64Out) error {
		e, err := l.threads.Get(c.Tables(), int64(c.Event().Num()))
		if err != nil {
			return err
		}
		v, err := l.ino.Get(e)
		o.Set(v)
		l.kept = e
		return err
	}
	return []Field[*lookup]{
		{Name: "look.ino", Desc: "d", Value: Uint64(inode)},
		{Name: "look.panic", Desc: "d", Value: Uint64(func(l *lookup, c *Call, o *Uint64Out) error {
			_ = inode(l, c, o)
			panic("boom")
		})},
		{Name: "look.write", Desc: "d", Value: Uint64(func(l *lookup, c *Call, _ *Uint64Out) error {
			return l.threads.Clear(c.Tables())
		})},
		{Name: "look.stale", Desc: "d", Value: Uint64(func(l *lookup, _ *Call, o *Uint64Out) error {
			v, err := l.ino.Get(l.kept)
			o.Set(v)
			return err
		})},
		{Name: "look.num", Desc: "d", Value: Uint64(func(_ *lookup, c *Call, o *Uint64Out) error { o.Set(c.Event().Num()); return nil })},
	}
}

// startLookup makes a state of the plugin in a framework with threads.
func startLookup(t testing.TB) (h uintptr, f *tabletest.Framework) {
	core.Reset()
	f = tabletest.New(t)
	f.Native("threads", abi.StateInt64).Field("ino", abi.StateUint64, false)
	r := plugin.Register(plugin.Info{Name: "lookup", Description: "d", Contact: "c", Version: "1.0.0"}, func() *lookup { return &lookup{} })
	Register(r, Options[*lookup]{Fields: lookupFields()})
	t.Cleanup(core.Reset)
	st := core.NewState(core.Registered(), plugin.Log(t.Context()))
	f.Attach(st)
	require.NoError(t, st.Init(""))
	h = core.States.Put(st)
	t.Cleanup(func() { core.States.Drop(h); st.Destroy() })
	return h, f
}

// look asks for fields of event num, with tables to read.
func look(t testing.TB, f *tabletest.Framework, num uint64, fields ...uint32) (evt, in unsafe.Pointer, rows []abi.ExtractField) {
	var asked []abitest.Field
	for _, id := range fields {
		asked = append(asked, abitest.Field{ID: id})
	}
	in, rows = abitest.Extract(t, asked...)
	(*abi.FieldExtractInput)(in).TableReaderExt = unsafe.Pointer(f.Reader())
	return abitest.Event(t, event.Encode(1, 0, nil), num, "src"), in, rows
}

func TestAFieldReadsStateTables(t *testing.T) {
	h, f := startLookup(t)
	evt, in, rows := look(t, f, 5, 0, 4)
	require.Equal(t, abi.Success, plugin_extract_fields(h, evt, in))
	assert.Equal(t, []uint64{77}, abitest.Uint64s(&rows[0]))
	assert.Equal(t, []uint64{5}, abitest.Uint64s(&rows[1]))
	c := f.Counts()
	assert.Equal(t, uint64(1), c.Got)
	assert.Equal(t, c.Got+c.Added, c.Released, "the entry is released with the call")

	evt, in, _ = look(t, f, 5, 3)
	require.Equal(t, abi.Failure, plugin_extract_fields(h, evt, in))
	assert.Equal(t, `extract_fields look.stale: entry of table "threads": used after its release, or after the call that it belongs to`, lastError(h))
	evt, in, _ = look(t, f, 6, 0)
	require.Equal(t, abi.Failure, plugin_extract_fields(h, evt, in))
	assert.Equal(t, `extract_fields look.ino: table "threads": no entry for this key`, lastError(h))
}

func TestAPanicReleasesEntriesToo(t *testing.T) {
	h, f := startLookup(t)
	evt, in, rows := look(t, f, 5, 1, 0)
	require.Equal(t, abi.Success, plugin_extract_fields(h, evt, in))
	assert.Equal(t, []uint64{77}, abitest.Uint64s(&rows[1]))
	assert.Equal(t, uint64(2), f.Counts().Got)
	c := f.Counts()
	assert.Equal(t, c.Got+c.Added, c.Released)
}

func TestExtractionDoesNotWriteTables(t *testing.T) {
	h, f := startLookup(t)
	evt, in, _ := look(t, f, 5, 2)
	require.Equal(t, abi.Failure, plugin_extract_fields(h, evt, in))
	assert.Equal(t, `extract_fields look.write: clear: table "threads": this call gives no such access to state tables`, lastError(h))
}

func TestAHostWithoutTablesInExtractionIsAnError(t *testing.T) {
	h, f := startLookup(t)
	evt, in, _ := look(t, f, 5, 0)
	(*abi.FieldExtractInput)(in).TableReaderExt = nil
	require.Equal(t, abi.Failure, plugin_extract_fields(h, evt, in))
	assert.Equal(t, `extract_fields look.ino: get entry: table "threads": this call gives no such access to state tables`, lastError(h))

	l := core.States.Get(h).Author.Unwrap().(*lookup)
	_, err := Probe(lookupFields(), l, event.New(event.Encode(1, 0, nil), 5, "src"), Question{Field: "look.ino"})
	assert.ErrorIs(t, err, table.ErrNoAccess, "a probe has no tables")
}

func TestReadingTablesNeedsNoMemory(t *testing.T) {
	h, f := startLookup(t)
	evt, in, _ := look(t, f, 5, 0)
	assert.Zero(t, testing.AllocsPerRun(100, func() { plugin_extract_fields(h, evt, in) }))
}

func BenchmarkFieldFromATable(b *testing.B) {
	h, f := startLookup(b)
	evt, in, _ := look(b, f, 5, 0)
	b.ReportAllocs()
	for b.Loop() {
		plugin_extract_fields(h, evt, in)
	}
}
