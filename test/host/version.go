// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Version is a semantic version as libsinsp reads it.
type Version struct{ Major, Minor, Patch uint32 }

// Versions of the framework that the host plays.
var (
	frameworkAPI = Version{abi.APIMajor, abi.APIMinor, abi.APIPatch}
	// driverSchema is the event schema of libs' kernel drivers, mid-2026.
	driverSchema = Version{4, 5, 1}
	// oldestSchema is what a plugin counts as made for that does not say.
	oldestSchema = Version{3, 0, 0}
)

// ParseVersion reads three numbers with dots between them. Text after them is
// ignored, as libsinsp's "%u.%u.%u" does: 3.11.0-rc1 is 3.11.0.
func ParseVersion(s string) (Version, bool) {
	var n [3]uint32
	rest := s
	for i := range n {
		if i > 0 {
			var dot bool
			if rest, dot = strings.CutPrefix(rest, "."); !dot {
				return Version{}, false
			}
		}
		end := 0
		for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
			end++
		}
		v, err := strconv.ParseUint(rest[:end], 10, 32)
		if err != nil {
			return Version{}, false
		}
		n[i], rest = uint32(v), rest[end:]
	}
	return Version{n[0], n[1], n[2]}, true
}

// String is the version in its usual form.
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

// Serves reports whether a framework of version v may take a plugin that
// requires the version given: same major number, and not older.
func (v Version) Serves(required Version) bool {
	if v.Major != required.Major {
		return false
	}
	if v.Minor != required.Minor {
		return v.Minor > required.Minor
	}
	return v.Patch >= required.Patch
}
