// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// terminal is plughost's own standard streams, with a progress line that other
// output takes away for its time. Safe for concurrent use.
type terminal struct {
	in, out, err *os.File

	mu       sync.Mutex
	progress string
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// say writes a line to standard error.
func (t *terminal) say(format string, args ...any) {
	t.write(t.err, []byte(fmt.Sprintf(format, args...)+"\n"))
}

// write writes to one of the streams, the progress line out of the way.
func (t *terminal) write(to *os.File, b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.progress != "" {
		fprintf(t.err, "\r\x1b[K")
	}
	_, _ = to.Write(b)
	if t.progress != "" && strings.HasSuffix(string(b), "\n") {
		fprintf(t.err, "%s", t.progress)
	}
}

// setProgress shows a progress line, or with "" none.
func (t *terminal) setProgress(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if line != "" || t.progress != "" {
		fprintf(t.err, "\r\x1b[K%s", line)
	}
	t.progress = line
}

// clean makes text fit for a terminal: control characters, which could move
// the cursor or worse, are shown as escapes, and invalid UTF-8 as U+FFFD.
func clean(s string) string {
	fit := true
	for _, r := range s {
		if r == utf8.RuneError || isControl(r) {
			fit = false
			break
		}
	}
	if fit {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case isControl(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isControl(r rune) bool { return r < ' ' || (r >= 0x7F && r < 0xA0) }
