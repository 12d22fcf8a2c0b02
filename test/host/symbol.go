// SPDX-License-Identifier: Apache-2.0

package host

import "github.com/aerie-falco/aerie/shared/plugin/abi"

// Symbol is one function of the Plugin API: an index into abi.Symbols.
type Symbol int

// The functions of the Plugin API 3.12, in the order of abi.Symbols.
const (
	SymGetRequiredAPIVersion Symbol = iota
	SymGetInitSchema
	SymInit
	SymDestroy
	SymGetLastError
	SymGetName
	SymGetDescription
	SymGetContact
	SymGetVersion
	SymGetID
	SymGetEventSource
	SymOpen
	SymClose
	SymListOpenParams
	SymGetProgress
	SymEventToString
	SymNextBatch
	SymGetExtractEventTypes
	SymGetExtractEventSources
	SymGetFields
	SymExtractFields
	SymGetParseEventTypes
	SymGetParseEventSources
	SymParseEvent
	SymGetAsyncEventSources
	SymGetAsyncEvents
	SymSetAsyncEventHandler
	SymDumpState
	SymSetConfig
	SymGetMetrics
	SymCaptureOpen
	SymCaptureClose
	SymGetRequiredEventSchemaVersion
)

// String is the exported name of the function, such as plugin_init.
func (s Symbol) String() string {
	if s < 0 || int(s) >= len(abi.Symbols) {
		return "plugin_?"
	}
	return "plugin_" + abi.Symbols[s]
}
