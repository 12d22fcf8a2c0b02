// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"slices"
	"strings"
)

// sourceSyscall is the event source of everything that no plugin emits.
const sourceSyscall = "syscall"

// Info is what a library says about its plugin before any state exists.
type Info struct {
	RequiredAPI                         string
	Name, Description, Contact, Version string

	Capabilities Capability
	// ID and EventSource are set for a plugin with a source of its own.
	ID          uint32
	EventSource string

	Fields []Field
	// Sources that the capability works on. Empty means all.
	ExtractSources, ParseSources, AsyncSources []string
	AsyncEvents                                []string
}

// Describe asks a library about its plugin, with the calls and the checks that
// libsinsp makes to register one, in its order. An error means that the
// framework refuses the plugin; the Info holds what was learnt until then.
func Describe(lib *Library) (Info, error) {
	var in Info
	for _, step := range []func(*Library) error{
		in.readRequiredAPI, in.readNames, in.readCapabilities, in.readExtraction, in.readParsing, in.readAsync,
	} {
		if err := step(lib); err != nil {
			return in, fmt.Errorf("register %s: %w", lib.path, err)
		}
	}
	return in, nil
}

func (in *Info) readRequiredAPI(lib *Library) error {
	if !lib.Has(SymGetRequiredAPIVersion) {
		return fmt.Errorf("it does not export %s", SymGetRequiredAPIVersion)
	}
	text, ok := lib.text(SymGetRequiredAPIVersion)
	if !ok {
		return violate(SymGetRequiredAPIVersion, "NULL; return a version such as %q", frameworkAPI)
	}
	in.RequiredAPI = text
	required, ok := ParseVersion(text)
	if !ok {
		return fmt.Errorf("required API version %q is no version; use three numbers such as %q", text, frameworkAPI)
	}
	if !frameworkAPI.Serves(required) {
		return fmt.Errorf("required API version %s is not served by this framework's %s; the major number must be the same and the rest not newer", required, frameworkAPI)
	}
	for _, s := range []Symbol{
		SymGetVersion, SymGetName, SymGetDescription, SymGetContact, SymInit, SymDestroy, SymGetLastError,
	} {
		if !lib.Has(s) {
			return fmt.Errorf("it does not export %s, which every plugin needs", s)
		}
	}
	return nil
}

func (in *Info) readNames(lib *Library) error {
	in.Name, _ = lib.text(SymGetName)
	in.Description, _ = lib.text(SymGetDescription)
	in.Contact, _ = lib.text(SymGetContact)
	in.Version, _ = lib.text(SymGetVersion)
	if _, ok := ParseVersion(in.Version); !ok {
		return fmt.Errorf("plugin version %q is no version; use three numbers such as \"0.1.0\"", in.Version)
	}
	return nil
}

func (in *Info) readCapabilities(lib *Library) error {
	id, source := lib.id(), ""
	if lib.Has(SymGetEventSource) {
		var ok bool
		if source, ok = lib.text(SymGetEventSource); !ok {
			return violate(SymGetEventSource, "NULL; return a name, or \"\" for none")
		}
	}
	var reasons []string
	in.Capabilities, reasons = capabilitiesOf(lib.Has, id, source)
	if in.Capabilities&CapBroken != 0 {
		return fmt.Errorf("broken plugin capabilities: %s", strings.Join(reasons, ", "))
	}
	if in.Capabilities == 0 {
		return fmt.Errorf("plugin does not implement any capability")
	}
	if in.Capabilities&CapSourcing != 0 {
		if source == sourceSyscall {
			return fmt.Errorf("event source %q is the framework's own; use another name", source)
		}
		in.ID, in.EventSource = id, source
	}
	return nil
}

func (in *Info) readExtraction(lib *Library) error {
	if in.Capabilities&CapExtraction == 0 {
		return nil
	}
	text, ok := lib.text(SymGetFields)
	if !ok {
		return fmt.Errorf("%s returned NULL; return a JSON array of fields", SymGetFields)
	}
	var err error
	if in.Fields, err = parseFields(text); err != nil {
		return err
	}
	in.ExtractSources, err = in.readSources(lib, SymGetExtractEventSources)
	return err
}

func (in *Info) readParsing(lib *Library) (err error) {
	if in.Capabilities&CapParsing != 0 {
		in.ParseSources, err = in.readSources(lib, SymGetParseEventSources)
	}
	return err
}

func (in *Info) readAsync(lib *Library) error {
	if in.Capabilities&CapAsync == 0 {
		return nil
	}
	var err error
	if in.AsyncSources, err = in.readSources(lib, SymGetAsyncEventSources); err != nil {
		return err
	}
	text, _ := lib.text(SymGetAsyncEvents)
	if text == "" {
		return fmt.Errorf("%s returned nothing; return a JSON array of event names", SymGetAsyncEvents)
	}
	if in.AsyncEvents, err = parseNames(text); err != nil {
		return fmt.Errorf("read names of async events: %w", err)
	}
	return nil
}

// readSources reads a list of event sources. A plugin's own is always among
// them, unless the list is empty and so means all and the plugin has none.
func (in *Info) readSources(lib *Library, s Symbol) ([]string, error) {
	text, _ := lib.text(s)
	sources, err := parseNames(text)
	if err != nil {
		return nil, fmt.Errorf("read event sources from %s: %w", s, err)
	}
	if in.EventSource != "" && !slices.Contains(sources, in.EventSource) {
		sources = append(sources, in.EventSource)
	}
	return sources, nil
}

// covers reports whether a list of event sources holds one; empty means all.
func covers(sources []string, source string) bool {
	return len(sources) == 0 || slices.Contains(sources, source)
}
