// SPDX-License-Identifier: Apache-2.0

// Package hostlog carries log records to the framework's log.
package hostlog

/*
#cgo CFLAGS: -I${SRCDIR}/../../abi
#include "abi.h"

// Calls the framework's log function; it copies the text.
static void aerie_log(void *fn, void *owner, const char *msg, uint32_t severity) {
	((aerie_log_fn)fn)(owner, NULL, msg, severity);
}
*/
import "C"

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
)

// Sink is one state's way to the framework's log. It may be used from any
// thread; the framework's function may be called from any thread too.
type Sink struct {
	mu    sync.RWMutex
	fn    unsafe.Pointer
	owner unsafe.Pointer
	name  string // for the fallback
	least atomic.Int64
}

// NewSink makes a sink for the log function fn of the given owner. Without a
// function, lines go to standard error, prefixed with name.
func NewSink(fn, owner unsafe.Pointer, name string) *Sink {
	s := &Sink{fn: fn, owner: owner, name: name}
	s.least.Store(math.MinInt64)
	return s
}

// SetLevel drops lines below l from now on.
func (s *Sink) SetLevel(l slog.Level) { s.least.Store(int64(l)) }

// Close waits for lines under way; later ones go to standard error, since the
// framework's function may be gone.
func (s *Sink) Close() {
	s.mu.Lock()
	s.fn = nil
	s.mu.Unlock()
}

func (s *Sink) write(severity uint32, line string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.fn == nil {
		os.Stderr.WriteString(s.name + ": " + line + "\n")
		return
	}
	msg := cmem.CString(line)
	defer cmem.Free(msg)
	C.aerie_log(s.fn, s.owner, (*C.char)(msg), C.uint32_t(severity))
}

// LevelNotice lies between slog's Info and Warn, as the framework's does.
const LevelNotice = slog.Level(2)

func severity(l slog.Level) uint32 {
	switch {
	case l > slog.LevelError:
		return abi.SeverityCritical
	case l == slog.LevelError:
		return abi.SeverityError
	case l >= slog.LevelWarn:
		return abi.SeverityWarning
	case l >= LevelNotice:
		return abi.SeverityNotice
	case l >= slog.LevelInfo:
		return abi.SeverityInfo
	case l >= slog.LevelDebug:
		return abi.SeverityDebug
	}
	return abi.SeverityTrace
}

// Handler is a slog.Handler over a Sink: message first, then the attributes as
// key=value. The framework adds time, level and the plugin's name.
type Handler struct {
	sink  *Sink
	attrs slog.Handler
	buf   *lockedBuffer
}

type lockedBuffer struct {
	sync.Mutex
	bytes.Buffer
}

// NewHandler writes to s, all levels unless its SetLevel says otherwise: which of
// them are shown is the framework's setting.
func NewHandler(s *Sink) *Handler {
	buf := &lockedBuffer{}
	opts := &slog.HandlerOptions{Level: slog.Level(-8), ReplaceAttr: dropBuiltin}
	return &Handler{sink: s, buf: buf, attrs: slog.NewTextHandler(&buf.Buffer, opts)}
}

func dropBuiltin(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
		return slog.Attr{}
	}
	return a
}

// Enabled implements slog.Handler.
func (h *Handler) Enabled(_ context.Context, l slog.Level) bool {
	return int64(l) >= h.sink.least.Load()
}

// Handle implements slog.Handler.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	h.buf.Lock()
	h.buf.Reset()
	err := h.attrs.Handle(ctx, r)
	line := strings.TrimRight(r.Message+" "+h.buf.String(), " \n")
	h.buf.Unlock()
	h.sink.write(severity(r.Level), line)
	return err
}

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{sink: h.sink, buf: h.buf, attrs: h.attrs.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{sink: h.sink, buf: h.buf, attrs: h.attrs.WithGroup(name)}
}
