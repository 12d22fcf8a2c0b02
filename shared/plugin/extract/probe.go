// SPDX-License-Identifier: Apache-2.0

package extract

import (
	"fmt"
	"net/netip"
	"slices"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
)

// Question is what Probe asks: one field, and its argument as a framework
// passes it.
type Question struct {
	Field string
	Key   string // "" for none, unless Given
	Index uint64
	// Given says that an argument is present: Key where the field takes keys,
	// else Index.
	Given bool
}

// Probed is what a field answered: values of Go types (string, uint64, bool,
// netip.Addr), none if it has no value, and where each stands in the payload
// ({0, 0} where the field does not say).
type Probed struct {
	Values  []any
	Offsets [][2]int // start in bytes from the payload's first, and length
}

// Probe asks one field of a table for its value of e, as a framework would:
// for tests of plugins. p is a value that Init has readied.
func Probe[P any](fields []Field[P], p P, e event.Event, q Question) (Probed, error) {
	asked, err := Prepare(fields, p, q)
	if err != nil {
		return Probed{}, err
	}
	defer asked.Free()
	asked.call.wantOffsets = true
	if _, err := asked.Ask(e); err != nil {
		return Probed{}, err
	}
	return asked.call.probed(asked.rows[0].field.Value.kind), nil
}

// Questions are asked together, of one event after another. They keep their
// memory from each event to the next, as they do in a framework: for benchmarks
// of plugins, and for tests of what extraction allocates.
type Questions[P any] struct {
	p     P
	rows  []prepared[P]
	call  Call
	arena cmem.Arena // for the values of one event
	keys  cmem.Arena
}

type prepared[P any] struct {
	field *Field[P]
	key   unsafe.Pointer
	index uint64
	given bool
}

// Prepare readies questions for p, a value that Init has readied. Free gives
// their memory back.
func Prepare[P any](fields []Field[P], p P, questions ...Question) (*Questions[P], error) {
	asked := &Questions[P]{p: p, arena: cmem.Arena{Retain: keepResults}}
	asked.call.arena = &asked.arena
	for _, q := range questions {
		at := slices.IndexFunc(fields, func(f Field[P]) bool { return f.Name == q.Field })
		if at < 0 {
			asked.Free()
			return nil, fmt.Errorf("probe: the table has no field %q", q.Field)
		}
		row := prepared[P]{field: &fields[at], index: abi.NoIndex, given: q.Given}
		if q.Given && row.field.Arg&Key != 0 {
			row.key = asked.keys.String([]byte(q.Key))
		} else if q.Given {
			row.index = q.Index
		}
		asked.rows = append(asked.rows, row)
	}
	return asked, nil
}

// Ask asks all questions of e and tells how many values they have together.
func (asked *Questions[P]) Ask(e event.Event) (values int, err error) {
	asked.arena.Reset()
	c := &asked.call
	c.ev, c.asked = e, nil
	for i := range asked.rows {
		row := &asked.rows[i]
		c.key, c.index, c.present = row.key, row.index, row.given
		c.begin(widths[row.field.Value.kind], row.field.Value.list)
		if err := row.field.Value.call(asked.p, c, c); err != nil {
			return values, err
		}
		if c.excess {
			return values, fmt.Errorf("field %s: %w", row.field.Name, errExcess)
		}
		values += c.n
	}
	return values, nil
}

// Free gives the memory back.
func (asked *Questions[P]) Free() {
	asked.arena.Free()
	asked.keys.Free()
}

func (c *Call) probed(kind uint32) (out Probed) {
	for i := range c.n {
		p := unsafe.Add(c.vals, i*c.width)
		var v any
		switch kind {
		case abi.FieldString:
			v = cmem.GoString(*(*unsafe.Pointer)(p))
		case abi.FieldBool:
			v = *(*uint32)(p) != 0
		case abi.FieldIPAddr, abi.FieldIPNet:
			b := (*abi.ByteBuffer)(p)
			v, _ = netip.AddrFromSlice(unsafe.Slice((*byte)(b.Ptr), b.Len))
		default:
			v = *(*uint64)(p)
		}
		out.Values = append(out.Values, v)
		at := [2]int{}
		if o := c.offs[i]; o.start >= abi.PayloadOffset {
			at = [2]int{int(o.start) - abi.PayloadOffset, int(o.length)}
		}
		out.Offsets = append(out.Offsets, at)
	}
	return out
}
