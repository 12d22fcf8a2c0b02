// SPDX-License-Identifier: Apache-2.0

package source

import "C"

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"unsafe"

	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
)

// The kit exports its own sourcing symbols: the official SDK's lose the events
// of a batch that ends in an error, bound a batch by slots of the largest
// size, and end the process when author code panics.

const capability = "source"

func init() { core.Linked(capability) }

// Register adds the capability to r. It panics if the plugin's Info has no ID
// and event source.
func Register[P Opener](r *plugin.Registration[P], o Options) {
	rec := r.Record()
	if rec.ID == 0 {
		panic(fmt.Errorf("plugin %q: a source needs an ID and an event source in its Info", rec.Name))
	}
	rec.Source = &sourceOptions{o.withDefaults()}
	rec.Claim(capability)
}

type sourceOptions struct{ Options }

// sourcer is the sourcing half of one state.
type sourcer struct {
	st     *core.State
	author Opener
	opts   Options

	tooLarge, skipped, retries *metrics.Counter

	mu   sync.Mutex
	open map[uintptr]*instance
}

// Bind implements core.SourceCapability.
func (o *sourceOptions) Bind(st *core.State, a core.Author) core.Sourcer {
	return &sourcer{
		st: st, author: a.Unwrap().(Opener), opts: o.Options, open: map[uintptr]*instance{},
		tooLarge: st.Metrics.Counter("events_too_large"),
		skipped:  st.Metrics.Counter("events_skipped"),
		retries:  st.Metrics.Counter("source_retries"),
	}
}

// Open implements core.Sourcer.
func (s *sourcer) Open(params string) (uintptr, error) {
	ctx, cancel := context.WithCancel(s.st.Context())
	author, err := s.openAuthor(ctx, params)
	if err != nil {
		cancel()
		return 0, err
	}
	opts := s.opts
	if sizer, ok := author.(EventSizer); ok && sizer.MaxEventSize() > 0 {
		opts.MaxEventSize = sizer.MaxEventSize()
	}
	in := &instance{
		st: s.st, src: s, author: author, idle: opts.Idle, ctx: ctx, cancel: cancel,
		busy: make(chan struct{}, 1), batch: newBatch(opts, s.noteTooLarge), turn: turn{Context: ctx},
	}
	h := instances.Put(in)
	s.mu.Lock()
	s.open[h] = in
	s.mu.Unlock()
	return h, nil
}

func (s *sourcer) openAuthor(ctx context.Context, params string) (in Instance, err error) {
	defer s.st.Contain("open", &err)
	in, err = s.author.Open(ctx, params)
	if err == nil && in == nil {
		err = errors.New("open: the plugin returned neither an instance nor an error")
	}
	return in, err
}

func (s *sourcer) noteTooLarge(size, limit int) {
	s.tooLarge.Inc()
	s.st.LogLimited(slog.LevelWarn, "too large", "next_batch: dropped an event that is too large", "bytes", size, "limit", limit)
}

// close ends the instance behind h; unknown ones, NULL among them, are none.
func (s *sourcer) close(h uintptr) {
	s.mu.Lock()
	in := s.open[h]
	delete(s.open, h)
	s.mu.Unlock()
	if in != nil {
		instances.Drop(h)
		in.close()
	}
}

// Free implements core.Sourcer: it closes what is still open.
func (s *sourcer) Free() {
	s.mu.Lock()
	handles := make([]uintptr, 0, len(s.open))
	for h := range s.open {
		handles = append(handles, h)
	}
	s.mu.Unlock()
	for _, h := range handles {
		s.close(h)
	}
}

// OpenParams implements core.Sourcer.
func (s *sourcer) OpenParams() (text string, err error) {
	l, ok := s.author.(OpenParamLister)
	if !ok {
		return "[]", nil
	}
	defer s.st.Contain("list_open_params", &err)
	params, err := l.OpenParams()
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(append([]sdk.OpenParam{}, params...))
	return string(b), err
}

// EventString implements core.Sourcer.
func (s *sourcer) EventString(evt unsafe.Pointer) (text string, err error) {
	es, ok := s.author.(EventStringer)
	if !ok {
		return "", nil
	}
	defer s.st.Contain("event_to_string", &err)
	e := event.FromInput(evt)
	return es.EventString(&e)
}

//export plugin_get_id
func plugin_get_id() uint32 {
	return core.Registration().ID
}

//export plugin_get_event_source
func plugin_get_event_source() unsafe.Pointer {
	return core.Answer("event source", func(r *core.Record) string { return r.EventSource })
}

//export plugin_open
func plugin_open(state uintptr, params unsafe.Pointer, rc *int32) uintptr {
	*rc = abi.Failure
	st := core.States.Get(state)
	if st == nil || st.Source == nil {
		return 0
	}
	h, err := st.Source.Open(cmem.GoString(params))
	if err != nil {
		st.SetError(err)
		return 0
	}
	*rc = abi.Success
	return h
}

// plugin_close is also called with no instance, after an open that failed.
//
//export plugin_close
func plugin_close(state, inst uintptr) {
	st := core.States.Get(state)
	if st == nil {
		return
	}
	if s, ok := st.Source.(*sourcer); ok {
		s.close(inst)
	}
}

//export plugin_next_batch
func plugin_next_batch(state, inst uintptr, n *uint32, events *unsafe.Pointer) int32 {
	*n, *events = 0, nil
	st := core.States.Get(state)
	if st == nil {
		return abi.Failure
	}
	in := instances.Get(inst)
	if in == nil || in.st != st {
		return st.Fail("next_batch", errClosed)
	}
	if !in.enter() {
		return st.Fail("next_batch", errBusy)
	}
	defer in.leave()
	return in.next(n, events)
}

var (
	errClosed = errors.New("the instance is closed or was never opened")
	errBusy   = errors.New("the instance is being closed, or read by another thread")
)

//export plugin_list_open_params
func plugin_list_open_params(state uintptr, rc *int32) unsafe.Pointer {
	*rc = abi.Failure
	st := core.States.Get(state)
	if st == nil || st.Source == nil {
		return nil
	}
	text, err := st.Source.OpenParams()
	if err != nil {
		st.Fail("list_open_params", err)
		return nil
	}
	*rc = abi.Success
	return st.ListOpen.Set(text)
}

//export plugin_get_progress
func plugin_get_progress(state, inst uintptr, pct *uint32) unsafe.Pointer {
	if pct != nil {
		*pct = 0
	}
	in := instances.Get(inst)
	if in == nil || !in.enter() {
		return nil
	}
	defer in.leave()
	return in.progressText(pct)
}

// plugin_event_to_string answers NULL where the plugin has no text for the
// event: the framework then shows the payload itself.
//
//export plugin_event_to_string
func plugin_event_to_string(state uintptr, evt unsafe.Pointer) unsafe.Pointer {
	st := core.States.Get(state)
	if st == nil || st.Source == nil {
		return nil
	}
	text, err := st.Source.EventString(evt)
	if err != nil {
		st.Fail("event_to_string", err)
		return nil
	}
	if text == "" {
		return nil
	}
	return st.EventText.Set(text)
}
