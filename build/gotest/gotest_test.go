// SPDX-License-Identifier: Apache-2.0

package gotest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/workspace"
)

// checkout has three modules: the first fails, the second passes, the third has tests that need built plugins.
func checkout(t *testing.T) workspace.Workspace {
	t.Helper()
	w := workspace.Workspace{Root: t.TempDir()}
	for name, text := range map[string]string{
		"go.work":                       "go 1.26.0\n\nuse (\n\t./a\n\t./b\n\t./test\n)\n",
		"a/go.mod":                      "module example.org/a\n\ngo 1.26.0\n",
		"a/a_test.go":                   "package a\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) { t.Error(\"a is broken\") }\n",
		"b/go.mod":                      "module example.org/b\n\ngo 1.26.0\n",
		"b/b_test.go":                   "package b\n\nimport \"testing\"\n\nfunc TestB(t *testing.T) {}\n\nfunc BenchmarkNothing(b *testing.B) {\n\tfor b.Loop() {\n\t}\n\tb.ReportMetric(7, \"events/op\")\n}\n",
		"test/go.mod":                   "module example.org/test\n\ngo 1.26.0\n",
		"test/host/host_test.go":        "package host\n\nimport \"testing\"\n\nfunc TestHost(t *testing.T) {}\n",
		"test/conformance/conf_test.go": "package conformance\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestDist(t *testing.T) {\n\tif _, err := os.Stat(\"../../dist/built\"); err != nil {\n\t\tt.Fatal(err)\n\t}\n}\n",
	} {
		path := w.Path(filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	t.Setenv("GOFLAGS", "")
	t.Setenv("GOWORK", "")
	return w
}

func TestAFailingModuleStopsNoOtherAndIsNamed(t *testing.T) {
	w := checkout(t)
	var out bytes.Buffer
	err := Unit(t.Context(), w, &out)
	assert.EqualError(t, err, "unit tests failed in: a")
	assert.Contains(t, out.String(), "a is broken")
	assert.Contains(t, out.String(), "FAIL\texample.org/a")
	assert.Contains(t, out.String(), "ok  \texample.org/b")
	assert.Contains(t, out.String(), "ok  \texample.org/test/host")
	assert.NotContains(t, out.String(), "example.org/test/conformance", "needs built plugins")
}

func TestConformanceSeesTheBuiltFilesAndIsNeverCached(t *testing.T) {
	w := checkout(t)
	var out bytes.Buffer
	require.Error(t, Conformance(t.Context(), w, &out), "nothing is built")

	require.NoError(t, os.MkdirAll(w.Dist(), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(w.Dist(), "built"), nil, 0o644))
	for range 2 {
		out.Reset()
		require.NoError(t, Conformance(t.Context(), w, &out))
		assert.Contains(t, out.String(), "ok  \texample.org/test/conformance")
		assert.NotContains(t, out.String(), "(cached)")
	}
}

func TestACheckoutWithoutConformanceTestsFails(t *testing.T) {
	w := checkout(t)
	require.NoError(t, os.RemoveAll(w.Path("test", "conformance")))
	var out bytes.Buffer
	err := Conformance(t.Context(), w, &out)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestBenchmarksEndInOneTable(t *testing.T) {
	w := checkout(t)
	var out bytes.Buffer
	require.NoError(t, Bench(t.Context(), w, &out))
	assert.Contains(t, out.String(), "\nexample.org/b\n")
	assert.Regexp(t, `ns/op +B/op +allocs/op +MB/s +benchmark\n +[0-9.]+ +0 +0 +Nothing\S*  7.000 events/op\n`, out.String())
}

func TestBenchmarkLinesAreReadByUnit(t *testing.T) {
	rows := measurements(strings.Join([]string{
		"goos: linux", "pkg: example.org/json", "BenchmarkPointer/deep-2   \t  100\t  250.5 ns/op\t 64.00 MB/s\t  0 B/op\t  0 allocs/op",
		"BenchmarkBroken --- FAIL", "PASS", "ok  \texample.org/json\t1.2s", "pkg: example.org/other", "BenchmarkX-2 1 2 ns/op",
	}, "\n"))
	assert.Equal(t, []measurement{
		{pkg: "example.org/json", name: "Pointer/deep-2", values: map[string]string{"ns/op": "250.5", "MB/s": "64.00", "B/op": "0", "allocs/op": "0"}},
		{pkg: "example.org/other", name: "X-2", values: map[string]string{"ns/op": "2"}},
	}, rows)
}
