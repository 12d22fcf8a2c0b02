// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// entry is one resource as other plugins see it, in a table by UID.
type entry struct {
	Name      string `table:"name,readonly"`
	Namespace string `table:"namespace,readonly"`
	Meta      string `table:"meta,readonly"`
	Spec      string `table:"spec,readonly"`
	Status    string `table:"status,readonly"`
	Refs      string `table:"refs,readonly"`

	// resource is nil in an entry that another plugin made.
	resource *resource
}

// maxStored bounds what all resources together may take, in bytes: what a
// server says must not make Falco's memory grow without end.
const maxStored = 256 << 20

// mostMirrors is how many mirror pods of one static pod are told apart. There are
// two for a moment where one takes the place of another.
const mostMirrors = 8

var tableNames = [kinds]string{
	"k8smeta_pods", "k8smeta_namespaces", "k8smeta_deployments", "k8smeta_services", "k8smeta_replicasets", "k8smeta_replicationcontrollers",
}

var gaugeNames = [kinds]string{
	"pods", "namespaces", "deployments", "services", "replicasets", "replicationcontrollers",
}

// tables are the resources of one state, by kind and UID. They are changed and
// read on the event thread only; other plugins may read at the same time.
type tables struct {
	own    [kinds]*table.Own[string, entry]
	gauges [kinds]*metrics.Gauge
	memory *metrics.Gauge

	// static are the UIDs of static pods by what their cgroups call them, the
	// newest last: a pod's next mirror pod may come before the last one goes.
	static map[string][]string
	stored int
}

func newTables(m *metrics.Registry) *tables {
	t := &tables{static: map[string][]string{}, memory: m.Gauge("stored_bytes")}
	for k := range kinds {
		t.own[k] = table.New[string, entry](tableNames[k])
		t.gauges[k] = m.Gauge(gaugeNames[k])
	}
	return t
}

// offer shows the tables to the framework and to other plugins.
func (t *tables) offer(h *plugin.Host) error {
	var errs []error
	for k := range kinds {
		errs = append(errs, table.Offer(h.Tables(), t.own[k]))
	}
	return errors.Join(errs...)
}

// put sets what is known of a resource, in place of what was.
func (t *tables) put(k kind, uid string, r *resource) error {
	before, _ := t.own[k].Get(uid)
	grown := t.stored + r.size
	if before.resource != nil {
		grown -= before.resource.size
	}
	if grown > maxStored && grown > t.stored {
		return fmt.Errorf("%s %q: it is left out, as the resources known take %d MiB already; is this more than one node's?", kindNames[k], uid, t.stored>>20)
	}
	t.forget(k, uid, before.resource)
	t.stored += r.size
	t.own[k].Put(uid, entry{
		Name: r.name, Namespace: r.namespace, Meta: r.meta.text, Spec: r.spec.text, Status: r.status.text, Refs: r.refsText.text, resource: r,
	})
	if k == pod && r.hash != "" {
		hash := strings.Clone(r.hash) // a key outlives the resource that it came from
		mirrors := append(t.static[hash], uid)
		t.static[hash] = slices.Delete(mirrors, 0, max(0, len(mirrors)-mostMirrors))
	}
	t.count(k)
	return nil
}

// delete removes a resource, if it is known.
func (t *tables) delete(k kind, uid string) {
	before, ok := t.own[k].Get(uid)
	if !ok {
		return
	}
	t.forget(k, uid, before.resource)
	t.own[k].Delete(uid)
	t.count(k)
}

// forget takes back what put noted beside the entry.
func (t *tables) forget(k kind, uid string, r *resource) {
	if r == nil {
		return
	}
	t.stored -= r.size
	if k != pod || r.hash == "" {
		return
	}
	left := slices.DeleteFunc(t.static[r.hash], func(u string) bool { return u == uid })
	if len(left) == 0 {
		delete(t.static, r.hash)
	} else {
		t.static[r.hash] = left
	}
}

func (t *tables) count(k kind) {
	t.gauges[k].Set(int64(t.own[k].Len()))
	t.memory.Set(int64(t.stored))
}

// get is the resource of that kind and UID, nil if it is not known.
func (t *tables) get(k kind, uid string) *resource {
	e, _ := t.own[k].Get(uid)
	return e.resource
}

// pod is the pod whose cgroups go by uid, nil if it is not known.
func (t *tables) pod(uid []byte) *resource {
	if e, ok := table.Lookup(t.own[pod], uid); ok {
		return e.resource
	}
	if all := t.static[string(uid)]; len(all) > 0 {
		return t.get(pod, all[len(all)-1])
	}
	return nil
}

// row is a resource and its UID.
type row struct {
	uid string
	*resource
}

// rows are the resources of kind k, in order of their UIDs.
func (t *tables) rows(k kind) []row {
	var all []row
	for uid, e := range t.own[k].Range {
		if e.resource != nil {
			all = append(all, row{uid, e.resource})
		}
	}
	slices.SortFunc(all, func(a, b row) int { return strings.Compare(a.uid, b.uid) })
	return all
}
