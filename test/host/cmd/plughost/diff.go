// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/aerie-falco/aerie/test/face"
)

func diffCommand(t *terminal) *cobra.Command {
	var asJSON bool
	var config, more string
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Show what changed between two versions of a plugin, and which version that takes",
		Long: `Diff compares what others rely on in a plugin: name, ID and event source, fields, the
configuration and the open parameters, events, metrics and state tables. For each change it
tells how much the version has to go up, and asks what only a person can answer.

OLD and NEW are plugins, or faces that inspect --face has printed of them. What the code does
is not looked at: a bug fix changes nothing here, and takes a new patch number all the same.

The exit code is 0 whatever is found.`,
		Example: `  plughost diff old/libjson.so dist/linux_amd64/libjson.so
  plughost diff face.json dist/linux_amd64/libjson.so`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			var faces [2]face.Face
			for k, path := range args {
				var err error
				if faces[k], err = faceOf(t, path, config); err != nil {
					return err
				}
			}
			also, err := t.readChanges(more)
			if err != nil {
				return err
			}
			v := face.Judge(faces[0], faces[1], also)
			if !asJSON {
				printVerdict(t, v)
				return nil
			}
			e := json.NewEncoder(t.out)
			e.SetIndent("", "  ")
			e.SetEscapeHTML(false)
			return e.Encode(v)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().StringVar(&config, "config", "", "init configuration `TEXT`, of both plugins")
	cmd.Flags().StringVar(&more, "with", "", "judge the changes in `FILE` too, a JSON array as in the output of --json (- is standard input)")
	return cmd
}

// faceOf reads a face, or asks a plugin for it.
func faceOf(t *terminal, path, config string) (face.Face, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return face.Face{}, fmt.Errorf("reading a plugin or its face: %w", err)
	}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		f, err := face.Decode(text)
		if err != nil {
			return f, fmt.Errorf("%s: %w", path, err)
		}
		return f, nil
	}
	r, _, err := inspectLibrary(t, path, config)
	if err != nil {
		return face.Face{}, err
	}
	return r.face()
}

// printFace is inspect --face.
func printFace(t *terminal, path, config, openSchema string) error {
	r, _, err := inspectLibrary(t, path, config)
	if err != nil {
		return err
	}
	f, err := r.face()
	if err != nil {
		return err
	}
	if openSchema != "" {
		if f.OpenSchema, err = os.ReadFile(openSchema); err != nil {
			return fmt.Errorf("--open-params-schema: %w", err)
		}
		if !json.Valid(f.OpenSchema) {
			return fmt.Errorf("--open-params-schema: %s is no JSON", openSchema)
		}
	}
	text, err := f.Encode()
	if err != nil {
		return err
	}
	_, err = t.out.Write(text)
	return err
}

// face is the part of the report that others rely on. Without a state it cannot be told whole.
func (r *report) face() (face.Face, error) {
	if r.InitError != "" {
		return face.Face{}, &exitError{exitFault, fmt.Sprintf("%s: %s; a plugin that needs a configuration gets it with --config", r.Path, clean(r.InitError))}
	}
	f := face.Face{
		Name: r.Name, Version: r.Version, Description: r.Description, Contact: r.Contact, RequiredAPI: r.RequiredAPI,
		ID: r.ID, EventSource: r.EventSource, Capabilities: r.Capabilities, Fields: []face.Field{},
		ExtractSources: r.ExtractSources, ExtractTypes: r.ExtractTypes, ParseSources: r.ParseSources, ParseTypes: r.ParseTypes,
		AsyncSources: r.AsyncSources, AsyncEvents: r.AsyncEvents, InitSchema: r.InitSchema,
		OpenParams: []string{}, Metrics: []face.Metric{}, Tables: []face.Table{},
	}
	for _, x := range r.Fields {
		f.Fields = append(f.Fields, face.Field{
			Name: x.Name, Type: x.Type, List: x.List, Arg: face.Argument(x.Arg), Display: x.Display, Desc: x.Desc, AddOutput: x.AddOutput, Properties: x.Properties,
		})
	}
	for _, p := range r.OpenParams {
		f.OpenParams = append(f.OpenParams, p.Value)
	}
	for _, m := range r.Metrics {
		f.Metrics = append(f.Metrics, face.Metric(m))
	}
	for _, x := range r.Tables {
		table := face.Table{Name: x.Name, Key: x.Key, Fields: []face.TableField{}}
		for _, field := range x.Fields {
			table.Fields = append(table.Fields, face.TableField(field))
		}
		f.Tables = append(f.Tables, table)
	}
	return f, nil
}

// readChanges reads the file of --with; none without a name.
func (t *terminal) readChanges(path string) ([]face.Change, error) {
	if path == "" {
		return nil, nil
	}
	f, err := t.openEvents(path)
	if err != nil {
		return nil, fmt.Errorf("--with: %w", errors.Unwrap(err))
	}
	defer f.Close()
	var changes []face.Change
	if err := json.NewDecoder(f).Decode(&changes); err != nil {
		return nil, fmt.Errorf("--with %s: %w", path, err)
	}
	return changes, nil
}

func printVerdict(t *terminal, v face.Verdict) {
	tw := tabwriter.NewWriter(t.out, 0, 8, 2, ' ', 0)
	for _, c := range v.Changes {
		text := clean(c.String())
		if c.Review != "" {
			text += " — " + clean(c.Review)
		}
		fprintf(tw, "%s\t%s\n", c.Bump, text)
	}
	_ = tw.Flush()
	switch {
	case len(v.Changes) == 0:
		fprintf(t.out, "nothing that others rely on changed between %s and %s\n", v.From, v.Declared)
	case v.Needed == face.None:
		fprintf(t.out, "no new version is needed after %s\n", v.From)
	case v.Wanted == "":
		fprintf(t.out, "no version of this plugin may have these changes\n")
	case v.Breaking:
		fprintf(t.out, "needs %s after %s, and, as it breaks users of a 0.y version, a line that says so in the changelog\n", v.Wanted, v.From)
	default:
		fprintf(t.out, "needs %s after %s: a %s change\n", v.Wanted, v.From, v.Needed)
	}
	for _, p := range v.Problems {
		fprintf(t.out, "not so: %s\n", clean(p))
	}
}
