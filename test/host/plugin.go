// SPDX-License-Identifier: Apache-2.0

package host

/*
#include <stdlib.h>
#include "calls.h"

// Returns the address of the log function, static.
static void *log_address(void) { return (void *)aerie_host_log; }
*/
import "C"

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Plugin is the framework's owner of one plugin state.
type Plugin struct {
	Info
	lib    *Library
	owner  *owner
	tables *tables // of its inspector, or of its own
	access *access

	inited bool
	state  unsafe.Pointer
	// What the plugin listed at init, nil if nothing.
	extractTypes, parseTypes []uint16
}

// Register asks a library about its plugin, as Describe, and makes an owner
// for a state of it. Each registration can hold one state.
func Register(lib *Library) (*Plugin, error) {
	info, err := Describe(lib)
	if err != nil {
		return nil, err
	}
	p := &Plugin{Info: info, lib: lib, owner: newOwner(info.Name)}
	p.join(newTables())
	return p, nil
}

// join gives the plugin the tables that it sees. Only before init.
func (p *Plugin) join(t *tables) {
	p.tables = t
	p.access = newAccess(p)
	p.owner.tables.Store(p.access)
}

// InitOptions is what a state is made with.
type InitOptions struct {
	// Config is the configuration text. An empty one reaches a plugin that has
	// a JSON schema as {}.
	Config string
	// SkipSchema hands the configuration over without checking it against the
	// plugin's schema, which Falco always does.
	SkipSchema bool
	// Log takes what the plugin logs, one line at a time, on whatever thread
	// the plugin logs on. Nil drops it.
	Log func(LogLine)
}

// Init makes the owner's state. A second Init of an owner is refused without
// calling the plugin; also after a failed one, as libsinsp has no retry.
// A state that a plugin returns with a failure is kept for Destroy.
func (p *Plugin) Init(o InitOptions) error {
	if p.inited {
		return fmt.Errorf("plugin has been initialized twice: %s", p.Name)
	}
	schema, err := p.InitSchema()
	if err != nil {
		return err
	}
	config, err := p.configFor(schema, o)
	if err != nil {
		return err
	}
	p.inited = true
	p.owner.sink.direct(o.Log)

	var in inputs
	defer in.release()
	arg := alloc[abi.InitInput](&in)
	arg.Config = in.text(config)
	arg.Owner = unsafe.Pointer(p.owner.c)
	arg.GetOwnerLastError = hostOwnerError()
	arg.LogFn = C.log_address()
	if p.Capabilities&(CapExtraction|CapParsing) != 0 {
		arg.Tables = initTables(&in)
	}
	// libsinsp leaves the result code uninitialised.
	rc := alloc[int32](&in)
	*rc = garbageRC
	p.lib.enter(SymInit, 0)
	p.begin(SymInit)
	p.state = C.aerie_call_init(p.lib.api, (*C.struct_aerie_init_input)(unsafe.Pointer(arg)), (*C.int32_t)(rc))
	broken := p.end(SymInit)
	if p.state == nil && *rc != abi.Success {
		// There will be no destroy.
		p.tables.removeOf(p)
	}
	switch *rc {
	case abi.Success:
		if broken != nil {
			return broken
		}
		return p.readEventTypes()
	case garbageRC:
		return violate(SymInit, "it left the result code unwritten; write success or failure")
	}
	if p.state == nil {
		return fmt.Errorf("could not initialize plugin: no state, so no error text could be asked for")
	}
	return fmt.Errorf("could not initialize plugin: %s", p.LastError())
}

// garbageRC stands for uninitialised memory: no result code has this value.
const garbageRC = int32(-0x24242425) // 0xDBDBDBDB

func (p *Plugin) configFor(schema string, o InitOptions) (string, error) {
	if schema == "" {
		return o.Config, nil
	}
	config := o.Config
	if config == "" {
		config = "{}"
	}
	if o.SkipSchema {
		return config, nil
	}
	return config, checkConfig(p.Name, schema, config)
}

// InitSchema is the plugin's JSON schema of configurations, "" if it has none.
func (p *Plugin) InitSchema() (string, error) { return initSchema(p.lib) }

// initSchema needs no state.
func initSchema(lib *Library) (string, error) {
	if !lib.Has(SymGetInitSchema) {
		return "", nil
	}
	var in inputs
	defer in.release()
	kind := alloc[uint32](&in)
	lib.enter(SymGetInitSchema, 0)
	text := C.aerie_call_get_init_schema(lib.api, (*C.uint32_t)(kind))
	if *kind != abi.SchemaJSON || text == nil {
		return "", nil
	}
	return C.GoString(text), nil
}

// Destroy ends the state, if there is one, and with it the plugin's tables and
// routines. It asks nobody whether an instance is still open.
func (p *Plugin) Destroy() {
	if p.state == nil {
		return
	}
	if pool := p.owner.pool.Load(); pool != nil {
		pool.pool.purge(p)
	}
	p.lib.enter(SymDestroy, 0)
	p.begin(SymDestroy)
	C.aerie_call_destroy(p.lib.api, p.state)
	_ = p.end(SymDestroy) // told by Violations
	p.tables.removeOf(p)
	p.state = nil
	p.owner.destroyed()
}

// LastError is the state's last error, "" for NULL.
func (p *Plugin) LastError() string {
	p.lib.enter(SymGetLastError, 0)
	return C.GoString(C.aerie_call_get_last_error(p.lib.api, p.state))
}

// Library is what the plugin was loaded from.
func (p *Plugin) Library() *Library { return p.lib }

// HasState reports whether a state exists: between Init, even a failed one
// that returned a state, and Destroy.
func (p *Plugin) HasState() bool { return p.state != nil }

// SetConfig checks a new configuration like Init and hands it over. ok is
// false where the plugin has no set_config. Neither Falco nor sysdig calls it.
func (p *Plugin) SetConfig(config string, skipSchema bool) (ok bool, err error) {
	if !p.lib.Has(SymSetConfig) {
		return false, nil
	}
	schema, err := p.InitSchema()
	if err != nil {
		return true, err
	}
	if config, err = p.configFor(schema, InitOptions{Config: config, SkipSchema: skipSchema}); err != nil {
		return true, err
	}
	var in inputs
	defer in.release()
	arg := alloc[abi.SetConfigInput](&in)
	arg.Config = in.text(config)
	p.lib.enter(SymSetConfig, 0)
	if rc := C.aerie_call_set_config(p.lib.api, p.state, (*C.struct_aerie_set_config_input)(unsafe.Pointer(arg))); rc != C.int32_t(abi.Success) {
		return true, fmt.Errorf("set config of plugin %s: %s", p.Name, p.LastError())
	}
	return true, nil
}

// ExtractEventTypes is the list that the plugin gave at init; empty if none.
func (p *Plugin) ExtractEventTypes() []uint16 { return slices.Clone(p.extractTypes) }

// ParseEventTypes is the list that the plugin gave at init; empty if none.
func (p *Plugin) ParseEventTypes() []uint16 { return slices.Clone(p.parseTypes) }
