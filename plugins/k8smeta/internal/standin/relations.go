// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
)

// eventsFor returns what a collector tells of a node: for each pod on it, and
// each resource of the wanted kinds that such a pod has to do with, the event
// that introduces it. It goes through everything each time, and shares no code
// with what the plugin does for itself: each is a check of the other.
func eventsFor(objects []*Object, node string, wanted func(kind string) bool) []*metadata.Event {
	at := make(map[place]*Object, len(objects))
	for _, o := range objects {
		at[o.place()] = o
	}
	var out []*metadata.Event
	told := make(map[*Object]bool)
	tell := func(o *Object, refs *metadata.References) {
		if o == nil || told[o] || !wanted(o.Kind) {
			return
		}
		told[o] = true
		e := &metadata.Event{Reason: metadata.Create, Uid: o.Meta.UID, Kind: o.Kind, Meta: new(metaText(o)), Refs: refs}
		if o.Kind == metadata.Pod {
			e.Status = new("{}")
			if o.Status.PodIP != "" {
				e.Status = new(object(member{"podIP", o.Status.PodIP}))
			}
		}
		out = append(out, e)
	}
	for _, pod := range objects {
		if pod.Kind != metadata.Pod || pod.Spec.NodeName != node {
			continue
		}
		refs := map[string]*metadata.ListOfStrings{metadata.Service: {}}
		ns := at[place{metadata.Namespace, "", pod.Meta.Namespace}]
		if ns != nil {
			refs[metadata.Namespace] = &metadata.ListOfStrings{List: []string{ns.Meta.UID}}
		}
		var related []*Object
		kind, name, uid := pod.controller()
		if kind != "" {
			refs[kind] = &metadata.ListOfStrings{List: []string{uid}}
			owner := at[place{kind, pod.Meta.Namespace, name}]
			if owner != nil && owner.Meta.UID == uid {
				related = append(related, owner)
				if kind == metadata.ReplicaSet {
					if kind, name, uid := owner.controller(); kind != "" {
						refs[kind] = &metadata.ListOfStrings{List: []string{uid}}
						related = append(related, at[place{kind, pod.Meta.Namespace, name}])
					}
				}
			}
		}
		for _, svc := range objects {
			if svc.Kind == metadata.Service && svc.Meta.Namespace == pod.Meta.Namespace && selects(svc, pod) {
				l := refs[metadata.Service]
				l.List = append(l.List, svc.Meta.UID)
				related = append(related, svc)
			}
		}
		slices.Sort(refs[metadata.Service].List)
		tell(pod, &metadata.References{Resources: refs})
		tell(ns, nil)
		for _, o := range related {
			tell(o, nil)
		}
	}
	return out
}

// selects tells whether a service's selector, which must not be empty, matches
// the labels of a pod.
func selects(svc, pod *Object) bool {
	var selector map[string]string
	if json.Unmarshal(svc.Spec.Selector, &selector) != nil || len(selector) == 0 {
		return false
	}
	for k, v := range selector {
		if have, ok := pod.Meta.Labels[k]; !ok || have != v {
			return false
		}
	}
	return true
}

// metaText is what a collector tells of an object's metadata.
func metaText(o *Object) string {
	members := []member{{"name", o.Meta.Name}, {"generateName", o.Meta.GenerateName}, {"namespace", o.Meta.Namespace}, {"uid", o.Meta.UID}}
	if len(o.Meta.Labels) > 0 {
		var labels []member
		for _, k := range slices.Sorted(maps.Keys(o.Meta.Labels)) {
			labels = append(labels, member{k, o.Meta.Labels[k]})
		}
		members = append(members, member{"labels", json.RawMessage(objectAll(labels))})
	}
	return object(members...)
}

type member struct {
	name  string
	value any
}

// object is a JSON object of those members that are not empty strings.
func object(members ...member) string {
	return objectAll(slices.DeleteFunc(members, func(m member) bool { return m.value == any("") }))
}

func objectAll(members []member) string {
	out := []byte{'{'}
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(metadata.AppendString(out, m.name), ':')
		if s, ok := m.value.(string); ok {
			out = metadata.AppendString(out, s)
		} else {
			out = append(out, m.value.(json.RawMessage)...)
		}
	}
	return string(append(out, '}'))
}
