// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"io"
	"strings"
)

// widths of the columns, in characters; the last has none. Rows are printed as
// they come, so widths cannot follow from them, and longer values are cut.
var widths = [...]int{6, 19, 11, 27, 24, 0}

// table prints rows as they come.
type table struct{ out io.Writer }

func newTable(out io.Writer) *table {
	t := &table{out: out}
	var heading, rule row
	for i, c := range columns {
		heading[i] = c.heading
		rule[i] = strings.Repeat("─", max(widths[i], 4))
	}
	t.print(heading)
	t.print(rule)
	return t
}

func (t *table) add(r row) { t.print(r) }

func (t *table) print(r row) {
	var line strings.Builder
	for i, value := range r {
		line.WriteString("  " + pad(value, widths[i]))
	}
	fmt.Fprintln(t.out, strings.TrimRight(line.String(), " "))
}

// pad makes text as wide as a column, cutting it if need be.
func pad(text string, width int) string {
	r := []rune(text)
	switch {
	case width == 0:
		return text
	case len(r) > width:
		return string(r[:width-1]) + "…"
	}
	return text + strings.Repeat(" ", width-len(r))
}
