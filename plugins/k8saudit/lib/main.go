// SPDX-License-Identifier: Apache-2.0

// Command lib is the shared object of the k8saudit plugin.
package main

import (
	"github.com/aerie-falco/aerie/plugins/k8saudit"
	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
	"github.com/aerie-falco/aerie/shared/plugin/source"
)

func init() {
	r := plugin.Register(k8saudit.Info, k8saudit.New)
	source.Register(r, k8saudit.Sourcing)
	extract.Register(r, k8saudit.Extraction)
}

func main() {}
