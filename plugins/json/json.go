// SPDX-License-Identifier: Apache-2.0

// Package json is the json plugin: fields with the values of JSON documents, for the
// events of any source whose payload is one.
//
// It has no state but its configuration and a copy of the last document, so a value
// depends on the event alone, and a replayed capture gives the same values.
package json

import (
	"github.com/aerie-falco/aerie/shared/jsonfields"
	"github.com/aerie-falco/aerie/shared/plugin"
)

// Info says who the plugin is. It has neither an ID nor an event source, as it makes no events.
var Info = plugin.Info{
	Name:        "json",
	Description: "Fields for events whose payload is JSON",
	Contact:     "https://github.com/aerie-falco/aerie",
	Version:     "0.8.0",
	Config:      &config{},
}

// Plugin is one state of the plugin.
type Plugin struct {
	doc jsonfields.Document
}

// New returns a state that is not initialised yet.
func New() *Plugin { return &Plugin{} }

// Init never fails: a configuration that cannot be used is reported in the log, and the
// defaults hold. Nothing that can be configured changes what the fields say.
func (p *Plugin) Init(h *plugin.Host, text string) error {
	if _, err := readConfig(text); err != nil {
		h.Log().Warn("the init config is ignored and the defaults hold", "error", err)
	}
	return nil
}

// Destroy gives the memory of the last document back.
func (p *Plugin) Destroy() { p.doc.Release() }

// Document is the document of the event at hand.
func (p *Plugin) Document() *jsonfields.Document { return &p.doc }
