// SPDX-License-Identifier: Apache-2.0

package host

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCapabilitiesFollowFromSymbols(t *testing.T) {
	source := []Symbol{SymOpen, SymClose, SymNextBatch}
	tests := map[string]struct {
		have    []Symbol
		id      uint32
		source  string
		want    Capability
		reasons []string
	}{
		"nothing":                         {},
		"a source of its own":             {have: source, id: 5, source: "s", want: CapSourcing},
		"a source of system events":       {have: source, want: CapSourcing},
		"an ID alone":                     {have: source, id: 5, want: CapBroken, reasons: []string{"event sourcing has ID 5 but no event source: both or neither"}},
		"a source name alone":             {have: source, source: "s", want: CapBroken, reasons: []string{`event sourcing has event source "s" but no ID: both or neither`}},
		"an ID without the functions":     {id: 5, source: "s"},
		"one of three":                    {have: source[2:], want: CapBroken, reasons: []string{"event sourcing has plugin_next_batch but not plugin_open and plugin_close"}},
		"two of three":                    {have: source[:2], want: CapBroken, reasons: []string{"event sourcing has plugin_open and plugin_close but not plugin_next_batch"}},
		"extraction":                      {have: []Symbol{SymGetFields, SymExtractFields}, want: CapExtraction},
		"extraction without fields":       {have: []Symbol{SymExtractFields}, want: CapBroken, reasons: []string{"field extraction has plugin_extract_fields but not plugin_get_fields"}},
		"fields without extraction":       {have: []Symbol{SymGetFields}},
		"parsing":                         {have: []Symbol{SymParseEvent}, want: CapParsing},
		"async":                           {have: []Symbol{SymGetAsyncEvents, SymSetAsyncEventHandler}, want: CapAsync},
		"an async handler without names":  {have: []Symbol{SymSetAsyncEventHandler}, want: CapBroken, reasons: []string{"async events has plugin_set_async_event_handler but not plugin_get_async_events"}},
		"async names without the handler": {have: []Symbol{SymGetAsyncEvents}},
		"a state dump alone":              {have: []Symbol{SymDumpState}},
		"capture listening":               {have: []Symbol{SymCaptureOpen, SymCaptureClose}, want: CapCapture},
		"capture open alone":              {have: []Symbol{SymCaptureOpen}, want: CapBroken, reasons: []string{"capture listening has plugin_capture_open but not plugin_capture_close"}},
		"capture close alone":             {have: []Symbol{SymCaptureClose}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			caps, reasons := capabilitiesOf(func(s Symbol) bool { return slices.Contains(tt.have, s) }, tt.id, tt.source)
			assert.Equal(t, tt.want, caps)
			assert.Equal(t, tt.reasons, reasons)
		})
	}
	assert.Equal(t, "sourcing, extraction, parsing, async, capture, broken",
		(CapSourcing | CapExtraction | CapParsing | CapAsync | CapCapture | CapBroken).String())
}

func TestVersionsAreReadAsLibsinspReadsThem(t *testing.T) {
	for text, want := range map[string]Version{
		"0.0.0": {}, "3.12.0": {3, 12, 0}, "3.11.0-rc1": {3, 11, 0}, "1.2.3.4": {1, 2, 3}, "01.2.3": {1, 2, 3},
	} {
		v, ok := ParseVersion(text)
		assert.True(t, ok, text)
		assert.Equal(t, want, v, text)
	}
	for _, text := range []string{"", "1", "1.2", "1.2.", "1..2", "v1.2.3", "1.x.3", "1.2.99999999999", "-1.2.3"} {
		_, ok := ParseVersion(text)
		assert.False(t, ok, text)
	}
	assert.Equal(t, "3.12.0", Version{3, 12, 0}.String())
}

func TestAVersionServesOlderOnesOfItsMajor(t *testing.T) {
	have := Version{3, 12, 4}
	for _, ok := range []Version{{3, 12, 4}, {3, 12, 3}, {3, 11, 9}, {3, 0, 0}} {
		assert.True(t, have.Serves(ok), ok)
	}
	for _, not := range []Version{{3, 12, 5}, {3, 13, 0}, {2, 0, 0}, {4, 0, 0}} {
		assert.False(t, have.Serves(not), not)
	}
}
