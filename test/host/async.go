// SPDX-License-Identifier: Apache-2.0

package host

/*
#include <stdlib.h>
#include "calls.h"
*/
import "C"

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// AsyncStats counts what became of the async events that a plugin sent.
type AsyncStats struct {
	// Accepted events were queued, Dropped ones too late or too many, of which
	// the plugin is not told, Refused ones a failure for it.
	Accepted, Dropped, Refused uint64
}

// asyncGate is what stands between a plugin's async events and the queue.
type asyncGate struct {
	mu sync.Mutex
	// to is nil while no handler is set.
	to             *asyncQueue
	names, sources []string
	id             uint32 // of the open source
	source         string
	// dump takes events while dump_state runs.
	dump  func(raw []byte)
	stats AsyncStats
	gone  bool
}

// furthestAhead is how far in the future an async event may be.
const furthestAhead = 10 * time.Second

func (g *asyncGate) destroyed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.to, g.dump, g.gone = nil, nil, true
}

// AsyncStats counts the plugin's async events since it was registered.
func (p *Plugin) AsyncStats() AsyncStats {
	g := &p.owner.async
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stats
}

// setAsyncHandler makes the plugin send its async events to a queue, beside
// the events of an open source, or with a nil queue to nowhere. The handler
// works from inside the call on, and until a call that takes it away returns.
func (p *Plugin) setAsyncHandler(to *asyncQueue, id uint32, source string) error {
	if !p.lib.Has(SymSetAsyncEventHandler) {
		return p.lib.lacks(SymSetAsyncEventHandler)
	}
	g := &p.owner.async
	set, verb := C.int(0), "reset"
	if to != nil {
		set, verb = 1, "set"
		g.mu.Lock()
		g.to, g.id, g.source, g.names, g.sources = to, id, source, p.AsyncEvents, p.AsyncSources
		g.mu.Unlock()
	}
	p.lib.enter(SymSetAsyncEventHandler, 0)
	rc := abi.RC(C.aerie_call_set_async_event_handler(p.lib.api, p.state, unsafe.Pointer(p.owner.c), set))
	if to == nil && rc == abi.Success || to != nil && rc != abi.Success {
		g.mu.Lock()
		g.to = nil
		g.mu.Unlock()
	}
	if rc != abi.Success {
		return fmt.Errorf("can't %s async event handler for plugin '%s' : %s", verb, p.Name, p.LastError())
	}
	return nil
}

// aerie_host_async is the handler of async events. Borrows the event, and
// writes to err, which has room for 1024 bytes.
//
//export aerie_host_async
func aerie_host_async(ptr, evt unsafe.Pointer, text *C.char) C.int32_t {
	o := ownerOf(ptr)
	return answerAsync(o.pushAsync(evt), text)
}

// aerie_host_dump is the handler of dump_state; as aerie_host_async.
//
//export aerie_host_dump
func aerie_host_dump(ptr, evt unsafe.Pointer, text *C.char) C.int32_t {
	o := ownerOf(ptr)
	return answerAsync(o.pushDump(evt), text)
}

func answerAsync(err error, text *C.char) C.int32_t {
	if err == nil {
		return C.int32_t(abi.Success)
	}
	if text != nil {
		b := unsafe.Slice((*byte)(unsafe.Pointer(text)), abi.MaxErrLen)
		b[copy(b[:abi.MaxErrLen-1], err.Error())] = 0
	}
	return C.int32_t(abi.Failure)
}

func (o *owner) pushAsync(evt unsafe.Pointer) error {
	raw, warning, err := o.judgeAsync(evt)
	g := &o.async
	g.mu.Lock()
	switch {
	case err != nil:
		g.stats.Refused++
	case raw == nil:
		g.stats.Dropped++
	case g.to == nil:
		// The handler was taken away meanwhile.
		g.stats.Refused++
		err = o.noHandler()
	case !g.to.push(raw):
		g.stats.Dropped++
		warning = "async event queue is full"
	default:
		g.stats.Accepted++
	}
	g.mu.Unlock()
	if warning != "" {
		o.sink.write(LogLine{Plugin: o.name, Component: "framework", Text: warning, Severity: abi.SeverityWarning})
	}
	return err
}

func (o *owner) noHandler() error {
	return fmt.Errorf("async event sent with NULL handler: %s", o.name)
}

