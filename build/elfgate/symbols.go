// SPDX-License-Identifier: Apache-2.0

package elfgate

import (
	"fmt"
	"slices"
	"strings"
)

// Capability is one of the plugin API's five, besides the base that every plugin has.
type Capability string

// The capabilities of Falco plugin API 3.12.
const (
	Source  Capability = "source"
	Extract Capability = "extract"
	Parse   Capability = "parse"
	Async   Capability = "async"
	Capture Capability = "capture"
)

// Capabilities lists all of them, in the order in which the API numbers them.
var Capabilities = []Capability{Source, Extract, Parse, Async, Capture}

// base are the symbols of every plugin. The first line is what the framework demands, the second what may be absent in
// the API but is always there in a plugin of ours.
var base = words(`
	get_required_api_version get_version get_name get_description get_contact init destroy get_last_error
	get_init_schema set_config get_metrics get_required_event_schema_version`)

// symbols are all that a capability may export, optional ones included, for a plugin of ours exports them all.
func (c Capability) symbols() []string {
	switch c {
	case Source:
		return words("get_id get_event_source open close next_batch list_open_params get_progress event_to_string")
	case Extract:
		return words("get_fields extract_fields get_extract_event_types get_extract_event_sources")
	case Parse:
		return words("parse_event get_parse_event_types get_parse_event_sources")
	case Async:
		return words("get_async_event_sources get_async_events set_async_event_handler dump_state")
	case Capture:
		return words("capture_open capture_close")
	}
	return nil
}

// expected returns the symbols that a plugin with these capabilities exports, no more and no less.
func expected(capabilities []Capability) ([]string, error) {
	all := slices.Clone(base)
	for _, c := range capabilities {
		symbols := c.symbols()
		if symbols == nil {
			return nil, fmt.Errorf("unknown capability %q; known are %v", c, Capabilities)
		}
		all = append(all, symbols...)
	}
	return all, nil
}

// owner names the capability that symbol belongs to: "base", one of Capabilities, or "" when the API has no such symbol.
func owner(symbol string) string {
	if slices.Contains(base, symbol) {
		return "base"
	}
	for _, c := range Capabilities {
		if slices.Contains(c.symbols(), symbol) {
			return string(c)
		}
	}
	return ""
}

// words splits s and gives each word the prefix of the API's symbols.
func words(s string) []string {
	fields := strings.Fields(s)
	for i, f := range fields {
		fields[i] = "plugin_" + f
	}
	return fields
}
