// SPDX-License-Identifier: Apache-2.0

// Package core holds what the capability packages of the kit share: what was
// registered, the states made from it, and the fence that keeps faults of
// author code on this side of the ABI.
package core

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
)

// Author is the value that a plugin's author wrote, of one state.
type Author interface {
	Init(st *State, config string) error
	Destroy()
	// Unwrap is the value in the author's own type.
	Unwrap() any
}

// Record is what a library registered while it was loaded. It does not change
// afterwards.
type Record struct {
	Name, Description, Contact, Version string
	ID                                  uint32
	EventSource                         string
	Schema                              string // "" for none

	// Create makes the author's value of a new state.
	Create func() Author

	// EventSchema is the event schema version that the extracted event types
	// need; "" where only plugin events are read, which have no schema.
	EventSchema string

	// The capabilities, each set by the package of its name.
	Extract ExtractCapability
	Source  SourceCapability
	Parse   ParseCapability
	Async   AsyncCapability
	Capture CaptureCapability

	// ExtractEvents and ParseEvents are the events that these capabilities see.
	ExtractEvents, ParseEvents *Events

	minor   int
	static  map[string]unsafe.Pointer
	missing map[string]bool
	mu      sync.Mutex
}

// ExtractCapability makes the extraction half of a state.
type ExtractCapability interface {
	Bind(st *State, a Author) Extractor
}

// Extractor is the extraction half of a state.
type Extractor interface {
	ExtractFields(evt, in unsafe.Pointer) abi.RC
	Free()
}

// SourceCapability makes the sourcing half of a state.
type SourceCapability interface {
	Bind(st *State, a Author) Sourcer
}

// Sourcer is the sourcing half of a state.
type Sourcer interface {
	Open(params string) (uintptr, error)
	OpenParams() (string, error)
	EventString(evt unsafe.Pointer) (string, error)
	Free()
}

// ParseCapability makes the parsing half of a state.
type ParseCapability interface {
	Bind(st *State, a Author) Parser
}

// Parser is the parsing half of a state.
type Parser interface {
	ParseEvent(evt, in unsafe.Pointer) abi.RC
	Free()
}

// AsyncCapability makes the half of a state that injects events.
type AsyncCapability interface {
	Bind(st *State, a Author) Asyncer
}

// Asyncer is the half of a state that injects events.
type Asyncer interface {
	SetHandler(owner, handler unsafe.Pointer) error
	DumpState(owner, handler unsafe.Pointer) error
	Free()
}

// CaptureCapability makes the half of a state that listens to captures.
type CaptureCapability interface {
	Bind(st *State, a Author) Capturer
}

// Capturer is the half of a state that listens to captures.
type Capturer interface {
	Open(in unsafe.Pointer) error
	Close(in unsafe.Pointer) error
	Free()
}

// The registration of this library. A shared object holds one plugin, so this
// is the one value that states share; it is written by init functions only.
var (
	registered *Record
	linked     []string
)

// Linked notes that a capability's symbols are part of this library. Capability
// packages call it from their init functions.
func Linked(capability string) { linked = append(linked, capability) }

// Register keeps r as this library's plugin. It panics on a second call: the
// loader of a shared object reports that at once, before any framework does.
func Register(r *Record) *Record {
	if registered != nil {
		panic(fmt.Sprintf("plugin %q: this library already registered %q; one library holds one plugin", r.Name, registered.Name))
	}
	r.static = map[string]unsafe.Pointer{}
	r.missing = map[string]bool{}
	for _, c := range linked {
		r.missing[c] = true
	}
	r.Require(baseMinor)
	registered = r
	return r
}

// Registered is this library's plugin, nil before registration.
func Registered() *Record { return registered }

// Reset forgets the registration, for tests of the kit.
func Reset() { registered = nil }

// Unlink takes back one Linked, for tests of the kit.
func Unlink(capability string) {
	linked = slices.DeleteFunc(linked, func(c string) bool { return c == capability })
}

// baseMinor is the API minor version that every plugin of the kit needs: log
// functions are part of the init input since 3.3, and the kit reads them.
const baseMinor = 3

// Require raises the API version that the plugin asks for to 3.minor.
func (r *Record) Require(minor int) { r.minor = max(r.minor, minor) }

// APIVersion is the lowest API version that covers what was registered, "" if
// nothing was.
func (r *Record) APIVersion() string {
	if r.minor == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%d.0", abi.APIMajor, r.minor)
}

// Claim notes that a linked capability was registered.
func (r *Record) Claim(capability string) { delete(r.missing, capability) }

// Check tells whether every capability whose symbols the library exports has
// been registered. Exporting is claiming, so a framework would call them.
func (r *Record) Check() error {
	if len(r.missing) == 0 {
		return nil
	}
	var names []string
	for c := range r.missing {
		names = append(names, c)
	}
	sort.Strings(names)
	return fmt.Errorf("this library links the capability %s but does not register it; call %s.Register in its main package, or import the package nowhere",
		strings.Join(names, ", "), names[0])
}

// Static keeps text as the answer to key. It is for answers that never change.
func (r *Record) Static(key, text string) {
	r.answer(key, func(*Record) string { return text })
}

// Answer is this library's answer to key as a C string that lives as long as
// the process does: what Static kept, else what text makes of the record, once.
// A library that registered nothing has an empty record, which frameworks
// refuse by its API version.
func Answer(key string, text func(*Record) string) unsafe.Pointer {
	return Registration().answer(key, text)
}

// Registration is this library's record, an empty one if it registered nothing.
func Registration() *Record {
	if registered == nil {
		return nothing
	}
	return registered
}

var nothing = &Record{static: map[string]unsafe.Pointer{}}

func (r *Record) answer(key string, text func(*Record) string) unsafe.Pointer {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, ok := r.static[key]
	if !ok {
		p = cmem.CString(text(r))
		r.static[key] = p
	}
	return p
}
