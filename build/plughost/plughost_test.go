// SPDX-License-Identifier: Apache-2.0

package plughost_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/artifacts"
	"github.com/aerie-falco/aerie/build/plughost"
	"github.com/aerie-falco/aerie/build/workspace"
)

// checkout has a plughost that is this script.
func checkout(t *testing.T, script string) workspace.Workspace {
	t.Helper()
	w := workspace.Workspace{Root: t.TempDir()}
	program := plughost.Program(w)
	require.NoError(t, os.MkdirAll(filepath.Dir(program), 0o755))
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\n"+script), 0o755))
	return w
}

func TestWhatAPluginSaysIsRead(t *testing.T) {
	w := checkout(t, `test "$1 $2" = "inspect --json" || exit 1
case $3 in */libsample.so) ;; *) exit 1 ;; esac
cat <<'END'
{"name": "sample", "description": "A sample", "contact": "jo@example.org", "version": "1.2.3", "id": 7, "event_source": "sample",
 "capabilities": ["sourcing", "extraction"], "extract_event_sources": ["sample"], "parse_event_sources": [], "async_event_sources": [],
 "async_events": [], "required_api_version": "3.0.0", "init_schema": {"type": "object"}, "findings": [],
 "fields": [{"name": "sample.a", "type": "uint64", "isList": true, "desc": "A.", "display": "a",
             "arg": {"isRequired": true, "isIndex": false, "isKey": true}, "addOutput": false, "properties": []}]}
END
echo "a line of the plugin's log" >&2
`)
	i, err := plughost.ByName(w)(t.Context(), "sample")
	require.NoError(t, err)
	want := plughost.Inspection{
		Name: "sample", Description: "A sample", Contact: "jo@example.org", Version: "1.2.3", RequiredAPI: "3.0.0", ID: 7, EventSource: "sample",
		Capabilities: []string{"sourcing", "extraction"}, ExtractSources: []string{"sample"},
		ParseSources: []string{}, AsyncSources: []string{}, AsyncEvents: []string{},
		Fields: []plughost.Field{{Name: "sample.a", Type: "uint64", List: true, Desc: "A."}}, InitSchema: []byte(`{"type": "object"}`),
	}
	want.Fields[0].Arg.Required, want.Fields[0].Arg.Key = true, true
	assert.Equal(t, want, i)
}

func TestAPluginAtFaultIsAnErrorWithWhatPlughostFound(t *testing.T) {
	w := checkout(t, "echo '{\"name\": \"sample\"}'\necho 'finding: init returned NULL' >&2\nexit 2\n")
	file := artifacts.Library(w, artifacts.Host, "sample")
	_, err := plughost.Inspector(w)(t.Context(), file)
	assert.EqualError(t, err, "inspecting "+file+": exit status 2: finding: init returned NULL")
}

func TestAnAnswerThatIsNoJSONIsAnError(t *testing.T) {
	w := checkout(t, "echo name: sample\n")
	_, err := plughost.Inspect(t.Context(), w, "libsample.so")
	require.Error(t, err)
	assert.Contains(t, err.Error(), "inspecting libsample.so: reading what plughost says: ")
}

func TestEveryPluginIsMeasuredUnderItsName(t *testing.T) {
	w := checkout(t, "test \"$1\" = bench || exit 1\necho \"measured $(basename \"$2\")\"\n")
	for _, name := range []string{"one", "two"} {
		require.NoError(t, os.MkdirAll(w.Path("plugins", name, "lib"), 0o755))
		require.NoError(t, os.WriteFile(w.Path("plugins", name, "lib", "main.go"), nil, 0o644))
	}
	var out strings.Builder
	require.NoError(t, plughost.BenchAll(t.Context(), w, &out))
	assert.Equal(t, "\none\nmeasured libone.so\n\ntwo\nmeasured libtwo.so\n", out.String())
}

func TestAPluginIsMeasuredWithTheConfigurationThatItNeeds(t *testing.T) {
	w := checkout(t, `echo "$3 $4"`)
	dir := w.Path("plugins", "one")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "lib"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "testdata"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "lib", "main.go"), nil, 0o644))
	hints := filepath.Join(dir, "testdata", "conformance.json")
	require.NoError(t, os.WriteFile(hints, []byte(`{"config": "{\"a\": 1}"}`), 0o644))
	var out strings.Builder
	require.NoError(t, plughost.BenchAll(t.Context(), w, &out))
	assert.Equal(t, "\none\n--config one={\"a\": 1}\n", out.String())
	require.NoError(t, os.WriteFile(hints, []byte(`{`), 0o644))
	assert.ErrorContains(t, plughost.BenchAll(t.Context(), w, &out), "measuring one: reading "+hints)
}
