// SPDX-License-Identifier: Apache-2.0

package table

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
	"github.com/aerie-falco/aerie/shared/plugin/internal/tabletest"
)

// user is a plugin that uses the threads table.
type user struct {
	f       *tabletest.Framework
	st      *core.State
	a       *Access
	threads *Foreign[int64]
	comm    Field[string]
	ino     Field[uint64]
	exe     Field[bool]
	seen    Field[uint32]
	fds     *Sub[int64]
	fdName  Field[string]
	fdType  Field[uint8]
}

func newUser(t testing.TB) *user {
	u := &user{f: threads(t)}
	u.st = newState(t, u.f, "user")
	inInit(u.st, func(in *Init) {
		u.threads = must[*Foreign[int64]](t)(Open[int64](in, "threads"))
		u.comm = must[Field[string]](t)(FieldOf[string](u.threads, "comm"))
		u.ino = must[Field[uint64]](t)(FieldOf[uint64](u.threads, "exe_ino"))
		u.exe = must[Field[bool]](t)(FieldOf[bool](u.threads, "exe_writable"))
		u.seen = must[Field[uint32]](t)(AddField[uint32](u.threads, "user_seen"))
		u.fds = must[*Sub[int64]](t)(OpenSub[int64](u.threads, "file_descriptors"))
		u.fdName = must[Field[string]](t)(FieldOf[string](u.fds, "name"))
		u.fdType = must[Field[uint8]](t)(FieldOf[uint8](u.fds, "type"))
	})
	u.a = call(t, u.f, u.st)
	return u
}

// thread adds a thread and leaves it to the table.
func (u *user) thread(t testing.TB, tid int64, comm string, ino uint64) {
	e := must[Entry](t)(u.threads.Add(u.a, tid))
	require.NoError(t, u.comm.Set(e, comm))
	require.NoError(t, u.ino.Set(e, ino))
	e.Release()
}

func TestTablesAndTheirFieldsAreListed(t *testing.T) {
	st := newState(t, threads(t), "user")
	inInit(st, func(in *Init) {
		all, err := in.List()
		require.NoError(t, err)
		assert.Equal(t, []Info{{"threads", Int64}}, all)
		threads := must[*Foreign[int64]](t)(Open[int64](in, "threads"))
		assert.Equal(t, "threads", threads.Name())
		fields := must[[]FieldInfo](t)(Fields(threads))
		require.Len(t, fields, 7)
		assert.Equal(t, FieldInfo{"cwd", String, true}, fields[3])
		assert.Equal(t, FieldInfo{"file_descriptors", Subtable, true}, fields[5])
		fds := must[*Sub[int64]](t)(OpenSub[int64](threads, "file_descriptors"))
		assert.Equal(t, []FieldInfo{{"name", String, false}, {"type", Uint8, false}}, must[[]FieldInfo](t)(Fields(fds)))
	})
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	u := newUser(t)
	u.thread(t, -7, "cat", 1<<63+1)
	e := must[Entry](t)(u.threads.Get(u.a, -7))
	assert.Equal(t, "cat", must[string](t)(u.comm.Get(e)))
	assert.Equal(t, "a cat", string(must[[]byte](t)(Append([]byte("a "), u.comm, e))))
	assert.Equal(t, uint64(1<<63+1), must[uint64](t)(u.ino.Get(e)))
	assert.False(t, must[bool](t)(u.exe.Get(e)))
	require.NoError(t, u.exe.Set(e, true))
	assert.True(t, must[bool](t)(u.exe.Get(e)))
	assert.Zero(t, must[uint32](t)(u.seen.Get(e)), "an added field is zero until it is written")
	require.NoError(t, u.seen.Set(e, 3))
	assert.Equal(t, uint32(3), must[uint32](t)(u.seen.Get(e)))
	long := strings.Repeat("long ", 1000)
	require.NoError(t, u.comm.Set(e, long))
	assert.Equal(t, long, must[string](t)(u.comm.Get(e)))
	assert.Equal(t, uint64(1), must[uint64](t)(u.threads.Size(u.a)))
}

