// SPDX-License-Identifier: Apache-2.0

package host

import (
	"container/heap"
	"encoding/binary"
	"sync"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// mostAsync is how many async events wait in an inspector at most.
const mostAsync = 4096

// asyncQueue is the async events of an inspector that wait for their turn:
// those without a time first, then by time, equal ones in the order they came.
// Safe for concurrent use.
type asyncQueue struct {
	mu   sync.Mutex
	heap asyncHeap
	came uint64
}

type asyncEvent struct {
	raw  []byte
	ts   uint64
	came uint64
}

// push takes an event over; false if the queue is full.
func (q *asyncQueue) push(raw []byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.heap) >= mostAsync {
		return false
	}
	q.came++
	heap.Push(&q.heap, asyncEvent{raw: raw, ts: binary.NativeEndian.Uint64(raw[abi.EventTS:]), came: q.came})
	return true
}

// pop is the first event if it is without a time or not later than until.
func (q *asyncQueue) pop(until func() uint64) ([]byte, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.heap) == 0 || q.heap[0].ts != abi.NoTimestamp && q.heap[0].ts > until() {
		return nil, false
	}
	return heap.Pop(&q.heap).(asyncEvent).raw, true
}

type asyncHeap []asyncEvent

func (h asyncHeap) Len() int      { return len(h) }
func (h asyncHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *asyncHeap) Push(x any)   { *h = append(*h, x.(asyncEvent)) }

func (h asyncHeap) Less(i, j int) bool {
	a, b := h[i], h[j]
	if a.ts == b.ts {
		return a.came < b.came
	}
	// Overflow makes "no time" the least of all.
	return a.ts+1 < b.ts+1
}

func (h *asyncHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = asyncEvent{}
	*h = (*h)[:last]
	return e
}
