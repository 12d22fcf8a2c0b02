// SPDX-License-Identifier: Apache-2.0

package split

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// MaxDepth is how deep the elements of an array may be nested. encoding/json
// draws the line at the same depth.
const MaxDepth = 10_000

// Array yields the elements of the JSON array that text consists of, without
// the white space around them.
//
// It checks what is needed to tell where an element ends: brackets pair up,
// strings end, commas stand between elements, and elements that are no string,
// object or array are JSON literals. The grammar inside of objects and arrays
// is the business of whoever reads the element.
//
// Elements before a mistake have been yielded when the error is returned.
func Array(text []byte, yield func(element []byte) error) error {
	i := skipSpace(text, 0)
	if i == len(text) || text[i] != '[' {
		return fmt.Errorf("split JSON array: starts with %s; want %q", shown(text, i), '[')
	}
	i = skipSpace(text, i+1)
	if i < len(text) && text[i] == ']' {
		return endOf("array", text, i+1)
	}
	for n := 0; ; n++ {
		stop, err := value(text, i)
		if err != nil {
			return fmt.Errorf("split JSON array: element %d, at byte %d: %w", n, i, err)
		}
		if err := yield(text[i:stop:stop]); err != nil {
			return err
		}
		i = skipSpace(text, stop)
		switch {
		case i < len(text) && text[i] == ',':
			i = skipSpace(text, i+1)
		case i < len(text) && text[i] == ']':
			return endOf("array", text, i+1)
		default:
			return fmt.Errorf("split JSON array: %s at byte %d after element %d; want a comma or %q", shown(text, i), i, n, ']')
		}
	}
}

// endOf checks that nothing follows what was split.
func endOf(what string, text []byte, i int) error {
	if i = skipSpace(text, i); i < len(text) {
		return fmt.Errorf("split JSON %s: %s at byte %d, after the end of the %[1]s", what, shown(text, i), i)
	}
	return nil
}

var errString = errors.New("a string that does not end")

// value returns where the value that starts at i ends.
func value(text []byte, i int) (int, error) {
	if i == len(text) {
		return 0, errors.New("the text ends where a value should be")
	}
	switch text[i] {
	case '"':
		stop := stringEnd(text, i)
		if stop < 0 {
			return 0, errString
		}
		return stop, nil
	case '{', '[':
		return container(text, i)
	}
	stop := i
	for stop < len(text) && !isDelimiter(text[stop]) {
		stop++
	}
	if !json.Valid(text[i:stop]) {
		return 0, fmt.Errorf("%s where a value should be", shown(text, i))
	}
	return stop, nil
}

// container returns where the object or array that starts at i ends.
func container(text []byte, i int) (int, error) {
	var open brackets
	for ; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			stop := stringEnd(text, i)
			if stop < 0 {
				return 0, errString
			}
			i = stop - 1
		case '{', '[':
			if !open.push(c == '{') {
				return 0, fmt.Errorf("nested deeper than %d", MaxDepth)
			}
		case '}', ']':
			if !open.pop(c == '}') {
				return 0, fmt.Errorf("%q at byte %d closes another kind of bracket", c, i)
			}
			if open.n == 0 {
				return i + 1, nil
			}
		}
	}
	return 0, errors.New("brackets that are not closed")
}

// brackets is a stack of open brackets, one bit each: set for an object.
type brackets struct {
	bits [(MaxDepth + 63) / 64]uint64
	n    int
}

func (b *brackets) push(object bool) bool {
	if b.n == MaxDepth {
		return false
	}
	word, bit := b.n/64, uint64(1)<<(b.n%64)
	if object {
		b.bits[word] |= bit
	} else {
		b.bits[word] &^= bit
	}
	b.n++
	return true
}

// pop is only called while a bracket is open.
func (b *brackets) pop(object bool) bool {
	b.n--
	return (b.bits[b.n/64]>>(b.n%64)&1 == 1) == object
}

// stringEnd returns the position after the quote that ends the string at i, or
// -1. A quote behind an odd number of backslashes is part of the string; each
// backslash is counted once, for runs end at quotes.
func stringEnd(text []byte, i int) int {
	for i++; ; i++ {
		n := bytes.IndexByte(text[i:], '"')
		if n < 0 {
			return -1
		}
		run := n
		for run > 0 && text[i+run-1] == '\\' {
			run--
		}
		i += n
		if (n-run)%2 == 0 {
			return i + 1
		}
	}
}

func isDelimiter(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', ',', ']', '}', '[', '{', '"', ':':
		return true
	}
	return false
}

func skipSpace(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\n' || text[i] == '\r' || text[i] == '\t') {
		i++
	}
	return i
}

// shown names what stands at i.
func shown(text []byte, i int) string {
	if i >= len(text) {
		return "the end of the text"
	}
	return fmt.Sprintf("%q", text[i:i+1])
}
