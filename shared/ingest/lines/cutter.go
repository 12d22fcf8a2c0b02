// SPDX-License-Identifier: Apache-2.0

package lines

import (
	"bytes"
	"io"
)

// Sizes of a cutter's memory, in bytes.
const (
	minMemory = 64 << 10
	maxKept   = 1 << 20 // what stays allocated when nothing is in it
)

// cutter cuts what it reads into lines of at most max bytes.
type cutter struct {
	max     int
	memory  []byte
	from    int // memory[from:to] is read, and not cut yet
	scanned int // there is no newline in memory[from:scanned]
	to      int
	offset  int64 // in the file, of memory[from]
	dropped int64 // bytes of an over-long line that are gone already
}

// line is one line without its ending, LF or CR LF.
type line struct {
	text []byte // nil if the line is too long; valid until the next fill
	size int64
}

// fill reads once. It is called when next finds no more lines.
func (c *cutter) fill(from io.Reader) (int, error) {
	c.makeRoom()
	n, err := from.Read(c.memory[c.to:])
	c.to += n
	return n, err
}

func (c *cutter) makeRoom() {
	if c.from == c.to {
		c.from, c.scanned, c.to = 0, 0, 0
		if len(c.memory) > maxKept {
			c.memory = nil
		}
	}
	switch {
	case c.to < len(c.memory):
		return
	case c.from > 0:
		copy(c.memory, c.memory[c.from:c.to])
		c.scanned, c.to, c.from = c.scanned-c.from, c.to-c.from, 0
	case len(c.memory) < c.max+2: // two for the line's ending
		grown := make([]byte, min(max(minMemory, 2*len(c.memory)), max(c.max+2, minMemory)))
		copy(grown, c.memory[:c.to])
		c.memory = grown
	default:
		c.drop(c.to)
	}
}

// drop lets go of everything up to index end: it belongs to a line that is too long.
func (c *cutter) drop(end int) {
	c.dropped += int64(end - c.from)
	c.offset += int64(end - c.from)
	c.from, c.scanned = end, end
	if end == c.to {
		c.from, c.scanned, c.to = 0, 0, 0
	}
}

// next returns the next whole line.
func (c *cutter) next() (line, bool) {
	at := bytes.IndexByte(c.memory[c.scanned:c.to], '\n')
	if at < 0 {
		c.scanned = c.to
		return line{}, false
	}
	return c.cut(c.scanned+at, c.scanned+at+1), true
}

// rest returns what is left, without a newline, as a line.
func (c *cutter) rest() (line, bool) {
	if c.from == c.to && c.dropped == 0 {
		return line{}, false
	}
	return c.cut(c.to, c.to), true
}

// cut takes memory[from:end] as the line, or the end of it, and goes on at next.
func (c *cutter) cut(end, next int) line {
	text := bytes.TrimSuffix(c.memory[c.from:end:end], []byte{'\r'})
	l := line{text: text, size: c.dropped + int64(len(text))}
	if l.size > int64(c.max) {
		l.text = nil
	} else if l.text == nil {
		l.text = []byte{}
	}
	c.dropped = 0
	c.offset += int64(next - c.from)
	c.from, c.scanned = next, next
	return l
}

// restart forgets everything and goes on at another offset.
func (c *cutter) restart(offset int64) {
	c.from, c.scanned, c.to, c.dropped, c.offset = 0, 0, 0, 0, offset
}
