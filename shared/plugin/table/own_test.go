// SPDX-License-Identifier: Apache-2.0

package table

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/abitest"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
	"github.com/aerie-falco/aerie/shared/plugin/internal/tabletest"
)

type counter struct {
	Hits  uint64             `table:"hits"`
	Last  string             `table:"last"`
	Limit int16              `table:"limit,readonly"`
	On    bool               `table:"on"`
	Peers *Own[string, peer] `table:"peers"`
	notes []string
}

type peer struct {
	Port uint16 `table:"port"`
}

// shop is a plugin that offers a table, and one that uses it.
type shop struct {
	f        *tabletest.Framework
	owner    *core.State
	own      *Own[string, counter]
	user     *core.State
	a        *Access
	counters *Foreign[string]
	hits     Field[uint64]
	last     Field[string]
	limit    Field[int16]
	on       Field[bool]
	tag      Field[string]
	rank     Field[int8]
	peers    *Sub[string]
	port     Field[uint16]
	since    Field[uint64]
}

func newShop(t testing.TB) *shop {
	s := &shop{f: tabletest.New(t), own: New[string, counter]("counters")}
	s.owner = newState(t, s.f, "owner")
	inInit(s.owner, func(in *Init) { require.NoError(t, Offer(in, s.own)) })
	s.user = newState(t, s.f, "user")
	inInit(s.user, func(in *Init) {
		s.counters = must[*Foreign[string]](t)(Open[string](in, "counters"))
		s.hits = must[Field[uint64]](t)(FieldOf[uint64](s.counters, "hits"))
		s.last = must[Field[string]](t)(FieldOf[string](s.counters, "last"))
		s.limit = must[Field[int16]](t)(FieldOf[int16](s.counters, "limit"))
		s.on = must[Field[bool]](t)(FieldOf[bool](s.counters, "on"))
		s.tag = must[Field[string]](t)(AddField[string](s.counters, "user_tag"))
		s.rank = must[Field[int8]](t)(AddField[int8](s.counters, "user_rank"))
		s.peers = must[*Sub[string]](t)(OpenSub[string](s.counters, "peers"))
		s.port = must[Field[uint16]](t)(FieldOf[uint16](s.peers, "port"))
		s.since = must[Field[uint64]](t)(AddField[uint64](s.peers, "user_since"))
	})
	s.a = call(t, s.f, s.user)
	return s
}

func (s *shop) get(t testing.TB, key string) Entry {
	t.Helper()
	return must[Entry](t)(s.counters.Get(s.a, key))
}

func TestAnOwnTableIsAMap(t *testing.T) {
	own := New[int32, counter]("counters")
	assert.Equal(t, "counters", own.Name())
	_, ok := own.Get(-1)
	assert.False(t, ok)
	own.Put(-1, counter{Hits: 1, notes: []string{"kept"}})
	own.Update(-1, func(c *counter) { c.Hits++ })
	own.Update(7, func(c *counter) { c.Hits = 10 })
	c, ok := own.Get(-1)
	assert.True(t, ok)
	assert.Equal(t, uint64(2), c.Hits)
	assert.Equal(t, []string{"kept"}, c.notes)
	assert.Equal(t, 2, own.Len())
	hits := map[int32]uint64{}
	for k, c := range own.Range {
		hits[k] = c.Hits
		own.Delete(100 + k)
	}
	assert.Equal(t, map[int32]uint64{-1: 2, 7: 10}, hits)
	for range own.Range {
		own.Clear() // the other one is left out
		hits = nil
	}
	assert.Zero(t, own.Len())
	assert.False(t, own.Delete(7))
}

func TestATextKeyMayBeGivenAsBytes(t *testing.T) {
	own := New[string, struct{ N int }]("own")
	own.Put("a\x00b", struct{ N int }{1})
	own.Put("", struct{ N int }{2})
	for key, want := range map[string]int{"a\x00b": 1, "": 2} {
		e, ok := Lookup(own, []byte(key))
		assert.True(t, ok)
		assert.Equal(t, want, e.N)
	}
	e, ok := Lookup(own, nil)
	assert.True(t, ok, "no bytes are the empty key")
	assert.Equal(t, 2, e.N)
	_, ok = Lookup(own, []byte("a"))
	assert.False(t, ok)
}

