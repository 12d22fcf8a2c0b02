// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	"errors"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
	"github.com/aerie-falco/aerie/shared/plugin/async"
)

// DumpState tells a capture file all that is known, one event a resource, so
// that the file shows the same fields as the live capture, wherever it begins.
func (p *Plugin) DumpState(d *async.Dump) error {
	var errs []error
	var text []byte
	for _, k := range [kinds]kind{namespace, deployment, replicaSet, replicationController, service, pod} {
		for _, r := range p.tables.rows(k) {
			text = append(metadata.AppendJSON(text[:0], r.event(k, r.uid)), 0)
			if err := d.Emit(eventName, text); err != nil && len(errs) < 3 {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}
