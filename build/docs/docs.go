// SPDX-License-Identifier: Apache-2.0

// Package docs fills the tables of the READMEs: the fields, the init
// configuration and the open parameters of each plugin, from what the built
// plugin says, and the list of plugins, from the registry.
//
// A table stands between two marker lines. What is between them is replaced;
// the rest of the file is the author's.
package docs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/aerie-falco/aerie/build/plughost"
	"github.com/aerie-falco/aerie/build/registry"
	"github.com/aerie-falco/aerie/build/workspace"
)

// The pairs of marker lines.
var (
	fieldsMark     = pair{"<!-- README-PLUGIN-FIELDS -->", "<!-- /README-PLUGIN-FIELDS -->"}
	configMark     = pair{"<!-- README-PLUGIN-CONFIG -->", "<!-- /README-PLUGIN-CONFIG -->"}
	openParamsMark = pair{"<!-- README-PLUGIN-OPEN-PARAMS -->", "<!-- /README-PLUGIN-OPEN-PARAMS -->"}
	registryMark   = pair{"<!-- REGISTRY:TABLE -->", "<!-- REGISTRY:TABLE -->"}
)

// OpenParamsSchema is the file in a plugin's folder that describes its open parameters as a JSON Schema, if it has one.
const OpenParamsSchema = "open_params.schema.json"

// Inspector says what the built plugin of that name tells of itself.
type Inspector func(ctx context.Context, plugin string) (plughost.Inspection, error)

// Generate brings all tables up to date and returns the files that it changed,
// relative to the root. Files with errors are left as they are; the error has all of them.
func Generate(ctx context.Context, w workspace.Workspace, inspect Inspector) ([]string, error) {
	outdated, err := render(ctx, w, inspect)
	var changed []string
	for _, f := range outdated {
		if failed := os.WriteFile(w.Path(filepath.FromSlash(f.rel)), []byte(f.text), 0o644); failed != nil {
			err = errors.Join(err, fmt.Errorf("writing tables: %w", failed))
			continue
		}
		changed = append(changed, f.rel)
	}
	return changed, err
}

// Check returns an error if Generate would change a file, or could not fill one.
func Check(ctx context.Context, w workspace.Workspace, inspect Inspector) error {
	outdated, err := render(ctx, w, inspect)
	for _, f := range outdated {
		err = errors.Join(err, fmt.Errorf("%s: its tables are out of date; run go tool mage docs:generate", f.rel))
	}
	return err
}

// file is a README as it should be.
type file struct{ rel, text string }

// render returns the files whose content has to change.
func render(ctx context.Context, w workspace.Workspace, inspect Inspector) ([]file, error) {
	ledger, err := registry.Load(w.Path(registry.FileName))
	if err != nil {
		return nil, err
	}
	plugins, err := w.Plugins()
	if err != nil {
		return nil, err
	}
	var outdated []file
	var failed []error
	fill := func(rel string, tables []table) {
		text, changed, err := fillFile(w, rel, tables)
		if err != nil {
			failed = append(failed, err)
		} else if changed {
			outdated = append(outdated, file{rel, text})
		}
	}
	fill("README.md", []table{{registryMark, "a registry", registryTable(ledger)}})
	for _, p := range plugins {
		i, err := inspect(ctx, p.Name)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		tables, err := pluginTables(p, i)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		fill("plugins/"+p.Name+"/README.md", tables)
	}
	return outdated, errors.Join(failed...)
}

// table is what belongs between a pair of markers. An empty text means that the README must not have the pair.
type table struct {
	mark pair
	what string // what the table shows, for errors
	text string
}

// pluginTables are the tables of a plugin's README.
func pluginTables(p workspace.Plugin, i plughost.Inspection) ([]table, error) {
	tables := []table{{fieldsMark, "a list of fields", fieldsTable(i.Fields)}}
	config, err := schemaTable(i.InitSchema)
	if err != nil {
		return nil, fmt.Errorf("plugins/%s: reading the schema of its init configuration: %w", p.Name, err)
	}
	tables = append(tables, table{configMark, "a schema of the init configuration", config})
	schema, err := os.ReadFile(filepath.Join(p.Dir, OpenParamsSchema))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("plugins/%s: %w", p.Name, err)
	}
	openParams, err := schemaTable(schema)
	if err != nil {
		return nil, fmt.Errorf("plugins/%s/%s: %w", p.Name, OpenParamsSchema, err)
	}
	return append(tables, table{openParamsMark, "a schema of open parameters", openParams}), nil
}

// fillFile returns the README's text with all tables filled, and whether that differs from what stands there.
func fillFile(w workspace.Workspace, rel string, tables []table) (string, bool, error) {
	old, err := os.ReadFile(w.Path(filepath.FromSlash(rel)))
	if err != nil {
		return "", false, fmt.Errorf("filling tables: %w", err)
	}
	text := string(old)
	var failed []error
	for _, t := range tables {
		filled, pairs, err := t.mark.fill(text, t.text)
		switch {
		case err != nil:
			failed = append(failed, fmt.Errorf("%s: %w", rel, err))
		case pairs == 0 && t.text != "":
			failed = append(failed, fmt.Errorf("%s: there is %s to show, but no pair of lines %s and %s for its table", rel, t.what, t.mark.begin, t.mark.end))
		case pairs > 0 && t.text == "":
			failed = append(failed, fmt.Errorf("%s: has the line %s, but there is no %s to show", rel, t.mark.begin, strings.TrimPrefix(t.what, "a ")))
		default:
			text = filled
		}
	}
	return text, text != string(old), errors.Join(failed...)
}

// pair is two marker lines. They may be the same text.
type pair struct{ begin, end string }

// fill puts content, which ends in a line break, between the lines of every pair, and counts the pairs.
func (p pair) fill(text, content string) (string, int, error) {
	var out strings.Builder
	pairs, openedAt, n := 0, 0, 0
	for line := range strings.Lines(text) {
		n++
		mark := strings.TrimSpace(line)
		switch {
		case openedAt == 0 && mark == p.begin:
			openedAt = n
			pairs++
			out.WriteString(line + content)
		case openedAt > 0 && mark == p.end:
			openedAt = 0
			out.WriteString(line)
		case openedAt > 0 && mark == p.begin:
			return "", 0, fmt.Errorf("line %d: %s once more before the %s for line %d", n, p.begin, p.end, openedAt)
		case openedAt == 0 && mark == p.end:
			return "", 0, fmt.Errorf("line %d: %s without %s before it", n, p.end, p.begin)
		case openedAt == 0:
			out.WriteString(line)
		}
	}
	if openedAt > 0 {
		return "", 0, fmt.Errorf("line %d: %s is never followed by %s", openedAt, p.begin, p.end)
	}
	return out.String(), pairs, nil
}
