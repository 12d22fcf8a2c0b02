// SPDX-License-Identifier: Apache-2.0

// Package stage drives a plugin framework in a process of its own: commands go
// in, what the framework and its plugins did comes out, one JSON object a line.
// Two programs speak this: the driver, which is libsinsp, and the player, which
// is the test host. What both say of the same commands can be compared.
package stage

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Command is one thing to do. Which members it has depends on Do.
type Command struct {
	Do        string `json:"do"`
	Inspector string `json:"inspector,omitempty"`

	Library string `json:"library,omitempty"` // register: path of the shared object
	ID      uint32 `json:"id,omitempty"`      // feeder: the plugin ID of its events
	Source  string `json:"source,omitempty"`  // feeder: their event source

	Plugin string `json:"plugin,omitempty"` // init, set_config, open_params, open, bench: its name
	Config string `json:"config,omitempty"` // init, set_config
	Params string `json:"params,omitempty"` // open
	Feed   []Fed  `json:"feed,omitempty"`   // open of the feeder: what it emits
	File   string `json:"file,omitempty"`   // replay, inject, live, write: a capture file

	Fields    []string `json:"fields,omitempty"`    // fields: to extract from each event; bench
	Filter    string   `json:"filter,omitempty"`    // filter
	Name      string   `json:"name,omitempty"`      // rule; table: a state table's
	Condition string   `json:"condition,omitempty"` // rule; bench: of the events that count
	Output    string   `json:"output,omitempty"`    // rule

	Table []map[string]any `json:"table,omitempty"` // processes, on the player: as the answer to table has threads

	Threads int `json:"threads,omitempty"` // pool, on the player: how many run the plugins' routines

	Events uint64 `json:"events,omitempty"` // next, play: at most so many
	Idle   uint64 `json:"idle,omitempty"`   // next, bench: and at most so many timeouts

	Steps []Command `json:"steps,omitempty"` // together: each on a thread of its own
}

// Fed is an event for the feeder to emit. TS is in nanoseconds since the epoch.
type Fed struct {
	TS  uint64 `json:"ts"`
	Hex string `json:"hex"`
}

// Payload decodes the event's payload.
func (f Fed) Payload() ([]byte, error) { return hex.DecodeString(f.Hex) }

// Feeder is the name of the plugin that the feeder command registers.
const Feeder = "feeder"

// Line is one line of output; exactly one member is set.
type Line struct {
	Event *Event `json:"event,omitempty"`
	Log   *Log   `json:"log,omitempty"`
	Done  *Done  `json:"done,omitempty"`
}

// Event is an event that the framework returned.
type Event struct {
	Inspector string `json:"inspector"`
	Num       uint64 `json:"num"`
	Type      uint16 `json:"type"`
	TS        uint64 `json:"ts"`
	// Source is "" for none.
	Source string `json:"source"`
	// Values of the fields asked for, without those that have none. See Canonical
	// for their types.
	Values map[string]any `json:"values"`
	// Rules that the event fires, with their output.
	Rules map[string]Text `json:"rules,omitempty"`
}

// Log is a message to the framework's log.
type Log struct {
	Severity int  `json:"severity"`
	Text     Text `json:"text"`
}

// Text is a string that need not be UTF-8. In JSON such a one is {"hex": ...}.
type Text string

// UnmarshalJSON reads either form.
func (t *Text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*t = Text(s)
		return nil
	}
	var coded struct{ Hex string }
	if err := json.Unmarshal(b, &coded); err != nil {
		return fmt.Errorf("reading text: %w", err)
	}
	raw, err := hex.DecodeString(coded.Hex)
	*t = Text(raw)
	return err
}

// Done ends what a command led to. Which members it has depends on Do.
type Done struct {
	Do        string `json:"do"`
	Inspector string `json:"inspector,omitempty"`
	Error     Text   `json:"error,omitempty"`

	Plugin     *Plugin           `json:"plugin,omitempty"`      // register, feeder
	OK         bool              `json:"ok,omitempty"`          // set_config: false where the plugin has none
	OpenParams []OpenParam       `json:"open_params,omitempty"` // open_params
	Result     string            `json:"result,omitempty"`      // next, bench: events, timeout, eof or failure
	Played     uint64            `json:"played,omitempty"`      // play: how many events
	Bench      []Timing          `json:"bench,omitempty"`       // bench
	Resident   uint64            `json:"resident,omitempty"`    // memory: bytes that the process has
	Metrics    map[string]Metric `json:"metrics,omitempty"`     // metrics
	Progress   *Progress         `json:"progress,omitempty"`    // progress
	Table      []map[string]any  `json:"table,omitempty"`       // table: its entries' fields by name, without keys, sorted
}

// Plugin is what registration learnt. The lists of sources and events are sorted.
type Plugin struct {
	Name           string   `json:"name"`
	Description    string   `json:"description"`
	Contact        string   `json:"contact"`
	Version        string   `json:"version"`
	RequiredAPI    string   `json:"required_api"`
	Capabilities   []string `json:"capabilities"`
	ID             uint32   `json:"id"`
	Source         string   `json:"source"`
	ExtractSources []string `json:"extract_sources"`
	ParseSources   []string `json:"parse_sources"`
	AsyncSources   []string `json:"async_sources"`
	AsyncEvents    []string `json:"async_events"`
	Schema         string   `json:"schema"`
	Fields         []Field  `json:"fields"`
}

// Field is one of a plugin's fields.
type Field struct {
	Name      string `json:"name"`
	Display   string `json:"display"`
	Desc      string `json:"desc"`
	Type      string `json:"type"`
	List      bool   `json:"list"`
	Required  bool   `json:"required"`
	Index     bool   `json:"index"`
	Key       bool   `json:"key"`
	AddOutput bool   `json:"add_output"`
}

// OpenParam is a suggestion for opening a source.
type OpenParam struct {
	Value string `json:"value"`
	Desc  string `json:"desc"`
}

// Metric is one of a plugin's metrics.
type Metric struct {
	Monotonic bool `json:"monotonic"`
	Value     any  `json:"value"`
}

// Timing is what one of a plugin's calls takes, in nanoseconds, in the middle of
// all Events that it was made for.
type Timing struct {
	Name   string  `json:"name"` // "crossing", "parse EVENT" or "extract FIELD"
	Events uint64  `json:"events"`
	First  float64 `json:"first_ns"` // made once for an event
	Again  float64 `json:"again_ns"` // made again and again for it
}

// Progress is how far a source has come.
type Progress struct {
	Percent float64 `json:"percent"`
	Text    string  `json:"text"`
}

// Canonical makes values comparable, wherever they come from: whole numbers
// become uint64, or int64 below zero; lists []any, objects map[string]any, of the
// same; everything else stays.
func Canonical(v any) any {
	switch v := v.(type) {
	case json.Number:
		var n uint64
		if json.Unmarshal([]byte(v), &n) == nil {
			return n
		}
		var i int64
		if json.Unmarshal([]byte(v), &i) == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	case int:
		return Canonical(int64(v))
	case int64:
		if v >= 0 {
			return uint64(v)
		}
		return v
	case []any:
		out := make([]any, len(v))
		for k := range v {
			out[k] = Canonical(v[k])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = Canonical(v[k])
		}
		return out
	}
	return v
}
