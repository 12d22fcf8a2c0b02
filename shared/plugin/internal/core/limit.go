// SPDX-License-Identifier: Apache-2.0

package core

import (
	"log/slog"
	"sync"
	"time"
)

// LogInterval is the least time between two lines about the same thing.
const LogInterval = time.Second

// Limit lets one line through per interval and counts the others.
type Limit struct {
	mu         sync.Mutex
	next       time.Time
	suppressed int
}

// Allow tells whether a line may be written at now, and how many were held
// back since the last one.
func (l *Limit) Allow(now time.Time, interval time.Duration) (suppressed int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Before(l.next) {
		l.suppressed++
		return 0, false
	}
	suppressed, l.suppressed = l.suppressed, 0
	l.next = now.Add(interval)
	return suppressed, true
}

// LogLimited logs msg at most once per LogInterval and kind. Kinds are few and
// fixed by the code that logs; outside data never makes one.
func (st *State) LogLimited(level slog.Level, kind, msg string, args ...any) {
	st.limitMu.Lock()
	l := st.limits[kind]
	if l == nil {
		l = &Limit{}
		st.limits[kind] = l
	}
	st.limitMu.Unlock()
	suppressed, ok := l.Allow(time.Now(), LogInterval)
	if !ok {
		return
	}
	if suppressed > 0 {
		args = append(args, "suppressed", suppressed)
	}
	st.Log.Log(st.ctx, level, msg, args...)
}
