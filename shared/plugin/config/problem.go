// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"strconv"
	"strings"
)

// maxProblems is how many problems one error names; it says how many more
// there are.
const maxProblems = 5

// problems collects what is wrong in one text, the most important first. It is
// the error that Decode returns; errors.Is and As reach what Validate methods
// returned.
type problems struct {
	list []problem
	more int // problems beyond maxProblems
}

type problem struct {
	text string
	err  error // of a Validate method, or nil
}

// add notes a problem of the value at a path.
func (p *problems) add(at path, format string, args ...any) {
	p.put(problem{text: at.prefix() + fmt.Sprintf(format, args...)})
}

// addError notes what a Validate method returned.
func (p *problems) addError(at path, err error) {
	p.put(problem{text: at.prefix() + strings.ReplaceAll(err.Error(), "\n", "; "), err: err})
}

func (p *problems) put(one problem) {
	for _, other := range p.list {
		// An embedded struct's Validate is also its outer struct's.
		if other.text == one.text {
			return
		}
	}
	if p.full() {
		p.more++
		return
	}
	p.list = append(p.list, one)
}

// full reports whether further problems are only counted.
func (p *problems) full() bool { return len(p.list) == maxProblems }

// count grows with every problem.
func (p *problems) count() int { return len(p.list) + p.more }

func (p *problems) Error() string {
	var texts []string
	for _, one := range p.list {
		texts = append(texts, one.text)
	}
	if p.more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", p.more))
	}
	return strings.Join(texts, "; ")
}

func (p *problems) Unwrap() []error {
	var errs []error
	for _, one := range p.list {
		if one.err != nil {
			errs = append(errs, one.err)
		}
	}
	return errs
}

// path is the dotted way to a value; "" is the whole text.
type path string

func (p path) key(name string) path {
	if !plain(name) {
		name = quoted(name)
	}
	if p == "" {
		return path(name)
	}
	return p + "." + path(name)
}

func (p path) index(i int) path { return p + path(fmt.Sprintf("[%d]", i)) }

func (p path) prefix() string {
	if p == "" {
		return ""
	}
	return string(p) + ": "
}

// plain reports whether a key can stand in a path without quotes.
func plain(key string) bool {
	if key == "" || len(key) > maxShown {
		return false
	}
	for _, c := range key {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}

// maxShown is how many bytes of a value an error shows.
const maxShown = 60

// quoted shows a text on one line, cut when it is long.
func quoted(s string) string {
	if len(s) > maxShown {
		return strconv.Quote(strings.ToValidUTF8(s[:maxShown], "")) + "..."
	}
	return strconv.Quote(s)
}

// shown tells what a value is, for "got ...".
func (n node) shown() string {
	switch n.kind {
	case nodeString:
		return "the string " + quoted(n.text)
	case nodeBool:
		return n.text
	case nodeNumber:
		if len(n.text) > maxShown {
			return n.text[:maxShown] + "..."
		}
		return n.text
	}
	return n.name()
}

// name tells the type of a value without showing it.
func (n node) name() string {
	return [...]string{
		nodeNull: "null", nodeBool: "a bool", nodeNumber: "a number",
		nodeString: "a string", nodeList: "a list", nodeObject: "an object",
	}[n.kind]
}

// nearest returns the candidate that key was probably meant to be, or "".
func nearest(key string, candidates []string) string {
	if len(key) > maxShown {
		return ""
	}
	best, bestDistance := "", 0
	for _, c := range candidates {
		d := distance(strings.ToLower(key), strings.ToLower(c))
		if d <= max(1, len(c)/3) && (best == "" || d < bestDistance) {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance counts the bytes to insert, delete or replace, and the neighbours to
// swap, to make b from a.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
