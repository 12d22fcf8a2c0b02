// SPDX-License-Identifier: Apache-2.0

// Command lib is the shared object of the k8smeta plugin.
package main

import (
	"github.com/aerie-falco/aerie/plugins/k8smeta"
	"github.com/aerie-falco/aerie/shared/plugin"
)

func init() { k8smeta.Register(plugin.Register(k8smeta.Info, k8smeta.New)) }

func main() {}
