// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
)

// object is what is kept of a resource.
type object struct {
	name, uid  string
	meta       string // as events have it
	labels     map[string]string
	selector   map[string]string // of services
	controller owner             // kind is empty if there is none
	podIP      string
}

// read keeps what matters of a resource.
func read(kind string, r *resource) (*object, error) {
	m := &r.Metadata
	if m.UID == "" || m.Name == "" {
		return nil, fmt.Errorf("a %s with the name %.64q and the uid %.64q; it has both", kind, m.Name, m.UID)
	}
	o := &object{name: m.Name, uid: m.UID, meta: metaText(kind, r), podIP: r.Status.PodIP}
	for _, c := range m.OwnerReferences {
		if c.Controller {
			o.controller = c
			break
		}
	}
	switch kind {
	case metadata.Pod:
		o.labels = m.Labels
	case metadata.Service:
		// One that is anything but an object of strings selects nothing.
		if json.Unmarshal(r.Spec.Selector, &o.selector) != nil {
			o.selector = nil
		}
	}
	return o, nil
}

// selects tells whether a service's selector, which must not be empty, matches
// a pod's labels.
func selects(selector, labels map[string]string) bool {
	for k, v := range selector {
		if have, ok := labels[k]; !ok || have != v {
			return false
		}
	}
	return len(selector) > 0
}

// metaText is what events tell of an object's metadata, the members in the
// order of the API's documentation.
func metaText(kind string, r *resource) string {
	m := &r.Metadata
	out := []byte{'{'}
	text := func(name, value string) {
		if value != "" {
			out = append(append(append(out, '"'), name...), `":`...)
			out = append(metadata.AppendString(out, value), ',')
		}
	}
	text("name", m.Name)
	text("generateName", m.GenerateName)
	text("namespace", m.Namespace)
	text("uid", m.UID)
	texts := func(name string, values map[string]string) {
		if len(values) == 0 {
			return
		}
		out = append(append(append(out, '"'), name...), `":{`...)
		for i, k := range sorted(values) {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(metadata.AppendString(out, k), ':')
			out = metadata.AppendString(out, values[k])
		}
		out = append(out, `},`...)
	}
	texts("labels", m.Labels)
	if hash := m.Annotations[metadata.ConfigHash]; hash != "" && kind == metadata.Pod {
		texts("annotations", map[string]string{metadata.ConfigHash: hash})
	}
	out[len(out)-1] = '}' // the last comma; there is a name
	return string(out)
}

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