// judgeAsync is the framework's checks in its order. The event returned is a
// copy with the open source's ID; nil for one that is dropped, with the warning
// for the log.
func (o *owner) judgeAsync(evt unsafe.Pointer) (raw []byte, warning string, err error) {
	g := &o.async
	g.mu.Lock()
	set, gone, names, sources, id, source := g.to != nil, g.gone, g.names, g.sources, g.id, g.source
	g.mu.Unlock()
	if gone {
		return nil, "", o.faults.add(violate(SymDestroy, "an async event of plugin %s after destroy", o.name))
	}
	if !set {
		return nil, "", o.noHandler()
	}
	view, err := o.viewAsync(evt, names)
	if err != nil {
		return nil, "", err
	}
	if !covers(sources, source) {
		return nil, "", fmt.Errorf("async events of plugin '%s' are not compatible with open event source '%s'", o.name, source)
	}
	if id != 0 && binary.NativeEndian.Uint64(view[abi.EventTID:]) != abi.NoThread {
		return nil, "", fmt.Errorf("async events of plugin '%s' can have no thread ID with open event source '%s'; use 2^64-1", o.name, source)
	}
	ts := binary.NativeEndian.Uint64(view[abi.EventTS:])
	if ts != abi.NoTimestamp && ts > uint64(time.Now().Add(furthestAhead).UnixNano()) {
		return nil, "async event ts too far in future", nil
	}
	raw = slices.Clone(view)
	binary.NativeEndian.PutUint32(raw[asyncID:], id)
	return raw, "", nil
}

// Where things stand in an async event.
const (
	asyncID   = 38
	asyncName = 42
)

// viewAsync is the event in the plugin's memory, if it is an async event of a
// declared name. libsinsp looks at the type, the number of parameters and the
// name only, and trusts the rest.
func (o *owner) viewAsync(evt unsafe.Pointer, names []string) ([]byte, error) {
	bad := func(format string, args ...any) error {
		return o.faults.add(violate(SymSetAsyncEventHandler, "an async event of plugin %s: %s", o.name, fmt.Sprintf(format, args...)))
	}
	if evt == nil {
		return nil, bad("NULL")
	}
	header := unsafe.Slice((*byte)(evt), abi.HeaderSize)
	kind, nparams := binary.NativeEndian.Uint16(header[abi.EventType:]), binary.NativeEndian.Uint32(header[abi.EventNParams:])
	if kind != abi.TypeAsyncEvent || nparams != 3 {
		return nil, fmt.Errorf("malformed async event produced by plugin: '%s': type %d with %d parameters; use type %d with 3",
			o.name, kind, nparams, abi.TypeAsyncEvent)
	}
	size := binary.NativeEndian.Uint32(header[abi.EventLen:])
	if size <= asyncName {
		return nil, bad("its length %d leaves no room for a name", size)
	}
	view := unsafe.Slice((*byte)(evt), size)
	end := bytes.IndexByte(view[asyncName:], 0)
	if end < 0 {
		return nil, bad("its name has no end")
	}
	name := string(view[asyncName : asyncName+end])
	if !slices.Contains(names, name) {
		return nil, fmt.Errorf("incompatible async event '%s' produced by plugin: '%s'", name, o.name)
	}
	lengths := [3]uint64{}
	for k := range lengths {
		lengths[k] = paramLength(view, 4, k)
	}
	if lengths[0] != 4 || lengths[1] != uint64(end)+1 || asyncID+lengths[0]+lengths[1]+lengths[2] != uint64(size) {
		return nil, bad("parameters of %d, %d and %d bytes in an event of %d; use 4, the name with its NUL, and what is left", lengths[0], lengths[1], lengths[2], size)
	}
	return view, nil
}

// DumpState makes one dump_state call and returns the events that the plugin
// wrote, exactly as they are. A plugin without the function writes none.
func (p *Plugin) DumpState() ([][]byte, error) {
	if !p.lib.Has(SymDumpState) {
		return nil, nil
	}
	var written [][]byte
	g := &p.owner.async
	g.mu.Lock()
	g.names = p.AsyncEvents
	g.dump = func(raw []byte) { written = append(written, raw) }
	g.mu.Unlock()
	p.lib.enter(SymDumpState, 0)
	rc := abi.RC(C.aerie_call_dump_state(p.lib.api, p.state, unsafe.Pointer(p.owner.c)))
	g.mu.Lock()
	g.dump = nil
	g.mu.Unlock()
	if rc != abi.Success {
		return written, fmt.Errorf("dump state of plugin %s: it returned failure, which is fatal in Falco: %s", p.Name, p.LastError())
	}
	return written, p.owner.faults.take()
}

func (o *owner) pushDump(evt unsafe.Pointer) error {
	g := &o.async
	g.mu.Lock()
	dump, names := g.dump, g.names
	g.mu.Unlock()
	if dump == nil {
		return errors.New("state is not being dumped now: the handler of dump_state works during the call only")
	}
	view, err := o.viewAsync(evt, names)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dump == nil {
		return errors.New("state is not being dumped any more")
	}
	dump(slices.Clone(view))
	return nil
}
