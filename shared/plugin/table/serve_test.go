// SPDX-License-Identifier: Apache-2.0

package table

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/abitest"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
	"github.com/aerie-falco/aerie/shared/plugin/internal/tabletest"
)

// textKey is an ss_plugin_state_data that holds a text.
func textKey(t testing.TB, s string) unsafe.Pointer {
	k := abitest.Alloc(t, 8)
	*(*unsafe.Pointer)(k) = abitest.String(t, s)
	return k
}

func TestUnknownNumbersFail(t *testing.T) {
	s := newShop(t)
	s.own.Put("a", counter{Hits: 1})
	table, a, out := s.own.s.handle, textKey(t, "a"), abitest.Alloc(t, 8)
	hits, last, peers := s.own.s.schema.handle(byName(*s.own.s.schema.columns.Load(), "hits")), uintptr(s.last.h), uintptr(s.peers.d.field)
	e := aerie_own_get(table, a)
	require.NotZero(t, e)

	for _, bad := range []uintptr{0, 1, 1 << 62, e + 1, e - 1, table, hits, ^uintptr(0), e ^ 1<<40, uintptr(s.port.h)} {
		name := fmt.Sprintf("%#x", bad)
		assert.Equal(t, abi.Failure, aerie_own_read(table, bad, hits, out), name)
		assert.Equal(t, abi.Failure, aerie_own_write(table, bad, hits, out), name)
		if bad != hits {
			assert.Equal(t, abi.Failure, aerie_own_read(table, e, bad, out), name)
			assert.Equal(t, abi.Failure, aerie_own_write(table, e, bad, out), name)
		}
		aerie_own_release(table, bad)
		aerie_own_destroy(table, bad)
		assert.Zero(t, aerie_own_add(table, a, bad), name)
		if bad == table {
			continue
		}
		assert.Nil(t, aerie_own_name(bad), name)
		assert.Equal(t, ^uint64(0), aerie_own_size(bad), name)
		assert.Zero(t, aerie_own_get(bad, a), name)
		assert.Equal(t, abi.Failure, aerie_own_read(bad, e, hits, out), name)
		assert.Equal(t, abi.Failure, aerie_own_write(bad, e, hits, out), name)
		aerie_own_release(bad, e)
		aerie_own_destroy(bad, e)
		assert.Zero(t, aerie_own_create(bad), name)
		assert.Zero(t, aerie_own_add(bad, a, e), name)
		assert.Equal(t, abi.Failure, aerie_own_erase(bad, a), name)
		assert.Equal(t, abi.Failure, aerie_own_clear(bad), name)
		assert.Zero(t, aerie_own_iterate(bad, nil, nil), name)
		var n uint32
		assert.Nil(t, aerie_own_list_fields(bad, &n), name)
		assert.Zero(t, aerie_own_get_field(bad, nil, 8), name)
		assert.Zero(t, aerie_own_add_field(bad, nil, 8), name)
	}
	assert.Zero(t, aerie_own_get(table, nil))
	assert.Zero(t, aerie_own_add(table, nil, e))
	assert.Equal(t, abi.Failure, aerie_own_erase(table, nil))
	assert.Equal(t, abi.Failure, aerie_own_read(table, e, hits, nil))
	assert.Equal(t, abi.Failure, aerie_own_write(table, e, hits, nil))
	assert.Equal(t, abi.Failure, aerie_own_write(table, e, peers, out))
	assert.Zero(t, aerie_own_iterate(table, nil, nil))
	assert.Nil(t, aerie_own_list_fields(table, nil))
	assert.Zero(t, aerie_own_get_field(table, nil, 8))
	assert.Zero(t, aerie_own_add_field(table, nil, 8))
	for _, typ := range []uint32{0, abi.StateTable, 11, 24, 26, 1 << 31} {
		assert.Zero(t, aerie_own_add_field(table, abitest.String(t, "new"), typ))
	}
	*(*unsafe.Pointer)(out) = nil // NULL is taken as ""
	assert.Equal(t, abi.Success, aerie_own_write(table, e, last, out))
	assert.Zero(t, aerie_own_get(table, out))

	assert.Equal(t, "counters", cmem.GoString(aerie_own_name(table)))
	assert.Equal(t, abi.Success, aerie_own_read(table, e, hits, out))
	assert.Equal(t, uint64(1), *(*uint64)(out))
	aerie_own_destroy(table, e) // it was added: refused
	assert.Zero(t, aerie_own_add(table, a, e), "likewise")
	aerie_own_release(table, e)
	aerie_own_release(table, e)
	assert.Equal(t, abi.Failure, aerie_own_read(table, e, hits, out), "it was released")
	assert.Zero(t, s.own.s.owed)
	assert.Contains(t, s.owner.Record.Name+cmem.GoString(s.owner.LastError()), `table "counters": read field hits: no such entry, or it was released`)
}

