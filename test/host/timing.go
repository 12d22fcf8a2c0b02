// SPDX-License-Identifier: Apache-2.0

package host

/*
#include <stdlib.h>
#include "calls.h"
*/
import "C"

import (
	"fmt"
	"slices"
	"time"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// The loops below run in C, so that what they measure is the plugin and its way
// in, not the host. An Observer is told once, before each loop.

// Constants lists the functions that return a constant and do nothing else:
// those that TimeConstant can time.
func Constants() []Symbol {
	return []Symbol{
		SymGetRequiredAPIVersion, SymGetName, SymGetDescription, SymGetContact, SymGetVersion, SymGetID, SymGetEventSource,
	}
}

// TimeConstant calls one of Constants n times and tells how long that took.
func (l *Library) TimeConstant(s Symbol, n int) (time.Duration, error) {
	if !slices.Contains(Constants(), s) {
		return 0, fmt.Errorf("time %s: it returns no constant", s)
	}
	if !l.Has(s) {
		return 0, l.lacks(s)
	}
	l.enter(s, 0)
	if s == SymGetID {
		return time.Duration(C.aerie_time_id(l.api, C.uint64_t(n))), nil
	}
	return time.Duration(C.aerie_time_text(l.textFunc(s), C.uint64_t(n))), nil
}

// TimeNothing makes n extract_fields calls that ask for no field, on one
// event: the way into extraction and back.
func (p *Plugin) TimeNothing(e *Event, n int) (time.Duration, error) {
	took, _, err := p.timeExtract([]*Event{e}, [][]Request{nil}, n)
	return took, err
}

// TimeExtract extracts one field n times, walking the events round and round,
// and tells how long that took and how many calls gave a value. One event
// shows the cost where the plugin has seen the event before; two or more that
// differ, where every event is new to it.
func (p *Plugin) TimeExtract(events []*Event, r Request, n int) (took time.Duration, values int, err error) {
	return p.timeExtract(events, [][]Request{{r}}, n)
}

// TimeExtractSeveral is TimeExtract for several fields of each of n events: all
// in one call if together is set, else each in a call of its own. It tells how
// many of the fields had a value.
func (p *Plugin) TimeExtractSeveral(events []*Event, requests []Request, together bool, n int) (took time.Duration, values int, err error) {
	if together {
		return p.timeExtract(events, [][]Request{requests}, n)
	}
	return p.timeExtract(events, slices.Collect(slices.Chunk(requests, 1)), n)
}

// timeExtract makes the given calls for each of n events.
func (p *Plugin) timeExtract(events []*Event, calls [][]Request, n int) (time.Duration, int, error) {
	if !p.lib.Has(SymExtractFields) {
		return 0, 0, p.lib.lacks(SymExtractFields)
	}
	if len(events) == 0 || len(calls) == 0 {
		return 0, 0, fmt.Errorf("time extraction of plugin %s: no events, or no calls", p.Name)
	}
	var in inputs
	defer in.release()
	evts := allocN[abi.EventInput](&in, len(events))
	for k, e := range events {
		evts[k] = *eventInput(&in, e)
	}
	ins := allocN[abi.FieldExtractInput](&in, len(calls))
	for k, requests := range calls {
		fields := allocN[abi.ExtractField](&in, max(1, len(requests)))[:len(requests)]
		fillRequests(&in, fields, requests)
		arg, _ := p.extractInput(&in, fields, false)
		ins[k] = *arg
	}
	values := alloc[uint64](&in)
	p.lib.enter(SymExtractFields, events[0].num)
	p.begin(SymExtractFields)
	took := C.aerie_time_extract(p.lib.api, p.state, (*C.struct_aerie_event_input)(unsafe.Pointer(&evts[0])), C.uint64_t(len(evts)),
		(*C.struct_aerie_field_extract_input)(unsafe.Pointer(&ins[0])), C.uint64_t(len(ins)), C.uint64_t(n), (*C.uint64_t)(values))
	return time.Duration(took), int(*values), p.end(SymExtractFields)
}

// TimeParse parses one event n times and tells how long that took. It is one
// call as far as table entries are concerned: a plugin that keeps them open
// until its call ends piles them up.
func (p *Plugin) TimeParse(e *Event, n int) (time.Duration, error) {
	if !p.lib.Has(SymParseEvent) {
		return 0, p.lib.lacks(SymParseEvent)
	}
	var in inputs
	defer in.release()
	arg := p.parseInput(&in)
	p.lib.enter(SymParseEvent, e.num)
	p.begin(SymParseEvent)
	took := C.aerie_time_parse(p.lib.api, p.state, (*C.struct_aerie_event_input)(unsafe.Pointer(eventInput(&in, e))),
		(*C.struct_aerie_event_parse_input)(unsafe.Pointer(arg)), C.uint64_t(n))
	return time.Duration(took), p.end(SymParseEvent)
}

// BatchTimes is what a loop of next_batch calls took.
type BatchTimes struct {
	// Batches counts the calls that gave events, Busy the time in them, which
	// includes waiting for the first event.
	Batches, Events int
	Busy            time.Duration
	// IdleCalls counts the calls that gave none.
	IdleCalls int
	Idle      time.Duration
	// RC is the last call's result code.
	RC abi.RC
}

// TimeBatches calls next_batch until it has given so many events, the time is
// up, or the source ends. The last call is let finish. Events are dropped.
func (i *Instance) TimeBatches(mostEvents int, limit time.Duration) (BatchTimes, error) {
	if !i.plugin.lib.Has(SymNextBatch) {
		return BatchTimes{}, i.plugin.lib.lacks(SymNextBatch)
	}
	var in inputs
	defer in.release()
	t := (*C.struct_aerie_batch_times)(in.bytes(C.sizeof_struct_aerie_batch_times))
	i.plugin.lib.enter(SymNextBatch, 0)
	C.aerie_time_batches(i.plugin.lib.api, i.plugin.state, i.ptr, C.uint64_t(mostEvents), C.uint64_t(limit), t)
	return BatchTimes{
		Batches: int(t.batches), Events: int(t.events), Busy: time.Duration(t.busy_ns),
		IdleCalls: int(t.idle), Idle: time.Duration(t.idle_ns), RC: abi.RC(t.rc),
	}, nil
}
