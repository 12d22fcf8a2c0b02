// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/abitest"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
)

// scripted is a listener whose callbacks a test writes. log is what was called.
type scripted struct {
	log           []string
	onOpen        func(c *Capture) error
	onClose       func(c *Capture) error
	opened, ended *Capture
}

func (s *scripted) Init(*plugin.Host, string) error { return nil }
func (s *scripted) Destroy()                        { s.log = append(s.log, "destroy") }

func (s *scripted) CaptureOpen(c *Capture) error {
	s.log, s.opened = append(s.log, "open"), c
	if s.onOpen != nil {
		return s.onOpen(c)
	}
	return nil
}

func (s *scripted) CaptureClose(c *Capture) error {
	s.log, s.ended = append(s.log, "close"), c
	if s.onClose != nil {
		return s.onClose(c)
	}
	return nil
}

// rig is one state of a scripted listener.
type rig struct {
	*scripted
	st    *core.State
	state uintptr
	lines *bytes.Buffer // of the log
}

func newRig(t testing.TB) *rig {
	core.Reset()
	s := &scripted{}
	Register(plugin.Register(plugin.Info{Name: "scripted", Description: "d", Contact: "c", Version: "1.0.0"}, func() *scripted { return s }))
	t.Cleanup(core.Reset)
	lines := &bytes.Buffer{}
	st := core.NewState(core.Registered(), slog.New(slog.NewTextHandler(lines, nil)))
	require.NoError(t, st.Init(""))
	r := &rig{scripted: s, st: st, state: core.States.Put(st), lines: lines}
	t.Cleanup(r.destroy)
	return r
}

func (r *rig) destroy() {
	if st := core.States.Drop(r.state); st != nil {
		st.Destroy()
	}
}

// open and close are a framework's calls. Their input is overwritten
// afterwards, as a stack would be.
func (r *rig) open(t testing.TB, p *abitest.Pool) abi.RC {
	return during(p.Capture(t), func(in unsafe.Pointer) abi.RC { return plugin_capture_open(r.state, in) })
}

func (r *rig) close(t testing.TB, p *abitest.Pool) abi.RC {
	return during(p.Capture(t), func(in unsafe.Pointer) abi.RC { return plugin_capture_close(r.state, in) })
}

func during(in unsafe.Pointer, call func(in unsafe.Pointer) abi.RC) abi.RC {
	rc := call(in)
	i := (*abi.CaptureListenInput)(in)
	if i.Routine != nil {
		*(*abi.RoutineVtable)(i.Routine) = abi.RoutineVtable{}
	}
	*i = abi.CaptureListenInput{}
	return rc
}

func (r *rig) metric(name string) uint64 { return r.st.Metrics.Counter(name).Value() }
func (r *rig) lastError() string         { return cmem.GoString(r.st.LastError()) }

func TestACaptureOpensAndCloses(t *testing.T) {
	r := newRig(t)
	for range 2 {
		assert.Equal(t, abi.Success, r.open(t, nil))
		require.NoError(t, r.opened.Context().Err())
		assert.Equal(t, abi.Success, r.close(t, nil))
		assert.Same(t, r.opened, r.ended)
		assert.Error(t, r.opened.Context().Err())
	}
	r.destroy()
	assert.Equal(t, []string{"open", "close", "open", "close", "destroy"}, r.log)
}

func TestHalvesThatFrameworksLeaveOutAreMadeUp(t *testing.T) {
	for name, c := range map[string]struct {
		calls string // o: open, f: an open that fails, c: close
		want  []string
	}{
		"a closing without an opening":     {"c", []string{"destroy"}},
		"a closing after a failed opening": {"fc", []string{"open", "destroy"}},
		"a second closing":                 {"occ", []string{"open", "close", "destroy"}},
		"an opening without a closing":     {"o", []string{"open", "close", "destroy"}},
		"a second opening":                 {"ooc", []string{"open", "close", "open", "close", "destroy"}},
		"an opening after a failed one":    {"foc", []string{"open", "open", "close", "destroy"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			for _, call := range c.calls {
				r.onOpen = nil
				switch call {
				case 'o':
					assert.Equal(t, abi.Success, r.open(t, nil))
				case 'f':
					r.onOpen = func(*Capture) error { return errors.New("no") }
					assert.Equal(t, abi.Failure, r.open(t, nil))
				case 'c':
					assert.Equal(t, abi.Success, r.close(t, nil))
				}
			}
			r.destroy()
			assert.Equal(t, c.want, r.log)
		})
	}
}

