// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/aerie-falco/aerie/test/host"
)

// cell is a field's value in one event.
type cell struct {
	values []any // none if the field has no value
	list   bool
}

// rowWriter shows events. Rows may wait until flush.
type rowWriter interface {
	write(row []cell) error
	flush() error
}

// jsonLines writes an object a row, its keys the fields in the order asked for.
// A field without value is null, a list an array, an address a string, and
// bytes that are no UTF-8 are U+FFFD.
type jsonLines struct {
	w     *bufio.Writer
	names [][]byte
}

func newJSONLines(w io.Writer, names []string) *jsonLines {
	j := &jsonLines{w: bufio.NewWriter(w)}
	for _, name := range names {
		j.names = append(j.names, marshal(name))
	}
	return j
}

// marshal is JSON without escapes for HTML.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte("null") // strings, numbers, bools and addresses all encode
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func (j *jsonLines) write(row []cell) error {
	// The writer remembers its first error, and flush returns it.
	for k, c := range row {
		sep := ","
		if k == 0 {
			sep = "{"
		}
		_, _ = j.w.WriteString(sep)
		_, _ = j.w.Write(j.names[k])
		_ = j.w.WriteByte(':')
		switch {
		case len(c.values) == 0:
			_, _ = j.w.WriteString("null")
		case c.list:
			_, _ = j.w.Write(marshal(c.values))
		default:
			_, _ = j.w.Write(marshal(c.values[0]))
		}
	}
	_, _ = j.w.WriteString("}\n")
	return j.w.Flush()
}

func (j *jsonLines) flush() error { return j.w.Flush() }

// table writes aligned columns. Its first rows wait for a flush, or until they
// are enough to know the widths from; later values that are wider widen their
// column for the rows after.
type table struct {
	w       *bufio.Writer
	widths  []int
	waiting [][]string
}

const (
	// rowsToWait is how many rows the widths are taken from.
	rowsToWait = 50
	// widestCell is where cells are cut, except in the last column.
	widestCell = 60
)

func newTable(w io.Writer, names []string) *table {
	t := &table{w: bufio.NewWriter(w), widths: make([]int, len(names))}
	heads := make([]string, len(names))
	for k, name := range names {
		heads[k] = clean(name)
	}
	t.waiting = [][]string{heads}
	t.fit(heads)
	return t
}

func (t *table) write(row []cell) error {
	line := make([]string, len(row))
	for k, c := range row {
		line[k] = clean(c.String())
		if r := []rune(line[k]); k < len(row)-1 && len(r) > widestCell {
			line[k] = string(r[:widestCell-1]) + "…"
		}
	}
	t.fit(line)
	if t.waiting != nil && len(t.waiting) < rowsToWait {
		t.waiting = append(t.waiting, line)
		return nil
	}
	t.print(t.waiting)
	t.waiting = nil
	t.print([][]string{line})
	return t.w.Flush()
}

// String is the value as Falco prints it in an output.
func (c cell) String() string { return host.Printed(c.values, c.list) }

func (t *table) fit(line []string) {
	for k, text := range line {
		t.widths[k] = max(t.widths[k], utf8.RuneCountInString(text))
	}
}

func (t *table) print(lines [][]string) {
	for _, line := range lines {
		for k, text := range line {
			_, _ = t.w.WriteString(text)
			if k < len(line)-1 {
				_, _ = t.w.WriteString(strings.Repeat(" ", t.widths[k]-utf8.RuneCountInString(text)+2))
			}
		}
		_ = t.w.WriteByte('\n')
	}
}

func (t *table) flush() error {
	if len(t.waiting) > 1 {
		t.print(t.waiting)
		t.waiting = nil
	}
	return t.w.Flush()
}
