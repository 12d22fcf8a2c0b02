// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

// realistic is the cgroups of a thread as a node has them: five hierarchies.
func realistic(pod string) (all []string) {
	for _, h := range []string{"cpuset", "cpu", "cpuacct", "blkio"} {
		all = append(all, h+"=/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod"+strings.ReplaceAll(pod, "-", "_")+".slice/cri-containerd-"+long+".scope")
	}
	return append(all, "memory=/system.slice/node-supervisor.service")
}

var realHost = []string{"cpuset=/", "cpu=/system.slice/x.service", "cpuacct=/system.slice/x.service", "blkio=/system.slice/x.service", "memory=/system.slice/x.service"}

// BenchmarkParse says what the end of a call costs that makes a thread or runs a
// program. The goal is 3 µs with libsinsp's tables.
func BenchmarkParse(b *testing.B) {
	r := start(b)
	r.sayRealMetadata()
	pod := realistic(payments)
	r.PutThread(1, pod...)
	r.PutThread(2, realHost...)
	r.PutThread(3, realHost...)
	for name, raw := range map[string][]byte{
		"exec in a pod":                           process(event.TypeExecveX, 1, 0, pod...),
		"clone in a pod, in the new thread":       process(event.TypeCloneX, 1, 0, pod...),
		"clone in a pod, new thread not known":    process(event.TypeCloneX, 1, 77, pod...),
		"clone in a pod, new thread in the pod":   process(event.TypeCloneX, 1, 1, pod...),
		"exec on the host":                        process(event.TypeExecveX, 2, 0, realHost...),
		"clone on the host, new thread is known":  process(event.TypeCloneX, 2, 3, realHost...),
		"clone3 on the host, new thread is known": process(event.TypeClone3X, 2, 3, realHost...),
		"clone that failed":                       process(event.TypeCloneX, 2, -11, realHost...),
	} {
		b.Run(name, func(b *testing.B) {
			parse := r.Parsing(raw)
			b.ReportAllocs()
			for b.Loop() {
				if err := parse(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkExtract says what a field costs. The goal is 1 µs with libsinsp's
// tables.
func BenchmarkExtract(b *testing.B) {
	r := start(b)
	r.sayRealMetadata()
	r.PutThread(1, realistic(payments)...)
	r.PutThread(2, realHost...)
	require.NoError(b, r.OpenCapture())
	r.PutThread(3, realistic(payments)...)
	key := "app"
	for _, c := range []struct {
		name, field string
		tid         int64
	}{
		{"name", "k8smeta.pod.name", 1},
		{"label", "k8smeta.pod.label", 1},
		{"labels", "k8smeta.pod.labels", 1},
		{"name of the deployment", "k8smeta.deployment.name", 1},
		{"names of services", "k8smeta.svc.name", 1},
		{"name of a thread seen too late", "k8smeta.pod.name", 3},
		{"name on the host", "k8smeta.pod.name", 2},
	} {
		b.Run(c.name, func(b *testing.B) {
			id := slices.IndexFunc(fields, func(f extract.Field[*Plugin]) bool { return f.Name == c.field })
			arg := &key
			if fields[id].Arg == extract.NoArg {
				arg = nil
			}
			ask := r.Extracting(other(c.tid), id, arg)
			b.ReportAllocs()
			for b.Loop() {
				if err := ask(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMessage(b *testing.B) {
	r := start(b)
	text := realMetadata(b)[8]
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, r.hear(text))
	}
}

func TestInSteadyStateNothingIsAllocated(t *testing.T) {
	r := start(t)
	r.sayRealMetadata()
	r.PutThread(1, realistic(payments)...)
	r.PutThread(2, realHost...)
	require.NoError(t, r.OpenCapture())
	r.PutThread(3, realistic(payments)...)
	key := "app"
	for id, f := range fields {
		arg := &key
		if f.Arg == extract.NoArg {
			arg = nil
		}
		for tid := range int64(4) {
			ask := r.Extracting(other(1+tid), id, arg)
			require.NoError(t, ask())
			assert.Zero(t, testing.AllocsPerRun(50, func() { _ = ask() }), "%s of thread %d", f.Name, 1+tid)
		}
	}
	for name, raw := range map[string][]byte{
		"exec in a pod":     process(event.TypeExecveX, 1, 0, realistic(payments)...),
		"clone in a pod":    process(event.TypeCloneX, 1, 3, realistic(payments)...),
		"clone on the host": process(event.TypeClone3X, 2, 2, realHost...),
	} {
		parse := r.Parsing(raw)
		require.NoError(t, parse())
		assert.Zero(t, testing.AllocsPerRun(50, func() { _ = parse() }), name)
	}
}

// heap is the memory in use, in bytes.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// aPod is a pod as clusters have them, of some 3 KB.
func aPod(n int) object {
	labels := fieldsOf{}
	for i := range 20 {
		labels[fmt.Sprintf("team-%d.example.com/purpose-of-the-workload", i)] = fmt.Sprintf("value-%d-%d-of-some-length", i, n)
	}
	return object{
		UID: fmt.Sprintf("%08x-2277-460b-a4bf-5a0783f6d49f", n), Kind: "Pod",
		Meta: fieldsOf{
			"name": fmt.Sprintf("deployment-with-a-name-%d-7d9c5b6f4-x2x7k", n), "generateName": fmt.Sprintf("deployment-with-a-name-%d-7d9c5b6f4-", n),
			"namespace": "a-namespace", "uid": fmt.Sprintf("%08x-2277-460b-a4bf-5a0783f6d49f", n), "labels": labels,
		},
		Status: fieldsOf{"podIP": "10.244.1.11"},
		Refs:   map[string][]string{"Namespace": {uid1}, "Deployment": {uid1}, "ReplicaSet": {uid1}, "Service": {uid1, payments, redis}},
	}
}

func TestTenThousandPodsTakeLessThan100MB(t *testing.T) {
	r := start(t)
	text, uid := aPod(0).text(t), aPod(0).UID
	before := heap()
	for n := range 10_000 {
		require.NoError(t, r.hear(strings.ReplaceAll(text, uid, fmt.Sprintf("%08x%s", n, uid[8:]))))
	}
	used := heap() - before
	t.Logf("10,000 pods with 20 labels each take %.1f MB; the estimate is %.1f MB", float64(used)/1e6, float64(r.p.tables.stored)/1e6)
	assert.Less(t, used, int64(100e6))
	assert.InEpsilon(t, used, int64(r.p.tables.stored), 0.5, "the estimate that bounds the tables")
	runtime.KeepAlive(r)
}

func TestEventsOfPodsThatComeAndGoLeaveNothing(t *testing.T) {
	r := start(t)
	const alive = 100
	text, uid := aPod(0).text(t), aPod(0).UID
	turn := func(n int) {
		now := fmt.Sprintf("%08x%s", n, uid[8:])
		require.NoError(t, r.hear(strings.ReplaceAll(text, uid, now)))
		if n >= alive {
			gone := fmt.Sprintf("%08x%s", n-alive, uid[8:])
			require.NoError(t, r.hear(`{"reason":"Delete","uid":"`+gone+`","kind":"Pod"}`))
		}
	}
	for n := range 1000 {
		turn(n)
	}
	before := heap()
	for n := range 5000 {
		turn(1000 + n)
	}
	assert.Less(t, heap()-before, int64(1e6))
	assert.EqualValues(t, alive, r.Metrics().Gauge("pods").Value())
	runtime.KeepAlive(r)
}

func TestAnyNumberOfPodsMayComeAndGo(t *testing.T) {
	r := start(t)
	const alive = 100
	uid := func(n int) string { return strconv.Itoa(10_000_000+n) + uid1[8:] }
	turn := func(n int) {
		now := uid(n)
		if err := r.p.tables.put(pod, now, &resource{name: "p", hash: now[:8], size: 1000}); err != nil {
			t.Fatal(err)
		}
		r.p.tables.delete(pod, uid(n-alive))
		r.p.derived.put(int64(n), []byte(now), uint64(n))
		r.p.unknown.note([]byte(now), uint64(n))
	}
	for n := range 20_000 {
		turn(alive + n)
	}
	before := heap()
	for n := range manyPods {
		turn(20_000 + alive + n)
	}
	assert.Less(t, heap()-before, int64(4e6))
	assert.EqualValues(t, alive, r.Metrics().Gauge("pods").Value())
	assert.EqualValues(t, alive*1000, r.Metrics().Gauge("stored_bytes").Value())
	assert.EqualValues(t, mostUnknown, r.Metrics().Gauge("unknown_pods").Value())
	runtime.KeepAlive(r)
}
