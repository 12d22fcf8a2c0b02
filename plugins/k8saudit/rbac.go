// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"github.com/aerie-falco/aerie/shared/jsonfields"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

// eachSubject calls f with the subjects of one kind to whom the role binding in the
// request gives a role.
func (p *Plugin) eachSubject(c *extract.Call, kind string, f func(subject jsonfields.Value)) {
	for subject := range p.request(c).Get("subjects").Elements {
		if isText(subject.Get("kind"), kind) {
			f(subject)
		}
	}
}

// subjectNames is a list field with the names of the subjects of one kind.
func subjectNames(kind string) value {
	return list(func(p *Plugin, c *extract.Call, out *extract.StringOut) {
		p.eachSubject(c, kind, func(subject jsonfields.Value) { set(out, subject.Get("name")) })
	})
}

// serviceAccounts adds the service accounts as namespace:name.
func (p *Plugin) serviceAccounts(c *extract.Call, out *extract.StringOut) error {
	p.eachSubject(c, "ServiceAccount", func(subject jsonfields.Value) {
		namespace, name := subject.Get("namespace"), subject.Get("name")
		if there(namespace) && there(name) {
			text := append(namespace.AppendText(out.Buffer()), ':')
			out.AddBuffer(name.AppendText(text))
		}
	})
	return nil
}

// hasName is the same for all bindings and for all other events: rules rely on it.
func (p *Plugin) hasName(c *extract.Call, out *extract.StringOut) error {
	if there(p.event(c)) {
		setBool(out, true)
	}
	return nil
}

// ruleStrings is a list field with the strings of a member of the rules of the role in
// the request, those of all rules one after another.
func ruleStrings(key string) value {
	return list(func(p *Plugin, c *extract.Call, out *extract.StringOut) {
		each(c, p.request(c).Get("rules"), func(rule jsonfields.Value) { setStrings(out, rule.Get(key)) })
	})
}
