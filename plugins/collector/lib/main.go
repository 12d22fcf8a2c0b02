// SPDX-License-Identifier: Apache-2.0

// Command lib is the shared object of the collector plugin.
package main

import (
	"github.com/aerie-falco/aerie/plugins/collector"
	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/source"
)

func init() {
	r := plugin.Register(collector.Info, collector.New)
	source.Register(r, collector.Sourcing)
}

func main() {}
