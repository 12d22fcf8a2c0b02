// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
	"github.com/aerie-falco/aerie/shared/plugin/internal/handle"
)

// Pauses after an error that may pass.
const (
	minBackoff = 100 * time.Millisecond
	// MaxBackoff is the longest pause between two tries of Next.
	MaxBackoff = 10 * time.Second
)

// instances maps the instance handles that frameworks hold.
var instances handle.Table[instance]

// instance is the kit's side of one open source.
type instance struct {
	st     *core.State
	src    *sourcer
	author Instance
	idle   time.Duration

	ctx    context.Context
	cancel context.CancelFunc

	// busy is held by the one next_batch under way, and by close for good.
	busy    chan struct{}
	closing atomic.Bool

	batch   *Batch
	turn    turn
	pending error // to report once the batch before it was taken
	backoff time.Duration
	retryAt time.Time

	progress cmem.Text
}

// enter begins a call that uses the instance's memory; false if the instance
// is being closed or a call is under way on another thread.
func (in *instance) enter() bool {
	select {
	case in.busy <- struct{}{}:
		if in.closing.Load() {
			<-in.busy
			return false
		}
		return true
	default:
		return false
	}
}

func (in *instance) leave() { <-in.busy }

// next answers next_batch. What it writes to n and events is true whatever it
// returns: frameworks read both in any case.
func (in *instance) next(n *uint32, events *unsafe.Pointer) abi.RC {
	in.deliver(true)
	if err := in.pending; err != nil {
		in.pending = nil
		return in.end(err)
	}
	in.turn.begin(in.idle)
	defer in.turn.end()
	for {
		if d := time.Until(in.retryAt); d > 0 && !in.retryAt.IsZero() {
			in.turn.wait(d)
			if time.Now().Before(in.retryAt) {
				return abi.Timeout
			}
		}
		err := in.callNext()
		if in.closing.Load() {
			return abi.Timeout // close is waiting to free the batch
		}
		class := classify(err)
		in.note(class, err)
		if in.batch.n > 0 {
			if class == classFatal || class == classEOF {
				in.pending = err
			}
			*n, *events = uint32(in.batch.n), in.batch.events
			return abi.Success
		}
		switch class {
		case classFatal, classEOF:
			return in.end(err)
		case classSkip:
			if time.Now().Before(in.turn.deadline) {
				continue
			}
		case classIdle:
			in.turn.wait(in.idle)
		}
		if class != classRetry || !time.Now().Before(in.turn.deadline) {
			return abi.Timeout
		}
	}
}

func (in *instance) callNext() (err error) {
	defer in.st.Contain("next_batch", &err)
	began := time.Now()
	err = in.author.Next(&in.turn, in.batch)
	if late := time.Since(began) - in.idle; late > lateNext {
		in.st.LogLimited(slog.LevelWarn, "late next", "next_batch: the source did not return when its turn was over; the framework cannot stop or reload meanwhile", "late", late)
	}
	return err
}

// lateNext is how late Next may return before the log says so.
const lateNext = time.Second

// note counts and logs err by its class, and sets the pause before a retry.
func (in *instance) note(c class, err error) {
	switch c {
	case classSkip:
		in.src.skipped.Inc()
		in.st.LogLimited(slog.LevelWarn, "skip", "next_batch: skipped an event: "+err.Error())
		return
	case classRetry:
		in.backoff = min(max(minBackoff, 2*in.backoff), MaxBackoff)
		in.retryAt = time.Now().Add(in.backoff)
		in.src.retries.Inc()
		in.st.LogLimited(slog.LevelWarn, "retry", "next_batch: "+err.Error(), "retry_in", in.backoff)
		return
	}
	in.backoff, in.retryAt = 0, time.Time{}
}

// end reports the end of the stream. Later calls report it again.
func (in *instance) end(err error) abi.RC {
	if classify(err) == classEOF {
		in.pending = err
		return abi.EOF
	}
	return in.st.Fail("next_batch", err)
}

// deliver fires the callbacks of the last batch and empties it.
func (in *instance) deliver(taken bool) {
	in.batch.fire(func(f func(bool)) {
		var err error
		defer in.st.Contain("delivery callback", &err)
		f(taken)
	})
	in.batch.reset()
}

// close ends the instance within CloseWait. What could not be stopped keeps
// its memory: freeing it would end the process.
func (in *instance) close() {
	if in.closing.Swap(true) {
		return
	}
	in.cancel()
	deadline := time.NewTimer(CloseWait)
	defer deadline.Stop()
	stopped := false
	select {
	case in.busy <- struct{}{}:
		stopped = true
		in.deliver(false)
	case <-deadline.C:
		in.st.Log.Error("close: the source is still inside Next; its memory stays allocated", "waited", CloseWait)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := in.closeAuthor(); err != nil {
			in.st.Log.Warn("close: " + err.Error())
		}
	}()
	if stopped {
		select {
		case <-done:
		case <-deadline.C:
			in.st.Log.Error("close: the source has not closed in time and is left behind", "waited", CloseWait)
		}
		in.batch.Free()
		in.progress.Free()
	}
}

func (in *instance) closeAuthor() (err error) {
	defer in.st.Contain("close", &err)
	return in.author.Close()
}

// progressText answers get_progress: hundredths of a percent and a text.
func (in *instance) progressText(pct *uint32) unsafe.Pointer {
	fraction, text, err := in.askProgress()
	if err != nil {
		in.st.SetError(fmt.Errorf("get_progress: %w", err))
	}
	if pct != nil {
		*pct = uint32(min(max(fraction, 0), 1) * 10000)
	}
	return in.progress.Set(text)
}

func (in *instance) askProgress() (fraction float64, text string, err error) {
	p, ok := in.author.(Progresser)
	if !ok {
		return 0, "", nil
	}
	defer in.st.Contain("get_progress", &err)
	fraction, text = p.Progress()
	if fraction != fraction { // NaN
		fraction = 0
	}
	return fraction, text, nil
}
