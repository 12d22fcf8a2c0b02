// SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Check is a field expression such as json.value[/a/b], compiled for an
// inspector's plugins.
type Check struct {
	Text string
	// Type and List are the field's.
	Type uint32
	List bool

	plugin  *Plugin // nil for the framework's own fields
	request Request
	own     func(*Inspector, *Event) any
}

// Compile resolves a field expression as libsinsp does: the framework's own
// fields first, then plugins in the order of registration. The first of them
// with any field that the expression starts with is the one, even where it
// then does not fit; among its fields the longest counts.
func (n *Inspector) Compile(expr string) (*Check, error) {
	if !strings.Contains(expr, ".") {
		return nil, fmt.Errorf("field %q has no dot in its name, so that filters cannot name it", expr)
	}
	for _, f := range ownFields {
		if !strings.HasPrefix(expr, f.name) {
			continue
		}
		if expr != f.name {
			return nil, fmt.Errorf("field %q is unknown: %s is the framework's and hides all that start with it", expr, f.name)
		}
		return &Check{Text: expr, Type: f.code, own: f.value}, nil
	}
	for _, p := range n.plugins {
		if p.Capabilities&CapExtraction == 0 {
			continue
		}
		f := longestField(p.Fields, expr)
		if f == nil {
			continue
		}
		text, written, err := splitField(expr, f.Name)
		if err != nil {
			return nil, fmt.Errorf("%w (looked for in plugin %s, whose %q it starts with)", err, p.Name, f.Name)
		}
		arg, err := f.Argument(text, written)
		if err != nil {
			return nil, err
		}
		return &Check{
			Text: expr, Type: f.TypeCode(), List: f.List, plugin: p,
			request: Request{ID: f.ID, Name: f.Name, Type: f.TypeCode(), List: f.List, Argument: arg},
		}, nil
	}
	return nil, fmt.Errorf("field %q is unknown: no loaded plugin has it", expr)
}

// ErrExtraction marks a failure that a plugin returned for a field. The
// framework takes it for no value and tells nobody.
var ErrExtraction = errors.New("extraction failed")

// Value is the field's value in an event that the inspector returned: none
// where the plugin is not asked for such events, or has none. The error is a
// *Violation, or wraps ErrExtraction.
func (n *Inspector) Value(e *Event, c *Check) (Result, error) {
	if c.own != nil {
		if v := c.own(n, e); v != nil {
			return Result{Values: []any{v}}, nil
		}
		return Result{}, nil
	}
	if !c.plugin.Extracts(e.Type(), e.source) {
		return Result{}, nil
	}
	x, err := c.plugin.Extract(e, c.request, false)
	if err != nil {
		return Result{}, err
	}
	if x.RC != abi.Success {
		return Result{}, fmt.Errorf("field %s: %w: %s", c.Text, ErrExtraction, c.plugin.LastError())
	}
	return x.Results[0], nil
}

// ownFields are those of the framework's generic evt class that are of use for
// looking at plugin events.
var ownFields = []struct {
	name  string
	code  uint32
	value func(*Inspector, *Event) any
}{
	{"evt.num", abi.FieldUint64, func(_ *Inspector, e *Event) any { return e.num }},
	{"evt.rawtime", abi.FieldUint64, func(_ *Inspector, e *Event) any { return e.Timestamp() }},
	{"evt.time.iso8601", abi.FieldString, func(_ *Inspector, e *Event) any {
		return time.Unix(0, int64(e.Timestamp())).UTC().Format("2006-01-02T15:04:05.000000000Z07:00")
	}},
	{"evt.source", abi.FieldString, func(_ *Inspector, e *Event) any { return e.source }},
	{"evt.pluginname", abi.FieldString, func(n *Inspector, e *Event) any {
		if e.Type() == abi.TypeAsyncEvent {
			return nil
		}
		if p := n.emitter(e); p != nil {
			return p.Name
		}
		return ""
	}},
	{"evt.plugininfo", abi.FieldString, func(n *Inspector, e *Event) any {
		if e.Type() == abi.TypeAsyncEvent {
			return nil
		}
		return n.pluginInfo(e)
	}},
	{"evt.is_async", abi.FieldBool, func(_ *Inspector, e *Event) any { return e.Type() == abi.TypeAsyncEvent }},
	{"evt.asynctype", abi.FieldString, func(_ *Inspector, e *Event) any {
		if name, _, ok := e.Async(); ok {
			return name
		}
		return nil
	}},
	{"evt.args", abi.FieldString, func(_ *Inspector, e *Event) any {
		id, _ := e.PluginID()
		if name, data, ok := e.Async(); ok {
			return fmt.Sprintf("plugin_id=%d name=%s data=%s", id, name, shownBytes(data))
		}
		if payload, ok := e.Payload(); ok {
			return fmt.Sprintf("plugin_id=%d event_data=%s", id, shownBytes(payload))
		}
		return nil
	}},
}

// emitter is the loaded plugin whose ID an event carries, or nil.
func (n *Inspector) emitter(e *Event) *Plugin {
	if id, ok := e.PluginID(); ok && id != 0 {
		return n.byID(id)
	}
	return nil
}

// pluginInfo is the emitter's text of a plugin event; without one, libsinsp
// shows the payload's size and the start of it.
func (n *Inspector) pluginInfo(e *Event) string {
	payload, ok := e.Payload()
	if !ok {
		return ""
	}
	if p := n.emitter(e); p != nil {
		if text, ok := p.EventText(e); ok {
			return text
		}
	}
	return fmt.Sprintf("datalen=%d data=%s", len(payload), shownBytes(payload))
}

// shownBytes is the start of data that nobody has a text for.
func shownBytes(data []byte) string {
	const shown = 50
	start := string(data[:min(len(data), shown)])
	if !printable(start) {
		return "<binary>"
	}
	return start
}

// printable tolerates a character that the cut has split.
func printable(s string) bool {
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size <= 1 {
			return len(s) < utf8.UTFMax && !utf8.FullRuneInString(s)
		}
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7F {
			return false
		}
		s = s[size:]
	}
	return true
}

// Request is the request that the check makes of its plugin; false for the
// framework's own fields.
func (c *Check) Request() (Request, bool) { return c.request, c.plugin != nil }
