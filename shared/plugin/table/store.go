// SPDX-License-Identifier: Apache-2.0

package table

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
)

// store holds the entries of one table of the plugin's own. Locks are taken
// from a table to its subtables, never the other way.
type store struct {
	schema *schema

	mu      sync.RWMutex
	entries map[key]*entry

	// What the framework's side uses; nothing of it before the table is served.
	service *service       // nil where the table is not served
	handle  uintptr        // its number for C
	input   unsafe.Pointer // its ss_plugin_table_input
	slots   slots[entry]   // entries that C has seen
	owed    int            // references and created entries that C holds
	retired bool           // a subtable of an entry that is gone
}

// key is a key of any type.
type key struct {
	bits uint64
	text string
}

// entry is one entry. It outlives its removal while C refers to it.
type entry struct {
	key   key
	elem  unsafe.Pointer // the Go struct
	cells []cell         // dynamic fields; shorter than their number until written
	subs  []sub
	state entryState

	handle uintptr // its number for C, 0 before C saw it
	refs   int     // references that C holds
	texts  []cText // by column: texts as C was given them
	stale  []unsafe.Pointer
}

type cell struct {
	bits uint64
	text string
}

// sub is a subtable of an entry: the store, and the *Own that the Go struct has.
type sub struct {
	store *store
	own   unsafe.Pointer
}

// cText is a text in C memory, and what it is a copy of.
type cText struct {
	p  unsafe.Pointer
	of string
}

type entryState uint8

const (
	loose   entryState = iota // created by C and not added
	present                   // in the table
	gone                      // removed, or never added
)

func newStore(s *schema) *store { return &store{schema: s, entries: map[key]*entry{}} }

// newEntry makes an entry with its subtables.
func (s *store) newEntry() *entry {
	e := &entry{elem: s.schema.newElem()}
	for _, c := range s.schema.subs {
		st := newStore(c.sub)
		e.subs = append(e.subs, sub{st, c.sub.newOwn(st)})
	}
	e.keepSubs(s.schema)
	return e
}

// keepSubs puts the entry's own subtables back into its Go struct.
func (e *entry) keepSubs(s *schema) {
	for i, c := range s.subs {
		*(*unsafe.Pointer)(unsafe.Add(e.elem, c.offset)) = e.subs[i].own
	}
}

// make is the entry of k, which is made if there is none.
func (s *store) make(k key) *entry {
	e := s.entries[k]
	if e == nil {
		e = s.newEntry()
		e.key, e.state = k, present
		s.entries[k] = e
	}
	return e
}

func (s *store) erase(k key) bool {
	e := s.entries[k]
	if e == nil {
		return false
	}
	delete(s.entries, k)
	e.state = gone
	s.settle(e)
	return true
}

func (s *store) clear() {
	for _, e := range s.entries {
		e.state = gone
		s.settle(e)
	}
	clear(s.entries)
}

// snapshot is every entry of this moment.
func (s *store) snapshot() []*entry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]*entry, 0, len(s.entries))
	for _, e := range s.entries {
		all = append(all, e)
	}
	return all
}

// service is what the tables of one offer share: the root and all subtables.
type service struct {
	st *core.State

	mu     sync.Mutex
	inputs []unsafe.Pointer // every ss_plugin_table_input that was made
	unused []unsafe.Pointer // those of tables that are gone, oldest first
}

// coolInputs is how many descriptions of subtables that are gone are kept from
// being used again: a host reads the description once more in a call that
// outlived the entry.
const coolInputs = 64

// take is memory for an ss_plugin_table_input.
func (v *service) take() unsafe.Pointer {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.unused) > coolInputs {
		p := v.unused[0]
		v.unused = v.unused[1:]
		return p
	}
	p := cmem.Alloc(int(unsafe.Sizeof(abi.TableInput{})))
	v.inputs = append(v.inputs, p)
	return p
}

func (v *service) giveBack(p unsafe.Pointer) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.unused = append(v.unused, p)
}

func (v *service) free() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range v.inputs {
		cmem.Free(p)
	}
	v.inputs, v.unused = nil, nil
}

