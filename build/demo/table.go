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

// alertWidth is where the output of a rule is cut.
const alertWidth = 150

// table prints rows as they come, the first few of them.
type table struct {
	out     io.Writer
	limit   int
	printed int
	more    int
}

func newTable(out io.Writer, limit int) *table {
	t := &table{out: out, limit: limit}
	var heading, rule values
	for i, c := range columns {
		heading[i] = c.heading
		rule[i] = strings.Repeat("─", max(widths[i], 4))
	}
	t.print(heading)
	t.print(rule)
	return t
}

func (t *table) add(r row) {
	if t.printed == t.limit {
		t.more++
		return
	}
	t.printed++
	t.print(r.values)
	for _, a := range r.alerts {
		text := a.Priority + ": " + a.Output
		fmt.Fprintln(t.out, "    └─ "+strings.TrimRight(pad(text, min(alertWidth, len([]rune(text)))), " "))
	}
}

// end says how many rows were left out.
func (t *table) end() {
	if t.more > 0 {
		fmt.Fprintf(t.out, "  … and %d more\n", t.more)
	}
}

func (t *table) print(r values) {
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
