// SPDX-License-Identifier: Apache-2.0

package table

import (
	"log/slog"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
	"github.com/aerie-falco/aerie/shared/plugin/internal/tabletest"
)

// newState is a state of plugin name in framework f.
func newState(t testing.TB, f *tabletest.Framework, name string) *core.State {
	rec := &core.Record{}
	rec.Name = name
	st := core.NewState(rec, slog.New(slog.DiscardHandler))
	if f != nil {
		f.Attach(st)
	}
	t.Cleanup(st.Destroy)
	return st
}

// inInit runs f as a plugin's Init.
func inInit(st *core.State, f func(in *Init)) {
	in := NewInit(st)
	defer in.End()
	f(in)
}

// call is an Access in a call that reads and writes.
func call(t testing.TB, f *tabletest.Framework, st *core.State) *Access {
	a := NewAccess(st)
	a.Begin(unsafe.Pointer(f.Reader()), unsafe.Pointer(f.Writer()))
	t.Cleanup(a.End)
	return a
}

// threads is a framework with a table like libsinsp's.
func threads(t testing.TB) *tabletest.Framework {
	f := tabletest.New(t)
	s := f.Native("threads", abi.StateInt64).
		Field("tid", abi.StateInt64, false).
		Field("comm", abi.StateString, false).
		Field("exe_ino", abi.StateUint64, false).
		Field("cwd", abi.StateString, true).
		Field("exe_writable", abi.StateBool, false)
	s.Sub("file_descriptors", abi.StateInt64).
		Field("name", abi.StateString, false).
		Field("type", abi.StateUint8, false)
	s.Sub("args", abi.StateUint64).Field("value", abi.StateString, false)
	return f
}

// must is v, of a call that cannot fail.
func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		require.NoError(t, err)
		return v
	}
}

func pointer[T any](p *T) unsafe.Pointer { return unsafe.Pointer(p) }
