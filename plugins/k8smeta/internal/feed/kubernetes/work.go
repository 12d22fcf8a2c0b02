// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
)

// worker goes once through a namespace.
type worker struct {
	*graph
	ns   *namespace
	used map[need]bool
	says map[identity]bool // what there is to be told

	services []*object // of the namespace, in order of their UIDs; nil while not looked at
}

func (w *worker) need(kind, name string) *needed {
	n := need{kind, w.ns.name, name}
	w.used[n] = true
	return w.require(w.ns, n)
}

// pod tells of a pod, and what it refers to, once it is known what that is.
func (w *worker) pod(p *object) {
	refs := map[string]*metadata.ListOfStrings{metadata.Service: {}}
	related := make(map[string][]*object)
	ready := true
	refer := func(kind, uid string, n *needed) (o *object) {
		if uid != "" {
			refs[kind] = &metadata.ListOfStrings{List: []string{uid}}
		}
		if n != nil {
			ready = ready && n.tried
			if o = n.objects[uid]; o != nil {
				related[kind] = []*object{o}
			}
		}
		return o
	}

	home := w.need(metadata.Namespace, w.ns.name)
	uid := ""
	for uid = range home.objects { // one at most
	}
	refer(metadata.Namespace, uid, home)

	switch c := p.controller; c.Kind {
	case metadata.ReplicaSet:
		set := refer(c.Kind, c.UID, w.need(c.Kind, c.Name))
		if set == nil {
			break
		}
		if d := set.controller; d.Kind == metadata.Deployment {
			refer(d.Kind, d.UID, w.need(d.Kind, d.Name))
		} else if d.Kind != "" {
			refer(d.Kind, d.UID, nil)
		}
	case metadata.ReplicationController:
		refer(c.Kind, c.UID, w.need(c.Kind, c.Name))
	case "":
	default:
		refer(c.Kind, c.UID, nil)
	}

	services := w.need(metadata.Service, "")
	ready = ready && services.tried
	if w.services == nil {
		for _, uid := range sorted(services.objects) {
			w.services = append(w.services, services.objects[uid])
		}
	}
	for _, o := range w.services {
		if selects(o.selector, p.labels) {
			refs[metadata.Service].List = append(refs[metadata.Service].List, o.uid)
			related[metadata.Service] = append(related[metadata.Service], o)
		}
	}

	// A pod that was told of stays as it was until there is more to say.
	if ready {
		e := &metadata.Event{Kind: metadata.Pod, Uid: p.uid, Meta: &p.meta, Status: new("{}"), Refs: &metadata.References{Resources: refs}}
		if p.podIP != "" {
			e.Status = new(`{"podIP":` + string(metadata.AppendString(nil, p.podIP)) + `}`)
		}
		w.tell(e)
	} else if id := (identity{metadata.Pod, p.uid}); w.ns.told[id] != "" {
		w.says[id] = true
	}
	for kind, objects := range related {
		for _, o := range objects {
			w.tell(&metadata.Event{Kind: kind, Uid: o.uid, Meta: &o.meta})
		}
	}
}

// tell tells of a resource, unless that has been told.
func (w *worker) tell(e *metadata.Event) {
	id := identity{e.Kind, e.Uid}
	if w.says[id] {
		return
	}
	w.says[id] = true
	text := string(metadata.AppendJSON(nil, e))
	before, known := w.ns.told[id]
	if before == text {
		return
	}
	w.ns.told[id] = text
	e.Reason = metadata.Create
	if known {
		e.Reason = metadata.Update
	}
	w.sink.Event(w.ctx, e)
}
