// SPDX-License-Identifier: Apache-2.0

package cmem

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
)

func TestPiecesOfAnArenaStayWhileItGrows(t *testing.T) {
	a := Arena{Retain: 16 << 10}
	defer a.Free()
	var pieces []unsafe.Pointer
	for i := range 1000 {
		pieces = append(pieces, a.String([]byte(strings.Repeat("x", i))))
	}
	for i, p := range pieces {
		assert.Len(t, GoString(p), i)
		assert.Zero(t, uintptr(p)%8)
	}
	assert.Greater(t, a.Size(), 400_000)
	a.Reset()
	assert.LessOrEqual(t, a.Size(), 16<<10, "a large round is not kept")
	a.Free()
	assert.Zero(t, a.Size())
}

func TestAnArenaThatFitsIsKeptAsItIs(t *testing.T) {
	a := Arena{Retain: 16 << 10}
	defer a.Free()
	first := a.Alloc(100)
	a.Reset()
	assert.Equal(t, first, a.Alloc(50))
	second := a.Alloc(1)
	assert.Equal(t, unsafe.Add(first, 56), second)
}

func TestAnArenaAimsForOneChunk(t *testing.T) {
	a := Arena{Retain: 1 << 20}
	defer a.Free()
	for range 3 {
		for range 100 {
			a.Alloc(1000)
		}
		a.Reset()
	}
	a.Alloc(100_000)
	assert.Empty(t, a.full)
}

func TestATextIsReplacedInPlaceAndShrinks(t *testing.T) {
	var text Text
	defer text.Free()
	p := text.Set("a longer text")
	assert.Equal(t, "a longer text", GoString(p))
	assert.Equal(t, "short", GoString(text.Set("short")))
	assert.Equal(t, p, text.p)
	text.Set(strings.Repeat("x", 2*keepText))
	assert.Equal(t, "short again", GoString(text.Set("short again")))
	assert.LessOrEqual(t, text.cap, keepText)
	assert.Empty(t, GoString(nil))
	assert.Nil(t, Bytes(nil))
}
