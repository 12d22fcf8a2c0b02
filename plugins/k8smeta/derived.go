// SPDX-License-Identifier: Apache-2.0

package k8smeta

import "time"

// derived remembers what the cgroups of threads said that have no pod in the
// table of threads: those whose process events were dropped or came before the
// capture, and all outside of pods. Extraction may not write to that table, and
// looking at all cgroups for each event would be slow.
//
// A number may be given to another thread whose events are dropped as well, so
// nothing is remembered for long.
type derived struct {
	byThread map[int64]derivation
}

type derivation struct {
	uid string // empty for none
	at  uint64 // of the event that asked, in nanoseconds
}

const (
	mostDerived = 1 << 14
	derivedFor  = uint64(10 * time.Second) // in the time of events
)

// get is what is remembered of a thread.
func (d *derived) get(tid int64, now uint64) (uid string, ok bool) {
	v, ok := d.byThread[tid]
	if !ok || now-v.at > derivedFor && v.at-now > derivedFor {
		return "", false
	}
	return v.uid, true
}

func (d *derived) put(tid int64, uid []byte, now uint64) {
	if d.byThread == nil || len(d.byThread) >= mostDerived {
		d.byThread = make(map[int64]derivation, len(d.byThread)/2)
	}
	d.byThread[tid] = derivation{string(uid), now}
}

// drop forgets a thread, of which there is news.
func (d *derived) drop(tid int64) {
	if len(d.byThread) > 0 {
		delete(d.byThread, tid)
	}
}

// clear forgets all.
func (d *derived) clear() { d.byThread = nil }
