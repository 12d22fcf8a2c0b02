// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"strings"

	"github.com/aerie-falco/aerie/shared/jsonfields"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

// ofFirst is a field with what an aspect says of a pod's first container.
func ofFirst(a aspect) value {
	return extract.String(func(p *Plugin, c *extract.Call, out *extract.StringOut) error {
		spec := p.spec(c)
		if first := spec.Get(appContainers.key).At(0); first.Kind() == jsonfields.KindObject {
			a.set(out, under(spec, a.pod), first)
		}
		return nil
	}).WithOffsets()
}

// anyPrivileged says whether one of a pod's containers is privileged.
func (p *Plugin) anyPrivileged(c *extract.Call, out *extract.StringOut) error {
	all := p.spec(c).Get(appContainers.key)
	if all.Kind() != jsonfields.KindArray {
		return nil
	}
	found := false
	for container := range all.Elements {
		privileged, _ := container.Get("securityContext").Get("privileged").Bool()
		found = found || privileged
	}
	setBool(out, found)
	return nil
}

// mountsHostPath says whether one of a pod's volumes is the path of the node that the
// argument names, or one that starts like the argument if that ends in an asterisk.
func (p *Plugin) mountsHostPath(c *extract.Call, out *extract.StringOut) error {
	volumes := p.spec(c).Get("volumes")
	if volumes.Kind() != jsonfields.KindArray {
		return nil
	}
	key, _ := c.Key()
	prefix, asterisk := strings.CutSuffix(key, "*")
	found := false
	for volume := range volumes.Elements {
		path := volume.Get("hostPath").Get("path")
		if path.Kind() != jsonfields.KindString || key == "" {
			continue
		}
		text := path.Text()
		starts := asterisk && len(text) >= len(prefix) && string(text[:len(prefix)]) == prefix
		found = found || starts || string(text) == key
	}
	setBool(out, found)
	return nil
}

// volumeTypes adds what the volumes of a pod are made from: a volume has a name, and a
// member whose key is its type.
func (p *Plugin) volumeTypes(c *extract.Call, out *extract.StringOut) error {
	each(c, p.spec(c).Get("volumes"), func(volume jsonfields.Value) {
		for key, member := range volume.Members {
			if there(member) && string(key) != "name" {
				out.AddBytes(key)
			}
		}
	})
	return nil
}
