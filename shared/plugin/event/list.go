// SPDX-License-Identifier: Apache-2.0

package event

import (
	"bytes"
	"iter"
	"strings"
	"unsafe"
)

// List is a buffer of strings that end in NUL: a process's arguments, its
// environment, its cgroups. It is a view, as are the strings that it gives.
// Drivers cut long lists, so the last string may be a piece and lack its NUL.
type List struct{ b []byte }

// Strings reads a list; one without any strings is present and empty.
func (e *Event) Strings(i int) (List, bool) {
	b, ok := e.Param(i)
	return List{b}, ok
}

// All yields the strings in order, empty ones too.
func (l List) All() iter.Seq[string] {
	return func(yield func(string) bool) {
		for rest := l.b; len(rest) > 0; {
			end, next := bytes.IndexByte(rest, 0), 0
			if end < 0 {
				end, next = len(rest), len(rest)
			} else {
				next = end + 1
			}
			if !yield(unsafe.String(unsafe.SliceData(rest), end)) {
				return
			}
			rest = rest[next:]
		}
	}
}

// Pairs yields the strings of the form key=value, cut at the first "=": variables
// of an environment, or cgroups, as subsystem and path. Others are left out.
func (l List) Pairs() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for s := range l.All() {
			if key, value, ok := strings.Cut(s, "="); ok && !yield(key, value) {
				return
			}
		}
	}
}

// Value is the value of the first pair with this key: the path of a cgroup
// subsystem, the content of an environment variable.
func (l List) Value(key string) (string, bool) {
	for k, v := range l.Pairs() {
		if k == key {
			return v, true
		}
	}
	return "", false
}
