// SPDX-License-Identifier: Apache-2.0

package plugintest

import (
	"encoding/binary"
	"log/slog"
	"strings"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// threads is the framework's own side of its table of threads, seen through a
// second plugin's eyes. The table has few of the fields of a real one: tid, pid,
// ptid, comm and the subtable cgroups.
type threads struct {
	h             *Host
	init          *table.Init
	a             *table.Access
	table         *table.Foreign[int64]
	cgroups       *table.Sub[uint64]
	first, second table.Field[string]
}

func newThreads(h *Host) *threads {
	s := h.fw.Native("threads", abi.StateInt64)
	for _, name := range []string{"tid", "pid", "ptid"} {
		s.Field(name, abi.StateInt64, false)
	}
	s.Field("comm", abi.StateString, false)
	s.Sub("cgroups", abi.StateUint64).Field("first", abi.StateString, false).Field("second", abi.StateString, false)

	st := core.NewState(&core.Record{Name: "framework"}, slog.New(slog.DiscardHandler))
	h.fw.Attach(st)
	t := &threads{h: h, init: table.NewInit(st), a: table.NewAccess(st)}
	h.t.Cleanup(t.init.End)
	var errs [4]error
	t.table, errs[0] = table.Open[int64](t.init, "threads")
	if errs[0] == nil {
		t.cgroups, errs[1] = table.OpenSub[uint64](t.table, "cgroups")
		t.first, errs[2] = table.FieldOf[string](t.cgroups, "first")
		t.second, errs[3] = table.FieldOf[string](t.cgroups, "second")
	}
	for _, err := range errs {
		require.NoError(h.t, err)
	}
	return t
}

// call runs f as a call that may read and write.
func (t *threads) call(f func()) {
	t.a.Begin(unsafe.Pointer(t.h.fw.Reader()), unsafe.Pointer(t.h.fw.Writer()))
	defer t.a.End()
	f()
}

// PutThread puts a thread with these cgroups, hierarchy=path, into the table. One
// of that number is replaced, with all that plugins have noted.
func (h *Host) PutThread(tid int64, cgroups ...string) {
	t := h.threads
	t.call(func() {
		e, err := t.table.Add(t.a, tid)
		require.NoError(h.t, err)
		h.putCgroups(e, cgroups)
	})
}

// MoveThread gives a thread other cgroups.
func (h *Host) MoveThread(tid int64, cgroups ...string) {
	t := h.threads
	t.call(func() {
		e, err := t.table.Get(t.a, tid)
		require.NoError(h.t, err)
		list, err := t.cgroups.Of(e)
		require.NoError(h.t, err)
		require.NoError(h.t, list.Clear(t.a))
		h.putCgroups(e, cgroups)
	})
}

func (h *Host) putCgroups(thread table.Entry, cgroups []string) {
	t := h.threads
	list, err := t.cgroups.Of(thread)
	require.NoError(h.t, err)
	for i, cgroup := range cgroups {
		e, err := list.Add(t.a, uint64(i))
		require.NoError(h.t, err)
		hierarchy, path, _ := strings.Cut(cgroup, "=")
		require.NoError(h.t, t.first.Set(e, hierarchy))
		require.NoError(h.t, t.second.Set(e, path))
	}
}

// EndThread takes a thread out of the table.
func (h *Host) EndThread(tid int64) {
	t := h.threads
	t.call(func() { require.NoError(h.t, t.table.Erase(t.a, tid)) })
}

// ThreadText reads a field of texts that the plugin has added to the table.
func (h *Host) ThreadText(tid int64, field string) (text string) {
	t := h.threads
	f, err := table.AddField[string](t.table, field)
	require.NoError(h.t, err)
	t.call(func() {
		e, err := t.table.Get(t.a, tid)
		require.NoError(h.t, err)
		text, err = f.Get(e)
		require.NoError(h.t, err)
	})
	return text
}

// SetThreadText writes such a field.
func (h *Host) SetThreadText(tid int64, field, text string) {
	t := h.threads
	f, err := table.AddField[string](t.table, field)
	require.NoError(h.t, err)
	t.call(func() {
		e, err := t.table.Get(t.a, tid)
		require.NoError(h.t, err)
		require.NoError(h.t, f.Set(e, text))
	})
}

// Syscall builds an event of a system call. A parameter that is nil is empty.
func Syscall(typ uint16, tid, ts uint64, params ...[]byte) []byte {
	o := binary.NativeEndian
	raw := make([]byte, abi.HeaderSize+2*len(params))
	for i, p := range params {
		o.PutUint16(raw[abi.HeaderSize+2*i:], uint16(len(p)))
		raw = append(raw, p...)
	}
	o.PutUint64(raw[abi.EventTS:], ts)
	o.PutUint64(raw[abi.EventTID:], tid)
	o.PutUint32(raw[abi.EventLen:], uint32(len(raw)))
	o.PutUint16(raw[abi.EventType:], typ)
	o.PutUint32(raw[abi.EventNParams:], uint32(len(params)))
	return raw
}

// Async builds an asynchronous event of the stream of system calls.
func Async(ts uint64, name string, data []byte) []byte { return event.EncodeAsync(0, ts, name, data) }

// TableText reads a field of texts from a table that the plugin offers, which has
// texts as keys, as another plugin does; false where there is no such entry.
func (h *Host) TableText(name, key, field string) (text string, ok bool) {
	t := h.threads
	offered, err := table.Open[string](t.init, name)
	require.NoError(h.t, err)
	f, err := table.FieldOf[string](offered, field)
	require.NoError(h.t, err)
	t.call(func() {
		e, err := offered.Get(t.a, key)
		if ok = err == nil; !ok {
			require.ErrorIs(h.t, err, table.ErrNotFound)
			return
		}
		text, err = f.Get(e)
		require.NoError(h.t, err)
	})
	return text, ok
}