func TestAFailureSaysWhyAndTheNextCallWorks(t *testing.T) {
	r := newRig(t)
	for i, c := range []struct {
		fail func(*Capture) error
		want string
	}{
		{func(*Capture) error { return errors.New("no such table") }, ": no such table"},
		{func(*Capture) error { panic("boom") }, ": panic: boom"},
	} {
		r.onOpen, r.onClose = c.fail, c.fail
		assert.Equal(t, abi.Failure, r.open(t, nil))
		assert.Equal(t, "capture_open"+c.want, r.lastError())
		require.Error(t, r.opened.Context().Err(), "its context is done")
		r.onOpen = nil
		require.Equal(t, abi.Success, r.open(t, nil))
		assert.Equal(t, abi.Success, r.close(t, nil), "a framework could only end over it")
		assert.Equal(t, "capture_close"+c.want, r.lastError())
		assert.EqualValues(t, i+1, r.metric("capture_close_errors"))
	}
	assert.EqualValues(t, 2, r.metric("panics"))
}

func TestWhatIsMissingIsToleratedOrAnError(t *testing.T) {
	r := newRig(t)
	ran := make(chan struct{})
	r.onOpen = func(c *Capture) error {
		return c.Routine("once", func(context.Context) bool { close(ran); return false })
	}
	assert.Equal(t, abi.Success, plugin_capture_open(r.state, nil), "an input without anything")
	<-ran
	assert.Equal(t, abi.Success, plugin_capture_close(r.state, nil))
	for _, gone := range []uintptr{0, 1, r.state + 1} {
		assert.Equal(t, abi.Failure, plugin_capture_open(gone, nil))
		assert.Equal(t, abi.Failure, plugin_capture_close(gone, nil))
	}
	assert.Zero(t, aerie_capture_routine(0, 0))
	assert.Zero(t, aerie_capture_routine(0, 12345))
}

// vtables are what a framework may give for routines.
func vtables(t *testing.T) map[string]func() *abitest.Pool {
	return map[string]func() *abitest.Pool{
		"a pool":             func() *abitest.Pool { return abitest.NewPool(t) },
		"a pool that denies": func() *abitest.Pool { p := abitest.NewPool(t); p.Deny(); return p },
		"no pool":            func() *abitest.Pool { return nil },
	}
}

func TestRoutinesRunUntilTheCaptureCloses(t *testing.T) {
	for name, pool := range vtables(t) {
		t.Run(name, func(t *testing.T) {
			r, p := newRig(t), pool()
			var runs [3]atomic.Int64
			thrice := make(chan struct{}, 3)
			late := atomic.Bool{}
			over := atomic.Bool{}
			r.onOpen = func(c *Capture) error {
				for i := range runs {
					require.NoError(t, c.Routine(fmt.Sprint(i), func(context.Context) bool {
						if over.Load() {
							late.Store(true)
						}
						if runs[i].Add(1) == 3 {
							thrice <- struct{}{}
						}
						return true
					}))
				}
				return nil
			}
			r.onClose = func(*Capture) error { over.Store(true); return nil }
			require.Equal(t, abi.Success, r.open(t, p))
			for range runs {
				<-thrice
			}
			require.Equal(t, abi.Success, r.close(t, p))
			after := [3]int64{runs[0].Load(), runs[1].Load(), runs[2].Load()}
			if p != nil {
				assert.Zero(t, p.Subscribed())
				assert.Zero(t, p.Strays())
				p.CallLast() // one that was under way, or comes all the same
			}
			assert.Equal(t, after, [3]int64{runs[0].Load(), runs[1].Load(), runs[2].Load()})
			assert.False(t, late.Load())
		})
	}
}

