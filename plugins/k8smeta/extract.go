// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	"math"

	"github.com/aerie-falco/aerie/shared/plugin/extract"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// podOf is the pod that the event's thread runs in, and the UID by which its
// cgroups call it; nil outside of pods, and where nothing is known of the pod.
// The UID is valid until the next call.
func (p *Plugin) podOf(c *extract.Call) (uid []byte, r *resource) {
	tid := c.Event().ThreadID()
	if tid == 0 || tid > math.MaxInt64 {
		return nil, nil
	}
	a := c.Tables()
	thread, err := p.threads.table.Get(a, int64(tid))
	if err != nil {
		return nil, nil
	}
	if p.uid, err = table.Append(p.uid[:0], p.threads.podUID, thread); err != nil {
		return nil, nil
	}
	if len(p.uid) == 0 {
		p.uid = p.deriveOnce(a, thread, int64(tid), c.Event().Timestamp())
	}
	if len(p.uid) == 0 {
		return nil, nil
	}
	return p.uid, p.tables.pod(p.uid)
}

// deriveOnce is the UID that the cgroups of a thread say, as remembered or anew.
func (p *Plugin) deriveOnce(a *table.Access, thread table.Entry, tid int64, now uint64) []byte {
	if uid, ok := p.derived.get(tid, now); ok {
		return append(p.uid[:0], uid...)
	}
	uid, _, _, err := p.threads.derive(a, thread, p.uid[:0])
	if err != nil {
		return uid[:0]
	}
	p.derived.put(tid, uid, now)
	return uid
}

// value is a field with one value of the pod, empty for none.
func value(of func(p *Plugin, r *resource) string) extract.Value[*Plugin] {
	return extract.String(func(p *Plugin, c *extract.Call, out *extract.StringOut) error {
		if _, r := p.podOf(c); r != nil {
			if v := of(p, r); v != "" {
				out.Set(v)
			}
		}
		return nil
	})
}

// podUID is the field with the pod's UID.
var podUID = extract.String(func(p *Plugin, c *extract.Call, out *extract.StringOut) error {
	if uid, r := p.podOf(c); r != nil {
		out.SetBytes(uid)
	}
	return nil
})

// labelOf is a field with the value of the label that is the field's argument,
// of the resource that the pod leads to.
func labelOf(of func(p *Plugin, r *resource) *resource) extract.Value[*Plugin] {
	return extract.String(func(p *Plugin, c *extract.Call, out *extract.StringOut) error {
		key, _ := c.Key()
		if _, r := p.podOf(c); r != nil {
			if v, ok := of(p, r).label(key); ok {
				out.Set(v)
			}
		}
		return nil
	})
}

// labelsOf is a field with all labels of a resource.
func labelsOf(of func(p *Plugin, r *resource) *resource) extract.Value[*Plugin] {
	return extract.Strings(func(p *Plugin, c *extract.Call, out *extract.StringOut) error {
		if _, r := p.podOf(c); r != nil {
			addLabels(out, of(p, r))
		}
		return nil
	})
}

func addLabels(out *extract.StringOut, r *resource) {
	for _, l := range r.labels {
		out.Add(l.text)
	}
}

// itself is the pod.
func itself(_ *Plugin, r *resource) *resource { return r }

// firstUID is the UID of the first resource of kind k that a pod refers to,
// known or not.
func firstUID(k kind) func(*Plugin, *resource) string {
	return func(_ *Plugin, r *resource) string {
		if uids := r.refers(k); len(uids) > 0 {
			return uids[0]
		}
		return ""
	}
}

// first is that resource, one without anything if it is not known.
func first(k kind) func(*Plugin, *resource) *resource {
	uid := firstUID(k)
	return func(p *Plugin, r *resource) *resource {
		if found := p.tables.get(k, uid(p, r)); found != nil {
			return found
		}
		return &nothing
	}
}

// firstName is its name.
func firstName(k kind) func(*Plugin, *resource) string {
	of := first(k)
	return func(p *Plugin, r *resource) string { return of(p, r).name }
}

// nothing is a resource without anything, never written to.
var nothing resource

// services is a field made of the services of a pod, those that are known, in
// the order in which the pod refers to them.
func services(add func(c *extract.Call, out *extract.StringOut, s *resource)) extract.Value[*Plugin] {
	return extract.Strings(func(p *Plugin, c *extract.Call, out *extract.StringOut) error {
		_, r := p.podOf(c)
		if r == nil {
			return nil
		}
		for _, uid := range r.refers(service) {
			if s := p.tables.get(service, uid); s != nil {
				add(c, out, s)
			}
		}
		return nil
	})
}

func addName(_ *extract.Call, out *extract.StringOut, s *resource) {
	if s.name != "" {
		out.Add(s.name)
	}
}

func addLabel(c *extract.Call, out *extract.StringOut, s *resource) {
	key, _ := c.Key()
	if v, ok := s.label(key); ok {
		out.Add(v)
	}
}

func addAllLabels(_ *extract.Call, out *extract.StringOut, s *resource) { addLabels(out, s) }

// serviceUIDs is the field with the UIDs of a pod's services, known or not.
var serviceUIDs = extract.Strings(func(p *Plugin, c *extract.Call, out *extract.StringOut) error {
	if _, r := p.podOf(c); r != nil {
		for _, uid := range r.refers(service) {
			out.Add(uid)
		}
	}
	return nil
})
