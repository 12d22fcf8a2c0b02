// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// tail keeps the end of what a child prints, and passes all of it on by line.
type tail struct {
	pass func(line []byte)

	mu   sync.Mutex
	kept []byte
	part []byte // an unfinished line
}

// keptBytes is enough for the start of a Go program's dying words, which come
// before the stacks of all its goroutines.
const keptBytes = 256 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, b...)
	if over := len(t.kept) - keptBytes; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	t.part = append(t.part, b...)
	for {
		end := bytes.IndexByte(t.part, '\n')
		if end < 0 && len(t.part) < keptBytes {
			return len(b), nil
		}
		if end < 0 {
			end = len(t.part) - 1
		}
		t.pass(t.part[:end+1])
		t.part = append(t.part[:0], t.part[end+1:]...)
	}
}

// flush passes on a last line that has no end.
func (t *tail) flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.part) > 0 {
		t.pass(append(t.part, '\n'))
		t.part = nil
	}
}

// dying matches lines with which Go and C programs begin to report their end.
var dying = regexp.MustCompile(`^(panic: |fatal error: |runtime: |SIG[A-Z0-9]+: |unexpected fault address|terminate called|.*: Assertion |\*\*\* |double free|free\(\): |malloc\(\): |corrupted )`)

const shownLines = 12

// end is the part of the output to show with a crash: from where dying starts,
// or else the last lines.
func (t *tail) end() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.kept) == 0 {
		return nil
	}
	lines := strings.Split(strings.TrimRight(string(t.kept), "\n"), "\n")
	for k, line := range lines {
		if dying.MatchString(line) {
			return lines[k:min(k+shownLines, len(lines))]
		}
	}
	return lines[max(0, len(lines)-shownLines):]
}

// goSignal finds the signal in a Go runtime's report. The runtime catches a
// fatal signal and exits by itself.
var goSignal = regexp.MustCompile(`(?m)^(SIG[A-Z0-9]+): |\[signal (SIG[A-Z0-9]+)`)

// howItDied says how a process ended that should not have ended so.
func howItDied(err error, printed []string) string {
	exit, ok := err.(*exec.ExitError)
	if !ok {
		return "ended before it was done"
	}
	status, _ := exit.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return "killed by " + unix.SignalName(status.Signal())
	}
	text := fmt.Sprintf("exited with code %d", status.ExitStatus())
	if m := goSignal.FindStringSubmatch(strings.Join(printed, "\n")); m != nil {
		text = "killed by " + m[1] + m[2]
	}
	return text
}
