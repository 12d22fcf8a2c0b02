// SPDX-License-Identifier: Apache-2.0

// Package collector is the collector plugin: an HTTP listener whose requests
// become events. What is in them is for extractors, such as the json plugin.
package collector

import "github.com/aerie-falco/aerie/shared/plugin"

// Info says who the plugin is. It has no init configuration; all that can be set
// belongs to one listener, and so to the open parameters.
var Info = plugin.Info{
	Name:        "collector",
	Description: "Events from the bodies of HTTP requests",
	Contact:     "https://github.com/aerie-falco/aerie",
	Version:     "0.2.0",
	ID:          24,
	EventSource: "collector",
}

// Plugin is one state of the plugin. All it can do is open listeners.
type Plugin struct{}

// New returns a state that is not initialised yet.
func New() *Plugin { return &Plugin{} }

// Init ignores its configuration, as the official plugin does.
func (p *Plugin) Init(*plugin.Host, string) error { return nil }

// Destroy has nothing to give back.
func (p *Plugin) Destroy() {}