func TestEveryTypeOfKeyIsKept(t *testing.T) {
	keyKept(t, int8(-1), int8(1))
	keyKept(t, int16(-1), int16(1))
	keyKept(t, int32(-1), int32(1))
	keyKept(t, int64(-1), int64(1))
	keyKept(t, uint8(255), uint8(1))
	keyKept(t, uint16(65535), uint16(1))
	keyKept(t, uint32(1<<32-1), uint32(1))
	keyKept(t, ^uint64(0), uint64(1))
	keyKept(t, true, false)
	keyKept(t, "a", "")
}

// keyKept writes entries from Go, and reads and writes them as a plugin does.
func keyKept[K Key](t *testing.T, one, two K) {
	f := tabletest.New(t)
	own := New[K, counter]("own")
	inInit(newState(t, f, "owner"), func(in *Init) { require.NoError(t, Offer(in, own)) })
	own.Put(one, counter{Hits: 1})
	inInit(newState(t, f, "user"), func(in *Init) {
		table, err := Open[K](in, "own")
		require.NoError(t, err)
		hits, err := FieldOf[uint64](table, "hits")
		require.NoError(t, err)
		e, err := table.Get(in.Access(), one)
		require.NoError(t, err, "key %v", one)
		n, err := hits.Get(e)
		require.NoError(t, err)
		assert.Equal(t, uint64(1), n)
		e, err = table.Add(in.Access(), two)
		require.NoError(t, err)
		require.NoError(t, hits.Set(e, 2))
	})
	got := map[K]uint64{}
	for k, c := range own.Range {
		got[k] = c.Hits
	}
	assert.Equal(t, map[K]uint64{one: 1, two: 2}, got)
}

func TestAnOfferedTableIsReadAndWrittenByOthers(t *testing.T) {
	s := newShop(t)
	s.own.Put("a", counter{Hits: 5, Last: "now", Limit: -3, On: true})
	e := s.get(t, "a")
	assert.Equal(t, uint64(5), must[uint64](t)(s.hits.Get(e)))
	assert.Equal(t, "now", must[string](t)(s.last.Get(e)))
	assert.Equal(t, int16(-3), must[int16](t)(s.limit.Get(e)))
	assert.True(t, must[bool](t)(s.on.Get(e)))

	require.NoError(t, s.hits.Set(e, 6))
	require.NoError(t, s.last.Set(e, "later"))
	require.NoError(t, s.on.Set(e, false))
	assert.EqualError(t, s.limit.Set(e, 1), `write field limit: table "counters": table "counters": write field limit: only plugin owner may write it`)
	c, _ := s.own.Get("a")
	assert.Equal(t, "later", c.Last)
	assert.Equal(t, uint64(6), c.Hits)
	assert.Equal(t, int16(-3), c.Limit)
	assert.False(t, c.On)

	s.own.Update("a", func(c *counter) { c.Last = strings.Repeat("x", 5000) })
	assert.Equal(t, strings.Repeat("x", 5000), must[string](t)(s.last.Get(e)))
	assert.Equal(t, uint64(1), must[uint64](t)(s.counters.Size(s.a)))

	_, err := s.counters.Get(s.a, "b")
	assert.ErrorIs(t, err, ErrNotFound)
	assert.EqualError(t, s.counters.Erase(s.a, "b"), `erase entry: table "counters": table "counters": erase entry: no entry for this key`)
}

