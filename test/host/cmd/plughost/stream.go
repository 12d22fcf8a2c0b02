// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
)

// testPluginID is the plugin ID that is registered for tests.
const testPluginID = 999

// streaming is one run in the child.
type streaming struct {
	c      *child
	r      *runRequest
	n      *host.Inspector
	fields []*host.Check
	filter *host.Filter
	rules  []watched
	rows   rowWriter

	stats  stats
	start  time.Time
	told   time.Time       // when stats were last sent
	failed map[string]bool // fields whose failure was told of
}

const statsEvery = 500 * time.Millisecond

// run is the child's half of the run command.
func (c *child) run(r request) error {
	n, err := c.inspector(r)
	if err != nil {
		return err
	}
	defer n.Destroy()
	s := &streaming{c: c, r: r.Run, n: n, failed: map[string]bool{}}
	if r.Run.Routines > 0 {
		n.EnableRoutines(r.Run.Routines)
	}
	if err := s.compile(); err != nil {
		return usageError{err}
	}
	if err := s.open(); err != nil {
		return err
	}
	c.send(message{Kind: kindOpened})
	err = s.loop()
	if r.Run.Metrics && err == nil {
		err = s.metrics()
	}
	if e := n.Close(); err == nil {
		err = e
	}
	s.habits()
	if e := s.rows.flush(); err == nil && e != nil {
		err = usageError{fmt.Errorf("write events: %w", e)}
	}
	s.tell()
	if s.stats.Idle >= 200 && s.stats.IdleTime/time.Duration(s.stats.Idle) < 250*time.Microsecond {
		c.note("the source hardly waits when it has nothing: %d idle turns of %s on average; Falco would keep a core busy",
			s.stats.Idle, (s.stats.IdleTime / time.Duration(s.stats.Idle)).Round(time.Microsecond))
	}
	return err
}

// metrics tells the plugins' metrics, as they are before the source is closed.
func (s *streaming) metrics() error {
	for _, p := range s.n.Plugins() {
		all, err := p.Metrics()
		if err != nil {
			return fmt.Errorf("plugin %s: %w", p.Name, err)
		}
		for _, m := range all {
			kind := "gauge"
			if m.Monotonic {
				kind = "counter"
			}
			s.c.note("metric %s.%s = %v (%s)", p.Name, m.Name, m.Value, kind)
		}
	}
	return nil
}

// habits tells what the framework puts up with silently.
func (s *streaming) habits() {
	for _, p := range s.n.Plugins() {
		if a := p.AsyncStats(); a.Dropped+a.Refused > 0 {
			s.c.note("plugin %s: of its async events %d were dropped without telling it, and %d refused", p.Name, a.Dropped, a.Refused)
		}
		if left := p.Leftovers(); left > 0 {
			s.c.note("plugin %s: it did not release %d table entries in the calls that it got them in", p.Name, left)
		}
	}
}

func (s *streaming) compile() error {
	names := s.r.Fields
	if len(names) == 0 {
		names = []string{"evt.num", "evt.plugininfo"}
		if slices.ContainsFunc(s.n.Plugins(), func(p *host.Plugin) bool { return p.Capabilities&host.CapAsync != 0 }) {
			names = []string{"evt.num", "evt.asynctype", "evt.args"}
		}
	}
	for _, name := range names {
		check, err := s.n.Compile(name)
		if err != nil {
			return fmt.Errorf("--fields: %w", err)
		}
		s.fields = append(s.fields, check)
	}
	if s.r.Filter != "" {
		var err error
		if s.filter, err = s.n.CompileFilter(s.r.Filter); err != nil {
			return err
		}
	}
	if len(s.r.Rules) > 0 {
		names = append(slices.Clip(names), rulesColumn)
	}
	s.rows = newTable(s.c.rows, names)
	if s.r.JSON {
		s.rows = newJSONLines(s.c.rows, names)
	}
	return nil
}

func (s *streaming) open() error {
	s.c.beforeBatch = func() { _ = s.rows.flush() }
	s.start = time.Now()
	s.told = s.start
	if s.r.Events {
		id, source := pretended(s.n, s.r.As)
		if err := s.watch(source); err != nil {
			return err
		}
		return s.n.OpenFeed(id, source, payloadLines(s.c.events))
	}
	name := s.r.Source
	if name == "" {
		for _, p := range s.n.Plugins() {
			if p.Capabilities&host.CapSourcing == 0 {
				continue
			}
			if name != "" {
				return badUsage("plugins %s and %s both have a source: name one with --source", name, p.Name)
			}
			name = p.Name
		}
	}
	if name == "" {
		return badUsage("no plugin here has a source: give events with --events FILE")
	}
	p := s.n.Plugin(name)
	if p == nil || p.Capabilities&host.CapSourcing == 0 {
		return badUsage("--source %s: no plugin of that name with a source is loaded", name)
	}
	if err := s.watch(p.EventSource); err != nil {
		return err
	}
	return s.n.Open(name, s.r.Open)
}

