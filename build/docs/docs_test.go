// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/plughost"
	"github.com/aerie-falco/aerie/build/workspace"
)

func lines(l ...string) string { return strings.Join(l, "\n") + "\n" }

func TestFieldsAreListedWithTypeArgumentAndDescription(t *testing.T) {
	var fields []plughost.Field
	require.NoError(t, json.Unmarshal([]byte(`[
		{"name": "json.value", "type": "string", "desc": "A value.", "arg": {"isKey": true, "isRequired": true}},
		{"name": "ka.images", "type": "string", "isList": true, "desc": "Images <first>, one\nor two | three", "arg": {"isIndex": true, "isKey": true}},
		{"name": "ka.time", "type": "abstime", "desc": "When."}
	]`), &fields))
	assert.Equal(t, lines(
		"| NAME | TYPE | ARG | DESCRIPTION |",
		"| --- | --- | --- | --- |",
		"| `json.value` | `string` | Key, Required | A value. |",
		"| `ka.images` | `string (list)` | Index, Key | Images &lt;first>, one<br/>or two \\| three |",
		"| `ka.time` | `abstime` | None | When. |",
	), fieldsTable(fields))
	assert.Empty(t, fieldsTable(nil))
}

func TestOptionsAreListedInTheOrderOfTheSchema(t *testing.T) {
	table, err := schemaTable([]byte(`{
		"$schema": "http://json-schema.org/draft-07/schema#", "type": ["object", "null"],
		"properties": {
			"zeal": {"title": "Zeal", "description": "How hard to try.", "type": ["integer", "null"], "minimum": 1, "maximum": 9, "default": 5},
			"addr": {"title": "Address", "type": ["string", "number"], "default": ":54827", "examples": ["127.0.0.1:80", "unix:/run/a.sock"]},
			"tls": {"title": "TLS", "type": "object", "required": ["cert"], "properties": {
				"cert": {"title": "Certificate file?", "type": "string"},
				"mode": {"type": "string", "enum": ["on", "off", true, null], "default": "on"}
			}},
			"routes": {"type": "array", "items": {"type": "object", "properties": {"path": {"type": "string", "description": "a|b"}}}},
			"labels": {"type": "object", "additionalProperties": {"type": "number", "maximum": 3}},
			"names": {"type": "array", "items": {"type": "string"}, "minimum": 0},
			"maxSize": {"title": "Max size", "description": "From 1KiB to 1MiB.", "type": ["string", "integer"], "minimum": 1024, "maximum": 1048576, "default": "1MiB"},
			"any": {"default": null}
		},
		"required": ["addr"], "additionalProperties": false
	}`))
	require.NoError(t, err)
	assert.Equal(t, lines(
		"| KEY | TYPE | DEFAULT | REQUIRED | DESCRIPTION |",
		"| --- | --- | --- | --- | --- |",
		"| `zeal` | integer | `5` | no | How hard to try. From 1 to 9. |",
		"| `addr` | string | `\":54827\"` | yes | Address. Example: `\"127.0.0.1:80\"`, `\"unix:/run/a.sock\"`. |",
		"| `tls` | section |  | no |  |",
		"| `tls.cert` | string |  | yes | Certificate file? |",
		"| `tls.mode` | string | `\"on\"` | no | One of `\"on\"`, `\"off\"`. |",
		"| `routes` | list of section |  | no |  |",
		"| `routes[].path` | string |  | no | a\\|b. |",
		"| `labels` | map of number |  | no |  |",
		"| `names` | list of string |  | no |  |",
		"| `maxSize` | string | `\"1MiB\"` | no | From 1KiB to 1MiB. |",
		"| `any` | any | `null` | no |  |",
	), table)
}

func TestASchemaThatATableCannotShowIsAnError(t *testing.T) {
	deep := `{"type": "string"}`
	for range maxDepth + 2 {
		deep = `{"properties": {"a": ` + deep + `}}`
	}
	for name, c := range map[string]struct{ text, want string }{
		"no JSON":           {`{"properties"`, "reading a JSON Schema: unexpected end of JSON input"},
		"no properties":     {`{"type": "object"}`, "the schema describes no option"},
		"properties a list": {`{"properties": []}`, "properties are []; use an object"},
		"a type that is no": {`{"properties": {"a": {"type": 3}}}`, "type 3 is neither a name nor a list of names"},
		"a reference":       {`{"properties": {"a": {"$ref": "#/definitions/b"}}}`, `option "a" uses $ref "#/definitions/b"; write the schema out`},
		"without end":       {deep, "sections deep"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := schemaTable([]byte(c.text))
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.want)
		})
	}
	for _, none := range []string{"", " \n", "null"} {
		table, err := schemaTable([]byte(none))
		require.NoError(t, err)
		assert.Empty(t, table)
	}
}

