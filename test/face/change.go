// SPDX-License-Identifier: Apache-2.0

package face

import (
	"fmt"
	"slices"
)

// Bump is how much a version has to go up, the least first.
type Bump int

const (
	None Bump = iota // nothing, but for a question to answer
	Patch
	Minor
	Major
	// Refused is what no version allows: it breaks capture files and rules that exist. It takes a new plugin.
	Refused
)

var bumpNames = []string{"none", "patch", "minor", "major", "refused"}

func (b Bump) String() string { return bumpNames[b] }

// MarshalText implements encoding.TextMarshaler.
func (b Bump) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *Bump) UnmarshalText(text []byte) error {
	at := slices.Index(bumpNames, string(text))
	if at < 0 {
		return fmt.Errorf("bump %q is none of %v", text, bumpNames)
	}
	*b = Bump(at)
	return nil
}

// Change is one difference between two versions of a plugin.
type Change struct {
	// Subject is what changed: "field json.value", "config key /useAsync".
	Subject string `json:"subject"`
	// Text is what became of it: "removed", "type string -> uint64".
	Text string `json:"text"`
	Bump Bump   `json:"bump"`
	// Review is a question that only a person can answer, or "".
	Review string `json:"review,omitempty"`
}

func (c Change) String() string { return c.Subject + ": " + c.Text }

// differ collects changes.
type differ struct{ changes []Change }

func (d *differ) add(bump Bump, subject, format string, args ...any) {
	d.changes = append(d.changes, Change{Subject: subject, Text: fmt.Sprintf(format, args...), Bump: bump})
}

// review adds a change that a person has to look at.
func (d *differ) review(bump Bump, question, subject, format string, args ...any) {
	d.add(bump, subject, format, args...)
	d.changes[len(d.changes)-1].Review = question
}
