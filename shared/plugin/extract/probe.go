// SPDX-License-Identifier: Apache-2.0

package extract

import (
	"fmt"
	"net/netip"
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
	var arena cmem.Arena
	defer arena.Free()
	for i := range fields {
		f := &fields[i]
		if f.Name != q.Field {
			continue
		}
		c := &Call{ev: e, index: abi.NoIndex, present: q.Given, arena: &arena, wantOffsets: true}
		if q.Given && f.Arg&Key != 0 {
			c.key = arena.String([]byte(q.Key))
		} else if q.Given {
			c.index = q.Index
		}
		c.begin(widths[f.Value.kind], f.Value.list)
		if err := f.Value.call(p, c, c); err != nil {
			return Probed{}, err
		}
		if c.excess {
			return Probed{}, fmt.Errorf("field %s: %w", f.Name, errExcess)
		}
		return c.probed(f.Value.kind), nil
	}
	return Probed{}, fmt.Errorf("probe: the table has no field %q", q.Field)
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
