// SPDX-License-Identifier: Apache-2.0

package table

import "sync/atomic"

// slots gives values numbers that C may keep. Put, get and drop cost the same
// however many there are. Not for concurrent use.
//
// A number is never zero, is no address, and is of one value only: those of
// dropped values and of other tables are recognised.
type slots[T any] struct {
	list   []slot[T]
	unused []uint32
}

type slot[T any] struct {
	serial uint32
	v      *T
}

// notAddress marks the handles of tables, entries and fields: no process has
// memory there, so that nobody takes one for a pointer.
const (
	notAddress = 1 << 62
	serialMask = 1<<30 - 1
)

// serials tells handles apart over all tables of the process.
var serials atomic.Uint32

func nextSerial() uint32 { return serials.Add(1) & serialMask }

// handleOf is the number of position i, told from others by serial.
func handleOf(serial uint32, i int) uintptr {
	return notAddress | uintptr(serial)<<32 | uintptr(i+1)
}

// position takes a handle apart; i is -1 where it is none.
func position(h uintptr) (serial uint32, i int) {
	if h&notAddress == 0 {
		return 0, -1
	}
	return uint32(h>>32) & serialMask, int(uint32(h)) - 1
}

func (s *slots[T]) put(v *T) uintptr {
	i := len(s.list)
	if n := len(s.unused); n > 0 {
		i = int(s.unused[n-1])
		s.unused = s.unused[:n-1]
	} else {
		s.list = append(s.list, slot[T]{})
	}
	s.list[i] = slot[T]{nextSerial(), v}
	return handleOf(s.list[i].serial, i)
}

func (s *slots[T]) get(h uintptr) *T {
	serial, i := position(h)
	if i < 0 || i >= len(s.list) || s.list[i].serial != serial {
		return nil
	}
	return s.list[i].v
}

func (s *slots[T]) drop(h uintptr) {
	if s.get(h) != nil {
		_, i := position(h)
		s.list[i].v = nil
		s.unused = append(s.unused, uint32(i))
	}
}
