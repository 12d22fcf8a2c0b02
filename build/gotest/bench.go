// SPDX-License-Identifier: Apache-2.0

package gotest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/aerie-falco/aerie/build/gocmd"
	"github.com/aerie-falco/aerie/build/workspace"
)

// Bench runs the benchmarks of every module, one package at a time, and prints
// one table. The unit tests are not run with them.
func Bench(ctx context.Context, w workspace.Workspace, out io.Writer) error {
	var rows []measurement
	failed, err := eachModule(ctx, w, func(m workspace.Module, packages []string) error {
		fmt.Fprintf(out, "measuring %s\n", m.Path)
		var said bytes.Buffer
		in := gocmd.Go{Dir: m.Dir, Stdout: &said, Stderr: &said}
		err := in.Run(ctx, append([]string{"test", "-run", "^$", "-bench", ".", "-benchmem", "-p", "1"}, packages...)...)
		if err != nil {
			fmt.Fprint(out, said.String())
		}
		rows = append(rows, measurements(said.String())...)
		return err
	})
	if err != nil {
		return err
	}
	if err := table(out, rows); err != nil {
		return err
	}
	return failure("benchmarks", failed)
}

// Tabulate prints text in go test's benchmark format as a table.
func Tabulate(out io.Writer, text string) error { return table(out, measurements(text)) }

// measurement is one line of go test's benchmark format.
type measurement struct {
	pkg, name string
	values    map[string]string // by unit: "ns/op", "B/op", "allocs/op", …
}

// measurements reads go test's benchmark format.
func measurements(text string) []measurement {
	var rows []measurement
	pkg := ""
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "pkg: "); ok {
			pkg = name
			continue
		}
		f := strings.Fields(line)
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
			continue
		}
		m := measurement{pkg: pkg, name: strings.TrimPrefix(f[0], "Benchmark"), values: map[string]string{}}
		for i := 2; i+1 < len(f); i += 2 {
			m.values[f[i+1]] = f[i]
		}
		rows = append(rows, m)
	}
	return rows
}

// table prints the rows under their packages. Units other than go test's usual ones stand last, with their names.
func table(out io.Writer, rows []measurement) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	pkg := ""
	for _, r := range rows {
		if r.pkg != pkg {
			pkg = r.pkg
			if err := t.Flush(); err != nil {
				return err
			}
			fmt.Fprintf(out, "\n%s\n", pkg)
			fmt.Fprint(t, "ns/op\tB/op\tallocs/op\tMB/s\t  benchmark\n")
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t  %s%s\n", r.values["ns/op"], r.values["B/op"], r.values["allocs/op"], r.values["MB/s"], r.name, r.others())
	}
	return t.Flush()
}

func (m measurement) others() string {
	var b strings.Builder
	for _, unit := range slices.Sorted(maps.Keys(m.values)) {
		switch unit {
		case "ns/op", "B/op", "allocs/op", "MB/s":
		default:
			fmt.Fprintf(&b, "  %s %s", m.values[unit], unit)
		}
	}
	return b.String()
}
