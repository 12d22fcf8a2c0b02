// SPDX-License-Identifier: Apache-2.0

package host

/*
#include <stdlib.h>
#include "calls.h"
*/
import "C"

import "unsafe"

// inputs is the C memory of one call's inputs, valid until release, which
// poisons it. The zero value is ready; not for concurrent use.
type inputs struct {
	chunks []chunk
	used   uintptr // of the last chunk
}

type chunk struct {
	base unsafe.Pointer
	size uintptr
}

const inputChunk = 1024

// bytes is a zeroed block of n bytes, aligned for any type.
func (in *inputs) bytes(n uintptr) unsafe.Pointer {
	n = (n + 15) &^ 15
	last := len(in.chunks) - 1
	if last < 0 || in.chunks[last].size-in.used < n {
		size := max(n, inputChunk)
		in.chunks = append(in.chunks, chunk{C.calloc(1, C.size_t(size)), size})
		in.used = 0
		last++
	}
	p := unsafe.Add(in.chunks[last].base, in.used)
	in.used += n
	return p
}

// text is a NUL-terminated copy of s.
func (in *inputs) text(s string) unsafe.Pointer {
	p := in.bytes(uintptr(len(s)) + 1)
	copy(unsafe.Slice((*byte)(p), len(s)), s)
	return p
}

// release overwrites and frees everything.
func (in *inputs) release() {
	for _, c := range in.chunks {
		C.aerie_host_poison_free(c.base, C.size_t(c.size))
	}
	*in = inputs{}
}

// alloc is a zeroed T in the call's memory.
func alloc[T any](in *inputs) *T {
	var t T
	return (*T)(in.bytes(unsafe.Sizeof(t)))
}

// allocN is a zeroed array of n T in the call's memory.
func allocN[T any](in *inputs, n int) []T {
	var t T
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(in.bytes(unsafe.Sizeof(t)*uintptr(n))), n)
}
