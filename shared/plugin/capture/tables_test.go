// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"context"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/abitest"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
	"github.com/aerie-falco/aerie/shared/plugin/internal/tabletest"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// marker leaves an entry in a table of the framework's when a capture opens
// and another one when it closes.
type marker struct {
	marks    *table.Foreign[int64]
	fail     bool
	closeErr error
}

func (m *marker) Init(h *plugin.Host, _ string) (err error) {
	m.marks, err = table.Open[int64](h.Tables(), "marks")
	return err
}

func (m *marker) Destroy() {}

func (m *marker) CaptureOpen(c *Capture) error {
	if _, err := m.marks.Add(c.Tables(), 1); err != nil {
		return err
	}
	if m.fail {
		panic("boom")
	}
	return nil
}

func (m *marker) CaptureClose(c *Capture) error {
	_, m.closeErr = m.marks.Add(c.Tables(), 2)
	return m.closeErr
}

func TestBothCallbacksReachStateTablesAndNothingElseDoes(t *testing.T) {
	core.Reset()
	t.Cleanup(core.Reset)
	m, f := &marker{}, tabletest.New(t)
	f.Native("marks", abi.StateInt64)
	Register(plugin.Register(plugin.Info{Name: "marker", Description: "d", Contact: "c", Version: "1.0.0"}, func() *marker { return m }))
	st := core.NewState(core.Registered(), plugin.Log(t.Context()))
	f.Attach(st)
	require.NoError(t, st.Init(""))
	h := core.States.Put(st)
	destroy := func() {
		if st := core.States.Drop(h); st != nil {
			st.Destroy()
		}
	}
	t.Cleanup(destroy)
	input := func(p *abitest.Pool) unsafe.Pointer {
		in := p.Capture(t)
		i := (*abi.CaptureListenInput)(in)
		i.TableReaderExt, i.TableWriterExt = unsafe.Pointer(f.Reader()), unsafe.Pointer(f.Writer())
		return in
	}
	released := func() {
		c := f.Counts()
		assert.Equal(t, c.Got+c.Added, c.Released)
		assert.Zero(t, c.Misuses, f.Misuse())
	}

	require.Equal(t, abi.Success, plugin_capture_open(h, input(nil)))
	assert.EqualValues(t, 1, f.Counts().Added)
	released()
	c := st.Capture.(*listener).open
	inside := make(chan error)
	require.NoError(t, c.Routine("r", func(context.Context) bool {
		_, err := m.marks.Size(c.Tables())
		inside <- err
		return false
	}))
	assert.ErrorIs(t, <-inside, table.ErrNoAccess, "routines have no access")
	require.Equal(t, abi.Success, plugin_capture_close(h, input(nil)))
	require.NoError(t, m.closeErr)
	assert.EqualValues(t, 2, f.Counts().Added)
	released()

	m.fail = true
	require.Equal(t, abi.Failure, plugin_capture_open(h, input(nil)))
	assert.EqualValues(t, 3, f.Counts().Added)
	released()

	m.fail = false
	require.Equal(t, abi.Success, plugin_capture_open(h, input(nil)))
	destroy()
	assert.ErrorIs(t, m.closeErr, table.ErrNoAccess, "at destroy the tables are going away")
	released()
}