func TestEveryPairOfMarkersIsFilled(t *testing.T) {
	p := pair{"<!-- A -->", "<!-- /A -->"}
	text, pairs, err := p.fill("one\n<!-- A -->\nold\n<!-- /A -->\ntwo\n  <!-- A -->  \n<!-- /A -->\n", "new\n")
	require.NoError(t, err)
	assert.Equal(t, 2, pairs)
	assert.Equal(t, "one\n<!-- A -->\nnew\n<!-- /A -->\ntwo\n  <!-- A -->  \nnew\n<!-- /A -->\n", text)

	same := pair{"<!-- T -->", "<!-- T -->"}
	text, pairs, err = same.fill("<!-- T -->\nold\n<!-- T -->\nrest", "new\n")
	require.NoError(t, err)
	assert.Equal(t, 1, pairs)
	assert.Equal(t, "<!-- T -->\nnew\n<!-- T -->\nrest", text)

	for name, c := range map[string]struct{ text, want string }{
		"no end":      {"a\n<!-- A -->\nb\n", "line 2: <!-- A --> is never followed by <!-- /A -->"},
		"no begin":    {"a\n<!-- /A -->\n", "line 2: <!-- /A --> without <!-- A --> before it"},
		"begin twice": {"<!-- A -->\n<!-- A -->\n<!-- /A -->\n", "line 2: <!-- A --> once more before the <!-- /A --> for line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := p.fill(c.text, "new\n")
			assert.EqualError(t, err, c.want)
		})
	}
}

const ledger = `plugins:
  - name: sample
    description: A sample | of two
    authors: The Authors
    contact: jo@example.org
    url: https://example.org/sample
    license: Apache-2.0
    capabilities: {sourcing: {supported: true, id: 7, source: sample}, extraction: {supported: true}}
  - {name: held, reserved: true, capabilities: {sourcing: {id: 8}}}
`

