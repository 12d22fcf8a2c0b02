// SPDX-License-Identifier: Apache-2.0

package handle

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestADroppedHandleFindsNothingEvenWhenItsPlaceIsTaken(t *testing.T) {
	var table Table[int]
	one, two := 1, 2
	assert.Nil(t, table.Get(0))
	a := table.Put(&one)
	assert.Same(t, &one, table.Get(a))
	assert.Same(t, &one, table.Drop(a))
	assert.Nil(t, table.Get(a))
	assert.Nil(t, table.Drop(a))
	b := table.Put(&two)
	assert.NotEqual(t, a, b)
	assert.Nil(t, table.Get(a))
	assert.Same(t, &two, table.Get(b))
	for _, h := range []uintptr{0, 1, 2, ^uintptr(0), b + 1, b + 1<<32} {
		assert.Nil(t, table.Get(h), "%x", h)
	}
}

func TestAHandleIsNeverAnAddress(t *testing.T) {
	var table Table[int]
	v := 1
	for range 1000 {
		h := table.Put(&v)
		assert.Greater(t, h, uintptr(1)<<57, "beyond five-level page tables")
		assert.Less(t, h, uintptr(1)<<63)
		table.Drop(h)
	}
}

func TestMoreThan255HandlesFromManyThreads(t *testing.T) {
	var table Table[int]
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				v := i
				h := table.Put(&v)
				assert.Same(t, &v, table.Get(h))
				if i%2 == 0 {
					assert.Same(t, &v, table.Drop(h))
				}
			}
		})
	}
	wg.Wait()
}
