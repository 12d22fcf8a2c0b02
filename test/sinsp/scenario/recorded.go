// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Recorded is system calls from a capture file, and what a plugin that parses
// them makes of them. An example with everything in it:
//
//	captures:
//	  - name: pods of a node
//	    capture: captures/pods.scap.gz
//	    optional: true              # the file is not among the sources, being large
//	    server:                     # started beside it, for as long as it takes
//	      run: cmd/standin          # a program of the plugin's module
//	      args: [-objects, a.yaml]  # it runs in the declaration's folder; ${tmp} is one for files
//	      absent: true              # it is stopped again before the plugin could meet it
//	    # Its first line of output is a JSON object, whose members configurations and
//	    # arguments may have. Those that are addresses have a host and a port, too.
//	    config: '{"port": ${server.api.port}, "address": "${server.api}"}'
//	    live:                       # as if it happened now; left out, the file is replayed as it is
//	      - await: {table: pods, rows: 1, with: {name: redis-0}}  # rows of a state table
//	      - await: {metric: k8smeta.reconnects, least: 1}
//	      - tell: load b.yaml       # a line on the server's standard input
//	      - stop: true              # the server dies
//	      - start: [-objects, b.yaml, -listen, '${server.api}']  # and is back, with these arguments
//	      - play: 1000              # so many more of the file's events, or rest
//	        groups: [...]           # what is to be seen in these alone
//	    among:                      # of a replay: asynchronous events put between the others, evenly
//	      - {name: k8s, data: '{', times: 3}  # ${n} in the data is the time's number, of eight digits
//	    groups:                     # the events of system calls, which are all that count
//	      - where: thread.cgroups contains b7d0f4a9e202  # a filter
//	        events: 962             # so many pass it,
//	        fields: {k8smeta.pod.name: redis-0, k8smeta.rs.name: ~}  # and each has these values
//	    logs: [connected]           # parts of lines that the plugin logs
type Recorded struct {
	Name    string `yaml:"name"`
	Capture string `yaml:"capture"`
	// Optional is a capture that is played where the file is: in its place, or, by
	// its base name, in the folder that the variable AERIE_CAPTURES names.
	Optional bool     `yaml:"optional"`
	Server   *Server  `yaml:"server"`
	Config   string   `yaml:"config"`
	Live     []Step   `yaml:"live"`
	Among    []Async  `yaml:"among"`
	Groups   []Group  `yaml:"groups"`
	Logs     []string `yaml:"logs"`
}

// Server is a program that the plugin talks to.
type Server struct {
	Run  string   `yaml:"run"`
	Args []string `yaml:"args"`
	// Absent is a server that is not there at first, though its addresses are known.
	Absent bool `yaml:"absent"`
}

// Step is one thing that is done, in a live capture; exactly one of its members
// is there, but for the groups of a play.
type Step struct {
	Await  *Await   `yaml:"await"`
	Tell   string   `yaml:"tell"`
	Stop   bool     `yaml:"stop"`
	Start  []string `yaml:"start"`
	Play   Play     `yaml:"play"`
	Groups []Group  `yaml:"groups"`
}

// Await is a state that is waited for: that a table has exactly so many rows with
// such values, or that a metric is at least, or at most, a number.
type Await struct {
	Table  string         `yaml:"table"`
	Rows   int            `yaml:"rows"`
	With   map[string]any `yaml:"with"`
	Metric string         `yaml:"metric"`
	Least  *float64       `yaml:"least"`
	Most   *float64       `yaml:"most"`
}

// String says what is awaited, for messages.
func (a Await) String() string {
	if a.Table != "" {
		return fmt.Sprintf("%d rows of table %s with %v", a.Rows, a.Table, a.With)
	}
	if a.Least != nil {
		return fmt.Sprintf("metric %s of at least %v", a.Metric, *a.Least)
	}
	return fmt.Sprintf("metric %s of at most %v", a.Metric, *a.Most)
}

// Play is a number of events.
type Play uint64

// Rest is all events that are left.
const Rest Play = 1 << 40

// UnmarshalYAML reads a number, or "rest".
func (p *Play) UnmarshalYAML(n *yaml.Node) error {
	if n.Value == "rest" {
		*p = Rest
		return nil
	}
	k, err := strconv.ParseUint(n.Value, 10, 32)
	if err != nil || k == 0 {
		return fmt.Errorf("line %d: play %q: use a number of events, or rest", n.Line, n.Value)
	}
	*p = Play(k)
	return nil
}

// Async is an asynchronous event.
type Async struct {
	Name  string  `yaml:"name"`
	Data  Payload `yaml:"data"`
	Times int     `yaml:"times"`
}

// Group is events that pass a filter.
type Group struct {
	Where  string         `yaml:"where"`
	Events int            `yaml:"events"`
	Fields map[string]any `yaml:"fields"`
}

// AllGroups are those of the steps and of the whole.
func (r *Recorded) AllGroups() []Group {
	all := slices.Clone(r.Groups)
	for _, s := range r.Live {
		all = append(all, s.Groups...)
	}
	return all
}

// Fields lists the fields that the groups look at, sorted.
func (r *Recorded) Fields() []string {
	all := map[string]bool{}
	for _, g := range r.AllGroups() {
		for name := range g.Fields {
			all[name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// Filters lists the groups' filters, each once.
func (r *Recorded) Filters() []string {
	all := map[string]bool{}
	for _, g := range r.AllGroups() {
		all[g.Where] = true
	}
	return slices.Sorted(maps.Keys(all))
}

func (r *Recorded) check() error {
	if !filepath.IsLocal(r.Capture) {
		return fmt.Errorf("capture %q is not a file below the declaration's folder", r.Capture)
	}
	if len(r.AllGroups()) == 0 {
		return fmt.Errorf("no groups of events are looked at")
	}
	if len(r.Live) > 0 && len(r.Among) > 0 {
		return fmt.Errorf("events are put among those of a replay, and this one is live")
	}
	if r.Server != nil && (len(r.Live) == 0 || !filepath.IsLocal(r.Server.Run)) {
		return fmt.Errorf("a server needs a live capture to stand beside, and a folder of the plugin's to run")
	}
	for k, s := range r.Live {
		if err := s.check(r.Server != nil); err != nil {
			return fmt.Errorf("step %d: %w", k+1, err)
		}
	}
	return nil
}

func (s Step) check(server bool) error {
	n := 0
	for _, there := range []bool{s.Await != nil, s.Tell != "", s.Stop, s.Start != nil, s.Play != 0} {
		if there {
			n++
		}
	}
	if n != 1 {
		return fmt.Errorf("use one of await, tell, stop, start and play")
	}
	if s.Await != nil && (s.Await.Table == "") == (s.Await.Metric == "") {
		return fmt.Errorf("await a table or a metric")
	}
	if s.Await != nil && (s.Await.Metric == "") != (s.Await.Least == nil && s.Await.Most == nil) {
		return fmt.Errorf("await that a metric is at least, or at most, a number")
	}
	if (s.Tell != "" || s.Stop || s.Start != nil) && !server {
		return fmt.Errorf("there is no server to tell anything, to stop or to start")
	}
	if len(s.Groups) > 0 && s.Play == 0 {
		return fmt.Errorf("groups are of events that are played")
	}
	return nil
}
