// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func one(v any) cell { return cell{values: []any{v}} }

func TestTablesWaitForTheirWidths(t *testing.T) {
	var out bytes.Buffer
	w := newTable(&out, []string{"a.b", "c.d"})
	require.NoError(t, w.flush())
	assert.Empty(t, out.String(), "no head without rows")
	require.NoError(t, w.write([]cell{one("long value"), one("x")}))
	assert.Empty(t, out.String())
	require.NoError(t, w.flush())
	assert.Equal(t, "a.b         c.d\nlong value  x\n", out.String())

	out.Reset()
	require.NoError(t, w.write([]cell{one("a much longer value"), one("y")}))
	require.NoError(t, w.write([]cell{one("s"), one("z")}))
	assert.Equal(t, "a much longer value  y\ns                    z\n", out.String(), "rows after the first flush do not wait")
}

func TestTablesDoNotWaitForEver(t *testing.T) {
	var out bytes.Buffer
	w := newTable(&out, []string{"a.b"})
	for k := range rowsToWait {
		require.NoError(t, w.write([]cell{one(k)}))
	}
	assert.Equal(t, rowsToWait+1, strings.Count(out.String(), "\n"))
}

func TestCellsAreFitForATerminal(t *testing.T) {
	var out bytes.Buffer
	w := newTable(&out, []string{"a.b", "c.d"})
	require.NoError(t, w.write([]cell{one("a\tb\r\n\x1b[2J\x7f\u009b"), one("\xff é")}))
	require.NoError(t, w.write([]cell{one(strings.Repeat("é", 61)), one(strings.Repeat("x", 100))}))
	require.NoError(t, w.write([]cell{{list: true, values: []any{uint64(1), "b", netip.MustParseAddr("::1")}}, {}}))
	require.NoError(t, w.flush())
	pad := func(s string) string { return fmt.Sprintf("%-60s  ", s) }
	assert.Equal(t, []string{
		pad("a.b") + "c.d",
		pad(`a\tb\r\n\x1b[2J\x7f\x9b`) + "\uFFFD é",
		strings.Repeat("é", 59) + "…  " + strings.Repeat("x", 100),
		pad("(1,b,::1)") + "<NA>",
	}, strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n"))
}

func TestFieldListsAreSplitOutsideBrackets(t *testing.T) {
	assert.Equal(t, []string{"a.b", "c.d[x,y]", "e.f"}, splitFields("a.b, c.d[x,y],,e.f"))
	assert.Equal(t, []string{"a.b]", "c.d"}, splitFields("a.b],c.d"))
	assert.Empty(t, splitFields(" , "))
}

func TestTheEndOfTheOutputIsWhereDyingStarts(t *testing.T) {
	var passed bytes.Buffer
	out := &tail{pass: func(line []byte) { passed.Write(line) }}
	assert.Empty(t, out.end())
	for k := range 20 {
		fmt.Fprintf(out, "line %d\n", k)
	}
	end := out.end()
	require.Len(t, end, 12)
	assert.Equal(t, "line 8", end[0])
	assert.Equal(t, "line 19", end[11])

	fmt.Fprint(out, "panic: broken\n\ngoroutine 1 [run")
	for k := range 50 {
		fmt.Fprintf(out, "ning]:\nframe %d\n", k)
	}
	fmt.Fprint(out, "unfinished")
	end = out.end()
	require.Len(t, end, 12)
	assert.Equal(t, []string{"panic: broken", "", "goroutine 1 [running]:"}, end[:3])
	assert.NotContains(t, passed.String(), "unfinished")
	out.flush()
	assert.True(t, strings.HasSuffix(passed.String(), "frame 49\nunfinished\n"))
}

func TestTheOutputKeptIsBounded(t *testing.T) {
	passed := 0
	out := &tail{pass: func(line []byte) { passed += len(line) }}
	block := bytes.Repeat([]byte("x"), keptBytes)
	for range 3 {
		n, err := out.Write(block)
		require.NoError(t, err)
		assert.Equal(t, keptBytes, n)
	}
	assert.Len(t, out.kept, keptBytes)
	out.flush()
	assert.GreaterOrEqual(t, passed, 3*keptBytes, "all of a line without end is passed on")
}

func TestSeveritiesHaveTheFrameworksNames(t *testing.T) {
	assert.Equal(t, "fatal", severityName(1))
	assert.Equal(t, "trace", severityName(8))
	assert.Equal(t, "severity 9", severityName(9))
	assert.Equal(t, "severity 0", severityName(0))
}