func TestFieldsOfAnOwnTableAreListed(t *testing.T) {
	s := newShop(t)
	inInit(s.user, func(in *Init) {
		counters := must[*Foreign[string]](t)(Open[string](in, "counters"))
		assert.Equal(t, []FieldInfo{
			{"hits", Uint64, false}, {"last", String, false}, {"limit", Int16, true}, {"on", Bool, false},
			{"peers", Subtable, true}, {"user_tag", String, false}, {"user_rank", Int8, false},
		}, must[[]FieldInfo](t)(Fields(counters)))
		peers := must[*Sub[string]](t)(OpenSub[string](counters, "peers"))
		assert.Equal(t, []FieldInfo{{"port", Uint16, false}, {"user_since", Uint64, false}}, must[[]FieldInfo](t)(Fields(peers)))
		_, err := FieldOf[int64](counters, "hits")
		assert.EqualError(t, err, `find field "hits" (int64): table "counters": table "counters": get field: field "hits" is uint64, not int64`)
		_, err = FieldOf[int64](counters, "hit")
		assert.ErrorContains(t, err, `there is no field "hit"`)
		_, err = AddField[uint64](counters, "hits")
		assert.ErrorContains(t, err, "is there already")
		_, err = AddField[uint64](counters, "user_tag")
		assert.ErrorContains(t, err, `field "user_tag" is there already, as string`)
		again, err := AddField[string](counters, "user_tag")
		require.NoError(t, err)
		assert.Equal(t, s.tag.h, again.h)
	})
}

func TestFieldsThatOthersAddBelongToTheEntry(t *testing.T) {
	s := newShop(t)
	s.own.Put("old", counter{})
	e := s.get(t, "old")
	assert.Empty(t, must[string](t)(s.tag.Get(e)))
	assert.Zero(t, must[int8](t)(s.rank.Get(e)))
	require.NoError(t, s.rank.Set(e, -9))
	require.NoError(t, s.tag.Set(e, "mine"))
	s.own.Put("old", counter{Hits: 3})
	assert.Equal(t, "mine", must[string](t)(s.tag.Get(e)))
	assert.Equal(t, int8(-9), must[int8](t)(s.rank.Get(e)))
	s.own.Delete("old")
	s.own.Put("old", counter{})
	assert.Empty(t, must[string](t)(s.tag.Get(s.get(t, "old"))), "a new entry starts anew")
}

func TestOthersAddReplaceAndEraseEntries(t *testing.T) {
	s := newShop(t)
	e := must[Entry](t)(s.counters.Create(s.a))
	require.NoError(t, s.hits.Set(e, 1))
	assert.Zero(t, s.own.Len(), "not in place yet")
	e = must[Entry](t)(s.counters.AddEntry(s.a, "x", e))
	require.NoError(t, s.tag.Set(e, "first"))
	c, _ := s.own.Get("x")
	assert.Equal(t, uint64(1), c.Hits)
	require.NotNil(t, c.Peers)

	replaced := must[Entry](t)(s.counters.Add(s.a, "x"))
	assert.Empty(t, must[string](t)(s.tag.Get(replaced)))
	assert.Equal(t, "first", must[string](t)(s.tag.Get(e)), "what was replaced lives while it is held")
	assert.Equal(t, 1, s.own.Len())

	must[Entry](t)(s.counters.Create(s.a)).Release() // destroys it
	require.NoError(t, s.counters.Erase(s.a, "x"))
	assert.Zero(t, s.own.Len())
	must[Entry](t)(s.counters.Add(s.a, "y"))
	require.NoError(t, s.counters.Clear(s.a))
	assert.Zero(t, s.own.Len())
	s.a.End()
	assert.Zero(t, s.own.s.owed)
	assert.Len(t, s.own.s.slots.unused, len(s.own.s.slots.list), "nothing of a removed entry stays")
}

func TestOthersVisitEveryEntry(t *testing.T) {
	s := newShop(t)
	for i := range 10 {
		s.own.Put(fmt.Sprint(i), counter{Hits: uint64(i), Last: fmt.Sprint("text ", i)})
	}
	seen := map[string]uint64{}
	require.NoError(t, s.counters.Each(s.a, func(e Entry) bool {
		seen[must[string](t)(s.last.Get(e))] = must[uint64](t)(s.hits.Get(e))
		require.NoError(t, s.hits.Set(e, 100))
		s.own.Delete("0") // the plugin goes on with its own table meanwhile
		return true
	}))
	delete(seen, "text 0")
	assert.Len(t, seen, 9)
	for k, c := range s.own.Range {
		assert.Equal(t, uint64(100), c.Hits, k)
	}
	n := 0
	require.NoError(t, s.counters.Each(s.a, func(Entry) bool { n++; return n < 3 }))
	assert.Equal(t, 3, n)
	assert.PanicsWithValue(t, "boom", func() { _ = s.counters.Each(s.a, func(Entry) bool { panic("boom") }) })
	assert.Zero(t, s.own.s.owed)
}

