// SPDX-License-Identifier: Apache-2.0

//go:build !asan

package table

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The address sanitizer allocates on its own account.
func TestReadingNeedsNoMemory(t *testing.T) {
	u := newUser(t)
	u.thread(t, 1, "a", 7)
	e := must[Entry](t)(u.threads.Get(u.a, 1))
	for name, f := range map[string]func(){
		"read a number":  func() { _, _ = u.ino.Get(e) },
		"read a bool":    func() { _, _ = u.exe.Get(e) },
		"write a number": func() { _ = u.ino.Set(e, 7) },
		"get an entry":   func() { e, _ := u.threads.Get(u.a, 1); e.Release() },
		"miss an entry":  func() { _, _ = u.threads.Get(u.a, 2) },
		"a subtable":     func() { _, _ = u.fds.Of(e) },
		"a call":         func() { b := u.a; _, _ = u.threads.Size(b) },
	} {
		assert.Zero(t, testing.AllocsPerRun(100, f), name)
	}
	buf := make([]byte, 0, 8)
	assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = Append(buf, u.comm, e) }), "a text that is appended")
	own := New[string, struct{ N int }]("own")
	own.Put("key", struct{ N int }{1})
	assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = Lookup(own, append(buf, "key"...)) }), "a lookup by bytes")
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { _, _ = u.comm.Get(e) }), 1.0, "a text is copied once")
}
