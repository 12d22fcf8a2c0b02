// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// TableRow is an entry of a state table with all its fields, those that
// plugins have added included.
type TableRow struct {
	// Key is an int64 or uint64; nil in a plugin's table, which does not tell.
	Key any
	// Fields is by name: int8 to uint64, bool, string, or []TableRow. A table
	// that cannot be read just now is left out.
	Fields map[string]any
}

// Tables lists the names of the inspector's tables: threads, then those of
// plugins in the order they were added in.
func (n *Inspector) Tables() []string {
	defer n.tables.own()()
	return slices.Clone(n.tables.order)
}

// ReadTable is everything in a table, with the functions that plugins use. The
// rows are in the order of their keys, or else of their fields' text, so that
// those of a capture and of its replay can be compared.
func (n *Inspector) ReadTable(name string) ([]TableRow, error) {
	defer n.tables.own()()
	s := n.tables.byName[name]
	if s == nil {
		return nil, fmt.Errorf("read table %q: there is none; there are %s", name, strings.Join(n.tables.order, ", "))
	}
	rows, err := readRows(s, 0)
	if err != nil {
		return nil, fmt.Errorf("read table %q: %w", name, err)
	}
	return rows, n.violation()
}

// deepestTable bounds tables in fields of tables.
const deepestTable = 8

func readRows(s stateTable, depth int) ([]TableRow, error) {
	if depth > deepestTable {
		return nil, fmt.Errorf("table %s is more than %d tables deep", s.name(), deepestTable)
	}
	infos, err := s.list()
	if err != nil {
		return nil, err
	}
	var fields []*field
	for _, info := range infos {
		f, err := s.field(info.label, info.code)
		if err != nil {
			return nil, err
		}
		fields = append(fields, f)
	}
	rows := []TableRow{}
	var keys []uint64
	b, own := s.(*builtin)
	if own {
		keys = b.keys()
	}
	var failed error
	_, err = s.iterate(func(e entry) bool {
		row := TableRow{Fields: map[string]any{}}
		if own {
			row.Key = goValue(value{n: keys[len(rows)]}, b.key)
		}
		for _, f := range fields {
			if failed = readInto(row.Fields, s, e, f, depth); failed != nil {
				return false
			}
		}
		rows = append(rows, row)
		return true
	})
	if err == nil {
		err = failed
	}
	if !own {
		slices.SortStableFunc(rows, func(x, y TableRow) int { return strings.Compare(fmt.Sprint(x.Fields), fmt.Sprint(y.Fields)) })
	}
	return rows, err
}

func readInto(row map[string]any, s stateTable, e entry, f *field, depth int) error {
	var in inputs
	defer in.release()
	out := unsafe.Pointer(alloc[uint64](&in))
	text := &textBuffer{}
	defer text.free()
	sub, err := s.read(e, f, out, text)
	switch {
	case err != nil && f.code == abi.StateTable && err == errNoText:
		return nil
	case err != nil:
		return err
	case sub != nil:
		defer sub.free()
		rows, err := readRows(sub, depth+1)
		row[f.label] = rows
		return err
	}
	v, _ := loadState(out, f.code)
	row[f.label] = goValue(v, f.code)
	return nil
}
