// SPDX-License-Identifier: Apache-2.0

package scaffold

import (
	"regexp"
	"strings"
)

// console is a block of commands, each behind "$ ", with what they print on standard
// output. The fence's words are "console scratch", which keeps it apart from the blocks
// that are typed in the checkout itself.
type console struct {
	text string
	line int // of its fence
}

func consoles(page string) (all []console) {
	var in *console
	n := 0
	for line := range strings.Lines(page) {
		n++
		switch fence := strings.TrimSpace(line); {
		case in != nil && fence == "```":
			all, in = append(all, *in), nil
		case in != nil:
			in.text += line
		case fence == "```console scratch":
			in = &console{line: n}
		}
	}
	return all
}

// varying is what differs from run to run: times, and how Go aligns them.
var varying = regexp.MustCompile(`[0-9.]+(ns|µs|ms|s)\b|\(cached\)|\([0-9]+/s\)`)

func timeless(text string) string {
	return strings.TrimRight(varying.ReplaceAllString(text, "TIME"), "\n")
}
