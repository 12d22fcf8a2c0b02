// SPDX-License-Identifier: Apache-2.0

package cmem

import "unsafe"

// Arena is C memory that is handed out piece by piece and taken back all at
// once, the life that results of one plugin call have. Not for concurrent use.
//
// A piece never moves and stays valid until Reset or Free. After an unusually
// large round the arena shrinks back to Retain bytes at the next Reset.
type Arena struct {
	// Retain is how many bytes are kept from one round to the next.
	Retain int

	cur    unsafe.Pointer // chunk that pieces are cut from
	size   int
	used   int
	full   []unsafe.Pointer // earlier chunks of this round
	closed int              // bytes in them
}

const minChunk = 4 << 10

// Alloc returns n bytes aligned to eight. They hold whatever an earlier round
// left in them.
func (a *Arena) Alloc(n int) unsafe.Pointer {
	n = (n + 7) &^ 7
	at := a.used
	if a.used += n; a.used > a.size {
		return a.grow(n)
	}
	return unsafe.Add(a.cur, at)
}

// String copies b and appends the NUL that a C reader looks for.
func (a *Arena) String(b []byte) unsafe.Pointer {
	p := a.Alloc(len(b) + 1)
	dst := unsafe.Slice((*byte)(p), len(b)+1)
	copy(dst, b)
	dst[len(b)] = 0
	return p
}

// grow answers an Alloc that the current chunk has no room for.
func (a *Arena) grow(n int) unsafe.Pointer {
	if a.cur != nil {
		a.full = append(a.full, a.cur)
		a.closed += a.size
	}
	a.size = max(minChunk, 2*a.size, n)
	if a.size > n && a.size > a.Retain {
		a.size = max(n, minChunk, a.Retain)
	}
	a.cur, a.used = Alloc(a.size), n
	return a.cur
}

// Reset takes every piece back.
func (a *Arena) Reset() {
	if len(a.full) > 0 || a.size > max(a.Retain, minChunk) {
		total := a.closed + a.size
		a.Free()
		a.size = min(total, max(a.Retain, minChunk))
		a.cur = Alloc(a.size)
	}
	a.used = 0
}

// Size is the C memory held now, in bytes.
func (a *Arena) Size() int { return a.closed + a.size }

// Free gives all memory back; the arena may be used again afterwards.
func (a *Arena) Free() {
	for _, p := range a.full {
		Free(p)
	}
	Free(a.cur)
	a.full, a.cur = a.full[:0], nil
	a.size, a.used, a.closed = 0, 0, 0
}
