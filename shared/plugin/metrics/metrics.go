// SPDX-License-Identifier: Apache-2.0

// Package metrics counts what a plugin does and shows it through get_metrics.
//
// Falco prints the values as plugins.PLUGIN.METRIC in its metrics output, and
// as falcosecurity_plugins_PLUGIN_METRIC_total on its Prometheus endpoint. One
// Registry belongs to one plugin state, so a plugin loaded for several event
// sources has several.
//
// # Names
//
// A name is 1 to 128 characters of a-z, 0-9 and _. It is written once, in the
// source of the plugin: a name made from event data would grow without bound.
//
// Before Falco shows a name on its Prometheus endpoint it deletes each of the
// pieces _bytes _kb _mb _ns _perc _percentage _ratio _sec _total _ts wherever
// they stand. At the end of a word this costs the unit (queue_bytes is shown as
// queue) and nothing else, so it is allowed. Two things are bugs for certain
// and are refused: a name that is cut inside a word (open_sections becomes
// opentions), and a name that is shown like another one of the same registry
// (queue and queue_bytes), for then one series has two values.
//
// Asking for a refused name panics, and so does asking for a counter by the
// name of a gauge or the reverse: these are mistakes in the program text that
// the first run shows. No value ever makes a call panic.
package metrics

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// Counter is a number that only grows, from 0. It is safe for concurrent use
// and costs one atomic addition.
type Counter struct{ value atomic.Uint64 }

// Add adds n. Beyond 2^64-1 the value starts again at 0.
func (c *Counter) Add(n uint64) { c.value.Add(n) }

// Inc adds 1.
func (c *Counter) Inc() { c.value.Add(1) }

// Value returns the sum of what was added.
func (c *Counter) Value() uint64 { return c.value.Load() }

// Gauge is a number that goes up and down, from 0. It is safe for concurrent
// use.
type Gauge struct{ value atomic.Int64 }

// Set replaces the value.
func (g *Gauge) Set(v int64) { g.value.Store(v) }

// Add adds n, which may be negative.
func (g *Gauge) Add(n int64) { g.value.Add(n) }

// Value returns the value.
func (g *Gauge) Value() int64 { return g.value.Load() }

// Registry holds the metrics of one plugin state. It is safe for concurrent
// use, and metrics may be added at any time. The zero value is not usable;
// call New.
type Registry struct {
	mu      sync.Mutex
	entries []entry        // in order of registration
	byName  map[string]int // index into entries
	shown   map[string]int // the name on the Prometheus endpoint, index into entries
	memory  exported
}

// entry is one metric: exactly one of counter and gauge is set.
type entry struct {
	name    string
	counter *Counter
	gauge   *Gauge
}

// New returns an empty registry.
func New() *Registry {
	return &Registry{byName: make(map[string]int), shown: make(map[string]int)}
}

// Counter returns the counter of that name, made at the first call. It panics
// for a name that is refused (see the package's documentation) or that a gauge
// has.
func (r *Registry) Counter(name string) *Counter {
	e := r.entry(name, false)
	if e.counter == nil {
		panic(fmt.Sprintf("metrics: counter %q: registered as a gauge already", name))
	}
	return e.counter
}

// Gauge returns the gauge of that name, made at the first call. It panics for
// a name that is refused (see the package's documentation) or that a counter
// has.
func (r *Registry) Gauge(name string) *Gauge {
	e := r.entry(name, true)
	if e.gauge == nil {
		panic(fmt.Sprintf("metrics: gauge %q: registered as a counter already", name))
	}
	return e.gauge
}

// entry finds the metric, or adds it as the kind asked for.
func (r *Registry) entry(name string, gauge bool) entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i, ok := r.byName[name]; ok {
		return r.entries[i]
	}
	if err := checkName(name); err != nil {
		panic(fmt.Sprintf("metrics: name %q: %v", name, err))
	}
	shown := prometheusName(name)
	if i, ok := r.shown[shown]; ok {
		panic(fmt.Sprintf("metrics: name %q: the Prometheus endpoint of Falco shows it as %q, like %q; choose another",
			name, shown, r.entries[i].name))
	}
	e := entry{name: name}
	if gauge {
		e.gauge = new(Gauge)
	} else {
		e.counter = new(Counter)
	}
	r.byName[name] = len(r.entries)
	r.shown[shown] = len(r.entries)
	r.entries = append(r.entries, e)
	return e
}