func TestSubtablesAreFieldsOfAnEntry(t *testing.T) {
	s := newShop(t)
	s.own.Put("a", counter{})
	s.own.Update("a", func(c *counter) { c.Peers.Put("p", peer{Port: 80}) })
	s.own.Put("b", counter{})

	e := s.get(t, "a")
	peers := must[Foreign[string]](t)(s.peers.Of(e))
	p := must[Entry](t)(peers.Get(s.a, "p"))
	assert.Equal(t, uint16(80), must[uint16](t)(s.port.Get(p)))
	require.NoError(t, s.since.Set(p, 5))
	q := must[Entry](t)(peers.Add(s.a, "q"))
	require.NoError(t, s.port.Set(q, 90))
	assert.Zero(t, must[uint64](t)(s.since.Get(q)), "a field added to one subtable is there in all")
	others := must[Foreign[string]](t)(s.peers.Of(s.get(t, "b")))
	_, err := others.Get(s.a, "p")
	assert.ErrorIs(t, err, ErrNotFound)

	c, _ := s.own.Get("a")
	assert.Equal(t, map[string]peer{"p": {80}, "q": {90}}, maps.Collect(c.Peers.Range))
	s.own.Put("a", counter{Peers: New[string, peer]("another")})
	kept, _ := s.own.Get("a")
	assert.Same(t, c.Peers, kept.Peers, "subtables are not exchanged")
	assert.Equal(t, uint64(2), must[uint64](t)(peers.Size(s.a)))
}

func TestASubtableEndsWithItsEntry(t *testing.T) {
	s := newShop(t)
	s.own.Update("a", func(c *counter) { c.Peers.Put("p", peer{Port: 80}) })
	e := s.get(t, "a")
	peers := must[Foreign[string]](t)(s.peers.Of(e))
	p := must[Entry](t)(peers.Get(s.a, "p"))
	c, _ := s.own.Get("a")
	require.NotNil(t, c.Peers.s.service)

	s.own.Delete("a")
	e.Release()
	assert.Equal(t, uint16(80), must[uint16](t)(s.port.Get(p)), "what is held can be read")
	_, err := peers.Get(s.a, "p")
	assert.ErrorIs(t, err, ErrNotFound)
	_, err = peers.Add(s.a, "r")
	assert.Error(t, err)
	p.Release()
	assert.Nil(t, c.Peers.s.service, "the last release ends it")
	_, err = peers.Get(s.a, "p")
	assert.Error(t, err, "its handle is recognised")
	_, err = peers.Size(s.a)
	assert.Error(t, err)
}

func TestTextsStayWhileTheirEntryIsHeld(t *testing.T) {
	s := newShop(t)
	s.own.Put("a", counter{Last: "0"})
	e := s.get(t, "a")
	st := s.own.s
	first := st.entries[key{text: "a"}].cText(1, "0")
	assert.Equal(t, "0", must[string](t)(s.last.Get(e)))
	ent := st.entries[key{text: "a"}]
	assert.Equal(t, first, ent.texts[1].p, "an unchanged text is not copied again")
	for i := 1; i <= 3*keepStale; i++ {
		s.own.Update("a", func(c *counter) { c.Last = fmt.Sprint(i) })
		assert.Equal(t, fmt.Sprint(i), must[string](t)(s.last.Get(e)))
	}
	assert.Len(t, ent.stale, keepStale, "replaced texts are bounded")
	e.Release()
	assert.Empty(t, ent.stale)
	assert.Len(t, ent.texts, 2)
	s.own.Delete("a")
	assert.Empty(t, ent.texts)
}

