// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/aerie-falco/aerie/test/host"
)

// report is what inspect prints with --json. Keys are spelled as the API's
// functions, and fields as get_fields spells them.
type report struct {
	Path           string           `json:"path"`
	Name           string           `json:"name"`
	Version        string           `json:"version"`
	Description    string           `json:"description"`
	Contact        string           `json:"contact"`
	RequiredAPI    string           `json:"required_api_version"`
	ID             uint32           `json:"id"`
	EventSource    string           `json:"event_source"`
	Capabilities   []string         `json:"capabilities"`
	Fields         []host.Field     `json:"fields"`
	ExtractSources []string         `json:"extract_event_sources"`
	ExtractTypes   []uint16         `json:"extract_event_types"`
	ParseSources   []string         `json:"parse_event_sources"`
	ParseTypes     []uint16         `json:"parse_event_types"`
	AsyncSources   []string         `json:"async_event_sources"`
	AsyncEvents    []string         `json:"async_events"`
	InitSchema     json.RawMessage  `json:"init_schema"`
	OpenParams     []host.OpenParam `json:"open_params"`
	// Metrics and Tables are those that there are right after init.
	Metrics            []metric         `json:"metrics"`
	Tables             []host.TableInfo `json:"tables"`
	EventSchemaVersion string           `json:"required_event_schema_version"`
	// KernelDriver says why a capture with a kernel driver refuses the plugin;
	// "" if it does not.
	KernelDriver string   `json:"kernel_driver_refuses"`
	Symbols      []string `json:"symbols"`
	// InitError is why no state could be made with the configuration given.
	// What only a state can tell is missing then.
	InitError string   `json:"init_error"`
	Findings  []string `json:"findings"`
}

// metric is a metric without its value.
type metric struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // counter or gauge
}

