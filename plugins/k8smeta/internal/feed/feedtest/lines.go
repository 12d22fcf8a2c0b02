// SPDX-License-Identifier: Apache-2.0

package feedtest

import (
	"context"
	"log/slog"
	"sync"
)

// Lines is a log that keeps the messages from the level Info on.
type Lines struct {
	mu      sync.Mutex
	lines   []string
	changed chan struct{}
}

// NewLines returns an empty log.
func NewLines() *Lines { return &Lines{changed: make(chan struct{})} }

// Log returns what writes to it.
func (l *Lines) Log() *slog.Logger { return slog.New(l) }

// All returns the messages so far, without their attributes.
func (l *Lines) All() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines...)
}

// Await returns once there are n messages, or stop is closed.
func (l *Lines) Await(stop <-chan struct{}, n int) []string {
	for {
		l.mu.Lock()
		lines, changed := append([]string(nil), l.lines...), l.changed
		l.mu.Unlock()
		if len(lines) >= n {
			return lines
		}
		select {
		case <-changed:
		case <-stop:
			return lines
		}
	}
}

func (l *Lines) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }
func (l *Lines) WithAttrs([]slog.Attr) slog.Handler               { return l }
func (l *Lines) WithGroup(string) slog.Handler                    { return l }

func (l *Lines) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, r.Message)
	close(l.changed)
	l.changed = make(chan struct{})
	return nil
}
