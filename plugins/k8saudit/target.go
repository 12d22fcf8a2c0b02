// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"github.com/aerie-falco/aerie/shared/jsonfields"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

// isResource reports whether an event is about a resource, such as pods.
func isResource(event jsonfields.Value, name string) bool {
	return isText(event.Get("objectRef").Get("resource"), name)
}

// podName gives the name of the pod that a request is about. One that is being created
// with generateName has it only in the response.
func (p *Plugin) podName(c *extract.Call, out *extract.StringOut) error {
	event := p.event(c)
	if !isResource(event, "pods") {
		return nil
	}
	name := event.Get("objectRef").Get("name")
	if !there(name) || len(name.Text()) == 0 {
		name = event.Get("responseObject").Get("metadata").Get("name")
	}
	set(out, name)
	return nil
}

// configMapName gives the name in requests about a configmap.
func (p *Plugin) configMapName(c *extract.Call, out *extract.StringOut) error {
	if event := p.event(c); isResource(event, "configmaps") {
		set(out, event.Get("objectRef").Get("name"))
	}
	return nil
}

// configMapData gives the data of the configmap in a request. Other objects, secrets
// among them, have a member of that name too.
func (p *Plugin) configMapData(c *extract.Call, out *extract.StringOut) error {
	if isResource(p.event(c), "configmaps") {
		set(out, p.request(c).Get("data"))
	}
	return nil
}
