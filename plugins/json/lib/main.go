// SPDX-License-Identifier: Apache-2.0

// Command lib is the shared object of the json plugin.
package main

import (
	"github.com/aerie-falco/aerie/plugins/json"
	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

func init() {
	r := plugin.Register(json.Info, json.New)
	extract.Register(r, json.Extraction)
}

func main() {}
