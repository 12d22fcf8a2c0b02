// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"github.com/aerie-falco/aerie/shared/jsonfields"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

// found is what has been looked up in the event at hand, once for all fields.
type found struct {
	loads uint64           // which document it was found in
	event jsonfields.Value // the audit event; absent if the payload is none

	// The object in the request and its spec, once they have been looked for.
	sought        bool
	request, spec jsonfields.Value
}

// event gives the audit event of a call: an object with an audit ID. It is absent for all
// other events, so none of the fields has a value there.
func (p *Plugin) event(c *extract.Call) jsonfields.Value {
	if !p.doc.LoadCall(c) {
		return jsonfields.Value{}
	}
	if loads := p.doc.Loads(); loads != p.found.loads {
		p.found = found{loads: loads}
		if root := p.doc.Locate(jsonfields.Pointer{}); there(root.Get("auditID")) {
			p.found.event = root
		}
	}
	return p.found.event
}

// request gives the object that the client has sent. A JSON patch is an array of operations,
// into which no path of keys leads: to take an operation for an object would invent values.
func (p *Plugin) request(c *extract.Call) jsonfields.Value {
	event := p.event(c)
	if !there(event) {
		return event
	}
	p.found.seek()
	return p.found.request
}

// spec gives the spec of the object that the client has sent. If that is a pod, the spec
// has its containers and volumes. What makes pods, such as a Deployment, has the spec of
// a pod further inside, where no field looks.
func (p *Plugin) spec(c *extract.Call) jsonfields.Value {
	event := p.event(c)
	if !there(event) {
		return event
	}
	p.found.seek()
	return p.found.spec
}

func (f *found) seek() {
	if f.sought {
		return
	}
	f.sought = true
	f.request = f.event.Get("requestObject")
	f.spec = f.request.Get("spec")
}

// there reports whether there is a value. In the API of Kubernetes null means that there
// is none.
func there(v jsonfields.Value) bool { return v.Kind() > jsonfields.KindNull }

// under gives the value that a path of keys leads to.
func under(v jsonfields.Value, path []string) jsonfields.Value {
	for _, key := range path {
		v = v.Get(key)
	}
	return v
}

// isText reports whether a value is this string.
func isText(v jsonfields.Value, text string) bool {
	return v.Kind() == jsonfields.KindString && string(v.Text()) == text
}
