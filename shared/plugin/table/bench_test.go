// SPDX-License-Identifier: Apache-2.0

package table

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/internal/tabletest"
)

// A read from Go is to cost at most one and a half no-op calls more than the
// same read from C.
func BenchmarkForeignUint64(b *testing.B) {
	u := newUser(b)
	u.thread(b, 1, "a", 7)
	e, err := u.threads.Get(u.a, 1)
	require.NoError(b, err)
	b.Run("read from Go", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = u.ino.Get(e)
		}
	})
	b.Run("read from C", func(b *testing.B) {
		h := e.held()
		u.f.ReadLoop(uintptr(h.table), uintptr(h.handle), uintptr(u.ino.h), b.N)
	})
	b.Run("no-op call of C", func(b *testing.B) {
		for b.Loop() {
			tabletest.NoOp()
		}
	})
	b.Run("text from Go", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = u.comm.Get(e)
		}
	})
	b.Run("get and release", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			e, _ := u.threads.Get(u.a, 1)
			e.Release()
		}
	})
}
