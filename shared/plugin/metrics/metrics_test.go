// SPDX-License-Identifier: Apache-2.0

package metrics_test

import (
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/metrics"
)

func TestCounter(t *testing.T) {
	r := metrics.New()
	c := r.Counter("dropped")
	c.Inc()
	c.Add(41)
	assert.Equal(t, uint64(42), c.Value())
	assert.Same(t, c, r.Counter("dropped"), "a name has one counter")
	c.Add(math.MaxUint64)
	assert.Equal(t, uint64(41), c.Value(), "a counter starts again beyond 2^64-1")
}

func TestGauge(t *testing.T) {
	r := metrics.New()
	g := r.Gauge("queue_bytes")
	g.Set(10)
	g.Add(-15)
	assert.Equal(t, int64(-5), g.Value())
	assert.Same(t, g, r.Gauge("queue_bytes"), "a name has one gauge")
}

func TestRegistriesAreIndependent(t *testing.T) {
	a, b := metrics.New(), metrics.New()
	a.Counter("x").Inc()
	assert.Zero(t, b.Counter("x").Value())
	b.Gauge("y")
	a.Counter("y")
}

func TestNamesThatAreRefused(t *testing.T) {
	tests := []struct {
		name string
		give string
		want string
	}{
		{"nothing", "", `metrics: name "": it has 0 characters; use 1 to 128`},
		{"too much", strings.Repeat("x", 129), `metrics: name "` + strings.Repeat("x", 129) + `": it has 129 characters; use 1 to 128`},
		{"a capital letter", "eventsDropped", `metrics: name "eventsDropped": it contains 'D'; use a-z, 0-9 and _`},
		{"a dot", "events.dropped", `metrics: name "events.dropped": it contains '.'; use a-z, 0-9 and _`},
		{"a word cut in its middle", "open_sections",
			`metrics: name "open_sections": the Prometheus endpoint of Falco deletes "_sec" from the middle of a word and shows "opentions"; choose other words`},
		{"two words cut", "n_secrets_ts",
			`metrics: name "n_secrets_ts": the Prometheus endpoint of Falco deletes "_sec" from the middle of a word and shows "nrets"; choose other words`},
		{"the longer piece that matches is deleted", "used_percentages",
			`metrics: name "used_percentages": the Prometheus endpoint of Falco deletes "_percentage" from the middle of a word and shows "useds"; choose other words`},
		{"nothing left", "_total", `metrics: name "_total": the Prometheus endpoint of Falco deletes all of it; add a word`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.PanicsWithValue(t, tt.want, func() { metrics.New().Counter(tt.give) })
			assert.PanicsWithValue(t, tt.want, func() { metrics.New().Gauge(tt.give) })
		})
	}
}

func TestNamesThatAreAllowed(t *testing.T) {
	for _, name := range []string{
		"a", "events_dropped", "received_bytes", "bytes_received", "read_total", "queue_bytes_max", "x_ns", "secrets", "total_seen",
		strings.Repeat("x", 128),
	} {
		assert.NotPanics(t, func() { metrics.New().Counter(name) }, name)
	}
}

func TestNamesThatClash(t *testing.T) {
	r := metrics.New()
	r.Counter("received")
	r.Gauge("queue_bytes")
	assert.PanicsWithValue(t, `metrics: name "received_bytes": the Prometheus endpoint of Falco shows it as "received", like "received"; choose another`,
		func() { r.Counter("received_bytes") })
	assert.PanicsWithValue(t, `metrics: name "queue__total": the Prometheus endpoint of Falco shows it as "queue", like "queue_bytes"; choose another`,
		func() { r.Gauge("queue__total") })
	assert.PanicsWithValue(t, `metrics: gauge "received": registered as a counter already`, func() { r.Gauge("received") })
	assert.PanicsWithValue(t, `metrics: counter "queue_bytes": registered as a gauge already`, func() { r.Counter("queue_bytes") })

	// A refused name leaves nothing behind, and the registry goes on.
	_, n := r.Export()
	assert.Equal(t, 2, n)
	r.Free()
}

func TestConcurrentUse(t *testing.T) {
	r := metrics.New()
	t.Cleanup(r.Free)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 500 {
				r.Counter("events").Inc()
				r.Gauge("level").Add(1)
				if i%100 == 0 {
					r.Export()
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, uint64(2000), r.Counter("events").Value())
	require.Equal(t, int64(2000), r.Gauge("level").Value())
}

func BenchmarkCounterInc(b *testing.B) {
	c := metrics.New().Counter("x")
	b.ReportAllocs()
	for b.Loop() {
		c.Inc()
	}
}
