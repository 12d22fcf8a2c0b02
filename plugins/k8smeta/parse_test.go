// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/plugintest"
)

// pod is the pod of a thread as other plugins see it.
func (r *rig) pod(tid int64) string { return r.ThreadText(tid, podUIDField) }

func TestThreadsEnterPodsAtTheEndOfEveryCallThatTellsCgroups(t *testing.T) {
	for name, typ := range map[string]uint16{
		"execve": event.TypeExecveX, "execveat": event.TypeExecveatX, "clone": event.TypeCloneX, "fork": event.TypeForkX, "vfork": event.TypeVforkX, "clone3": event.TypeClone3X,
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t)
			r.PutThread(7, inPod(uid1)...)
			require.NoError(t, r.Parse(process(typ, 7, 0, inPod(uid1)...)))
			assert.Equal(t, uid1, r.pod(7))
		})
	}
}

func TestTheEventsOwnCgroupsCountAndElseThoseOfTheThread(t *testing.T) {
	r := start(t)
	r.PutThread(1, inPod(payments)...)
	require.NoError(t, r.Parse(process(event.TypeExecveX, 1, 0, inPod(uid1)...)))
	assert.Equal(t, uid1, r.pod(1))
	require.NoError(t, r.Parse(process(event.TypeExecveX, 1, 0)))
	assert.Equal(t, payments, r.pod(1), "the event has an empty list")
	r.MoveThread(1, inPod(redis)...)
	short := plugintest.Syscall(event.TypeExecveX, 1, 1, make([]byte, 8), nil)
	require.NoError(t, r.Parse(short))
	assert.Equal(t, redis, r.pod(1), "an event of an old capture has no such parameter")
	r.MoveThread(1, "cpu=/", "memory=/kubepods/pod"+uid1, "pids=/kubepods/pod"+redis)
	require.NoError(t, r.Parse(short))
	assert.Equal(t, uid1, r.pod(1), "the first path with a pod")
}

func TestAThreadThatLeavesItsPod(t *testing.T) {
	r := start(t)
	r.sayRealMetadata()
	r.PutThread(1)
	r.exec(1, inPod(payments)...)
	require.Equal(t, []string{"payments-7d9c5b6f4-x2x7k"}, r.values(1, "k8smeta.pod.name"))
	r.exec(1)
	assert.Equal(t, payments, r.pod(1), "nothing is known of its cgroups now")
	r.exec(1, "cpu=/kubepods/podnot-a-uid")
	assert.Empty(t, r.pod(1))
	assert.Empty(t, r.values(1, "k8smeta.pod.name"))
	r.exec(1, inPod(redis)...)
	assert.Equal(t, []string{"redis-0"}, r.values(1, "k8smeta.pod.name"))
	r.exec(1, onHost...)
	assert.Empty(t, r.all(1))
}

func TestAFailedCallChangesNothing(t *testing.T) {
	r := start(t)
	r.PutThread(1)
	r.exec(1, inPod(uid1)...)
	for _, typ := range []uint16{event.TypeExecveX, event.TypeCloneX} {
		require.NoError(t, r.Parse(process(typ, 1, -2, onHost...)))
		assert.Equal(t, uid1, r.pod(1))
	}
}

func TestANewThreadWhoseOwnEventIsLost(t *testing.T) {
	for name, typ := range map[string]uint16{"clone": event.TypeCloneX, "fork": event.TypeForkX, "vfork": event.TypeVforkX, "clone3": event.TypeClone3X} {
		t.Run(name, func(t *testing.T) {
			r := start(t)
			r.PutThread(1, inPod(uid1)...)
			r.PutThread(2, inPod(uid1)...)
			require.NoError(t, r.Parse(process(typ, 1, 2, inPod(uid1)...)))
			assert.Equal(t, uid1, r.pod(1))
			assert.Equal(t, uid1, r.pod(2))
		})
	}
	r := start(t)
	r.PutThread(1, onHost...)
	r.PutThread(2, inPod(uid1)...)
	require.NoError(t, r.Parse(process(event.TypeClone3X, 1, 2, onHost...)))
	assert.Equal(t, uid1, r.pod(2), "clone3 may put it into another cgroup than its parent's")
	require.NoError(t, r.Parse(process(event.TypeClone3X, 1, 3, onHost...)), "a thread that nobody knows")

	r.SetThreadText(2, podUIDField, redis)
	require.NoError(t, r.Parse(process(event.TypeClone3X, 1, 2, onHost...)))
	assert.Equal(t, redis, r.pod(2), "a thread that has a pod was seen to enter it")
	require.NoError(t, r.Parse(process(event.TypeExecveX, 1, 2, onHost...)))
	assert.Empty(t, r.pod(1), "the result of execve is no thread")
}

