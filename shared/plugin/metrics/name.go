// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"errors"
	"fmt"
	"strings"
)

// maxName keeps PLUGIN.METRIC well below the 511 bytes at which libsinsp cuts.
const maxName = 128

// deleted lists what Falco's Prometheus output deletes from a metric's name,
// wherever it stands. Where two match, the longer one is deleted.
var deleted = [...]string{
	"_percentage", "_bytes", "_ratio", "_total", "_perc", "_sec", "_kb", "_mb", "_ns", "_ts",
}

// checkName says what is wrong with a name by itself.
func checkName(name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("it has %d characters; use 1 to %d", len(name), maxName)
	}
	for i := range len(name) {
		c := name[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_') {
			return fmt.Errorf("it contains %q; use a-z, 0-9 and _", c)
		}
	}
	for i := range len(name) {
		if n := deletedAt(name[i:]); n > 0 && i+n < len(name) && name[i+n] != '_' {
			return fmt.Errorf("the Prometheus endpoint of Falco deletes %q from the middle of a word and shows %q; choose other words",
				name[i:i+n], prometheusName(name))
		}
	}
	if prometheusName(name) == "" {
		return errors.New("the Prometheus endpoint of Falco deletes all of it; add a word")
	}
	return nil
}

// deletedAt returns the length of the deleted piece that s starts with, or 0.
func deletedAt(s string) int {
	for _, piece := range deleted {
		if strings.HasPrefix(s, piece) {
			return len(piece)
		}
	}
	return 0
}

// prometheusName returns the part of a series' name that stands for the
// metric: pieces deleted in one pass from the left, runs of _ made one.
func prometheusName(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); {
		if n := deletedAt(name[i:]); n > 0 {
			i += n
			continue
		}
		b.WriteByte(name[i])
		i++
	}
	return strings.Join(strings.FieldsFunc(b.String(), func(r rune) bool { return r == '_' }), "_")
}