func TestClosingWaitsForARunUnderWay(t *testing.T) {
	for name, pool := range vtables(t) {
		t.Run(name, func(t *testing.T) {
			r, p := newRig(t), pool()
			running, finished := make(chan struct{}), false
			r.onOpen = func(c *Capture) error {
				return c.Routine("slow", func(ctx context.Context) bool {
					close(running)
					<-ctx.Done()
					runtime.Gosched()
					finished = true // no lock: the closing orders it
					return true
				})
			}
			r.onClose = func(*Capture) error { assert.True(t, finished); return nil }
			require.Equal(t, abi.Success, r.open(t, p))
			<-running
			require.Equal(t, abi.Success, r.close(t, p))
			assert.True(t, finished)
		})
	}
}

func TestARoutineEndsByItsAnswerOrByAPanic(t *testing.T) {
	for name, pool := range vtables(t) {
		t.Run(name, func(t *testing.T) {
			r, p := newRig(t), pool()
			var ran, panicked atomic.Int64
			r.onOpen = func(c *Capture) error {
				return errors.Join(
					c.Routine("twice", func(context.Context) bool { return ran.Add(1) < 2 }),
					c.Routine("panics", func(context.Context) bool { panicked.Add(1); panic("boom") }),
				)
			}
			require.Equal(t, abi.Success, r.open(t, p))
			remaining := func() int {
				r.opened.mu.Lock()
				defer r.opened.mu.Unlock()
				return len(r.opened.routines)
			}
			require.Eventually(t, func() bool { return remaining() == 0 }, 10*time.Second, time.Millisecond)
			assert.EqualValues(t, 2, ran.Load())
			assert.EqualValues(t, 1, panicked.Load())
			assert.EqualValues(t, 1, r.metric("panics"))
			require.Equal(t, abi.Success, r.close(t, p))
			if p != nil {
				assert.Zero(t, p.Strays(), "what the pool has forgotten is not unsubscribed: its ticket may be another's")
			}
		})
	}
}

func TestARoutineThatReturnsAtOnceDoesNotSpin(t *testing.T) {
	for name, pool := range vtables(t) {
		t.Run(name, func(t *testing.T) {
			r, p := newRig(t), pool()
			const runs = 5
			var starts []time.Time
			done := make(chan struct{})
			r.onOpen = func(c *Capture) error {
				return c.Routine("busy", func(context.Context) bool {
					starts = append(starts, time.Now())
					if len(starts) == runs {
						close(done)
					}
					return len(starts) < runs
				})
			}
			require.Equal(t, abi.Success, r.open(t, p))
			<-done
			require.Equal(t, abi.Success, r.close(t, p))
			for i := 1; i < runs; i++ {
				assert.GreaterOrEqual(t, starts[i].Sub(starts[i-1]), Pause)
			}
			if p != nil {
				assert.LessOrEqual(t, p.Calls(), runs+1)
			}
		})
	}
}

func TestARoutineMayBeginAnywhereInACaptureAndNotAfter(t *testing.T) {
	r, p := newRig(t), abitest.NewPool(t)
	require.Equal(t, abi.Success, r.open(t, p))
	nested := make(chan struct{})
	require.NoError(t, r.opened.Routine("later", func(context.Context) bool {
		return assert.NoError(t, r.opened.Routine("nested", func(context.Context) bool { close(nested); return false })) && false
	}))
	<-nested
	assert.Zero(t, p.Subscribed(), "the pool is the framework's thread's")
	r.onClose = func(c *Capture) error {
		return c.Routine("too late", func(context.Context) bool { return false })
	}
	r.close(t, p)
	assert.Equal(t, `capture_close: begin routine "too late": the capture is closed`, r.lastError())
	assert.ErrorIs(t, r.opened.Routine("too late", nil), ErrClosed)
}

func TestAFailedOpeningEndsItsRoutines(t *testing.T) {
	for name, pool := range vtables(t) {
		t.Run(name, func(t *testing.T) {
			r, p := newRig(t), pool()
			ended := atomic.Bool{}
			r.onOpen = func(c *Capture) error {
				running := make(chan struct{})
				require.NoError(t, c.Routine("early", func(ctx context.Context) bool {
					close(running)
					<-ctx.Done()
					ended.Store(true)
					return true
				}))
				<-running
				return errors.New("no")
			}
			assert.Equal(t, abi.Failure, r.open(t, p))
			assert.True(t, ended.Load())
			if p != nil {
				assert.Zero(t, p.Subscribed())
			}
		})
	}
}

