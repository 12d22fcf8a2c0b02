// SPDX-License-Identifier: Apache-2.0

package face

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Verdict is what the changes between two versions mean for the newer one's number.
type Verdict struct {
	From     string   `json:"from"`     // the older version
	Declared string   `json:"declared"` // the newer one's own
	Changes  []Change `json:"changes"`
	Needed   Bump     `json:"needed"` // the highest of the changes
	// Breaking is true for a change of a 0.y version that takes a major bump from 1.0 on. Until then a minor one
	// does, if the changelog tells of the break: what compares versions cannot see it.
	Breaking bool `json:"breaking"`
	// Wanted is the least version that will do, "" if none does.
	Wanted string `json:"wanted"`
	// Problems say why the declared version does not do; empty if it does.
	Problems []string `json:"problems"`
}

// Judge compares two versions and adds what else changed between them.
func Judge(old, new Face, more []Change) Verdict {
	v := Verdict{From: old.Version, Declared: new.Version, Changes: append(Diff(old, new), more...), Problems: []string{}}
	for _, c := range v.Changes {
		v.Needed = max(v.Needed, c.Bump)
		if c.Bump == Refused {
			v.Problems = append(v.Problems, c.String())
		}
	}
	from := numbers(old.Version)
	v.Breaking = from[0] == 0 && v.Needed == Major
	if v.Needed < Refused {
		v.Wanted = text(next(from, v.least(from)))
	}
	v.Problems = append(v.Problems, v.version(from)...)
	return v
}

// least is the part of the number that has to go up.
func (v *Verdict) least(from [3]uint64) Bump {
	if from[0] == 0 && v.Needed >= Major {
		return Minor
	}
	return v.Needed
}

// next is the version after from with that part raised.
func next(from [3]uint64, bump Bump) [3]uint64 {
	switch bump {
	case None:
		return from
	case Patch:
		return [3]uint64{from[0], from[1], from[2] + 1}
	case Minor:
		return [3]uint64{from[0], from[1] + 1, 0}
	}
	return [3]uint64{from[0] + 1, 0, 0}
}

// version says what is wrong with the declared version.
func (v *Verdict) version(from [3]uint64) []string {
	if !versionPattern.MatchString(v.Declared) {
		return []string{fmt.Sprintf("version %q is not X.Y.Z or X.Y.Z-PRE", v.Declared)}
	}
	declared := numbers(v.Declared)
	if v.Declared == v.From {
		if v.Needed == None {
			return nil
		}
		return []string{fmt.Sprintf("version %s is released already, without these changes%s", v.From, v.please())}
	}
	if slices.Compare(declared[:], from[:]) <= 0 {
		return []string{fmt.Sprintf("version %s does not come after %s, which is released%s", v.Declared, v.From, v.please())}
	}
	for _, bump := range []Bump{Patch, Minor, Major} {
		if declared != next(from, bump) {
			continue
		}
		if bump < v.least(from) && v.Needed < Refused {
			return []string{fmt.Sprintf("version %s raises the %s number of %s only%s", v.Declared, bump, v.From, v.please())}
		}
		return nil
	}
	return []string{fmt.Sprintf("version %s leaves numbers out: after %s comes %s, %s or %s", v.Declared, v.From,
		text(next(from, Patch)), text(next(from, Minor)), text(next(from, Major)))}
}

// please asks for the version that is wanted.
func (v *Verdict) please() string {
	switch {
	case v.Wanted == "", v.Wanted == v.From:
		return ""
	case v.Breaking:
		return fmt.Sprintf("; these changes break users, which in a 0.y version takes %s and a line in the changelog", v.Wanted)
	}
	return fmt.Sprintf("; a %s change takes %s", v.Needed, v.Wanted)
}

var versionPattern = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$`)

// numbers reads the three numbers that a version begins with; what is none is 0.
func numbers(version string) [3]uint64 {
	core, _, _ := strings.Cut(version, "-")
	core, _, _ = strings.Cut(core, "+")
	var out [3]uint64
	for k, part := range strings.SplitN(core, ".", 3) {
		if n, err := strconv.ParseUint(part, 10, 32); err == nil {
			out[k] = n
		}
	}
	return out
}

func text(n [3]uint64) string { return fmt.Sprintf("%d.%d.%d", n[0], n[1], n[2]) }
