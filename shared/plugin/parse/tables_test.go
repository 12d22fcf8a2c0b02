// SPDX-License-Identifier: Apache-2.0

package parse

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

// tally counts events per number in a table of the framework's.
type tally struct {
	keys   *table.Foreign[int64]
	count  table.Field[uint64]
	kept   table.Entry
	access *table.Access
	boom   bool
}

func (p *tally) Init(h *plugin.Host, _ string) (err error) {
	if p.keys, err = table.Open[int64](h.Tables(), "keys"); err != nil {
		return err
	}
	p.count, err = table.AddField[uint64](p.keys, "count")
	return err
}

func (p *tally) Destroy() {}

func (p *tally) Parse(e *event.Event, a *table.Access) error {
	p.access = a
	entry, err := p.keys.Get(a, int64(e.Num()))
	if err != nil {
		if entry, err = p.keys.Add(a, int64(e.Num())); err != nil {
			return err
		}
	}
	p.kept = entry
	n, err := p.count.Get(entry)
	if err != nil {
		return err
	}
	if p.boom {
		panic("boom")
	}
	return p.count.Set(entry, n+1)
}

func startTally(t testing.TB) (p *tally, h uintptr, f *tabletest.Framework) {
	core.Reset()
	f, p = tabletest.New(t), &tally{}
	f.Native("keys", abi.StateInt64)
	Register(plugin.Register(plugin.Info{Name: "tally", Description: "d", Contact: "c", Version: "1.0.0"}, func() *tally { return p }), Options{})
	t.Cleanup(core.Reset)
	st := core.NewState(core.Registered(), plugin.Log(t.Context()))
	f.Attach(st)
	require.NoError(t, st.Init(""))
	h = core.States.Put(st)
	t.Cleanup(func() { core.States.Drop(h); st.Destroy() })
	return p, h, f
}

// parseNum parses event num with the tables of f, nil for none.
func parseNum(t testing.TB, h uintptr, f *tabletest.Framework, num uint64) abi.RC {
	in := abitest.Parse(t)
	if f != nil {
		i := (*abi.EventParseInput)(in)
		i.TableReaderExt, i.TableWriterExt = unsafe.Pointer(f.Reader()), unsafe.Pointer(f.Writer())
	}
	return plugin_parse_event(h, abitest.Event(t, event.Encode(1, 0, nil), num, "src"), in)
}

func TestParsingWritesStateTables(t *testing.T) {
	p, h, f := startTally(t)
	for range 3 {
		require.Equal(t, abi.Success, parseNum(t, h, f, 7), lastError(h))
	}
	p.access.Begin(unsafe.Pointer(f.Reader()), nil)
	defer p.access.End()
	entry, err := p.keys.Get(p.access, 7)
	require.NoError(t, err)
	n, err := p.count.Get(entry)
	require.NoError(t, err)
	assert.EqualValues(t, 3, n)
}

func TestEntriesAreReleasedOnceEvenIfTheParserPanics(t *testing.T) {
	p, h, f := startTally(t)
	for _, p.boom = range []bool{false, true, false, true} {
		parseNum(t, h, f, 7)
		c := f.Counts()
		assert.Equal(t, c.Got+c.Added, c.Released)
		_, err := p.count.Get(p.kept)
		assert.ErrorIs(t, err, table.ErrStale)
	}
	assert.Zero(t, f.Counts().Misuses, f.Misuse())
	assert.EqualValues(t, 2, metric(h, "panics"))
}

func TestParsingWithoutTablesIsAnErrorForWhoUsesThem(t *testing.T) {
	p, h, f := startTally(t)
	assert.Equal(t, abi.Failure, parseNum(t, h, nil, 7))
	assert.Equal(t, `parse_event: create entry: table "keys": this call gives no such access to state tables`, lastError(h))
	require.Equal(t, abi.Success, parseNum(t, h, f, 7))
	_, err := p.keys.Get(p.access, 7)
	assert.ErrorIs(t, err, table.ErrNoAccess, "the call is over")
}