// pretended is what events from a file pass for: those of the first plugin
// with a source; else of the source asked for, or that a plugin names first.
func pretended(n *host.Inspector, as string) (id uint32, source string) {
	for _, p := range n.Plugins() {
		if p.ID != 0 && (as == "" || as == p.EventSource) {
			return p.ID, p.EventSource
		}
		if as == "" && source == "" && len(p.ExtractSources) > 0 {
			source = p.ExtractSources[0]
		}
	}
	switch {
	case as != "":
		source = as
	case source == "":
		source = "plughost"
	}
	return testPluginID, source
}

// payloadLines is the lines of a file, without their ends; empty ones are left out.
func payloadLines(f *os.File) func() ([]byte, error) {
	lines := bufio.NewScanner(f)
	const longest = 256 << 20
	lines.Buffer(make([]byte, 0, 64<<10), longest)
	at := 0
	return func() ([]byte, error) {
		for lines.Scan() {
			at++
			if len(lines.Bytes()) > 0 {
				return lines.Bytes(), nil
			}
		}
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("line %d of the events: %w", at+1, err)
		}
		return nil, io.EOF
	}
}

// loop is the framework's event loop. It looks at the reasons to end only when
// Next returns: nothing interrupts a plugin.
func (s *streaming) loop() error {
	for !s.over() {
		before := time.Now()
		e, rc, err := s.n.Next()
		switch rc {
		case abi.Success:
			if err := s.event(e); err != nil {
				return err
			}
		case abi.Timeout:
			s.stats.Idle++
			s.stats.IdleTime += time.Since(before)
		case abi.EOF:
			return nil
		default:
			var broken *host.Violation
			if errors.As(err, &broken) {
				return err
			}
			return fmt.Errorf("the source failed, which ends Falco: %w", err)
		}
		if time.Since(s.told) >= statsEvery {
			s.tell()
		}
	}
	s.confirm()
	return nil
}

// confirm asks the source once more, as a framework that goes on would: only
// that tells it that the last rows were taken. What it gives is not shown, and
// counts as not delivered.
func (s *streaming) confirm() {
	if err := s.rows.flush(); err == nil && s.stats.Shown > 0 {
		_, _, _ = s.n.Next()
	}
}

func (s *streaming) over() bool {
	return s.c.stopped.Load() ||
		(s.r.Count > 0 && s.stats.Shown >= s.r.Count) ||
		(s.r.Duration > 0 && time.Since(s.start) >= s.r.Duration)
}

func (s *streaming) tell() {
	s.told = time.Now()
	now := s.stats
	now.Elapsed = s.told.Sub(s.start)
	s.c.send(message{Kind: kindStats, Stats: &now})
}

// event shows one event. Its error ends the run: the framework would not have
// survived it.
func (s *streaming) event(e *host.Event) error {
	s.stats.Events++
	if e.Type() == abi.TypeAsyncEvent {
		s.stats.Async++
	}
	if e.Source() == "" {
		id, _ := e.PluginID()
		return fmt.Errorf("unknown event source for inspector's event (plugin ID: %d), which ends Falco", id)
	}
	if s.filter != nil {
		values, err := s.value(e, s.filter.Check)
		if err != nil {
			return err
		}
		if !s.filter.Match(values) {
			return nil
		}
	}
	row := make([]cell, len(s.fields))
	for k, f := range s.fields {
		values, err := s.value(e, f)
		if err != nil {
			return err
		}
		row[k] = cell{values: values, list: f.List}
	}
	if len(s.rules) > 0 {
		fired, err := s.fired(e)
		if err != nil {
			return err
		}
		row = append(row, fired)
	}
	s.stats.Shown++
	if err := s.rows.write(row); err != nil {
		return usageError{fmt.Errorf("write events: %w", err)}
	}
	return nil
}

func (s *streaming) value(e *host.Event, f *host.Check) ([]any, error) {
	r, err := s.n.Value(e, f)
	if errors.Is(err, host.ErrExtraction) {
		s.stats.Failures++
		if !s.failed[f.Text] {
			s.failed[f.Text] = true
			s.c.note("event %d: %s (further failures of this field are only counted)", e.Num(), err)
		}
		return nil, nil
	}
	return r.Values, err
}
