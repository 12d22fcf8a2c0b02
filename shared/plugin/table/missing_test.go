// SPDX-License-Identifier: Apache-2.0

package table

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
)

func TestMissingFunctionsAreErrors(t *testing.T) {
	u := newUser(t)
	u.thread(t, 1, "a", 7)
	held := must[Entry](t)(u.threads.Get(u.a, 1))
	r, w := *u.f.Reader(), *u.f.Writer()
	for _, c := range []struct {
		name   string
		member *unsafe.Pointer
		do     func() error
	}{
		{"get_table_entry", &u.f.Reader().GetEntry, func() error { _, err := u.threads.Get(u.a, 1); return err }},
		{"release_table_entry, without which nothing is got", &u.f.Reader().ReleaseEntry, func() error { _, err := u.threads.Get(u.a, 1); return err }},
		{"get_table_size", &u.f.Reader().GetSize, func() error { _, err := u.threads.Size(u.a); return err }},
		{"read_entry_field of a number", &u.f.Reader().ReadEntryField, func() error { _, err := u.ino.Get(held); return err }},
		{"read_entry_field of a text", &u.f.Reader().ReadEntryField, func() error { _, err := u.comm.Get(held); return err }},
		{"read_entry_field of a subtable", &u.f.Reader().ReadEntryField, func() error { _, err := u.fds.Of(held); return err }},
		{"iterate_entries", &u.f.Reader().IterateEntries, func() error { return u.threads.Each(u.a, func(Entry) bool { return true }) }},
		{"clear_table", &u.f.Writer().Clear, func() error { return u.threads.Clear(u.a) }},
		{"erase_table_entry", &u.f.Writer().EraseEntry, func() error { return u.threads.Erase(u.a, 1) }},
		{"create_table_entry", &u.f.Writer().CreateEntry, func() error { _, err := u.threads.Add(u.a, 2); return err }},
		{"destroy_table_entry, without which nothing is created", &u.f.Writer().DestroyEntry, func() error { _, err := u.threads.Add(u.a, 2); return err }},
		{"add_table_entry", &u.f.Writer().AddEntry, func() error { _, err := u.threads.Add(u.a, 2); return err }},
		{"write_entry_field", &u.f.Writer().WriteEntryField, func() error { return u.ino.Set(held, 1) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			*c.member = nil
			err := c.do()
			*u.f.Reader(), *u.f.Writer() = r, w
			assert.ErrorIs(t, err, ErrNoAccess)
			assert.ErrorContains(t, err, "the framework offers no such function")
			assert.NotErrorIs(t, err, ErrStale)
		})
	}
}

func TestMissingFunctionsAtInitAreErrors(t *testing.T) {
	for _, c := range []struct {
		name  string
		clear func(*core.Tables)
		do    func(in *Init, threads *Foreign[int64]) error
	}{
		{"list_tables", func(t *core.Tables) { t.List = nil }, func(in *Init, _ *Foreign[int64]) error { _, err := Open[int64](in, "threads"); return err }},
		{"get_table", func(t *core.Tables) { t.Get = nil }, func(in *Init, _ *Foreign[int64]) error { _, err := Open[int64](in, "threads"); return err }},
		{"add_table", func(t *core.Tables) { t.Add = nil }, func(in *Init, _ *Foreign[int64]) error { return Offer(in, New[int64, struct{}]("x")) }},
		{"list_table_fields", func(t *core.Tables) { t.Fields.List = nil }, func(_ *Init, threads *Foreign[int64]) error { _, err := Fields(threads); return err }},
		{"get_table_field", func(t *core.Tables) { t.Fields.Get = nil }, func(_ *Init, threads *Foreign[int64]) error {
			_, err := FieldOf[string](threads, "comm")
			return err
		}},
		{"add_table_field", func(t *core.Tables) { t.Fields.Add = nil }, func(_ *Init, threads *Foreign[int64]) error { _, err := AddField[int8](threads, "x"); return err }},
		{"create_table_entry, for a subtable", func(t *core.Tables) { t.Writer.CreateEntry = nil }, func(_ *Init, threads *Foreign[int64]) error {
			_, err := OpenSub[int64](threads, "file_descriptors")
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := newState(t, threads(t), "user")
			inInit(st, func(in *Init) {
				threads := must[*Foreign[int64]](t)(Open[int64](in, "threads"))
				c.clear(st.Tables)
				assert.ErrorIs(t, c.do(in, threads), ErrNoAccess)
			})
		})
	}
	f := threads(t)
	*f.Init() = abi.InitTablesInput{ListTables: f.Init().ListTables, GetTable: f.Init().GetTable}
	inInit(newState(t, f, "user"), func(in *Init) {
		threads := must[*Foreign[int64]](t)(Open[int64](in, "threads"))
		_, err := FieldOf[string](threads, "comm")
		assert.ErrorIs(t, err, ErrNoAccess)
		_, err = threads.Get(in.Access(), 1)
		assert.ErrorIs(t, err, ErrNoAccess)
	})
}

func TestACallWithoutAccessSaysSo(t *testing.T) {
	u := newUser(t)
	u.thread(t, 1, "a", 7)
	a := NewAccess(u.st)
	for _, a := range []*Access{nil, a} {
		_, err := u.threads.Get(a, 1)
		assert.EqualError(t, err, `get entry: table "threads": this call gives no such access to state tables`)
		assert.ErrorIs(t, u.threads.Erase(a, 1), ErrNoAccess)
		_, err = u.threads.Size(a)
		assert.ErrorIs(t, err, ErrNoAccess)
		_, err = u.threads.Add(a, 1)
		assert.ErrorIs(t, err, ErrNoAccess)
		assert.ErrorIs(t, u.threads.Each(a, func(Entry) bool { return true }), ErrNoAccess)
		assert.ErrorIs(t, u.threads.Clear(a), ErrNoAccess)
	}
	a.Begin(unsafe.Pointer(u.f.Reader()), nil) // extraction
	defer a.End()
	e := must[Entry](t)(u.threads.Get(a, 1))
	assert.Equal(t, uint64(7), must[uint64](t)(u.ino.Get(e)))
	assert.ErrorIs(t, u.ino.Set(e, 1), ErrNoAccess)
	_, err := u.threads.Create(a)
	assert.ErrorIs(t, err, ErrNoAccess)
}
