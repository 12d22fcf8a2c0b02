// SPDX-License-Identifier: Apache-2.0

package table

// C code of the foreign side: functions that call a function pointer. Each
// costs one crossing from Go to C, allocates nothing and keeps nothing.

/*
#cgo CFLAGS: -I${SRCDIR}/../abi
#cgo noescape aerie_table_get_string
#cgo noescape aerie_table_add_string
#cgo noescape aerie_table_erase_string
#cgo noescape aerie_table_write_string
#include <stdlib.h>
#include <string.h>
#include "abi.h"

typedef uintptr_t word; // a handle or a function pointer, opaque to Go

struct aerie_number { uint64_t bits; int32_t rc; };
struct aerie_text { const char *p; size_t len; int32_t rc; };

// A Go string with a NUL behind it, on the stack where it is short. p is NULL
// where memory is exhausted; done frees it.
struct aerie_copy { char *p; char small[256]; };

static inline void aerie_copy_make(struct aerie_copy *c, const char *s, size_t n) {
	c->p = n < sizeof c->small ? c->small : malloc(n + 1);
	if (c->p == NULL) return;
	if (n > 0) memcpy(c->p, s, n);
	c->p[n] = 0;
}

static inline void aerie_copy_done(struct aerie_copy *c) {
	if (c->p != c->small) free(c->p);
}

static inline struct aerie_number aerie_table_read(word fn, word t, word e, word f) {
	union aerie_state_data d;
	struct aerie_number r;
	memset(&d, 0, sizeof d);
	r.rc = ((int32_t (*)(word, word, word, union aerie_state_data *))fn)(t, e, f, &d);
	r.bits = d.u64;
	return r;
}

static inline struct aerie_text aerie_table_read_string(word fn, word t, word e, word f) {
	union aerie_state_data d;
	struct aerie_text r = {0};
	memset(&d, 0, sizeof d);
	r.rc = ((int32_t (*)(word, word, word, union aerie_state_data *))fn)(t, e, f, &d);
	if (r.rc == AERIE_RC_SUCCESS && d.str != NULL) {
		r.p = d.str;
		r.len = strlen(d.str);
	}
	return r;
}

static inline int32_t aerie_table_write(word fn, word t, word e, word f, uint64_t bits) {
	union aerie_state_data d;
	d.u64 = bits;
	return ((int32_t (*)(word, word, word, const union aerie_state_data *))fn)(t, e, f, &d);
}

static inline int32_t aerie_table_write_string(word fn, word t, word e, word f, const char *s, size_t n) {
	union aerie_state_data d;
	struct aerie_copy c;
	int32_t rc;
	aerie_copy_make(&c, s, n);
	if (c.p == NULL) return AERIE_RC_FAILURE;
	d.str = c.p;
	rc = ((int32_t (*)(word, word, word, const union aerie_state_data *))fn)(t, e, f, &d);
	aerie_copy_done(&c);
	return rc;
}

static inline word aerie_table_get(word fn, word t, uint64_t bits) {
	union aerie_state_data k;
	k.u64 = bits;
	return ((word (*)(word, const union aerie_state_data *))fn)(t, &k);
}

static inline word aerie_table_get_string(word fn, word t, const char *s, size_t n) {
	union aerie_state_data k;
	struct aerie_copy c;
	word e;
	aerie_copy_make(&c, s, n);
	if (c.p == NULL) return 0;
	k.str = c.p;
	e = ((word (*)(word, const union aerie_state_data *))fn)(t, &k);
	aerie_copy_done(&c);
	return e;
}

static inline word aerie_table_add(word fn, word t, uint64_t bits, word e) {
	union aerie_state_data k;
	k.u64 = bits;
	return ((word (*)(word, const union aerie_state_data *, word))fn)(t, &k, e);
}

static inline word aerie_table_add_string(word fn, word t, const char *s, size_t n, word e) {
	union aerie_state_data k;
	struct aerie_copy c;
	aerie_copy_make(&c, s, n);
	if (c.p == NULL) return 0;
	k.str = c.p;
	e = ((word (*)(word, const union aerie_state_data *, word))fn)(t, &k, e);
	aerie_copy_done(&c);
	return e;
}

static inline int32_t aerie_table_erase(word fn, word t, uint64_t bits) {
	union aerie_state_data k;
	k.u64 = bits;
	return ((int32_t (*)(word, const union aerie_state_data *))fn)(t, &k);
}

static inline int32_t aerie_table_erase_string(word fn, word t, const char *s, size_t n) {
	union aerie_state_data k;
	struct aerie_copy c;
	int32_t rc;
	aerie_copy_make(&c, s, n);
	if (c.p == NULL) return AERIE_RC_FAILURE;
	k.str = c.p;
	rc = ((int32_t (*)(word, const union aerie_state_data *))fn)(t, &k);
	aerie_copy_done(&c);
	return rc;
}

// (t) -> entry, rc or size; (t, e) -> nothing
static inline word aerie_table_create(word fn, word t) { return ((word (*)(word))fn)(t); }
static inline int32_t aerie_table_clear(word fn, word t) { return ((int32_t (*)(word))fn)(t); }
static inline uint64_t aerie_table_size(word fn, word t) { return ((uint64_t (*)(word))fn)(t); }
static inline void aerie_table_let_go(word fn, word t, word e) { ((void (*)(word, word))fn)(t, e); }

// Exported by Go, see each.go.
extern uint32_t aerie_table_each(word s, word e);

static inline uint32_t aerie_table_iterate(word fn, word t, word s) {
	return ((uint32_t (*)(word, uint32_t (*)(word, word), word))fn)(t, aerie_table_each, s);
}

// get_table_field and add_table_field; get_table has the same shape
static inline word aerie_table_named(word fn, word t, void *name, uint32_t type) {
	return ((word (*)(word, void *, uint32_t))fn)(t, name, type);
}

static inline void *aerie_table_list(word fn, word t, uint32_t *n) {
	*n = 0;
	return ((void *(*)(word, uint32_t *))fn)(t, n);
}

static inline int32_t aerie_table_offer(word fn, word owner, void *in) {
	return ((int32_t (*)(word, void *))fn)(owner, in);
}

static inline struct aerie_text aerie_table_error(word fn, word owner) {
	struct aerie_text r = {0};
	r.p = ((const char *(*)(word))fn)(owner);
	if (r.p != NULL) r.len = strnlen(r.p, 4096);
	return r;
}
*/
import "C"

