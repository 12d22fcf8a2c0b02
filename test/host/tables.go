// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// stateTable is a table that plugins reach through the framework: one of the
// framework's own, or one of a plugin's. Keys and values come as the caller
// passed them. An error is the framework's to tell the caller of; a *Violation
// is one of the caller's.
type stateTable interface {
	name() string
	keyType() uint32
	list() ([]fieldInfo, error)
	field(name string, code uint32) (*field, error)
	addField(name string, code uint32) (*field, error)
	// has reports whether a field is one of this table's.
	has(f *field) bool
	size() (uint64, error)

	get(key unsafe.Pointer) (entry, error)
	// create makes an entry that add or destroy ends.
	create() (entry, error)
	destroy(entry)
	add(key unsafe.Pointer, e entry) (entry, error)
	erase(key unsafe.Pointer) error
	clear() error
	release(entry)
	// iterate ends at a false; complete says whether it came to the end.
	iterate(visit func(entry) bool) (complete bool, err error)
	// read writes to out, except for a table, which it returns.
	read(e entry, f *field, out unsafe.Pointer, text *textBuffer) (stateTable, error)
	write(e entry, f *field, in unsafe.Pointer) error
	// free ends a table that read returned.
	free()
}

// entry is a row of a framework's table, or an entry of a plugin's.
type entry struct {
	row *row
	ptr unsafe.Pointer
}

// field is an accessor: what plugins name a table's field by. It lives as long
// as its inspector.
type field struct {
	handle   unsafe.Pointer
	label    string
	code     uint32
	readOnly bool
	dynamic  bool
	index    int            // in a row
	schema   *schema        // of the framework's tables
	sub      *subSchema     // of a table in the framework's tables
	fields   *pluginFields  // of plugins' tables
	ptr      unsafe.Pointer // a plugin's own name of the field
}

type fieldInfo struct {
	label    string
	code     uint32
	readOnly bool
}

// tables is the state tables of one inspector. As in the framework they belong
// to one thread at a time; what is called on two at once is refused.
type tables struct {
	// busy is held inside table functions, except while they call a plugin.
	busy sync.Mutex
	// caller is the thread that calls a plugin from inside, 0 if none does.
	caller int

	order     []string
	byName    map[string]stateTable
	fields    map[unsafe.Pointer]*field
	addresses addresses
	threads   *builtin
}

func newTables() *tables {
	t := &tables{byName: map[string]stateTable{}, fields: map[unsafe.Pointer]*field{}}
	t.threads = newThreads(t)
	t.byName[t.threads.label] = t.threads
	t.order = []string{t.threads.label}
	return t
}

// enter begins a table function on the calling thread, which may be inside
// another one already. It is false while another thread is inside: in the
// framework the two would race.
func (t *tables) enter() bool {
	if !t.busy.TryLock() {
		return false
	}
	if t.caller != 0 && t.caller != unix.Gettid() {
		t.busy.Unlock()
		return false
	}
	return true
}

func (t *tables) leave() { t.busy.Unlock() }

// out makes a call into a plugin from inside.
func (t *tables) out(call func()) {
	before := t.caller
	t.caller = unix.Gettid()
	t.busy.Unlock()
	call()
	t.busy.Lock()
	t.caller = before
}

// own enters for the host itself, which waits for its turn. It is not for use
// inside another own, but for inside out.
func (t *tables) own() (done func()) {
	runtime.LockOSThread()
	t.busy.Lock()
	return func() {
		t.busy.Unlock()
		runtime.UnlockOSThread()
	}
}

// newField gives a field its accessor.
func (t *tables) newField(f field) *field {
	f.handle = t.addresses.next()
	t.fields[f.handle] = &f
	return &f
}

// add registers a table under a name that no other has.
func (t *tables) add(s stateTable) error {
	if t.byName[s.name()] != nil {
		return fmt.Errorf("table added to registry multiple times: %s", s.name())
	}
	t.byName[s.name()] = s
	t.order = append(t.order, s.name())
	return nil
}

// removeOf takes the tables of a plugin away, whose state is gone.
func (t *tables) removeOf(p *Plugin) {
	defer t.own()()
	kept := t.order[:0]
	for _, name := range t.order {
		if s, ok := t.byName[name].(*pluginTable); ok && s.plugin == p {
			s.dead = true
			delete(t.byName, name)
			continue
		}
		kept = append(kept, name)
	}
	t.order = kept
}

// keyTypes are the types that a table's key can have.
func validKey(code uint32) bool { return stateSize(code) > 0 || code == abi.StateString }
