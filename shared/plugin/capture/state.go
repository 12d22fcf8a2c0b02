// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"context"
	"time"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// listener is the half of one state that listens to captures. Frameworks call
// it on one thread at a time.
type listener struct {
	st          *core.State
	author      Listener
	access      *table.Access
	closeErrors *metrics.Counter
	open        *Capture      // nil between captures
	wait        time.Duration // CloseWait
}

// Open implements core.Capturer. A capture that the framework never closed ends
// first.
func (l *listener) Open(in unsafe.Pointer) error {
	l.end(in)
	c := &Capture{l: l, routines: map[*routine]bool{}}
	c.ctx, c.cancel = context.WithCancel(l.st.Context())
	if in != nil {
		// The owner's error function at the end of the input exists since API
		// 3.9 only; init gave the same one.
		i := (*abi.CaptureListenInput)(in)
		c.pool = poolOf(i.Owner, i.Routine)
	}
	err := l.call("capture_open", in, func() error { return l.author.CaptureOpen(c) })
	c.opened()
	if err != nil {
		c.stop()
		return err
	}
	l.open = c
	return nil
}

// Close implements core.Capturer. Frameworks also close what failed to open.
func (l *listener) Close(in unsafe.Pointer) error { return l.end(in) }

// Free implements core.Capturer: it ends a capture that is still open, without
// access to tables, which are going away too.
func (l *listener) Free() { _ = l.end(nil) }

// end ends the open capture, if there is one.
func (l *listener) end(in unsafe.Pointer) error {
	c := l.open
	if c == nil {
		return nil
	}
	l.open = nil
	c.stop()
	err := l.call("capture_close", in, func() error { return l.author.CaptureClose(c) })
	if err != nil {
		l.closeErrors.Inc()
		l.st.Log.Warn("capture_close: " + err.Error())
	}
	return err
}

// call runs f with the access to tables that in gives, none if it is nil.
func (l *listener) call(callback string, in unsafe.Pointer, f func() error) (err error) {
	var reader, writer unsafe.Pointer
	if in != nil {
		i := (*abi.CaptureListenInput)(in)
		reader, writer = i.TableReaderExt, i.TableWriterExt
	}
	l.access.Begin(reader, writer)
	defer l.access.End()
	defer l.st.Contain(callback, &err)
	return f()
}
