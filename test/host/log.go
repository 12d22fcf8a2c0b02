// SPDX-License-Identifier: Apache-2.0

package host

/*
#include <stdlib.h>
#include "calls.h"
*/
import "C"

import (
	"sync"
	"unsafe"
)

// LogLine is one message that a plugin sent to the framework's log.
type LogLine struct {
	// Plugin is the name of the plugin that wrote it.
	Plugin string
	// Component is what the plugin gave as its source, "" for itself.
	Component string
	Text      string
	// Severity is the framework's: 1 fatal to 8 trace.
	Severity uint32
	// Fault says what is wrong with the call itself, such as a message after
	// destroy; "" if nothing is.
	Fault string
}

// String is the line as libsinsp prints it.
func (l LogLine) String() string {
	from := l.Component
	if from == "" {
		from = l.Plugin
	}
	return from + ": " + l.Text
}

// logSink receives one owner's log lines, from any thread, after destroy too.
type logSink struct {
	plugin string
	mu     sync.Mutex
	to     func(LogLine)
	dead   bool
}

func (s *logSink) direct(to func(LogLine)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = to
}

func (s *logSink) destroyed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = true
}

func (s *logSink) write(l LogLine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		l.Fault = "logged after destroy"
	}
	if s.to != nil {
		s.to(l)
	}
}

// aerie_host_log is the log_fn that plugins get. Borrows its strings.
//
//export aerie_host_log
func aerie_host_log(owner unsafe.Pointer, component, msg *C.char, severity C.uint32_t) {
	sink := &ownerOf(owner).sink
	l := LogLine{Plugin: sink.plugin, Severity: uint32(severity)}
	if component != nil {
		l.Component = C.GoString(component)
	}
	if msg != nil {
		l.Text = C.GoString(msg)
	} else {
		l.Fault = "message is NULL, which crashes libsinsp"
	}
	sink.write(l)
}
