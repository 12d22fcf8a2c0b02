// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// measure is one row of a benchmark.
type measure struct {
	Name  string  `json:"name"`
	Calls int     `json:"calls"`
	NS    float64 `json:"ns_per_op"`
	// Ratio is to the no-op crossing, measured beside the row as CrossingNS.
	Ratio      float64 `json:"ratio"`
	CrossingNS float64 `json:"crossing_ns"`
	Note       string  `json:"note,omitempty"`
}

func benchCommand(t *terminal) *cobra.Command {
	r := &benchRequest{}
	var configs, fields []string
	var events, feed string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "bench LIB",
		Short: "Measure a plugin's calls beside a call that does nothing",
		Long: `Bench measures, in one run and in loops written in C:

  plugin_get_...     functions that return a constant, and
  no field           extract_fields that asks for no field: the fastest of these is the no-op
                     crossing, what it costs to get into the plugin and out again, and what
                     all ratios are to. If a plugin in Go answers one in C, without entering
                     Go, name another with --baseline
  FIELD, seen event  extraction from the same event again and again
  FIELD, new event   extraction where each event differs from the one before, so that it has
                     to be decoded first
  N fields           with --together: extraction of all fields of the bench from each event,
                     in one call and in as many as there are fields
  a JSON parse       with --parse: of the same events by fastjson, as something to go by
  parse_event        of one event, if the plugin parses such events
  next_batch         with --open: the calls that gave events, waiting for them included

The fastest of twenty short rounds counts. Each has a round of the crossing beside it, and
the ratio is that of the two.

Events are the lines of --events, or made-up JSON documents. Fields with an argument get one
that names a value in the first event, if that is JSON; name fields with --fields to choose.
--feed runs a shell command when the source is open, to send it something.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			parsed, err := parseConfigs(configs)
			if err != nil {
				return err
			}
			for _, list := range fields {
				r.Fields = append(r.Fields, splitFields(list)...)
			}
			r.Events, r.Opened = events != "", cmd.Flags().Changed("open")
			if feed != "" && !r.Opened {
				return fmt.Errorf("--feed needs a source to feed: give --open")
			}
			s := &session{t: t, request: request{Op: "bench", Libs: args, Configs: parsed, Bench: r}}
			if r.Events {
				if s.events, err = t.openEvents(events); err != nil {
					return err
				}
				defer s.events.Close()
			}
			feeding := &feeder{t: t, command: feed}
			s.opened = feeding.start
			err = s.run()
			feeding.stop()
			if s.result == nil {
				return err
			}
			if asJSON {
				_, _ = t.out.Write(append(s.result, '\n'))
				return err
			}
			var rows []measure
			if e := json.Unmarshal(s.result, &rows); e != nil {
				return fmt.Errorf("bench: %w", e)
			}
			printMeasures(t, rows)
			return err
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&configs, "config", nil, configHelp)
	f.StringArrayVar(&fields, "fields", nil, "fields to extract, as `A,B[arg]` (default all)")
	f.StringVar(&events, "events", "", "use the lines of `FILE` as payloads (- is standard input)")
	f.BoolVar(&r.Together, "together", false, "measure all fields of each event together as well")
	f.BoolVar(&r.Parse, "parse", false, "measure one parse of each event by fastjson as well")
	f.StringVar(&r.Baseline, "baseline", "", "the `CALL` that ratios are to (default: the fastest)")
	f.DurationVar(&r.Time, "time", 200*time.Millisecond, "time to spend on each row")
	f.StringVar(&r.Open, "open", "", "open the plugin's source with `PARAMS` and measure next_batch")
	f.StringVar(&feed, "feed", "", "shell `COMMAND` that sends the open source something; ended with the bench")
	f.IntVar(&r.Count, "count", 10000, "events to take from the source")
	f.DurationVar(&r.Limit, "duration", 10*time.Second, "time to wait for them")
	f.BoolVar(&asJSON, "json", false, "print a JSON array of the rows")
	return cmd
}

func printMeasures(t *terminal, rows []measure) {
	tw := tabwriter.NewWriter(t.out, 0, 8, 2, ' ', tabwriter.AlignRight)
	fprintf(tw, "calls\tns/op\tratio\t\n")
	for _, m := range rows {
		name := "  " + clean(m.Name)
		if m.Note != "" {
			name += "  (" + clean(m.Note) + ")"
		}
		fprintf(tw, "%d\t%.1f\t%.2f\t%s\n", m.Calls, m.NS, m.Ratio, name)
	}
	_ = tw.Flush()
}

// feeder is the command of --feed.
type feeder struct {
	t       *terminal
	command string
	cmd     *exec.Cmd
}

func (f *feeder) start() {
	if f.command == "" {
		return
	}
	cmd := exec.Command("sh", "-c", f.command)
	cmd.Stderr = f.t.err
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		f.t.say("plughost: --feed: %s", err)
		return
	}
	f.cmd = cmd
}

// stop ends the command and what it has started.
func (f *feeder) stop() {
	if f.cmd == nil {
		return
	}
	_ = syscall.Kill(-f.cmd.Process.Pid, syscall.SIGTERM)
	_ = f.cmd.Wait()
}