func TestEveryTypeOfValueAndKeyPasses(t *testing.T) {
	f := tabletest.New(t)
	for typ := range uint32(26) {
		if Type(typ).scalar() {
			f.Native("by "+Type(typ).String(), typ).Field("v", typ, false)
		}
	}
	st := newState(t, f, "user")
	a := call(t, f, st)
	inInit(st, func(in *Init) {
		roundTrip(t, in, a, int8(-8), int8(127), "by int8")
		roundTrip(t, in, a, int16(-1600), int16(0), "by int16")
		roundTrip(t, in, a, int32(-1<<31), int32(5), "by int32")
		roundTrip(t, in, a, int64(-1<<63), int64(6), "by int64")
		roundTrip(t, in, a, uint8(255), uint8(0), "by uint8")
		roundTrip(t, in, a, uint16(65535), uint16(1), "by uint16")
		roundTrip(t, in, a, uint32(1<<32-1), uint32(1), "by uint32")
		roundTrip(t, in, a, ^uint64(0), uint64(1), "by uint64")
		roundTrip(t, in, a, true, false, "by bool")
		roundTrip(t, in, a, "a text", "", "by string")
		type id string
		roundTrip(t, in, a, id("named"), id(strings.Repeat("k", 300)), "by string")
	})
}

func roundTrip[K Key](t *testing.T, in *Init, a *Access, one, two K, name string) {
	table, err := Open[K](in, name)
	require.NoError(t, err)
	v, err := FieldOf[K](table, "v")
	require.NoError(t, err)
	for _, k := range []K{one, two} {
		e, err := table.Add(a, k)
		require.NoError(t, err)
		require.NoError(t, v.Set(e, k))
		e.Release()
	}
	for _, k := range []K{one, two} {
		e, err := table.Get(a, k)
		require.NoError(t, err)
		got, err := v.Get(e)
		require.NoError(t, err)
		assert.Equal(t, k, got)
	}
	require.NoError(t, table.Erase(a, one))
	_, err = table.Get(a, one)
	assert.ErrorIs(t, err, ErrNotFound)
	require.NoError(t, table.Clear(a))
	n, err := table.Size(a)
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestSubtablesAreReachedThroughTheirEntry(t *testing.T) {
	u := newUser(t)
	u.thread(t, 1, "a", 0)
	u.thread(t, 2, "b", 0)
	one := must[Entry](t)(u.threads.Get(u.a, 1))
	open := must[Foreign[int64]](t)(u.fds.Of(one))
	fd := must[Entry](t)(open.Add(u.a, 3))
	require.NoError(t, u.fdName.Set(fd, "/etc/shadow"))
	require.NoError(t, u.fdType.Set(fd, 200))

	open = must[Foreign[int64]](t)(u.fds.Of(one))
	fd = must[Entry](t)(open.Get(u.a, 3))
	assert.Equal(t, "/etc/shadow", must[string](t)(u.fdName.Get(fd)))
	assert.Equal(t, uint8(200), must[uint8](t)(u.fdType.Get(fd)))

	two := must[Entry](t)(u.threads.Get(u.a, 2))
	other := must[Foreign[int64]](t)(u.fds.Of(two))
	_, err := other.Get(u.a, 3)
	assert.EqualError(t, err, `table "file_descriptors": no entry for this key`)

	u.a.End()
	u.a.Begin(unsafe.Pointer(u.f.Reader()), nil)
	_, err = open.Get(u.a, 3)
	assert.EqualError(t, err, `subtable "file_descriptors": used after its release, or after the call that it belongs to`)
}

func TestWhatCannotBeOpenedSaysWhy(t *testing.T) {
	f := threads(t)
	st := newState(t, f, "user")
	inInit(st, func(in *Init) {
		_, err := Open[int64](in, "thread")
		assert.EqualError(t, err, `open table "thread": no such table; there are threads`)
		assert.ErrorIs(t, err, ErrNoTable)
		_, err = Open[string](in, "threads")
		assert.EqualError(t, err, `open table "threads": its keys are int64, not string`)

		threads := must[*Foreign[int64]](t)(Open[int64](in, "threads"))
		_, err = FieldOf[uint64](threads, "comm")
		assert.EqualError(t, err, `find field "comm" (uint64): table "threads": incompatible data types for field: comm`)
		_, err = FieldOf[uint64](threads, "como")
		assert.EqualError(t, err, `find field "como" (uint64): table "threads": undefined field 'como' in table 'threads'`)
		_, err = FieldOf[uint64](threads, "a\x00b")
		assert.ErrorContains(t, err, "NUL")
		_, err = AddField[string](threads, "comm")
		assert.ErrorContains(t, err, "can't add field, it is already present: comm")
		_, err = OpenSub[int64](threads, "comm")
		assert.ErrorContains(t, err, "incompatible data types")
		_, err = OpenSub[string](threads, "file_descriptors")
		assert.EqualError(t, err, `find field "file_descriptors" (table) of table "threads": its keys are int64, not string`)
		fds := must[*Sub[int64]](t)(OpenSub[int64](threads, "file_descriptors"))
		_, err = FieldOf[int8](fds, "type")
		assert.ErrorContains(t, err, "incompatible data types")
	})

	in := NewInit(newState(t, f, "late"))
	threads := must[*Foreign[int64]](t)(Open[int64](in, "threads"))
	in.End()
	_, err := Open[int64](in, "threads")
	assert.EqualError(t, err, `open table "threads": tables and fields are looked up in the plugin's Init only`)
	_, err = FieldOf[string](threads, "comm")
	assert.ErrorContains(t, err, "in the plugin's Init only")

	inInit(newState(t, nil, "async only"), func(in *Init) {
		_, err := Open[int64](in, "threads")
		assert.EqualError(t, err, `open table "threads": the framework gave this plugin no tables; it gives them to plugins that extract fields or parse events`)
		_, err = in.List()
		assert.Error(t, err)
	})
}

func TestFailuresCarryTheOwnersWords(t *testing.T) {
	u := newUser(t)
	u.thread(t, 1, "a", 0)
	assert.EqualError(t, u.threads.Erase(u.a, 5), `erase entry: table "threads": table entry not found`)
	_, err := u.threads.Get(u.a, 5)
	assert.EqualError(t, err, `table "threads": no entry for this key`, "the older text is not believed")
	var cwd Field[string]
	inInit(u.st, func(in *Init) {
		threads := must[*Foreign[int64]](t)(Open[int64](in, "threads"))
		cwd = must[Field[string]](t)(FieldOf[string](threads, "cwd"))
		e := must[Entry](t)(threads.Get(in.Access(), 1))
		assert.EqualError(t, cwd.Set(e, "/"), `write field cwd: table "threads": attempt to write to read-only static struct field: cwd`)
	})
	silent := newState(t, u.f, "silent")
	silent.OwnerError = nil
	b := call(t, u.f, silent)
	assert.EqualError(t, u.threads.Erase(b, 5), `erase entry: table "threads": the framework gives no reason`)
}

func TestTextsWithNULAreRefused(t *testing.T) {
	u := newUser(t)
	u.thread(t, 1, "a", 0)
	e := must[Entry](t)(u.threads.Get(u.a, 1))
	assert.EqualError(t, u.comm.Set(e, "a\x00b"), `write field comm: table "threads": the text "a\x00b" has a NUL in it, which ends a text of the framework`)
	assert.Equal(t, "a", must[string](t)(u.comm.Get(e)))
}

func TestATableLookedUpTwiceIsOne(t *testing.T) {
	u := newUser(t)
	u.thread(t, 1, "a", 7)
	inInit(u.st, func(in *Init) {
		one, two := must[*Foreign[int64]](t)(Open[int64](in, "threads")), must[*Foreign[int64]](t)(Open[int64](in, "threads"))
		ino := must[Field[uint64]](t)(FieldOf[uint64](one, "exe_ino"))
		e := must[Entry](t)(two.Get(in.Access(), 1))
		assert.Equal(t, uint64(7), must[uint64](t)(ino.Get(e)))
		name := must[Field[string]](t)(FieldOf[string](must[*Sub[int64]](t)(OpenSub[int64](one, "file_descriptors")), "name"))
		open := must[Foreign[int64]](t)(must[*Sub[int64]](t)(OpenSub[int64](two, "file_descriptors")).Of(e))
		assert.Empty(t, must[string](t)(name.Get(must[Entry](t)(open.Add(in.Access(), 0)))))
	})
}
