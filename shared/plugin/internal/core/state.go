// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
	"github.com/aerie-falco/aerie/shared/plugin/internal/handle"
	"github.com/aerie-falco/aerie/shared/plugin/internal/hostlog"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
)

// States maps the state handles that the framework holds.
var States handle.Table[State]

// State is one initialisation of the plugin. States share nothing: a framework
// makes one per event source and uses them from several threads at once.
type State struct {
	Record  *Record
	Author  Author
	Extract Extractor
	Source  Sourcer
	Parse   Parser
	Async   Asyncer
	Capture Capturer
	Metrics *metrics.Registry
	Log     *slog.Logger
	Sink    *hostlog.Sink

	// Owner stands for the state on the framework's side, and OwnerError is the
	// framework's function that tells its last error. Both are valid until
	// destroy. Tables is nil where the framework gave none.
	Owner, OwnerError unsafe.Pointer
	Tables            *Tables

	// LastEvent is the time of the event parsed last, in nanoseconds since the
	// Unix epoch; 0 before the first and without the capability to parse. Only
	// the event thread reads and writes it.
	LastEvent uint64

	// ListOpen and EventText back the answers of list_open_params and
	// event_to_string, each valid until the next such call on this state.
	ListOpen, EventText cmem.Text

	ctx    context.Context
	cancel context.CancelFunc
	panics *metrics.Counter
	ready  bool // Init succeeded

	errMu   sync.Mutex
	lastErr string
	errText cmem.Text

	work    sync.WaitGroup
	limitMu sync.Mutex
	limits  map[string]*Limit
}

// DestroyWait bounds how long destroy waits for goroutines of plugin.Go.
const DestroyWait = 5 * time.Second

// NewState makes a state of r that logs to log. It is not initialised yet.
func NewState(r *Record, log *slog.Logger) *State {
	st := &State{Record: r, Log: log, Metrics: metrics.New(), limits: map[string]*Limit{}}
	st.ctx, st.cancel = context.WithCancel(context.WithValue(context.Background(), stateKey{}, st))
	st.panics = st.Metrics.Counter("panics")
	return st
}

// Init creates the author's value, binds its capabilities and initialises it.
func (st *State) Init(config string) (err error) {
	defer st.Contain("init", &err)
	if err := st.Record.Check(); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	st.Author = st.Record.Create()
	if c := st.Record.Source; c != nil {
		st.Source = c.Bind(st, st.Author)
	}
	if c := st.Record.Extract; c != nil {
		st.Extract = c.Bind(st, st.Author)
	}
	if c := st.Record.Parse; c != nil {
		st.Parse = c.Bind(st, st.Author)
	}
	if c := st.Record.Async; c != nil {
		st.Async = c.Bind(st, st.Author)
	}
	if c := st.Record.Capture; c != nil {
		st.Capture = c.Bind(st, st.Author)
	}
	if err := st.Author.Init(st, config); err != nil {
		return err
	}
	st.ready = true
	return nil
}

// Destroy ends the state: instances that are still open, the author's value,
// its goroutines, then all C memory. Nothing of the state may be used later.
func (st *State) Destroy() {
	for _, half := range []interface{ Free() }{st.Source, st.Capture, st.Async} {
		if half != nil {
			half.Free()
		}
	}
	st.cancel()
	if st.ready {
		func() {
			var err error
			defer st.Contain("destroy", &err)
			st.Author.Destroy()
		}()
	}
	if !st.waitWork() {
		st.Log.Error("destroy: goroutines of the plugin are still running; what they use stays allocated", "waited", DestroyWait)
		return
	}
	for _, half := range []interface{ Free() }{st.Extract, st.Parse} {
		if half != nil {
			half.Free()
		}
	}
	if st.Tables != nil {
		st.Tables.Free()
	}
	st.Metrics.Free()
	st.ListOpen.Free()
	st.EventText.Free()
	st.errMu.Lock()
	st.errText.Free()
	st.errMu.Unlock()
}

func (st *State) waitWork() bool {
	done := make(chan struct{})
	go func() {
		st.work.Wait()
		close(done)
	}()
	timer := time.NewTimer(DestroyWait)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// Context is done when the state is being destroyed.
func (st *State) Context() context.Context { return st.ctx }

type stateKey struct{}

// FromContext is the state that ctx descends from, or nil.
func FromContext(ctx context.Context) *State {
	st, _ := ctx.Value(stateKey{}).(*State)
	return st
}

// SetError keeps err as the state's last error.
func (st *State) SetError(err error) {
	st.errMu.Lock()
	st.lastErr = err.Error()
	st.errMu.Unlock()
}

// LastError returns the last error as a C string, "" if there was none. It is
// valid until the next call on the same state.
func (st *State) LastError() unsafe.Pointer {
	st.errMu.Lock()
	defer st.errMu.Unlock()
	return st.errText.Set(st.lastErr)
}

// Fail keeps err, prefixed with the callback that it ended, and returns the
// code for it.
func (st *State) Fail(callback string, err error) abi.RC {
	var p *PanicError // names its callback itself
	if !errors.As(err, &p) {
		err = fmt.Errorf("%s: %w", callback, err)
	}
	st.SetError(err)
	return abi.Failure
}

// PanicError is what a panic in author code becomes.
type PanicError struct {
	Callback string
	Value    any
}

func (e *PanicError) Error() string { return fmt.Sprintf("%s: panic: %v", e.Callback, e.Value) }

// Contain ends a panic in author code: deferred around every call into it, it
// turns the panic into *err, counts and logs it. It must be deferred directly.
func (st *State) Contain(callback string, err *error) {
	if r := recover(); r != nil {
		*err = st.Panicked(callback, r)
	}
}

// Panicked counts and logs the panic value r of callback and makes it an
// error, for callers that recover themselves.
func (st *State) Panicked(callback string, r any) error {
	e := &PanicError{Callback: callback, Value: r}
	st.panics.Inc()
	st.LogLimited(slog.LevelError, "panic in "+callback, e.Error(), "stack", string(debug.Stack()))
	return e
}

// Go runs f on a goroutine of the state's; a panic in it is contained.
func (st *State) Go(ctx context.Context, name string, f func(context.Context)) {
	st.work.Go(func() {
		var err error
		defer st.Contain("goroutine "+name, &err)
		f(ctx)
	})
}