func TestThreadsWithoutEventsOfTheirOwn(t *testing.T) {
	r := start(t)
	r.sayRealMetadata()
	require.NoError(t, r.OpenCapture())
	r.PutThread(600, inPod(payments)...)
	assert.Empty(t, r.pod(600))
	assert.Equal(t, []string{"payments-7d9c5b6f4-x2x7k"}, r.values(600, "k8smeta.pod.name"))

	// It is remembered for a while, not for ever.
	r.MoveThread(600, inPod(redis)...)
	assert.Equal(t, []string{"payments-7d9c5b6f4-x2x7k"}, r.valuesOf(otherAt(600, 1000+derivedFor), "k8smeta.pod.name"))
	assert.Equal(t, []string{"redis-0"}, r.valuesOf(otherAt(600, 1001+derivedFor), "k8smeta.pod.name"))
	assert.Equal(t, []string{"redis-0"}, r.valuesOf(otherAt(600, 900), "k8smeta.pod.name"), "events out of order")

	// News of the thread count at once.
	r.exec(600, onHost...)
	assert.Empty(t, r.values(600, "k8smeta.pod.name"))
	r.exec(600, inPod(batch)...)
	assert.Equal(t, []string{"batch-28931-abcde"}, r.values(600, "k8smeta.pod.name"))

	// A new thread of the same number, before and after its first question.
	r.EndThread(600)
	assert.Empty(t, r.values(600, "k8smeta.pod.name"))
	r.PutThread(600, onHost...)
	assert.Empty(t, r.values(600, "k8smeta.pod.name"))
	r.EndThread(600)
	r.PutThread(600, inPod(batch)...)
	require.NoError(t, r.CloseCapture())
	require.NoError(t, r.OpenCapture())
	assert.Equal(t, []string{"batch-28931-abcde"}, r.values(600, "k8smeta.pod.name"), "another capture")
}

func TestWhatIsRememberedOfThreadsIsBounded(t *testing.T) {
	var d derived
	for tid := range int64(10 * mostDerived) {
		d.put(tid, []byte(uid1), 0)
		require.LessOrEqual(t, len(d.byThread), mostDerived)
	}
	_, ok := d.get(10*mostDerived-1, 0)
	assert.True(t, ok)
}

func TestEventsWithoutAThread(t *testing.T) {
	r := start(t)
	r.sayRealMetadata()
	for _, tid := range []int64{0, -1} {
		assert.Empty(t, r.all(tid))
		assert.NoError(t, r.Parse(process(event.TypeExecveX, tid, 0, inPod(uid1)...)))
	}
	assert.NoError(t, r.Parse(process(event.TypeExecveX, 99, 0, inPod(uid1)...)), "a thread that nobody knows")
	for _, line := range r.Log() {
		assert.NotContains(t, line, "thread")
	}
}

func TestBrokenProcessEvents(t *testing.T) {
	r := start(t)
	r.PutThread(1, inPod(uid1)...)
	assert.NoError(t, r.Parse(plugintest.Syscall(event.TypeExecveX, 1, 1)), "without parameters")
	assert.NoError(t, r.Parse(plugintest.Syscall(event.TypeExecveX, 1, 1, []byte("12"))), "a result that is no number")
	assert.Empty(t, r.pod(1))
	raw := process(event.TypeExecveX, 1, 0, inPod(uid1)...)
	binary.NativeEndian.PutUint32(raw[abi.EventNParams:], 1<<20)
	assert.ErrorContains(t, r.Parse(raw), "parameters")
	assert.Empty(t, r.pod(1))
	require.NoError(t, r.Parse(process(event.TypeExecveX, 1, 0, "cpu="+strings.Repeat("pod", 10_000), "", "kubepods/pod"+uid1)))
	assert.Equal(t, uid1, r.pod(1))
}

func TestPodsWithThreadsAndNoMetadataAreCounted(t *testing.T) {
	r := start(t)
	count := func() int64 { return r.Metrics().Gauge("unknown_pods").Value() }
	r.PutThread(1)
	for _, uid := range []string{payments, redis, hash, payments} {
		r.exec(1, inPod(uid)...)
	}
	assert.EqualValues(t, 3, count())
	r.say(object{UID: redis, Kind: "Pod"})
	assert.EqualValues(t, 2, count())
	r.say(object{UID: uid1, Kind: "Pod", Meta: fieldsOf{"annotations": fieldsOf{"kubernetes.io/config.hash": hash}}})
	assert.EqualValues(t, 1, count())
	r.exec(1, inPod(redis)...)
	assert.EqualValues(t, 1, count())

	u := r.p.unknown
	u.note([]byte("a"), 2*unknownFor)
	assert.EqualValues(t, 2, count(), "seen a while ago")
	u.note([]byte("a"), 4*unknownFor)
	assert.EqualValues(t, 1, count(), "not seen for long")
	for i := range uint64(2) { // time goes on without another one
		require.NoError(t, r.Parse(plugintest.Syscall(event.TypeExecveX, 1, (6+2*i)*unknownFor, make([]byte, 8))))
	}
	assert.Zero(t, count())
}

func TestThreadsThatExistAtCaptureOpen(t *testing.T) {
	r := start(t)
	r.sayRealMetadata() // on replay, state comes before the capture is opened
	r.PutThread(1, inPod(payments)...)
	r.PutThread(2, onHost...)
	r.PutThread(3)
	r.PutThread(4, inPod(uid1)...)
	require.NoError(t, r.OpenCapture())
	assert.Equal(t, payments, r.pod(1))
	assert.Empty(t, r.pod(2))
	assert.Empty(t, r.pod(3))
	assert.Equal(t, []string{"payments-7d9c5b6f4-x2x7k"}, r.values(1, "k8smeta.pod.name"))
	assert.EqualValues(t, 1, r.Metrics().Gauge("unknown_pods").Value())
	require.NoError(t, r.CloseCapture())
	require.NoError(t, r.OpenCapture(), "another capture")
}
