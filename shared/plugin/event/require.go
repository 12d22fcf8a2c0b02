// SPDX-License-Identifier: Apache-2.0

package event

import "slices"

// MinSchema is the lowest event schema whose events the kit reads: schema 4
// dropped the enter events of most system calls, for their exits say it all.
// Within a major version, types are only added and parameters only appended,
// which the readers take as absent where they are missing. So whatever types a
// plugin lists, it runs with every framework of this schema or a later one of the
// same major version that knows those types.
const MinSchema = "4.0.0"

// SchemaFor is the event schema version that a plugin must ask for to be given
// events of these types: none for plugin events alone, which have no schema, else
// MinSchema. A framework with a kernel driver compares it with its own and
// refuses a plugin that sees other events, async ones included, and names no
// version.
func SchemaFor(types []uint16) string {
	if slices.ContainsFunc(types, func(t uint16) bool { return t != TypePlugin }) {
		return MinSchema
	}
	return ""
}
