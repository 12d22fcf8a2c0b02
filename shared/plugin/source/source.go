// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
)

// NoTimestamp as an event's time asks the framework to stamp the event at the
// moment when it hands it out.
const NoTimestamp = abi.NoTimestamp

// Opener is implemented by plugins that are event sources.
type Opener interface {
	plugin.Plugin

	// Open starts reading. params is the text of the user's open parameters.
	// What it takes, such as a port, it takes here, so that its absence is an
	// error of Open: of its text 255 bytes reach the user. ctx lives as long as
	// the instance does and carries the state's log and metrics.
	Open(ctx context.Context, params string) (Instance, error)
}

// Instance is one open source. Next and Close are never called at the same
// time, unless a Next has ignored its context for longer than CloseWait.
type Instance interface {
	// Next adds events to b. It waits for the first one until ctx is done,
	// returns what there is without waiting for more, and returns soon after
	// ctx is done: the framework can neither stop nor deliver anything else
	// meanwhile. Nil with nothing added is an idle turn.
	//
	// Errors: io.EOF ends the stream; Skip, Retry and Fatal say the rest; any
	// other error counts as Retry. Events already in b are delivered first.
	Next(ctx context.Context, b *Batch) error

	// Close ends the instance and returns within CloseWait.
	Close() error
}

// Progresser is implemented by instances that know how far they are.
type Progresser interface {
	// Progress returns a fraction from 0 to 1 and a text about it.
	Progress() (fraction float64, text string)
}

// EventSizer is implemented by instances whose open parameters set the largest
// payload, in bytes.
type EventSizer interface {
	MaxEventSize() int
}

// OpenParamLister is implemented by plugins that can suggest open parameters.
type OpenParamLister interface {
	OpenParams() ([]sdk.OpenParam, error)
}

// EventStringer is implemented by plugins that can show one of their events as
// text. Without it a framework shows the first bytes of the payload.
type EventStringer interface {
	EventString(e *event.Event) (string, error)
}

// Limits and times that Options leave open.
const (
	DefaultMaxEventSize   = 256 << 10
	DefaultMaxBatchBytes  = 1 << 20
	DefaultMaxBatchEvents = 1024
	DefaultIdle           = 30 * time.Millisecond

	// MaxIdle is the longest idle turn: asynchronous events and a framework's
	// shutdown wait for it.
	MaxIdle = 100 * time.Millisecond

	// CloseWait bounds how long closing waits for the source's code.
	CloseWait = 5 * time.Second
)

// Options bound a source. Zero values mean the defaults above.
type Options struct {
	// MaxEventSize is the largest payload in bytes. Larger ones are dropped,
	// counted and logged; they are never truncated and never end the stream.
	MaxEventSize int

	// MaxBatchBytes and MaxBatchEvents bound what one batch holds. A single
	// event may exceed MaxBatchBytes; it then has a batch of its own.
	MaxBatchBytes  int
	MaxBatchEvents int

	// Idle is how long a turn waits for a first event, at most MaxIdle.
	Idle time.Duration
}

func (o Options) withDefaults() Options {
	set := func(v *int, to int) {
		if *v <= 0 {
			*v = to
		}
	}
	set(&o.MaxEventSize, DefaultMaxEventSize)
	set(&o.MaxBatchBytes, DefaultMaxBatchBytes)
	set(&o.MaxBatchEvents, DefaultMaxBatchEvents)
	if o.Idle <= 0 {
		o.Idle = DefaultIdle
	}
	o.Idle = min(o.Idle, MaxIdle)
	return o
}

// classed is an error with what it means for the stream.
type classed struct {
	class class
	err   error
}

type class int

const (
	classRetry class = iota
	classSkip
	classFatal
	classEOF
	classIdle
)

func (e *classed) Error() string { return e.err.Error() }
func (e *classed) Unwrap() error { return e.err }

// Skip marks an error about one event that was dropped: it is counted and
// logged at a limited rate, and the stream goes on.
func Skip(err error) error { return &classed{classSkip, err} }

// Retry marks trouble that may pass: it is counted and logged at a limited
// rate, and Next is called again after a pause that grows up to MaxBackoff.
func Retry(err error) error { return &classed{classRetry, err} }

// Fatal marks the end of the stream by an error. A framework may end with it:
// Falco does.
func Fatal(err error) error { return &classed{classFatal, err} }

func classify(err error) class {
	var c *classed
	var p *core.PanicError
	switch {
	case err == nil:
		return classIdle
	case errors.As(err, &p):
		return classFatal
	case errors.As(err, &c):
		return c.class
	case errors.Is(err, io.EOF), errors.Is(err, sdk.ErrEOF):
		return classEOF
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, sdk.ErrTimeout), errors.Is(err, ErrFull):
		return classIdle
	}
	return classRetry
}