// checkout has one plugin, sample, with fields and a configuration.
func checkout(t *testing.T, files map[string]string) (workspace.Workspace, Inspector) {
	t.Helper()
	w := workspace.Workspace{Root: t.TempDir()}
	all := map[string]string{
		"registry.yaml": ledger, "plugins/sample/lib/main.go": "package main\n",
		"README.md":                "# All\n<!-- REGISTRY:TABLE -->\n<!-- REGISTRY:TABLE -->\n",
		"plugins/sample/README.md": "# Sample\n<!-- README-PLUGIN-FIELDS -->\n<!-- /README-PLUGIN-FIELDS -->\n<!-- README-PLUGIN-CONFIG -->\n<!-- /README-PLUGIN-CONFIG -->\nend\n",
	}
	for name, text := range files {
		all[name] = text
	}
	for name, text := range all {
		path := w.Path(filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return w, func(_ context.Context, name string) (plughost.Inspection, error) {
		if name != "sample" {
			return plughost.Inspection{}, errors.New("no such plugin: " + name)
		}
		return plughost.Inspection{
			Name: name, Fields: []plughost.Field{{Name: "sample.a", Type: "uint64", Desc: "A."}},
			InitSchema: json.RawMessage(`{"properties": {"b": {"type": "boolean", "default": false}}}`),
		}, nil
	}
}

func read(t *testing.T, w workspace.Workspace, name string) string {
	t.Helper()
	text, err := os.ReadFile(w.Path(filepath.FromSlash(name)))
	require.NoError(t, err)
	return string(text)
}

func TestGeneratingFillsTheREADMEsAndCheckingThenPasses(t *testing.T) {
	w, inspect := checkout(t, nil)
	err := Check(t.Context(), w, inspect)
	require.Error(t, err)
	assert.Equal(t, "README.md: its tables are out of date; run go tool mage docs:generate\n"+
		"plugins/sample/README.md: its tables are out of date; run go tool mage docs:generate", err.Error())

	changed, err := Generate(t.Context(), w, inspect)
	require.NoError(t, err)
	assert.Equal(t, []string{"README.md", "plugins/sample/README.md"}, changed)
	assert.Equal(t, lines(
		"# All", "<!-- REGISTRY:TABLE -->",
		"| Name | Capabilities | Description |", "| --- | --- | --- |",
		"| [sample](https://example.org/sample) | **Event sourcing**: ID 7, source `sample`<br/>**Field extraction**: `sample` |"+
			" A sample \\| of two<br/><br/>Authors: [The Authors](mailto:jo@example.org)<br/>License: Apache-2.0 |",
		"<!-- REGISTRY:TABLE -->",
	), read(t, w, "README.md"))
	assert.Equal(t, lines(
		"# Sample",
		"<!-- README-PLUGIN-FIELDS -->", "| NAME | TYPE | ARG | DESCRIPTION |", "| --- | --- | --- | --- |", "| `sample.a` | `uint64` | None | A. |", "<!-- /README-PLUGIN-FIELDS -->",
		"<!-- README-PLUGIN-CONFIG -->", "| KEY | TYPE | DEFAULT | REQUIRED | DESCRIPTION |", "| --- | --- | --- | --- | --- |", "| `b` | boolean | `false` | no |  |", "<!-- /README-PLUGIN-CONFIG -->",
		"end",
	), read(t, w, "plugins/sample/README.md"))

	require.NoError(t, Check(t.Context(), w, inspect))
	changed, err = Generate(t.Context(), w, inspect)
	require.NoError(t, err)
	assert.Empty(t, changed)
}

func TestMissingAndNeedlessMarkersAreErrorsAndLeaveTheFileAlone(t *testing.T) {
	w, inspect := checkout(t, map[string]string{
		"README.md": "# All\n",
		"plugins/sample/README.md": "<!-- README-PLUGIN-CONFIG -->\n<!-- /README-PLUGIN-CONFIG -->\n" +
			"<!-- README-PLUGIN-OPEN-PARAMS -->\n<!-- /README-PLUGIN-OPEN-PARAMS -->\n",
	})
	before := read(t, w, "plugins/sample/README.md")
	changed, err := Generate(t.Context(), w, inspect)
	assert.Empty(t, changed)
	require.Error(t, err)
	assert.Equal(t, strings.Join([]string{
		"README.md: there is a registry to show, but no pair of lines <!-- REGISTRY:TABLE --> and <!-- REGISTRY:TABLE --> for its table",
		"plugins/sample/README.md: there is a list of fields to show, but no pair of lines <!-- README-PLUGIN-FIELDS --> and <!-- /README-PLUGIN-FIELDS --> for its table",
		"plugins/sample/README.md: has the line <!-- README-PLUGIN-OPEN-PARAMS -->, but there is no schema of open parameters to show",
	}, "\n"), err.Error())
	assert.Equal(t, before, read(t, w, "plugins/sample/README.md"))
}

func TestOpenParametersComeFromTheCommittedSchema(t *testing.T) {
	readme := "<!-- README-PLUGIN-FIELDS -->\n<!-- /README-PLUGIN-FIELDS -->\n<!-- README-PLUGIN-CONFIG -->\n<!-- /README-PLUGIN-CONFIG -->\n"
	w, inspect := checkout(t, map[string]string{
		"plugins/sample/open_params.schema.json": `{"properties": {"addr": {"type": "string"}}}`,
		"plugins/sample/README.md":               readme,
	})
	_, err := Generate(t.Context(), w, inspect)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "there is a schema of open parameters to show, but no pair of lines <!-- README-PLUGIN-OPEN-PARAMS -->")

	require.NoError(t, os.WriteFile(w.Path("plugins", "sample", "README.md"), []byte(readme+"<!-- README-PLUGIN-OPEN-PARAMS -->\n<!-- /README-PLUGIN-OPEN-PARAMS -->\n"), 0o644))
	_, err = Generate(t.Context(), w, inspect)
	require.NoError(t, err)
	assert.Contains(t, read(t, w, "plugins/sample/README.md"), "| `addr` | string |  | no |  |\n<!-- /README-PLUGIN-OPEN-PARAMS -->")
}

func TestAPluginWithoutREADMEOrThatCannotBeInspectedIsAnError(t *testing.T) {
	w, inspect := checkout(t, map[string]string{"plugins/other/lib/main.go": "package main\n"})
	require.NoError(t, os.Remove(w.Path("plugins", "sample", "README.md")))
	err := Check(t.Context(), w, inspect)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "no such plugin: other")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestCodeKeepsBackticksAndBars(t *testing.T) {
	assert.Equal(t, "`a\\|b`", code("a|b"))
	assert.Equal(t, "`` a`b ``", code("a`b"))
}
