// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func runCommand(t *terminal) *cobra.Command {
	r := &runRequest{}
	var configs, fields []string
	var events string
	cmd := &cobra.Command{
		Use:   "run LIB...",
		Short: "Stream events through plugins and show fields",
		Long: `Run loads plugins in the order given, opens one event source and shows fields of each
event, as a table or as JSON lines. Events come from a plugin's source (--source, --open),
or are made of the lines of a file (--events), for plugins that only extract.

All plugins of a run share one process, because they have to see the same events. An event
whose row is written counts as delivered: the row is written before the source is asked for
the next batch.

The framework's own fields can be shown too: evt.num, evt.rawtime, evt.time.iso8601,
evt.source, evt.pluginname, evt.plugininfo, and for async events, which plugins send beside
those of the source, evt.is_async, evt.asynctype and evt.args. Plugins share state tables, of
which the framework's own, threads, is empty.

A filter is one condition: FIELD exists, FIELD in (A, B), FIELD intersects (A, B), or FIELD OPERATOR
VALUE with one of = != contains icontains startswith endswith < <= > >=. Conditions of rules combine such
with and, or, not and brackets; with --rules, the last column shows what rules an event fires.`,
		Example: `  plughost run libcollector.so libjson.so --open '{"addr":":8080"}' --fields 'evt.num,json.value[/verb]'
  plughost run libjson.so --events payloads.ndjson --fields 'json.value[/verb]' --json
  plughost run libk8saudit.so --events audit.ndjson --rules k8saudit_rules.yaml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			parsed, err := parseConfigs(configs)
			if err != nil {
				return err
			}
			for _, list := range fields {
				r.Fields = append(r.Fields, splitFields(list)...)
			}
			r.Events = events != ""
			if r.Events && (cmd.Flags().Changed("open") || cmd.Flags().Changed("source")) {
				return fmt.Errorf("--events makes the events itself: leave out --open and --source")
			}
			s := &session{t: t, request: request{Op: "run", Libs: args, Configs: parsed, Run: r}}
			if r.Events {
				if s.events, err = t.openEvents(events); err != nil {
					return err
				}
				defer s.events.Close()
			}
			if isTerminal(t.err) {
				s.showStats = func(st stats) { t.setProgress(progressLine(st)) }
			}
			err = s.run()
			if s.done && s.usage == "" {
				t.say("plughost: %s", summary(s.stats, s.logged))
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.Source, "source", "", "plugin `NAME` whose source is opened; needed if several have one")
	f.StringVar(&r.Open, "open", "", "open `PARAMS` of the source")
	f.StringArrayVar(&configs, "config", nil, configHelp)
	f.StringArrayVar(&fields, "fields", nil, "fields to show, with commas between them, as `A,B[arg]` (default evt.num,evt.plugininfo; with a plugin that sends async events evt.num,evt.asynctype,evt.args)")
	f.BoolVar(&r.JSON, "json", false, "print a JSON object a line instead of a table")
	f.StringVar(&r.Filter, "filter", "", "show only events that this `CONDITION` holds for")
	f.StringArrayVar(&r.Rules, "rules", nil, "try the enabled rules of `FILE` on each event, and show what fires; later files change earlier ones")
	f.StringVar(&events, "events", "", "make events of the lines of `FILE` (- is standard input) instead of opening a source")
	f.StringVar(&r.As, "as", "", "event `SOURCE` that --events pretends to be (default: the first that a plugin names)")
	f.Uint64Var(&r.Count, "count", 0, "end after `N` events shown")
	f.BoolVar(&r.Metrics, "metrics", false, "at the end, tell the plugins' metrics on standard error")
	f.IntVar(&r.Routines, "routines", 0, "give plugins a pool of `N` threads for routines (default none, as in Falco)")
	f.DurationVar(&r.Duration, "duration", 0, "end after that time, such as 30s")
	return cmd
}

// splitFields splits a list at commas outside brackets.
func splitFields(list string) []string {
	var fields []string
	depth, start := 0, 0
	for i, c := range list {
		switch {
		case c == '[':
			depth++
		case c == ']' && depth > 0:
			depth--
		case c == ',' && depth == 0:
			fields = append(fields, list[start:i])
			start = i + 1
		}
	}
	fields = append(fields, list[start:])
	kept := fields[:0]
	for _, f := range fields {
		if f = strings.TrimSpace(f); f != "" {
			kept = append(kept, f)
		}
	}
	return kept
}

func progressLine(s stats) string {
	return fmt.Sprintf("%s, %s", count(s.Events, "event"), rate(s))
}

func summary(s stats, logged uint64) string {
	parts := []string{fmt.Sprintf("%s in %s (%s)", count(s.Events, "event"), s.Elapsed.Round(100*time.Microsecond), rate(s))}
	if s.Async > 0 {
		parts = append(parts, fmt.Sprintf("%d of them async", s.Async))
	}
	parts = append(parts, fmt.Sprintf("%d shown", s.Shown), count(s.Failures, "failed extraction"))
	if s.Idle > 0 {
		parts = append(parts, count(s.Idle, "idle turn"))
	}
	if logged > 0 {
		parts = append(parts, count(logged, "log line"))
	}
	return strings.Join(parts, ", ")
}

func rate(s stats) string {
	if s.Elapsed <= 0 {
		return "0/s"
	}
	return fmt.Sprintf("%.0f/s", float64(s.Events)/s.Elapsed.Seconds())
}

func count(n uint64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
