// SPDX-License-Identifier: Apache-2.0

package async

import "C"

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
)

const capability = "async"

func init() { core.Linked(capability) }

// Register adds the capability to r. It panics over options that no framework
// could use; a first load of the library shows it.
//
// Asynchronous events exist since API 3.0. dump_state is newer, 3.10, and does
// not raise what the plugin requires: an older framework never asks for the
// symbol, and but for the state in its capture files all is as it should be.
func Register[P plugin.Plugin](r *plugin.Registration[P], o Options) {
	rec := r.Record()
	if err := register(rec, o); err != nil {
		panic(fmt.Errorf("plugin %q: %w", rec.Name, err))
	}
}

func register(rec *core.Record, o Options) error {
	if len(o.Events) == 0 {
		return errors.New("asynchronous events: at least one name is needed in Events")
	}
	events, err := core.NameList("asynchronous events", o.Events)
	if err != nil {
		return err
	}
	sources, err := core.NameList("sources of asynchronous events", o.Sources)
	if err != nil {
		return err
	}
	c := &emission{names: slices.Sorted(slices.Values(o.Events)), limit: o.MaxEventSize, plugin: rec.Name, linked: true}
	if c.limit <= 0 {
		c.limit = DefaultMaxEventSize
	}
	for _, n := range c.names {
		if _, err := event.AsyncSize(n, c.limit); err != nil {
			return fmt.Errorf("asynchronous events: MaxEventSize %d: %w", c.limit, err)
		}
	}
	rec.Static("get_async_events", events)
	rec.Static("get_async_event_sources", sources)
	rec.Async = c
	rec.Claim(capability)
	return nil
}

// Bind implements core.AsyncCapability.
func (s *emission) Bind(st *core.State, a core.Author) core.Asyncer {
	dumper, _ := a.Unwrap().(Dumper)
	return &asyncer{
		Emitter: newEmitter(s, st.Metrics, st.Context().Done()), st: st, dumper: dumper,
		dumped: st.Metrics.Counter("async_events_dumped"), dumpErrors: st.Metrics.Counter("dump_errors"),
	}
}

//export plugin_get_async_events
func plugin_get_async_events() unsafe.Pointer { return list("get_async_events") }

//export plugin_get_async_event_sources
func plugin_get_async_event_sources() unsafe.Pointer { return list("get_async_event_sources") }

// list answers what was registered; an empty list where nothing was, so that a
// framework gets as far as init, which says what is missing.
func list(key string) unsafe.Pointer {
	return core.Answer(key, func(*core.Record) string { return "[]" })
}

// plugin_set_async_event_handler is called with NULL when a capture is closed,
// even if it was never opened. When it returns, the handler before is unused
// for ever.
//
//export plugin_set_async_event_handler
func plugin_set_async_event_handler(state uintptr, owner, handler unsafe.Pointer) int32 {
	st := core.States.Get(state)
	if st == nil || st.Async == nil {
		return abi.Failure
	}
	if err := st.Async.SetHandler(owner, handler); err != nil {
		return st.Fail("set_async_event_handler", err)
	}
	return abi.Success
}

// plugin_dump_state keeps an author's error and reports success all the same:
// on a failure libsinsp throws, and Falco ends.
//
//export plugin_dump_state
func plugin_dump_state(state uintptr, owner, handler unsafe.Pointer) int32 {
	st := core.States.Get(state)
	if st == nil || st.Async == nil {
		return abi.Failure
	}
	if err := st.Async.DumpState(owner, handler); err != nil {
		st.Fail("dump_state", err)
	}
	return abi.Success
}
