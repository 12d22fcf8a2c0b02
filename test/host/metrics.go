// SPDX-License-Identifier: Apache-2.0

package host

/*
#include <stdlib.h>
#include "calls.h"
*/
import "C"

import (
	"math"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Metric is one of a plugin's metrics.
type Metric struct {
	Name string
	// Monotonic is true for counters and false for gauges.
	Monotonic bool
	// Value is a uint32, int32, uint64, int64, float64, float32, or int32 for
	// the C type int.
	Value any
}

// mostMetrics is more than any plugin can sensibly have.
const mostMetrics = 1 << 16

// Metrics asks for the plugin's metrics; none where it cannot say. Falco may
// ask on its web server's thread while the event thread is in another call.
func (p *Plugin) Metrics() ([]Metric, error) {
	if !p.lib.Has(SymGetMetrics) {
		return nil, nil
	}
	var in inputs
	defer in.release()
	n := alloc[uint32](&in)
	p.lib.enter(SymGetMetrics, 0)
	list := C.aerie_call_get_metrics(p.lib.api, p.state, (*C.uint32_t)(n))
	switch {
	case *n == 0:
		return nil, nil
	case list == nil:
		return nil, violate(SymGetMetrics, "NULL with a count of %d; return the metrics, or a count of 0", *n)
	case *n > mostMetrics:
		return nil, violate(SymGetMetrics, "a count of %d", *n)
	}
	metrics := make([]Metric, *n)
	for k, m := range unsafe.Slice((*abi.Metric)(unsafe.Pointer(list)), *n) {
		if m.Name == nil {
			return nil, violate(SymGetMetrics, "metric %d has no name", k)
		}
		metrics[k].Name = C.GoString((*C.char)(m.Name))
		metrics[k].Monotonic = m.Type == abi.MetricMonotonic
		if m.Type != abi.MetricMonotonic && m.Type != abi.MetricNonMonotonic {
			return nil, violate(SymGetMetrics, "metric %q has type %d; use 0, monotonic, or 1, not monotonic", metrics[k].Name, m.Type)
		}
		if metrics[k].Value = metricValue(m); metrics[k].Value == nil {
			return nil, violate(SymGetMetrics, "metric %q has value type %d; use 0 to 6", metrics[k].Name, m.ValueType)
		}
	}
	return metrics, nil
}

// metricValue reads the union in a metric, nil for an unknown type.
func metricValue(m abi.Metric) any {
	low := *(*uint32)(unsafe.Pointer(&m.Value)) // members of a union start together
	switch m.ValueType {
	case abi.MetricU32:
		return low
	case abi.MetricS32, abi.MetricInt:
		return int32(low)
	case abi.MetricU64:
		return m.Value
	case abi.MetricS64:
		return int64(m.Value)
	case abi.MetricDouble:
		return math.Float64frombits(m.Value)
	case abi.MetricFloat:
		return math.Float32frombits(low)
	}
	return nil
}
