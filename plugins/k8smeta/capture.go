// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	"errors"

	"github.com/aerie-falco/aerie/shared/plugin/capture"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// CaptureOpen gives the threads that exist already their pods. On replay, state
// at the head of the file has been parsed by now. Trouble is logged and no
// reason to have no capture: extraction looks at cgroups itself where a thread
// has no pod.
func (p *Plugin) CaptureOpen(c *capture.Capture) error {
	p.derived.clear()
	a := c.Tables()
	var first error
	inPods, failed := 0, 0
	err := p.threads.table.Each(a, func(thread table.Entry) bool {
		uid, found, _, err := p.threads.derive(a, thread, p.uid[:0])
		if err == nil && found {
			p.uid = uid
			inPods++
			err = p.assign(thread, uid, 0)
		}
		if err != nil {
			failed++
			if first == nil {
				first = err
			}
		}
		return true
	})
	if err = errors.Join(err, first); err != nil {
		p.log.Warn("capture_open: the pods of some threads are not known yet", "threads", failed, "error", err)
	}
	p.log.Debug("capture_open", "threads in pods", inPods)
	return nil
}

// CaptureClose has nothing to give back: what is known of resources stays good.
func (p *Plugin) CaptureClose(*capture.Capture) error {
	p.derived.clear()
	return nil
}