func TestDestroyEndsRoutinesOfAnOpenCapture(t *testing.T) {
	for name, pool := range vtables(t) {
		t.Run(name, func(t *testing.T) {
			r, p := newRig(t), pool()
			running, ended := make(chan struct{}), atomic.Bool{}
			r.onOpen = func(c *Capture) error {
				return c.Routine("open end", func(ctx context.Context) bool {
					close(running)
					<-ctx.Done()
					ended.Store(true)
					return true
				})
			}
			r.onClose = func(*Capture) error { assert.True(t, ended.Load()); return nil }
			require.Equal(t, abi.Success, r.open(t, p))
			<-running
			r.destroy()
			assert.Equal(t, []string{"open", "close", "destroy"}, r.log)
			if p != nil {
				assert.Zero(t, p.Subscribed())
			}
		})
	}
}

func TestARoutineThatIgnoresTheEndIsLeftBehindAndNamed(t *testing.T) {
	for name, pool := range vtables(t) {
		t.Run(name, func(t *testing.T) {
			r, p := newRig(t), pool()
			r.st.Capture.(*listener).wait = time.Millisecond
			running, release, returned := make(chan struct{}), make(chan struct{}), make(chan struct{})
			r.onOpen = func(c *Capture) error {
				return errors.Join(
					c.Routine("deaf", func(context.Context) bool {
						defer close(returned)
						close(running)
						<-release
						return true
					}),
					c.Routine("good", func(ctx context.Context) bool { <-ctx.Done(); return false }))
			}
			require.Equal(t, abi.Success, r.open(t, p))
			<-running
			require.Equal(t, abi.Success, r.close(t, p))
			assert.Contains(t, r.lines.String(), "routines have not ended in time and are left behind")
			assert.Contains(t, r.lines.String(), "deaf")
			assert.Equal(t, []string{"open", "close"}, r.log)
			close(release)
			<-returned
			if p != nil {
				assert.False(t, p.CallLast())
			}
		})
	}
}

func TestAPoolThatCannotUnsubscribeIsToldByTheAnswer(t *testing.T) {
	r, p := newRig(t), abitest.NewPool(t)
	running := make(chan struct{}, 1000)
	r.onOpen = func(c *Capture) error {
		return c.Routine("r", func(context.Context) bool {
			select {
			case running <- struct{}{}:
			default:
			}
			return true
		})
	}
	in := p.Capture(t)
	(*abi.RoutineVtable)((*abi.CaptureListenInput)(in).Routine).Unsubscribe = nil
	require.Equal(t, abi.Success, plugin_capture_open(r.state, in))
	<-running
	require.Equal(t, abi.Success, r.close(t, nil))
	assert.False(t, p.CallLast())
	require.Eventually(t, func() bool { return p.Subscribed() == 0 }, 10*time.Second, time.Millisecond)
}

func TestAThousandCapturesLeaveNothingBehind(t *testing.T) {
	r, p := newRig(t), abitest.NewPool(t)
	r.onOpen = func(c *Capture) error {
		started := make(chan struct{}, 2)
		run := func(ctx context.Context) bool { started <- struct{}{}; <-ctx.Done(); return true }
		err := c.Routine("on the pool", run)
		<-started
		return err
	}
	round := func(p *abitest.Pool) {
		require.Equal(t, abi.Success, r.open(t, p))
		require.Equal(t, abi.Success, r.close(t, p))
	}
	round(nil)
	before := runtime.NumGoroutine()
	for range 500 {
		round(nil)
		round(p)
	}
	require.Eventually(t, func() bool { return runtime.NumGoroutine() < before+20 }, 10*time.Second, time.Millisecond)
	assert.Zero(t, p.Subscribed())
	assert.Zero(t, p.Strays())
	assert.Nil(t, r.st.Capture.(*listener).open)
}

func TestListeningNeedsTheAPIWithRoutines(t *testing.T) {
	newRig(t)
	assert.Equal(t, "3.7.0", core.Registered().APIVersion())
}
