// SPDX-License-Identifier: Apache-2.0

// Package plugintest runs one state of a plugin inside a test, with a small
// framework around it that has a table of threads: for tests and benchmarks of
// plugins that parse, use state tables, inject events or listen to captures.
// Calls go through the tables of functions that a framework passes, so they
// cost and fail as the real ones do; the library that a plugin becomes, and the
// framework's own order of calls, are what package host of this repository tests.
//
//	h, err := plugintest.Start(t, k8smeta.Info, k8smeta.Register, k8smeta.New, `{"nodeName":"n"}`)
//	h.PutThread(7, "cpu=/kubepods/pod…")
//	err = h.Parse(plugintest.Syscall(event.TypeCloneX, 7, 0, result))
package plugintest

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/abitest"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
	"github.com/aerie-falco/aerie/shared/plugin/internal/hostlog"
	"github.com/aerie-falco/aerie/shared/plugin/internal/tabletest"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
)

// Host is a framework with one state of a plugin. It is for one goroutine, and
// one at a time may exist in a process, as a process holds one plugin.
type Host struct {
	t       testing.TB
	fw      *tabletest.Framework
	st      *core.State
	log     *lines
	sink    *abitest.AsyncSink
	threads *threads
	free    []func()
}

// Start registers a plugin as its main package does, and initialises a state of
// it. What Init returned is returned; the state ends with the test.
func Start[P plugin.Plugin](t testing.TB, info plugin.Info, register func(*plugin.Registration[P]), create func() P, config string) (*Host, error) {
	core.Reset()
	t.Cleanup(core.Reset)
	sink := hostlog.NewSink(nil, nil, info.Name)
	h := &Host{t: t, fw: tabletest.New(t), log: &lines{shown: hostlog.NewHandler(sink)}}
	h.threads = newThreads(h)
	register(plugin.Register(info, create))
	h.st = core.NewState(core.Registered(), slog.New(h.log))
	h.st.Sink = sink
	h.fw.Attach(h.st)
	t.Cleanup(h.Destroy)
	if err := h.st.Init(config); err != nil {
		return nil, err
	}
	return h, nil
}

// Destroy ends the state. The end of the test does it too.
func (h *Host) Destroy() {
	if h.st == nil {
		return
	}
	h.st.Destroy()
	h.st = nil
	for _, free := range h.free {
		free()
	}
}

// Metrics are those of the state.
func (h *Host) Metrics() *metrics.Registry { return h.st.Metrics }

// Log is what the state has logged, from the level on that it has set: LEVEL message.
func (h *Host) Log() []string {
	h.log.mu.Lock()
	defer h.log.mu.Unlock()
	return append([]string(nil), h.log.all...)
}

// Parse has the plugin parse an event.
func (h *Host) Parse(raw []byte) error {
	parse, free := h.parsing(raw)
	defer free()
	return parse()
}

// Parsing is Parse for an event that is parsed often.
func (h *Host) Parsing(raw []byte) func() error {
	parse, free := h.parsing(raw)
	h.free = append(h.free, free)
	return parse
}

func (h *Host) parsing(raw []byte) (parse func() error, free func()) {
	evt, freeEvent := h.event(raw)
	in := (*abi.EventParseInput)(cmem.Alloc(int(unsafe.Sizeof(abi.EventParseInput{}))))
	*in = abi.EventParseInput{TableReaderExt: unsafe.Pointer(h.fw.Reader()), TableWriterExt: unsafe.Pointer(h.fw.Writer())}
	parse = func() error { return h.result(h.st.Parse.ParseEvent(evt, unsafe.Pointer(in))) }
	return parse, func() {
		cmem.Free(unsafe.Pointer(in))
		freeEvent()
	}
}

// result is the last error if the call failed.
func (h *Host) result(rc abi.RC) error {
	if rc == abi.Success {
		return nil
	}
	return errors.New(cmem.GoString(h.st.LastError()))
}

