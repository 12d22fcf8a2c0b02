// SPDX-License-Identifier: Apache-2.0

package table

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEntriesAreReleasedOnce(t *testing.T) {
	u := newUser(t)
	u.thread(t, 1, "a", 7)
	e := must[Entry](t)(u.threads.Get(u.a, 1))
	again := must[Entry](t)(u.threads.Get(u.a, 1))
	e.Release()
	e.Release()
	_, err := u.ino.Get(e)
	assert.ErrorIs(t, err, ErrStale)
	assert.ErrorIs(t, u.ino.Set(e, 1), ErrStale)
	assert.Equal(t, uint64(7), must[uint64](t)(u.ino.Get(again)), "the same entry, got twice, is held twice")
	for range 3 { // slots are used again
		e = must[Entry](t)(u.threads.Get(u.a, 1))
		e.Release()
	}
	assert.Len(t, u.a.held, 2)
	u.a.End()
	u.a.End()
	_, err = u.ino.Get(again)
	assert.ErrorIs(t, err, ErrStale)
	again.Release()
	assert.Equal(t, u.f.Counts().Got+u.f.Counts().Added, u.f.Counts().Released)
	Entry{}.Release()
	_, err = u.ino.Get(Entry{})
	assert.ErrorIs(t, err, ErrStale)
	_, err = Field[uint64]{}.Get(again)
	assert.Error(t, err)
}

func TestAPanicLeavesNothingHeld(t *testing.T) {
	u := newUser(t)
	u.thread(t, 1, "a", 0)
	var err error
	func() {
		defer u.a.End()
		defer u.st.Contain("parse_event", &err)
		must[Entry](t)(u.threads.Get(u.a, 1))
		must[Entry](t)(u.threads.Create(u.a))
		_ = u.threads.Each(u.a, func(Entry) bool { panic("boom") })
	}()
	assert.EqualError(t, err, "parse_event: panic: boom")
	c := u.f.Counts()
	assert.Equal(t, c.Got+c.Added, c.Released)
	assert.Equal(t, c.Created, c.Added+c.Destroyed)
	assert.Nil(t, loops.Get(1<<62|1<<32|1), "no loop is left behind")
}

func TestAnEntryThatIsGoneMeanwhileCanStillBeRead(t *testing.T) {
	u := newUser(t)
	u.thread(t, 1, "a", 7)
	e := must[Entry](t)(u.threads.Get(u.a, 1))
	require.NoError(t, u.threads.Erase(u.a, 1))
	assert.Equal(t, uint64(7), must[uint64](t)(u.ino.Get(e)))
	_, err := u.threads.Get(u.a, 1)
	assert.ErrorIs(t, err, ErrNotFound)
}

func TestAFieldOfAnotherTableIsRefused(t *testing.T) {
	u := newUser(t)
	u.thread(t, 1, "a", 7)
	e := must[Entry](t)(u.threads.Get(u.a, 1))
	_, err := u.fdName.Get(e)
	assert.EqualError(t, err, `field of table "file_descriptors": this is an entry of table "threads"`)
	assert.Error(t, u.fdName.Set(e, "x"))
	fd := must[Entry](t)(must[Foreign[int64]](t)(u.fds.Of(e)).Add(u.a, 1))
	_, err = u.fds.Of(fd)
	assert.EqualError(t, err, `field of table "threads": this is an entry of table "file_descriptors"`)
}

func TestEachVisitsEveryEntryUntilToldToStop(t *testing.T) {
	u := newUser(t)
	for i := range int64(5) {
		u.thread(t, i, "c", uint64(i))
	}
	var sum uint64
	var kept Entry
	require.NoError(t, u.threads.Each(u.a, func(e Entry) bool {
		sum += must[uint64](t)(u.ino.Get(e))
		require.NoError(t, u.seen.Set(e, 1))
		e.Release() // does nothing
		kept = e
		return true
	}))
	assert.Equal(t, uint64(10), sum)
	_, err := u.ino.Get(kept)
	assert.ErrorIs(t, err, ErrStale)

	n := 0
	require.NoError(t, u.threads.Each(u.a, func(Entry) bool { n++; return n < 2 }))
	assert.Equal(t, 2, n)

	pairs := 0
	require.NoError(t, u.threads.Each(u.a, func(Entry) bool {
		require.NoError(t, u.threads.Each(u.a, func(Entry) bool { pairs++; return true }))
		return true
	}))
	assert.Equal(t, 25, pairs)

	require.NoError(t, u.threads.Each(u.a, func(Entry) bool {
		_, err := u.threads.Add(u.a, 9)
		assert.ErrorContains(t, err, "inside Each")
		assert.ErrorContains(t, u.threads.Erase(u.a, 1), "inside Each")
		assert.ErrorContains(t, u.threads.Clear(u.a), "inside Each")
		return false
	}))
}

func TestAnEntryIsFilledBeforeItIsAdded(t *testing.T) {
	u := newUser(t)
	e := must[Entry](t)(u.threads.Create(u.a))
	require.NoError(t, u.comm.Set(e, "new"))
	added := must[Entry](t)(u.threads.AddEntry(u.a, 4, e))
	_, err := u.comm.Get(e)
	assert.ErrorIs(t, err, ErrStale)
	assert.Equal(t, "new", must[string](t)(u.comm.Get(added)))
	_, err = u.threads.AddEntry(u.a, 5, added)
	assert.EqualError(t, err, `add entry: table "threads": only an entry that Create made for this table can be added, once`)

	fds := must[Foreign[int64]](t)(u.fds.Of(added))
	made := must[Entry](t)(fds.Create(u.a))
	_, err = u.threads.AddEntry(u.a, 6, made)
	assert.ErrorContains(t, err, `entry of table "file_descriptors"`)
}

func TestEntriesWithoutMemoryAreNotCreated(t *testing.T) {
	u := newUser(t)
	u.thread(t, 1, "a", 0)
	inInit(u.st, func(in *Init) {
		threads := must[*Foreign[int64]](t)(Open[int64](in, "threads"))
		args := must[*Sub[uint64]](t)(OpenSub[uint64](threads, "args"))
		value := must[Field[string]](t)(FieldOf[string](args, "value"))
		e := must[Entry](t)(threads.Get(in.Access(), 1))
		argv := must[Foreign[uint64]](t)(args.Of(e))
		_, err := argv.Create(in.Access())
		assert.EqualError(t, err, `create entry: table "args" of threads: its entries cannot be written to before they are added; use Add`)
		arg := must[Entry](t)(argv.Add(in.Access(), 0))
		require.NoError(t, value.Set(arg, "-v"))
	})
}

func TestAPanicInAnIterationIsLoggedWhereItHappened(t *testing.T) {
	u := newUser(t)
	u.thread(t, 1, "a", 0)
	var out strings.Builder
	u.st.Log = slog.New(slog.NewTextHandler(&out, nil))
	assert.PanicsWithValue(t, "boom", func() { _ = u.threads.Each(u.a, panicsHere) })
	assert.Contains(t, out.String(), `"panic while iterating over table threads" panic=boom`)
	assert.Contains(t, out.String(), "panicsHere")
	require.NoError(t, u.threads.Clear(u.a), "the iteration is over")
}

func panicsHere(Entry) bool { panic("boom") }
