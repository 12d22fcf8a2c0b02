// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

var update = flag.Bool("update", false, "write the golden files anew")

// keys are the arguments that the golden files have for fields that need one. Fields with
// an index are asked without and, if they have values, with the first two indexes.
var keys = map[string][]string{
	"ka.uri.param":                    {"command", "container", "stdin", "limit"},
	"ka.req.binding.subject.has_name": {"cluster-admin"},
	"ka.req.volume.hostpath":          {"/etc", "/proc*", "/*"},
}

// samples are the audit events in testdata.
func samples(t testing.TB) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/samples/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	events := map[string]string{}
	for _, file := range append(files, "testdata/everything.json") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		events[strings.TrimSuffix(filepath.Base(file), ".json")] = string(text)
	}
	return events
}

func TestAllFieldsOfAllSamples(t *testing.T) {
	p := New() // one for all: what was read of one sample must not show in the next
	for name, payload := range samples(t) {
		t.Run(name, func(t *testing.T) {
			got := allFields(t, p, payload)
			golden := filepath.Join("testdata", "golden", name+".txt")
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err, "write it with go test -update")
			assert.Equal(t, string(want), got)
			assert.Equal(t, got, allFields(t, New(), strings.TrimSpace(payload)), "in another state")
		})
	}
}

// allFields has a line for each value that a field can be asked for.
func allFields(t *testing.T, p *Plugin, payload string) string {
	t.Helper()
	var lines strings.Builder
	line := func(f field, argument string) []string {
		values := ask(t, p, payload, f.Name+argument)
		text := "-"
		switch {
		case isList(f) && values != nil:
			text = fmt.Sprintf("%q", values)
		case values != nil:
			text = fmt.Sprintf("%q", values[0])
		}
		fmt.Fprintf(&lines, "%s%s %s\n", f.Name, argument, text)
		return values
	}
	for _, f := range Extraction.Fields {
		switch f.Arg {
		case extract.NoArg:
			line(f, "")
		case extract.RequiredKey:
			for _, key := range keys[f.Name] {
				line(f, "["+key+"]")
			}
		default:
			if line(f, "") != nil {
				line(f, "[0]")
				line(f, "[1]")
			}
		}
	}
	return lines.String()
}

// A value that is a token of the payload says where that stands, quotes and brackets
// included.
func TestValuesStandWhereTheFieldsSay(t *testing.T) {
	located := 0
	for name, payload := range samples(t) {
		p := New()
		for _, f := range Extraction.Fields {
			if f.Arg == extract.RequiredKey {
				continue
			}
			got := probe(t, p, payload, f.Name)
			for i, at := range got.Offsets {
				if at == [2]int{} {
					continue
				}
				located++
				token := payload[at[0] : at[0]+at[1]]
				assert.Equal(t, got.Values[i], tokenText(t, token), "%s of %s", f.Name, name)
			}
		}
	}
	assert.Greater(t, located, 500)
}

// tokenText is what a field makes of a token.
func tokenText(t *testing.T, token string) string {
	t.Helper()
	var text string
	if token[0] == '"' {
		require.NoError(t, json.Unmarshal([]byte(token), &text))
		return text
	}
	var compact bytes.Buffer
	require.NoError(t, json.Compact(&compact, []byte(token)))
	return compact.String()
}