// event is an ss_plugin_event_input for a copy of raw.
func (h *Host) event(raw []byte) (in unsafe.Pointer, free func()) {
	evt := cmem.Alloc(len(raw))
	copy(unsafe.Slice((*byte)(evt), len(raw)), raw)
	source := cmem.CString("syscall")
	p := (*abi.EventInput)(cmem.Alloc(int(unsafe.Sizeof(abi.EventInput{}))))
	*p = abi.EventInput{Evt: evt, EvtNum: 1, EvtSrc: source}
	return unsafe.Pointer(p), func() {
		cmem.Free(evt)
		cmem.Free(source)
		cmem.Free(unsafe.Pointer(p))
	}
}

// Texts asks for the values of a field of texts, by its number. A nil key is no
// argument.
func (h *Host) Texts(raw []byte, field int, key *string) ([]string, error) {
	ask, values, free := h.extracting(raw, field, key)
	defer free()
	err := ask()
	return values(), err
}

// Extracting is Texts for a question that is asked often; the answer is not read.
func (h *Host) Extracting(raw []byte, field int, key *string) func() error {
	ask, _, free := h.extracting(raw, field, key)
	h.free = append(h.free, free)
	return ask
}

func (h *Host) extracting(raw []byte, field int, key *string) (ask func() error, values func() []string, free func()) {
	evt, freeEvent := h.event(raw)
	row := (*abi.ExtractField)(cmem.Alloc(int(unsafe.Sizeof(abi.ExtractField{}))))
	*row = abi.ExtractField{FieldID: uint32(field), ArgIndex: abi.NoIndex}
	if key != nil {
		row.ArgKey, row.ArgPresent = cmem.CString(*key), 1
	}
	in := (*abi.FieldExtractInput)(cmem.Alloc(int(unsafe.Sizeof(abi.FieldExtractInput{}))))
	*in = abi.FieldExtractInput{NumFields: 1, Fields: unsafe.Pointer(row), TableReaderExt: unsafe.Pointer(h.fw.Reader())}
	ask = func() error { return h.result(h.st.Extract.ExtractFields(evt, unsafe.Pointer(in))) }
	values = func() []string { return abitest.Strings(row) }
	return ask, values, func() {
		cmem.Free(row.ArgKey)
		cmem.Free(unsafe.Pointer(row))
		cmem.Free(unsafe.Pointer(in))
		freeEvent()
	}
}

// OpenCapture tells the plugin that a capture begins, and CloseCapture that it
// has ended.
func (h *Host) OpenCapture() error  { return h.listening(h.st.Capture.Open) }
func (h *Host) CloseCapture() error { return h.listening(h.st.Capture.Close) }

func (h *Host) listening(f func(in unsafe.Pointer) error) error {
	in := (*abi.CaptureListenInput)(cmem.Alloc(int(unsafe.Sizeof(abi.CaptureListenInput{}))))
	defer cmem.Free(unsafe.Pointer(in))
	*in = abi.CaptureListenInput{TableReaderExt: unsafe.Pointer(h.fw.Reader()), TableWriterExt: unsafe.Pointer(h.fw.Writer())}
	return f(unsafe.Pointer(in))
}

// TakeEvents has the events that the plugin injects taken, as in a live
// capture, from now on; RefuseEvents ends it.
func (h *Host) TakeEvents() {
	h.sink = abitest.NewAsyncSink(h.t)
	require.NoError(h.t, h.st.Async.SetHandler(h.sink.Owner(), h.sink.Handler()))
}

// RefuseEvents ends what TakeEvents began.
func (h *Host) RefuseEvents() {
	require.NoError(h.t, h.st.Async.SetHandler(h.sink.Owner(), nil))
}

// Events are the events taken since TakeEvents.
func (h *Host) Events() [][]byte { return h.sink.Events() }

// Dump is the events that a capture file is given that begins now.
func (h *Host) Dump() ([][]byte, error) {
	sink := abitest.NewAsyncSink(h.t)
	err := h.st.Async.DumpState(sink.Owner(), sink.Handler())
	return sink.Events(), err
}

// lines keeps log lines.
type lines struct {
	shown *hostlog.Handler // knows the level that the plugin has set
	mu    sync.Mutex
	all   []string
}

func (l *lines) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l *lines) WithGroup(string) slog.Handler      { return l }

func (l *lines) Enabled(ctx context.Context, level slog.Level) bool {
	return l.shown.Enabled(ctx, level)
}

func (l *lines) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, r.Level.String()+" "+r.Message)
	return nil
}
