// SPDX-License-Identifier: Apache-2.0

package sinsp_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/sinsp/act"
	"github.com/aerie-falco/aerie/test/sinsp/scenario"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// BenchmarkRecordedSystemCalls measures, on libsinsp's own tables, what a plugin
// does for the events of its first capture that is replayed, and what memory the
// process has behind each. A row is made again and again for an event in ns/op, and
// once in first-ns; in crossings, it is compared with a call of the plugin that
// asks for nothing, made beside it.
func BenchmarkRecordedSystemCalls(b *testing.B) {
	for _, p := range plugins(b) {
		measured := false
		for _, r := range p.Captures {
			if len(r.Live) > 0 || !p.HasCapture(r) {
				continue
			}
			if !measured {
				for _, row := range timings(b, p, r) {
					b.Run(p.Plugin+"/"+row.Name, func(b *testing.B) {
						for b.Loop() { // it is measured already
						}
						b.ReportMetric(row.Again, "ns/op")
						b.ReportMetric(row.First, "first-ns")
						b.ReportMetric(float64(row.Events), "events")
						b.ReportMetric(row.Again/row.crossing, "crossings")
					})
				}
				measured = true
			}
			began, then := memory(b, p, r)
			b.Run(p.Plugin+"/memory "+r.Name, func(b *testing.B) {
				for b.Loop() {
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(mebibytes(began), "MiB-before")
				b.ReportMetric(mebibytes(then), "MiB-behind")
			})
		}
	}
}

func mebibytes(n uint64) float64 { return float64(n) / (1 << 20) }

type timing struct {
	stage.Timing
	crossing float64
}

// timings are of the events of the scenario's first group.
func timings(b *testing.B, p plugin, r scenario.Recorded) (rows []timing) {
	b.Helper()
	on := replaying(b, p, r)
	bench := stage.Command{Do: "bench", Inspector: "a", Plugin: p.Plugin, Fields: r.Fields(), Condition: r.Groups[0].Where, Idle: 1}
	done := do(b, on, bench).Done
	require.Equal(b, "eof", done.Result)
	var crossing float64
	for _, t := range done.Bench {
		if t.Name == "crossing" {
			crossing = t.Again
		}
	}
	require.Positive(b, crossing)
	for _, t := range done.Bench {
		assert.Positive(b, t.Events)
		rows = append(rows, timing{t, crossing})
	}
	return rows
}

// memory is what the process has before a replay, and behind it.
func memory(b *testing.B, p plugin, r scenario.Recorded) (began, then uint64) {
	b.Helper()
	r.Groups = nil // nothing is extracted
	on := replaying(b, p, r)
	began = do(b, on, stage.Command{Do: "memory", Inspector: "a"}).Done.Resident
	do(b, on, stage.Command{Do: "next", Inspector: "a", Events: 1 << 40, Idle: 1})
	return began, do(b, on, stage.Command{Do: "memory", Inspector: "a"}).Done.Resident
}

// replaying is a process with an inspector, "a", that is about to replay the scenario.
func replaying(b *testing.B, p plugin, r scenario.Recorded) *stage.Process {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), act.Patience)
	defer cancel()
	file := capture(b, p, r)
	s := theSetting(b)
	// as it is in the field: the C library does not overwrite what is freed
	on, err := stage.Start(append(s.Run, s.Driver))
	require.NoError(b, err)
	b.Cleanup(func() { assert.NoError(b, on.Close()) })
	require.NoError(b, p.PrepareRecorded(ctx, on, "a", r, r.Config))
	do(b, on, stage.Command{Do: "replay", Inspector: "a", File: file})
	return on
}