func inspectCommand(t *terminal) *cobra.Command {
	var asJSON, asFace bool
	var config, openSchema string
	cmd := &cobra.Command{
		Use:   "inspect LIB",
		Short: "Show what a plugin says about itself",
		Long: `Inspect loads a plugin as the framework would, shows what it says about itself, and makes
and ends one state of it for what only a state can tell: event types, open parameters, event
schema. A configuration may be needed for that; without one, init gets {} or nothing.

A plugin that the framework refuses is shown as far as it goes, with exit code 2.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if asFace {
				return printFace(t, args[0], config, openSchema)
			}
			r, learnt, err := inspectLibrary(t, args[0], config)
			if r == nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(t.out)
				e.SetIndent("", "  ")
				e.SetEscapeHTML(false)
				if err := e.Encode(r); err != nil {
					return fmt.Errorf("inspect %s: %w", args[0], err)
				}
			} else if learnt {
				printReport(t.out, r)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&asFace, "face", false, "print the plugin's public face as JSON, to be kept with its release and compared by diff")
	cmd.Flags().StringVar(&openSchema, "open-params-schema", "", "with --face: `FILE` with the JSON schema of the open parameters, which becomes part of it")
	cmd.Flags().StringVar(&config, "config", "", "init configuration `TEXT`")
	return cmd
}

// inspectLibrary asks a plugin in a child process. The report is nil if that
// could not be done at all, learnt false if nothing was learnt. An error beside a
// report is the plugin's fault.
func inspectLibrary(t *terminal, path, config string) (r *report, learnt bool, err error) {
	s := &session{t: t, request: request{Op: "inspect", Libs: []string{path}, Configs: map[string]string{"": config}}}
	err = s.run()
	var exit *exitError
	if err != nil && !errors.As(err, &exit) || s.usage != "" {
		return nil, false, err
	}
	out := emptyReport(path)
	if s.result != nil {
		if err := json.Unmarshal(s.result, &out); err != nil {
			return nil, false, fmt.Errorf("inspect %s: %w", path, err)
		}
	}
	if s.fault != "" {
		out.Findings = append(out.Findings, s.fault)
	}
	return &out, s.result != nil, err
}

func emptyReport(path string) report {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return report{
		Path: path, Capabilities: []string{}, Fields: []host.Field{},
		ExtractSources: []string{}, ExtractTypes: []uint16{}, ParseSources: []string{}, ParseTypes: []uint16{},
		AsyncSources: []string{}, AsyncEvents: []string{}, OpenParams: []host.OpenParam{}, Symbols: []string{}, Findings: []string{},
		Metrics: []metric{}, Tables: []host.TableInfo{},
	}
}

// inspect is the child's half.
func (c *child) inspect(r request) error {
	lib, err := c.load(0, r.Libs[0])
	if err != nil {
		return err
	}
	out := emptyReport(lib.Path())
	for _, s := range lib.Symbols() {
		out.Symbols = append(out.Symbols, s.String())
	}
	p, err := host.Register(lib)
	if err != nil {
		// Describe again for what it had learnt when it was refused.
		info, _ := host.Describe(lib)
		out.describe(info)
		return errors.Join(c.sendResult(out), err)
	}
	out.describe(p.Info)
	err = out.ask(p, r.Configs[""], c.log)
	return errors.Join(c.sendResult(out), err)
}

// describe fills in what needs no state.
func (r *report) describe(in host.Info) {
	r.Name, r.Version, r.Description, r.Contact = in.Name, in.Version, in.Description, in.Contact
	r.RequiredAPI, r.ID, r.EventSource = in.RequiredAPI, in.ID, in.EventSource
	r.Capabilities = append(r.Capabilities, in.Capabilities.Names()...)
	r.Fields = append(r.Fields, in.Fields...)
	r.ExtractSources = append(r.ExtractSources, in.ExtractSources...)
	r.ParseSources = append(r.ParseSources, in.ParseSources...)
	r.AsyncSources = append(r.AsyncSources, in.AsyncSources...)
	r.AsyncEvents = append(r.AsyncEvents, in.AsyncEvents...)
}

// ask fills in what needs the schema or a state.
func (r *report) ask(p *host.Plugin, config string, log func(host.LogLine)) error {
	schema, err := p.InitSchema()
	if err != nil {
		return err
	}
	switch {
	case json.Valid([]byte(schema)):
		r.InitSchema = json.RawMessage(schema)
	case schema != "": // with comments perhaps, which the framework lets through
		if r.InitSchema, err = json.Marshal(schema); err != nil {
			return fmt.Errorf("report init schema: %w", err)
		}
	}
	defer p.Destroy()
	if err := p.Init(host.InitOptions{Config: config, Log: log}); err != nil {
		var broken *host.Violation
		if errors.As(err, &broken) {
			return err
		}
		r.InitError = err.Error()
		return nil
	}
	r.ExtractTypes = append(r.ExtractTypes, p.ExtractEventTypes()...)
	r.ParseTypes = append(r.ParseTypes, p.ParseEventTypes()...)
	r.EventSchemaVersion = p.RequiredEventSchema()
	if err := p.CheckEventSchema(); err != nil {
		r.KernelDriver = err.Error()
	}
	metrics, err := p.Metrics()
	if err != nil {
		return err
	}
	for _, m := range metrics {
		kind := "gauge"
		if m.Monotonic {
			kind = "counter"
		}
		r.Metrics = append(r.Metrics, metric{m.Name, kind})
	}
	if r.Tables, err = p.OwnTables(); err != nil {
		return err
	}
	if p.Capabilities&host.CapSourcing == 0 {
		return nil
	}
	params, _, err := p.OpenParams()
	r.OpenParams = append(r.OpenParams, params...)
	return err
}

func printReport(w io.Writer, r *report) {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	row := func(name, text string) {
		if text != "" {
			fprintf(tw, "%s\t%s\n", name, clean(text))
		}
	}
	row("name", r.Name)
	row("version", r.Version)
	row("description", r.Description)
	row("contact", r.Contact)
	row("required API", r.RequiredAPI)
	row("capabilities", strings.Join(r.Capabilities, ", "))
	if r.ID != 0 {
		row("ID", fmt.Sprint(r.ID))
		row("event source", r.EventSource)
	}
	for _, c := range []struct {
		name    string
		sources []string
		types   []uint16
	}{
		{"extraction", r.ExtractSources, r.ExtractTypes}, {"parsing", r.ParseSources, r.ParseTypes},
	} {
		for _, have := range r.Capabilities {
			if have == c.name {
				row(c.name, sourcesAndTypes(c.sources, c.types))
			}
		}
	}
	row("async events", strings.Join(r.AsyncEvents, ", "))
	row("metrics", strings.Join(metricNames(r.Metrics), ", "))
	for _, t := range r.Tables {
		row("state table", tableShape(t))
	}
	row("event schema", r.EventSchemaVersion)
	row("kernel driver", r.KernelDriver)
	row("init failed", r.InitError)
	row("library", r.Path)
	_ = tw.Flush()
	printFields(w, r.Fields)
	if len(r.OpenParams) > 0 {
		fprintf(w, "\nOpen parameters\n")
		tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		for _, p := range r.OpenParams {
			fprintf(tw, "  %s\t%s\n", clean(p.Value), clean(p.Desc))
		}
		_ = tw.Flush()
	}
	if len(r.InitSchema) > 0 && string(r.InitSchema) != "null" {
		pretty, err := json.MarshalIndent(r.InitSchema, "  ", "  ")
		if err == nil {
			fprintf(w, "\nInit schema\n  %s\n", pretty)
		}
	}
	fprintf(w, "\nSymbols\n")
	for _, s := range r.Symbols {
		fprintf(w, "  %s\n", s)
	}
}

func metricNames(metrics []metric) []string {
	var names []string
	for _, m := range metrics {
		names = append(names, m.Name)
	}
	return names
}

// tableShape shows a table as NAME[KEY TYPE]: FIELD TYPE, FIELD TYPE.
func tableShape(t host.TableInfo) string {
	var fields []string
	for _, f := range t.Fields {
		text := f.Name + " " + f.Type
		if f.ReadOnly {
			text += " (read-only)"
		}
		fields = append(fields, text)
	}
	return fmt.Sprintf("%s[%s]: %s", t.Name, t.Key, strings.Join(fields, ", "))
}

func sourcesAndTypes(sources []string, types []uint16) string {
	text := "events of every source"
	if len(sources) > 0 {
		text = "events of " + strings.Join(sources, ", ")
	}
	if len(types) > 0 {
		text += ", types " + strings.Trim(strings.ReplaceAll(fmt.Sprint(types), " ", ", "), "[]")
	}
	return text
}

func printFields(w io.Writer, fields []host.Field) {
	if len(fields) == 0 {
		return
	}
	fprintf(w, "\nFields\n")
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, f := range fields {
		kind := f.Type
		if f.List {
			kind = "list of " + kind
		}
		fprintf(tw, "  %s\t%s\t%s\n", clean(f.Name+argumentShape(f.Arg)), kind, clean(f.Desc))
	}
	_ = tw.Flush()
}

// argumentShape shows how a field is written: [key], and in brackets of
// another kind what can be left out.
func argumentShape(a host.FieldArg) string {
	var kinds []string
	if a.Key {
		kinds = append(kinds, "KEY")
	}
	if a.Index {
		kinds = append(kinds, "INDEX")
	}
	switch {
	case len(kinds) == 0:
		return ""
	case a.Required:
		return "[" + strings.Join(kinds, "|") + "]"
	}
	return "([" + strings.Join(kinds, "|") + "])"
}
