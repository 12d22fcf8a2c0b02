// SPDX-License-Identifier: Apache-2.0

// Package k8saudit is the k8saudit plugin: what the API servers of Kubernetes write to
// their audit logs or post to a webhook becomes events, with fields for who asked for
// what, and for what is in the objects that were asked for.
package k8saudit

import (
	"github.com/aerie-falco/aerie/shared/jsonfields"
	"github.com/aerie-falco/aerie/shared/plugin"
)

// Info says who the plugin is. Name, ID, source and fields are those of the official
// plugin, and the version is one that the rules written for it ask for.
var Info = plugin.Info{
	Name:        "k8saudit",
	Description: "Kubernetes audit events, from a webhook, files or a log that is written to",
	Contact:     "https://github.com/aerie-falco/aerie",
	Version:     "0.19.0",
	ID:          1,
	EventSource: "k8s_audit",
	Config:      &config{},
}

// Plugin is one state of the plugin.
type Plugin struct {
	config config
	doc    jsonfields.Document
	found  found
}

// New returns a state that is not initialised yet.
func New() *Plugin { return &Plugin{} }

// Init reads the configuration.
func (p *Plugin) Init(_ *plugin.Host, text string) (err error) {
	p.config, err = readConfig(text)
	return err
}

// Destroy gives the memory of the last document back.
func (p *Plugin) Destroy() {
	p.doc.Release()
	p.found = found{}
}