import "unsafe"

// word is a handle or function pointer of the framework's. Handles are numbers
// to Go: plugins may use any number as one.
type word = C.word

func fn(p unsafe.Pointer) word { return word(uintptr(p)) }

func callRead(f unsafe.Pointer, t, e, field word) (bits uint64, ok bool) {
	r := C.aerie_table_read(fn(f), t, e, field)
	return uint64(r.bits), r.rc == 0
}

// callReadString returns a copy.
func callReadString(f unsafe.Pointer, t, e, field word) (string, bool) {
	r := C.aerie_table_read_string(fn(f), t, e, field)
	return goText(r), r.rc == 0
}

// callAppendString appends a copy to dst.
func callAppendString(dst []byte, f unsafe.Pointer, t, e, field word) ([]byte, bool) {
	r := C.aerie_table_read_string(fn(f), t, e, field)
	if r.p != nil {
		dst = append(dst, unsafe.Slice((*byte)(unsafe.Pointer(r.p)), int(r.len))...)
	}
	return dst, r.rc == 0
}

func goText(r C.struct_aerie_text) string {
	if r.p == nil {
		return ""
	}
	return string(unsafe.Slice((*byte)(unsafe.Pointer(r.p)), int(r.len)))
}

func callWrite(f unsafe.Pointer, t, e, field word, bits uint64) bool {
	return C.aerie_table_write(fn(f), t, e, field, C.uint64_t(bits)) == 0
}

func callWriteString(f unsafe.Pointer, t, e, field word, s string) bool {
	return C.aerie_table_write_string(fn(f), t, e, field, (*C.char)(unsafe.Pointer(unsafe.StringData(s))), C.size_t(len(s))) == 0
}

func callGet(f unsafe.Pointer, t word, bits uint64) word {
	return C.aerie_table_get(fn(f), t, C.uint64_t(bits))
}

func callGetString(f unsafe.Pointer, t word, s string) word {
	return C.aerie_table_get_string(fn(f), t, (*C.char)(unsafe.Pointer(unsafe.StringData(s))), C.size_t(len(s)))
}

func callAdd(f unsafe.Pointer, t word, bits uint64, e word) word {
	return C.aerie_table_add(fn(f), t, C.uint64_t(bits), e)
}

func callAddString(f unsafe.Pointer, t word, s string, e word) word {
	return C.aerie_table_add_string(fn(f), t, (*C.char)(unsafe.Pointer(unsafe.StringData(s))), C.size_t(len(s)), e)
}

func callErase(f unsafe.Pointer, t word, bits uint64) bool {
	return C.aerie_table_erase(fn(f), t, C.uint64_t(bits)) == 0
}

func callEraseString(f unsafe.Pointer, t word, s string) bool {
	return C.aerie_table_erase_string(fn(f), t, (*C.char)(unsafe.Pointer(unsafe.StringData(s))), C.size_t(len(s))) == 0
}

func callCreate(f unsafe.Pointer, t word) word { return C.aerie_table_create(fn(f), t) }

func callClear(f unsafe.Pointer, t word) bool { return C.aerie_table_clear(fn(f), t) == 0 }

func callSize(f unsafe.Pointer, t word) uint64 { return uint64(C.aerie_table_size(fn(f), t)) }

// callLetGo releases or destroys an entry.
func callLetGo(f unsafe.Pointer, t, e word) { C.aerie_table_let_go(fn(f), t, e) }

func callIterate(f unsafe.Pointer, t word, s uintptr) bool {
	return C.aerie_table_iterate(fn(f), t, word(s)) != 0
}

// callNamed looks a table or field up; name is a C string.
func callNamed(f unsafe.Pointer, t word, name unsafe.Pointer, typ Type) word {
	return C.aerie_table_named(fn(f), t, name, C.uint32_t(typ))
}

func callList(f unsafe.Pointer, t word) (unsafe.Pointer, int) {
	var n C.uint32_t
	p := C.aerie_table_list(fn(f), t, &n)
	if p == nil {
		return nil, 0
	}
	return p, int(n)
}

func callOffer(f unsafe.Pointer, owner word, in unsafe.Pointer) bool {
	return C.aerie_table_offer(fn(f), owner, in) == 0
}

func callError(f unsafe.Pointer, owner word) string {
	return goText(C.aerie_table_error(fn(f), owner))
}
