// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"sync/atomic"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
)

// exported is what the framework has been given: C memory, kept until Free.
type exported struct {
	names    []unsafe.Pointer // one C string a metric
	arrays   []unsafe.Pointer // the last one is in use; a reader may still be in an earlier one
	capacity int              // metrics that the last array has room for
	filled   int              // metrics in the last array
}

// Export returns the metrics as an array of n abi.Metric in order of
// registration, for get_metrics; nil and 0 when there are none. Counters are
// monotonic U64, gauges non-monotonic S64.
//
// The array belongs to the registry and stays valid until Free. It may be read
// while another thread calls Export: later calls renew the values in place,
// each by one atomic store, and never move or change anything else in it.
func (r *Registry) Export() (array unsafe.Pointer, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n = len(r.entries)
	if n == 0 {
		return nil, 0
	}
	m := &r.memory
	if n > m.capacity {
		// Room to spare, so that all arrays together take at most twice the
		// last one however often metrics are added.
		m.capacity = max(16, 2*n)
		m.filled = 0
		m.arrays = append(m.arrays, cmem.Alloc(m.capacity*int(unsafe.Sizeof(abi.Metric{}))))
	}
	array = m.arrays[len(m.arrays)-1]
	metrics := unsafe.Slice((*abi.Metric)(array), m.capacity)
	for i := range r.entries {
		e, metric := &r.entries[i], &metrics[i]
		// Slots behind m.filled have been shown to nobody yet.
		if i >= m.filled {
			if i == len(m.names) {
				m.names = append(m.names, cmem.CString(e.name))
			}
			metric.Name = m.names[i]
			metric.Type, metric.ValueType = abi.MetricMonotonic, abi.MetricU64
			if e.gauge != nil {
				metric.Type, metric.ValueType = abi.MetricNonMonotonic, abi.MetricS64
			}
		}
		if e.gauge != nil {
			atomic.StoreUint64(&metric.Value, uint64(e.gauge.Value()))
		} else {
			atomic.StoreUint64(&metric.Value, e.counter.Value())
		}
	}
	m.filled = n
	return array, n
}

// Free gives back everything that Export returned; it is called once, when the
// state is destroyed and the framework reads no more. Counters and gauges stay
// usable.
func (r *Registry) Free() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.memory.arrays {
		cmem.Free(p)
	}
	for _, p := range r.memory.names {
		cmem.Free(p)
	}
	r.memory = exported{}
}
