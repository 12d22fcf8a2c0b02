// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// Listener is implemented by plugins that listen to captures. Its methods are
// called on a thread of the framework's, never beside the plugin's parsing or
// extraction.
type Listener interface {
	plugin.Plugin

	// CaptureOpen is called when a capture is open and before its first event
	// is returned; on replay, state at the head of the file has been parsed.
	// An error fails the opening of the capture, routines begun before it are
	// ended, and CaptureClose is not called.
	CaptureOpen(c *Capture) error

	// CaptureClose is called when the capture has ended, with the same c. Its
	// routines have ended, its context is done, the plugin's source is closed
	// and the framework's table of threads is empty. An error is logged and
	// counted: there is nothing that a framework could do about it.
	CaptureClose(c *Capture) error
}

const (
	// Pause is the least time between the end of one run of a routine and the
	// beginning of its next.
	Pause = 10 * time.Millisecond

	// CloseWait bounds how long the end of a capture waits for its routines.
	CloseWait = 5 * time.Second
)

// ErrClosed is wrapped by Routine when the capture has ended.
var ErrClosed = errors.New("the capture is closed")

// Capture is one capture, from CaptureOpen to the end of CaptureClose.
type Capture struct {
	l      *listener
	ctx    context.Context
	cancel context.CancelFunc

	// mu guards what follows.
	mu       sync.Mutex
	pool     pool // of the framework's; none once CaptureOpen returned
	closed   bool
	routines map[*routine]bool // those that have not ended
}

// Context is done when the capture ends, before CaptureClose. It carries the
// state's log and metrics and makes plugin.Go contain panics.
func (c *Capture) Context() context.Context { return c.ctx }

// Tables reaches the entries of state tables. It works in CaptureOpen and
// CaptureClose; in between, and in routines, every use of it is an error:
// frameworks have no locks around tables, so they belong to the event thread.
func (c *Capture) Tables() *table.Access { return c.l.access }

// Routine has f run in the background, once and then again as long as it
// returns true, with a pause between the runs. f must return soon after ctx is
// done, which is when the capture ends; between that and CaptureClose the kit
// waits for it, CloseWait at most. A panic in f ends the routine, is counted
// and logged, and nothing else. name says in logs what was running.
//
// A routine that is begun in CaptureOpen runs on the framework's thread pool if
// there is one: few threads that are shared with other plugins, so a run should
// be short. Today's Falco has none. Without a pool, and when begun later, a
// routine has a goroutine of its own. Routine may be called from any goroutine;
// its only error is ErrClosed.
func (c *Capture) Routine(name string, f func(ctx context.Context) (again bool)) error {
	r := &routine{name: name, f: f, c: c, busy: make(chan struct{}, 1)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return fmt.Errorf("begin routine %q: %w", name, ErrClosed)
	}
	c.routines[r] = true
	if !r.subscribe(c.pool) {
		r.busy <- struct{}{}
		c.l.st.Go(c.ctx, "routine "+name, r.loop)
	}
	return nil
}

// opened ends the time in which routines go to the framework's pool: it may be
// asked on the framework's own thread only.
func (c *Capture) opened() {
	c.mu.Lock()
	c.pool = pool{}
	c.mu.Unlock()
}

// stop ends the routines and waits for them. What could not be stopped in time
// is left behind.
func (c *Capture) stop() {
	c.mu.Lock()
	c.closed = true
	routines := c.routines
	c.routines = nil // forget finds nothing
	c.mu.Unlock()
	for r := range routines {
		r.stop()
	}
	c.cancel()
	deadline := time.NewTimer(c.l.wait)
	defer deadline.Stop()
	var late []string
	for r := range routines {
		if !r.wait(deadline.C) {
			late = append(late, r.name)
			deadline.Reset(0) // no more time for the others
		}
	}
	if late != nil {
		c.l.st.Log.Error("capture_close: routines have not ended in time and are left behind", "routines", late, "waited", c.l.wait)
	}
}

// forget drops a routine that has ended.
func (c *Capture) forget(r *routine) {
	c.mu.Lock()
	delete(c.routines, r)
	c.mu.Unlock()
}
