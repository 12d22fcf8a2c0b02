// SPDX-License-Identifier: Apache-2.0

package table

import "github.com/aerie-falco/aerie/shared/plugin/internal/core"

// subtablesMinor is the API minor version that has fields of type table.
const subtablesMinor = 5

// RequireSubtables makes the plugin ask for an API version that has subtables,
// so that an older framework refuses it at load with a plain reason. Call it
// beside the registration of a plugin that uses OpenSub or has subtables in
// tables of its own.
func RequireSubtables(r interface{ Record() *core.Record }) { r.Record().Require(subtablesMinor) }
