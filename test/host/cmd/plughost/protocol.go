// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"time"

	"github.com/aerie-falco/aerie/test/payload"
)

// The child's files beside standard error, which takes its standard output too.
const (
	rowsFD     = 3 // event rows, ready for the reader
	messagesFD = 4 // messages to the parent, one JSON object a line
	boxFD      = 5 // the flight recorder
	eventsFD   = 6 // the file of --events, if there is one
)

// request is the first line on the child's standard input. A line "stop" later
// asks it to end; end of file tells that the parent is gone.
type request struct {
	Op      string            `json:"op"`
	Libs    []string          `json:"libs"`
	Configs map[string]string `json:"configs"`
	Run     *runRequest       `json:"run,omitempty"`
	Bench   *benchRequest     `json:"bench,omitempty"`
	Fixture *payload.Fixture  `json:"fixture,omitempty"`
}

type runRequest struct {
	Source   string        `json:"source"`
	Open     string        `json:"open"`
	Fields   []string      `json:"fields"`
	JSON     bool          `json:"json"`
	Filter   string        `json:"filter"`
	Rules    []string      `json:"rules"` // paths
	Events   bool          `json:"events"`
	As       string        `json:"as"`
	Count    uint64        `json:"count"`
	Duration time.Duration `json:"duration"`
	Metrics  bool          `json:"metrics"`
	Routines int           `json:"routines"`
}

type benchRequest struct {
	Fields   []string      `json:"fields"`
	Events   bool          `json:"events"`
	Together bool          `json:"together"`
	Parse    bool          `json:"parse"`
	Baseline string        `json:"baseline"`
	Time     time.Duration `json:"time"`
	Opened   bool          `json:"opened"` // Open is meant, be it empty
	Open     string        `json:"open"`
	Count    int           `json:"count"`
	Limit    time.Duration `json:"limit"`
}

// Kinds of messages from the child.
const (
	kindLog    = "log"    // a line of a plugin's log
	kindNote   = "note"   // something worth knowing, on a line of its own
	kindStats  = "stats"  // how far the run is
	kindOpened = "opened" // the source is open
	kindResult = "result" // what inspect and bench are for
	kindUsage  = "usage"  // the request makes no sense
	kindFault  = "fault"  // the plugin is at fault
	kindDone   = "done"   // last message: everything is closed and destroyed
)

type message struct {
	Kind     string          `json:"kind"`
	Text     string          `json:"text,omitempty"`
	Severity uint32          `json:"severity,omitempty"`
	Stats    *stats          `json:"stats,omitempty"`
	Result   json.RawMessage `json:"result,omitempty"`
}

// stats counts a run.
type stats struct {
	Events   uint64        `json:"events"`
	Async    uint64        `json:"async"` // of the events
	Shown    uint64        `json:"shown"`
	Failures uint64        `json:"failures"` // extractions that returned failure
	Idle     uint64        `json:"idle"`     // turns without an event
	IdleTime time.Duration `json:"idle_time"`
	Elapsed  time.Duration `json:"elapsed"`
}
