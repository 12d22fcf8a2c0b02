// SPDX-License-Identifier: Apache-2.0

package host

import "runtime"

// Thread is an operating system thread of its own, such as the one that a
// capture's event loop runs on. C libraries that keep state per thread see the
// same one in all calls made on it.
type Thread struct {
	work chan func()
	done chan struct{}
}

// NewThread starts a thread. Stop ends it.
func NewThread() *Thread {
	t := &Thread{work: make(chan func()), done: make(chan struct{})}
	go func() {
		// Never unlocked: the thread ends with the goroutine.
		runtime.LockOSThread()
		defer close(t.done)
		for f := range t.work {
			f()
		}
	}()
	return t
}

// Do runs f on the thread and waits for it. f must return: ending its
// goroutine, as a test's FailNow does, ends the thread.
func (t *Thread) Do(f func()) {
	finished := make(chan struct{})
	t.work <- func() {
		defer close(finished)
		f()
	}
	<-finished
}

// Stop ends the thread once what runs on it has returned. Nothing may be done
// on it afterwards.
func (t *Thread) Stop() {
	close(t.work)
	<-t.done
}
