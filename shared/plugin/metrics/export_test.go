// SPDX-License-Identifier: Apache-2.0

package metrics_test

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
)

// seen is a metric as the framework reads it.
type seen struct {
	name      string
	kind      uint32
	value     uint64
	valueType uint32
}

func read(array unsafe.Pointer, n int) []seen {
	var out []seen
	for _, m := range unsafe.Slice((*abi.Metric)(array), n) {
		out = append(out, seen{cmem.GoString(m.Name), m.Type, m.Value, m.ValueType})
	}
	return out
}

func TestExportShowsMetricsInTheOrderOfRegistration(t *testing.T) {
	r := metrics.New()
	t.Cleanup(r.Free)
	r.Gauge("zone").Set(-2)
	r.Counter("events").Add(math.MaxUint64)
	r.Counter("again")
	r.Gauge("zone")
	assert.Equal(t, []seen{
		{"zone", abi.MetricNonMonotonic, 1<<64 - 2, abi.MetricS64},
		{"events", abi.MetricMonotonic, math.MaxUint64, abi.MetricU64},
		{"again", abi.MetricMonotonic, 0, abi.MetricU64},
	}, read(r.Export()))
}

func TestExportOfNoMetrics(t *testing.T) {
	r := metrics.New()
	array, n := r.Export()
	assert.Nil(t, array)
	assert.Zero(t, n)
	r.Free()
}

func TestExportRenewsValuesInPlace(t *testing.T) {
	r := metrics.New()
	t.Cleanup(r.Free)
	c := r.Counter("events")
	first, n := r.Export()
	c.Add(7)
	second, _ := r.Export()
	assert.Equal(t, first, second, "the same set of metrics is the same array")
	assert.Equal(t, []seen{{"events", abi.MetricMonotonic, 7, abi.MetricU64}}, read(first, n))
}

func TestEarlierArraysStayReadable(t *testing.T) {
	r := metrics.New()
	t.Cleanup(r.Free)
	type export struct {
		array unsafe.Pointer
		n     int
	}
	var exports []export
	arrays := map[unsafe.Pointer]bool{}
	for i := range 200 {
		r.Counter(fmt.Sprintf("c%d", i)).Add(uint64(i))
		array, n := r.Export()
		require.Equal(t, i+1, n)
		exports = append(exports, export{array, n})
		arrays[array] = true
	}
	for _, e := range exports {
		for i, m := range read(e.array, e.n) {
			require.Equal(t, seen{fmt.Sprintf("c%d", i), abi.MetricMonotonic, uint64(i), abi.MetricU64}, m)
		}
	}
	assert.Less(t, len(arrays), 8, "arrays must grow by doubling, as none is freed before the end")
}

// Two threads may ask at once while metrics are added: each sees whole entries
// and values that never fall.
func TestExportFromTwoThreads(t *testing.T) {
	r := metrics.New()
	t.Cleanup(r.Free)
	const added = 300
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range added {
			r.Counter(fmt.Sprintf("c%d", i)).Inc()
			r.Counter("c0").Inc()
		}
	})
	for range 2 {
		wg.Go(func() {
			last := uint64(0)
			for range added {
				array, n := r.Export()
				exported := unsafe.Slice((*abi.Metric)(array), n)
				for i := range exported {
					if want, got := fmt.Sprintf("c%d", i), cmem.GoString(exported[i].Name); got != want {
						t.Errorf("metric %d has the name %q, want %q", i, got, want)
					}
				}
				if n > 0 {
					value := atomic.LoadUint64(&exported[0].Value)
					assert.GreaterOrEqual(t, value, last)
					last = value
				}
			}
		})
	}
	wg.Wait()
	assert.Equal(t, uint64(added+1), read(r.Export())[0].value)
}

func TestRegistryIsUsableAfterFree(t *testing.T) {
	r := metrics.New()
	c := r.Counter("events")
	r.Export()
	r.Free()
	r.Free()
	c.Inc()
	r.Gauge("level").Set(3)
	assert.Equal(t, []seen{
		{"events", abi.MetricMonotonic, 1, abi.MetricU64},
		{"level", abi.MetricNonMonotonic, 3, abi.MetricS64},
	}, read(r.Export()))
	r.Free()
}

func BenchmarkExport(b *testing.B) {
	r := metrics.New()
	b.Cleanup(r.Free)
	for i := range 20 {
		r.Counter(fmt.Sprintf("c%d", i))
	}
	b.ReportAllocs()
	for b.Loop() {
		r.Export()
	}
}
