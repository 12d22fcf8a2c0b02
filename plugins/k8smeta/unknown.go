// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	"time"

	"github.com/aerie-falco/aerie/shared/plugin/metrics"
)

// unknown are the pods that processes were started in and that nothing is known
// of: few and for a moment where all is well, as a pod's first process may be
// faster than the news of the pod.
type unknown struct {
	gauge *metrics.Gauge
	// Pods are moved from one to the other when they are seen again. Those that
	// stay behind have no news for a while and are forgotten.
	now, before map[string]struct{}
	turned      uint64 // time of the last exchange, in nanoseconds
}

const (
	mostUnknown = 4096
	unknownFor  = uint64(10 * time.Minute) // in the time of events
)

func newUnknown(m *metrics.Registry) *unknown {
	return &unknown{gauge: m.Gauge("unknown_pods"), now: map[string]struct{}{}, before: map[string]struct{}{}}
}

// note says that a process was started in the pod.
func (u *unknown) note(uid []byte, now uint64) {
	u.pass(now)
	if _, ok := u.now[string(uid)]; !ok && len(u.now) < mostUnknown {
		delete(u.before, string(uid))
		u.now[string(uid)] = struct{}{}
	}
	u.show()
}

// pass says what time it is.
func (u *unknown) pass(now uint64) {
	if now > u.turned && now-u.turned > unknownFor {
		u.before, u.now, u.turned = u.now, map[string]struct{}{}, now
		u.show()
	}
}

// forget says that the pod of these names is known now.
func (u *unknown) forget(names ...string) {
	for _, name := range names {
		delete(u.now, name)
		delete(u.before, name)
	}
	u.show()
}

func (u *unknown) show() { u.gauge.Set(int64(len(u.now) + len(u.before))) }