// serving are the tables that C can reach, by their handles. Handles are all
// that the framework passes, so this is for the whole process.
var serving struct {
	sync.RWMutex
	slots slots[store]
}

func served(h uintptr) *store {
	serving.RLock()
	defer serving.RUnlock()
	return serving.slots.get(h)
}

var errServed = errors.New("it was offered already")

// serve makes the table reachable for C and returns its ss_plugin_table_input,
// valid until the table ends.
func (s *store) serve(v *service) (unsafe.Pointer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.service != nil {
		return nil, errServed
	}
	s.service = v
	serving.Lock()
	s.handle = serving.slots.put(s)
	serving.Unlock()
	s.input = v.take()
	describe((*abi.TableInput)(s.input), s.schema.nameText(), s.schema.key, s.handle)
	return s.input, nil
}

// unserve ends what serve began.
func (s *store) unserve() {
	serving.Lock()
	serving.slots.drop(s.handle)
	serving.Unlock()
	s.service.giveBack(s.input)
	s.service, s.handle, s.input = nil, 0, nil
}

// Free ends the service of an offered table and gives all C memory back, that
// of subtables too. The Go side is untouched.
func (s *store) Free() {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.service
	if v == nil {
		return
	}
	s.end()
	s.schema.free()
	v.free()
}

// end takes the table and its subtables from C, whatever C still holds.
func (s *store) end() {
	for _, x := range s.slots.list {
		e := x.v
		if e == nil {
			continue
		}
		for i := range e.subs {
			t := e.subs[i].store
			t.mu.Lock()
			if t.service != nil {
				t.end()
			}
			t.mu.Unlock()
		}
		e.freeTexts()
		e.handle, e.refs = 0, 0
	}
	s.slots, s.owed = slots[entry]{}, 0
	s.unserve()
}

// seen gives e a number for C.
func (s *store) seen(e *entry) uintptr {
	if e.handle == 0 {
		e.handle = s.slots.put(e)
	}
	return e.handle
}

// settle frees what C had of an entry, once it is gone and nobody refers to it.
func (s *store) settle(e *entry) {
	if e.refs > 0 {
		return
	}
	e.freeStale()
	if e.state != gone || e.handle == 0 {
		return
	}
	e.freeTexts()
	s.slots.drop(e.handle)
	e.handle = 0
	for i := range e.subs {
		e.subs[i].store.retire()
	}
}

// retire empties the subtable of an entry that is gone. It is served until C
// has released what it holds of it.
func (s *store) retire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.service == nil {
		return
	}
	s.retired = true
	s.clear()
	s.retireIfUnused()
}

func (s *store) retireIfUnused() {
	if s.retired && s.owed == 0 && s.service != nil {
		s.unserve()
	}
}

func (e *entry) freeTexts() {
	for i := range e.texts {
		cmem.Free(e.texts[i].p)
	}
	e.texts = nil
	e.freeStale()
}

func (e *entry) freeStale() {
	for _, p := range e.stale {
		cmem.Free(p)
	}
	e.stale = e.stale[:0]
}

// keepStale is how many replaced texts an entry keeps for readers that hold
// it. Readers copy a text before their next call, so this is generous.
const keepStale = 64

// cText is the text s of column i in C memory. It is valid while the entry is
// referenced, as long as the text is not replaced more than keepStale times.
func (e *entry) cText(i int, s string) unsafe.Pointer {
	for len(e.texts) <= i {
		e.texts = append(e.texts, cText{})
	}
	t := &e.texts[i]
	if t.p != nil && t.of == s {
		return t.p
	}
	if t.p != nil {
		if len(e.stale) == keepStale {
			cmem.Free(e.stale[0])
			e.stale = append(e.stale[:0], e.stale[1:]...)
		}
		e.stale = append(e.stale, t.p)
	}
	t.p, t.of = cmem.CString(s), s
	return t.p
}

// fail keeps err as the plugin's last error, for the framework to ask for.
func (s *store) fail(doing string, err error) {
	if v := s.service; v != nil {
		v.st.SetError(fmt.Errorf("table %q: %s: %w", s.schema.name, doing, err))
	}
}