func TestNothingGrowsOverManyCalls(t *testing.T) {
	s := newShop(t)
	var tables int
	for i := range 5000 {
		if i == 100 {
			tables = len(serving.slots.list)
		}
		s.own.Put("a", counter{Last: fmt.Sprint(i)})
		e := s.get(t, "a")
		peers := must[Foreign[string]](t)(s.peers.Of(e))
		must[Entry](t)(peers.Add(s.a, "p"))
		must[string](t)(s.last.Get(e))
		s.a.End()
		s.own.Delete("a")
		s.a.Begin(pointer(s.f.Reader()), pointer(s.f.Writer()))
	}
	assert.LessOrEqual(t, len(s.own.s.service.inputs), coolInputs+2)
	assert.LessOrEqual(t, len(s.own.s.slots.list), 2)
	assert.Equal(t, tables, len(serving.slots.list))
}

func TestWhatCannotBeOfferedSaysWhy(t *testing.T) {
	f := threads(t)
	st := newState(t, f, "owner")
	inInit(st, func(in *Init) {
		for want, own := range map[string]Offered{
			`offer: table "": a name is needed, without NUL`:   New[int8, struct{}](""),
			`offer: table "n": entries are int; want a struct`: New[int8, int]("n"),
			`offer: table "f": member A is float64; want a sized integer, string, bool or *table.Own`: New[int8, struct {
				A float64 `table:"a"`
			}]("f"),
			`offer: table "i": member A is int; want a sized integer, string, bool or *table.Own`: New[int8, struct {
				A int `table:"a"`
			}]("i"),
			`offer: table "u": member a has a table tag but is not exported`: New[int8, struct {
				a int8 `table:"a"`
			}]("u"),
			"offer: table \"e\": member A: a field name is needed, such as `table:\"name\"`": New[int8, struct {
				A int8 `table:""`
			}]("e"),
			`offer: table "o": member A: unknown option "ro"; there is readonly`: New[int8, struct {
				A int8 `table:"a,ro"`
			}]("o"),
			`offer: table "d": two members are field "a"`: New[int8, struct {
				A, B int8 `table:"a"`
			}]("d"),
			`offer: table "s": member P: table "p": member A is int; want a sized integer, string, bool or *table.Own`: New[int8, struct {
				P *Own[int8, struct {
					A int `table:"a"`
				}] `table:"p"`
			}]("s"),
			`offer table "threads": table already exists: threads`: New[int8, struct{}]("threads"),
		} {
			assert.EqualError(t, Offer(in, own), want)
		}
		own := New[int8, struct{}]("twice")
		require.NoError(t, Offer(in, own))
		assert.EqualError(t, Offer(in, own), `offer table "twice": it was offered already`)
		_, err := Open[int8](in, "twice")
		assert.EqualError(t, err, `open table "twice": it is the plugin's own; use it as it is`)
	})
	in := NewInit(st)
	in.End()
	assert.ErrorContains(t, Offer(in, New[int8, struct{}]("late")), "in the plugin's Init only")
}

func TestDestroyEndsAnOfferedTable(t *testing.T) {
	s := newShop(t)
	s.own.Update("a", func(c *counter) { c.Last = "x"; c.Peers.Put("p", peer{1}) })
	table, out := s.own.s.handle, abitest.Alloc(t, 8)
	e := aerie_own_get(table, textKey(t, "a")) // held until the end
	require.Equal(t, abi.Success, aerie_own_read(table, e, uintptr(s.last.h), out))
	require.Equal(t, abi.Success, aerie_own_read(table, e, uintptr(s.peers.d.field), out))
	sub := uintptr((*(**abi.TableInput)(out)).Table)
	p := aerie_own_get(sub, textKey(t, "p"))
	require.NotZero(t, p)

	s.owner.Destroy()
	for _, h := range []uintptr{table, sub} {
		assert.Zero(t, aerie_own_get(h, textKey(t, "a")))
		assert.Nil(t, aerie_own_name(h))
		assert.Equal(t, ^uint64(0), aerie_own_size(h))
		aerie_own_release(h, e)
		aerie_own_release(h, p)
	}
	// The Go side stays.
	c, ok := s.own.Get("a")
	assert.True(t, ok)
	assert.Equal(t, "x", c.Last)
	assert.Equal(t, 1, c.Peers.Len())
	assert.True(t, s.own.Delete("a"))
	assert.Zero(t, s.own.Len())
}