func TestAnEntryOfOneSubtableIsNotOneOfAnother(t *testing.T) {
	s := newShop(t)
	for _, k := range []string{"a", "b"} {
		s.own.Update(k, func(c *counter) { c.Peers.Put("p", peer{Port: 1}) })
		must[Foreign[string]](t)(s.peers.Of(s.get(t, k)))
	}
	a, _ := s.own.Get("a")
	b, _ := s.own.Get("b")
	p, out := textKey(t, "p"), abitest.Alloc(t, 8)
	port := uintptr(s.port.h)
	e := aerie_own_get(a.Peers.s.handle, p)
	f := aerie_own_get(b.Peers.s.handle, p)
	assert.Equal(t, abi.Success, aerie_own_read(a.Peers.s.handle, e, port, out))
	assert.Equal(t, abi.Success, aerie_own_read(b.Peers.s.handle, f, port, out), "fields are shared")
	assert.Equal(t, abi.Failure, aerie_own_read(b.Peers.s.handle, e, port, out))
	assert.Equal(t, abi.Failure, aerie_own_read(a.Peers.s.handle, e, uintptr(s.hits.h), out))
	aerie_own_release(a.Peers.s.handle, e)
	aerie_own_release(b.Peers.s.handle, f)
}

func TestKeysAreReadInTheirOwnWidth(t *testing.T) {
	f := tabletest.New(t)
	own := New[int16, struct{}]("own")
	inInit(newState(t, f, "owner"), func(in *Init) { require.NoError(t, Offer(in, own)) })
	own.Put(-2, struct{}{})
	k := abitest.Alloc(t, 8) // whose other bytes are anything
	*(*int16)(k) = -2
	e := aerie_own_get(own.s.handle, k)
	assert.NotZero(t, e)
	aerie_own_release(own.s.handle, e)
}

// Frameworks call from one thread, beside goroutines of the plugin; several
// callers are the harder case.
func TestReadersAndWritersAtTheSameTime(t *testing.T) {
	s := newShop(t)
	table := s.own.s.handle
	hits, last, tag, peers, port := uintptr(s.hits.h), uintptr(s.last.h), uintptr(s.tag.h), uintptr(s.peers.d.field), uintptr(s.port.h)
	const keys = 4
	keyData := make([]unsafe.Pointer, keys)
	for i := range keyData {
		keyData[i] = textKey(t, fmt.Sprint(i))
	}
	peerKey, value := textKey(t, "p"), textKey(t, "written by C")

	var work sync.WaitGroup
	for g := range 3 {
		work.Go(func() { // the plugin
			r := rand.New(rand.NewPCG(1, uint64(g)))
			for i := range 2000 {
				k := fmt.Sprint(r.IntN(keys))
				switch r.IntN(8) {
				case 0:
					s.own.Delete(k)
				case 1:
					s.own.Put(k, counter{Hits: uint64(i), Last: fmt.Sprint("put ", i)})
				case 2:
					s.own.Get(k)
				case 3:
					for range s.own.Range {
						s.own.Len()
					}
				default:
					s.own.Update(k, func(c *counter) {
						c.Hits++
						c.Last = fmt.Sprint("update ", i)
						c.Peers.Put("p", peer{Port: uint16(i)})
					})
				}
			}
		})
	}
	for g := range 3 {
		out := abitest.Alloc(t, 8)
		work.Go(func() { // frameworks
			r := rand.New(rand.NewPCG(2, uint64(g)))
			for range 2000 {
				e := aerie_own_get(table, keyData[r.IntN(keys)])
				if e == 0 {
					e = aerie_own_create(table)
					if r.IntN(2) == 0 {
						aerie_own_destroy(table, e)
						continue
					}
					aerie_own_add(table, keyData[r.IntN(keys)], e)
				}
				assert.Equal(t, abi.Success, aerie_own_read(table, e, hits, out))
				assert.Equal(t, abi.Success, aerie_own_read(table, e, last, out))
				_ = cmem.GoString(*(*unsafe.Pointer)(out)) // valid while e is held
				assert.Equal(t, abi.Success, aerie_own_write(table, e, tag, value))
				assert.Equal(t, abi.Success, aerie_own_write(table, e, last, value))
				assert.Equal(t, abi.Success, aerie_own_read(table, e, peers, out))
				sub := uintptr((*(**abi.TableInput)(out)).Table)
				if p := aerie_own_get(sub, peerKey); p != 0 {
					assert.Equal(t, abi.Success, aerie_own_read(sub, p, port, out))
					aerie_own_release(sub, p)
				}
				aerie_own_release(table, e)
			}
		})
	}
	work.Wait()
	assert.Zero(t, s.own.s.owed)
	s.own.Clear()
	assert.Len(t, s.own.s.slots.unused, len(s.own.s.slots.list))
}

func TestAPanicInUpdateLeavesTheTableUsable(t *testing.T) {
	own := New[string, counter]("own")
	assert.Panics(t, func() { own.Update("a", func(c *counter) { c.Hits, c.Peers = 1, nil; panic("boom") }) })
	c, ok := own.Get("a")
	assert.True(t, ok)
	assert.Equal(t, uint64(1), c.Hits)
	assert.NotNil(t, c.Peers)
}

func BenchmarkOwn(b *testing.B) {
	s := newShop(b)
	s.own.Put("a", counter{Hits: 1, Last: "text"})
	e, err := s.counters.Get(s.a, "a")
	require.NoError(b, err)
	for name, f := range map[string]func(){
		"read a number through the framework": func() { _, _ = s.hits.Get(e) },
		"read a text through the framework":   func() { _, _ = s.last.Get(e) },
		"get and release through the framework": func() {
			e, _ := s.counters.Get(s.a, "a")
			e.Release()
		},
		"Get":    func() { s.own.Get("a") },
		"Update": func() { s.own.Update("a", func(c *counter) { c.Hits++ }) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}
