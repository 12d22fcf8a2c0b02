// SPDX-License-Identifier: Apache-2.0

package abitest

/*
#include "abi.h"
extern int32_t aerie_test_async(uintptr_t *owner, struct aerie_event *evt, char *err);

static void *aerie_test_async_handler(void) { return (void *)aerie_test_async; }
*/
import "C"

import (
	"sync"
	"testing"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/handle"
)

var sinks handle.Table[AsyncSink]

// AsyncSink takes asynchronous events as a framework's handler does.
type AsyncSink struct {
	owner unsafe.Pointer // C memory that holds the sink's handle

	mu     sync.Mutex
	events [][]byte
	closed bool
	late   int
	refuse func(evt []byte) (reason []byte, rc abi.RC)
	inside func()
}

// NewAsyncSink returns a sink that takes everything.
func NewAsyncSink(t testing.TB) *AsyncSink {
	s := &AsyncSink{owner: Alloc(t, 8)}
	h := sinks.Put(s)
	*(*uintptr)(s.owner) = h
	t.Cleanup(func() { sinks.Drop(h) })
	return s
}

// Owner is the pointer to pass with the handler.
func (s *AsyncSink) Owner() unsafe.Pointer { return s.owner }

// Handler is the C function that takes events.
func (s *AsyncSink) Handler() unsafe.Pointer { return C.aerie_test_async_handler() }

// Refuse has f answer every event: the bytes that go to the error buffer as
// they are, and the result. Nil takes everything again.
func (s *AsyncSink) Refuse(f func(evt []byte) (reason []byte, rc abi.RC)) {
	s.mu.Lock()
	s.refuse = f
	s.mu.Unlock()
}

// Inside has f called during every call of the handler.
func (s *AsyncSink) Inside(f func()) {
	s.mu.Lock()
	s.inside = f
	s.mu.Unlock()
}

// Close says that the handler was taken away: calls are late from now on.
func (s *AsyncSink) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
}

// Late is how many calls came after Close.
func (s *AsyncSink) Late() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.late
}

// Events are copies of the events taken, in order.
func (s *AsyncSink) Events() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([][]byte(nil), s.events...)
}

//export aerie_test_async
func aerie_test_async(owner *C.uintptr_t, evt *C.struct_aerie_event, reason *C.char) C.int32_t {
	s := sinks.Get(uintptr(*owner))
	if s == nil {
		return C.int32_t(abi.Failure)
	}
	raw := unsafe.Slice((*byte)(unsafe.Pointer(evt)), *(*uint32)(unsafe.Add(unsafe.Pointer(evt), abi.EventLen)))
	s.mu.Lock()
	inside := s.inside
	s.mu.Unlock()
	if inside != nil {
		inside()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		s.late++
	}
	if s.refuse != nil {
		text, rc := s.refuse(raw)
		copy(unsafe.Slice((*byte)(unsafe.Pointer(reason)), abi.MaxErrLen), text)
		return C.int32_t(rc)
	}
	s.events = append(s.events, append([]byte(nil), raw...))
	return C.int32_t(abi.Success)
}
