// SPDX-License-Identifier: Apache-2.0

package extract

import (
	"net/netip"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// Call is one question for one field of one event. It is valid until the
// function that got it returns.
type Call struct {
	ev      event.Event
	key     unsafe.Pointer
	index   uint64
	present bool

	arena   *cmem.Arena
	vals    unsafe.Pointer // C array of the values so far
	n, room int
	width   int // bytes of one value in it
	list    bool
	excess  bool // a second value was set on a scalar

	wantOffsets bool
	offs        []offset
	scratch     []byte

	asked any // who asked Again last, since the framework called

	tables  *table.Access  // nil where the host has no tables
	reader  unsafe.Pointer // the call's vtable for them
	reading bool           // tables were begun
}

// offset is where one value stands in the event, from its header.
type offset struct{ start, length uint32 }

// Event is the event to read. It may be of any type the plugin asked for.
func (c *Call) Event() *event.Event { return &c.ev }

// Key is the argument as text, false where none was given. The text is the
// framework's memory.
func (c *Call) Key() (string, bool) {
	if c.key == nil {
		return "", false
	}
	b := cmem.Bytes(c.key)
	return unsafe.String(unsafe.SliceData(b), len(b)), true
}

// Index is the argument as a number, false where none was given. What stands for no
// number beside a key is a number like others where the field takes no keys.
func (c *Call) Index() (uint64, bool) {
	return c.index, c.present && (c.index != abi.NoIndex || c.key == nil)
}

// Again tells owner whether it has asked this before since the framework called. The
// event is then the same and unchanged, and what owner has found in it for another
// field still holds. Only the last owner that asked is known; owners are pointers.
func (c *Call) Again(owner any) bool {
	again := c.asked == owner
	c.asked = owner
	return again
}

// WantOffsets tells whether the host asked where values stand; computing
// offsets that nobody wants is wasted.
func (c *Call) WantOffsets() bool { return c.wantOffsets }

// Tables reaches the framework's state tables, to read only. It is the same
// for all fields of one call; entries are released when that ends.
func (c *Call) Tables() *table.Access {
	if !c.reading && c.tables != nil {
		c.tables.Begin(c.reader, nil)
		c.reading = true
	}
	return c.tables
}

// begin readies c for the next field.
func (c *Call) begin(width int, list bool) {
	c.vals, c.n, c.room = nil, 0, 0
	c.width, c.list, c.excess = width, list, false
	c.offs = c.offs[:0]
}

// slot is room for one more value, nil where a scalar already has one.
func (c *Call) slot() unsafe.Pointer {
	if c.n == c.room && !c.more() {
		return nil
	}
	p := unsafe.Add(c.vals, c.n*c.width)
	c.n++
	if c.wantOffsets {
		c.offs = append(c.offs, offset{})
	}
	return p
}

func (c *Call) more() bool {
	if !c.list {
		if c.n > 0 {
			c.excess = true
			return false
		}
		// Eight bytes even for a bool: one host reads every value as 64 bits.
		c.vals, c.room = c.arena.Alloc(max(c.width, 8)), 1
		*(*uint64)(c.vals) = 0
		return true
	}
	room := max(8, 2*c.room)
	vals := c.arena.Alloc(room * c.width)
	clear(unsafe.Slice((*byte)(vals), room*c.width))
	copy(unsafe.Slice((*byte)(vals), c.n*c.width), unsafe.Slice((*byte)(c.vals), c.n*c.width))
	c.vals, c.room = vals, room
	return true
}

// StringOut takes the texts of a field. They are copied; a NUL in a text ends
// it for every reader, as the API hands over C strings.
type StringOut Call

// Set gives the field its value; on a list it adds one.
func (o *StringOut) Set(s string) {
	o.SetBytes(unsafe.Slice(unsafe.StringData(s), len(s)))
}

// SetBytes is Set for a text held as bytes, which are not kept.
func (o *StringOut) SetBytes(b []byte) {
	c := (*Call)(o)
	if c.room == 0 && !c.list && !c.wantOffsets {
		// The common case in one piece: the pointer, and behind it the text.
		p := c.arena.Alloc(8 + len(b) + 1)
		text := unsafe.Add(p, 8)
		dst := unsafe.Slice((*byte)(text), len(b)+1)
		copy(dst, b)
		dst[len(b)] = 0
		*(*unsafe.Pointer)(p) = text
		c.vals, c.n, c.room = p, 1, 1
		return
	}
	if p := c.slot(); p != nil {
		*(*unsafe.Pointer)(p) = c.arena.String(b)
	}
}

// SetAt is SetBytes for a value that stands in the payload of a plugin event:
// start and length are in bytes from the payload's first.
func (o *StringOut) SetAt(b []byte, start, length int) {
	c := (*Call)(o)
	before := c.n
	o.SetBytes(b)
	if c.wantOffsets && c.n > before {
		c.offs[c.n-1] = offset{uint32(abi.PayloadOffset + start), uint32(length)}
	}
}

// Buffer is an empty slice to append a text to. Hand the result to SetBuffer,
// and no memory is allocated once the buffer has grown.
func (o *StringOut) Buffer() []byte { return o.scratch[:0] }

// SetBuffer is SetBytes for a slice that grew out of Buffer and nothing else:
// the kit keeps it for the next Buffer.
func (o *StringOut) SetBuffer(b []byte) {
	o.SetBytes(b)
	if cap(b) <= keepScratch {
		o.scratch = b[:0]
	}
}

// keepScratch is the largest buffer that is kept from one call to the next.
const keepScratch = 64 << 10

// Add is Set, in the words of a list.
func (o *StringOut) Add(s string) { o.Set(s) }

// AddBytes is SetBytes, in the words of a list.
func (o *StringOut) AddBytes(b []byte) { o.SetBytes(b) }

// AddAt is SetAt, in the words of a list.
func (o *StringOut) AddAt(b []byte, start, length int) { o.SetAt(b, start, length) }

// AddBuffer is SetBuffer, in the words of a list.
func (o *StringOut) AddBuffer(b []byte) { o.SetBuffer(b) }

// Uint64Out takes the numbers or times of a field.
type Uint64Out Call

// Set gives the field its value; on a list it adds one.
func (o *Uint64Out) Set(v uint64) {
	if p := (*Call)(o).slot(); p != nil {
		*(*uint64)(p) = v
	}
}

// Add is Set, in the words of a list.
func (o *Uint64Out) Add(v uint64) { o.Set(v) }

// BoolOut takes the yes or no values of a field.
type BoolOut Call

// Set gives the field its value; on a list it adds one.
func (o *BoolOut) Set(v bool) {
	if p := (*Call)(o).slot(); p != nil {
		var n uint32
		if v {
			n = 1
		}
		*(*uint32)(p) = n
	}
}

// Add is Set, in the words of a list.
func (o *BoolOut) Add(v bool) { o.Set(v) }

// IPOut takes the addresses of a field.
type IPOut Call

// Set gives the field its value; on a list it adds one. The zero Addr is no
// value and is ignored: a host ends over an address of any length but 4 and 16.
// A zone is dropped.
func (o *IPOut) Set(a netip.Addr) {
	if !a.IsValid() {
		return
	}
	c := (*Call)(o)
	p := c.slot()
	if p == nil {
		return
	}
	buf := (*abi.ByteBuffer)(p)
	if a.Is4() {
		b := a.As4()
		buf.Ptr, buf.Len = c.arena.Alloc(len(b)), uint32(len(b))
		copy(unsafe.Slice((*byte)(buf.Ptr), len(b)), b[:])
		return
	}
	b := a.As16()
	buf.Ptr, buf.Len = c.arena.Alloc(len(b)), uint32(len(b))
	copy(unsafe.Slice((*byte)(buf.Ptr), len(b)), b[:])
}

// Add is Set, in the words of a list.
func (o *IPOut) Add(a netip.Addr) { o.Set(a) }
