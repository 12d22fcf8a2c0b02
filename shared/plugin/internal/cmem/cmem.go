// SPDX-License-Identifier: Apache-2.0

// Package cmem hands out C memory, the only kind that may cross the plugin
// ABI. Whoever allocates also frees; the Go collector never sees any of it.
package cmem

/*
#include <stdlib.h>
#include <string.h>
*/
import "C"

import "unsafe"

// Alloc returns n zeroed bytes of C memory, aligned for any C type. The caller
// owns them and gives them back with Free. It panics when memory is exhausted,
// as Go's own allocator would end the process.
func Alloc(n int) unsafe.Pointer {
	if n <= 0 {
		n = 1
	}
	p := C.calloc(1, C.size_t(n))
	if p == nil {
		panic("cmem: out of memory")
	}
	return p
}

// Free gives back memory from Alloc or CString. Freeing nil does nothing.
func Free(p unsafe.Pointer) {
	C.free(p)
}

// CString returns a NUL-terminated copy of s in C memory, owned by the caller.
// A NUL inside s ends the string for every C reader.
func CString(s string) unsafe.Pointer {
	p := Alloc(len(s) + 1)
	copy(unsafe.Slice((*byte)(p), len(s)), s)
	return p
}

// GoString copies a NUL-terminated C string; nil gives "".
func GoString(p unsafe.Pointer) string {
	if p == nil {
		return ""
	}
	return string(Bytes(p))
}

// Bytes views a NUL-terminated C string without copying it. The view lives as
// long as the C memory does and must not be written to.
func Bytes(p unsafe.Pointer) []byte {
	if p == nil {
		return nil
	}
	return unsafe.Slice((*byte)(p), length(p))
}

// length is strlen in Go: keys and names are short, and a call into C costs
// more than reading them.
func length(p unsafe.Pointer) int {
	n := 0
	for *(*byte)(unsafe.Add(p, n)) != 0 {
		n++
	}
	return n
}

// Text is a C string that is replaced from time to time, such as a last error:
// what Set returns is valid until the next Set or Free. Not for concurrent use.
type Text struct {
	p   unsafe.Pointer
	cap int
}

// keepText is the largest buffer that Text keeps for a shorter text.
const keepText = 64 << 10

// Set stores s and returns it as a NUL-terminated C string.
func (t *Text) Set(s string) unsafe.Pointer {
	if need := len(s) + 1; need > t.cap || t.cap > keepText {
		t.Free()
		t.p, t.cap = Alloc(need), need
	}
	b := unsafe.Slice((*byte)(t.p), len(s)+1)
	copy(b, s)
	b[len(s)] = 0
	return t.p
}

// Free gives the text's memory back.
func (t *Text) Free() {
	Free(t.p)
	t.p, t.cap = nil, 0
}
