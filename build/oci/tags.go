// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"strings"

	"github.com/aerie-falco/aerie/build/tag"
)

// Moving returns the tags, beside its own, that a version takes over: X.Y, X and
// latest, each only if none of the versions that are there is higher and begins
// like it. So a patch of an old line does not drag latest back. A pre-release takes
// none, and counts for none. What is no version among the tags is passed over.
func Moving(version string, there []string) []string {
	if !tag.Final(version) {
		return nil
	}
	parts := strings.Split(version, ".")
	var moving []string
	for _, m := range []struct{ name, prefix string }{
		{parts[0] + "." + parts[1], parts[0] + "." + parts[1] + "."}, {parts[0], parts[0] + "."}, {"latest", ""},
	} {
		newest := true
		for _, other := range there {
			if tag.CheckVersion(other) != nil || !tag.Final(other) || !strings.HasPrefix(other, m.prefix) {
				continue
			}
			newest = newest && tag.Compare(other, version) <= 0
		}
		if newest {
			moving = append(moving, m.name)
		}
	}
	return moving
}
