// SPDX-License-Identifier: Apache-2.0

// Command ticker is a plugin that injects asynchronous events.
//
// Asynchronous events are how a plugin brings into the stream what it learns
// elsewhere: from a server, a file, a clock. They are emitted from any
// goroutine, join the events of whatever source is open, are stored in capture
// files, and come back on replay, when nothing is emitted.
//
// So that a replay shows what was seen live, a plugin takes its state from the
// events and not from where it got the news: the goroutine below only emits,
// and Parse is where a tick starts to count. A tick tells all of the state
// rather than a change of it; then it does no harm that a capture file that is
// begun in the middle tells the state (DumpState) and may repeat the last tick.
package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/async"
	"github.com/aerie-falco/aerie/shared/plugin/config"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
	"github.com/aerie-falco/aerie/shared/plugin/parse"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

func init() {
	r := plugin.Register(plugin.Info{
		Name: "ticker", Description: "Ticks into any stream of events.",
		Contact: "github.com/aerie-falco/aerie", Version: "0.1.0", Config: &settings{},
	}, func() *ticker { return &ticker{} })
	async.Register(r, async.Options{Events: []string{"tick"}}) // for every stream
	// To see its own events a plugin asks for their type.
	parse.Register(r, parse.Options{EventTypes: []uint16{event.TypeAsync}})
	extract.Register(r, extract.Options[*ticker]{
		EventTypes: []uint16{event.TypePlugin, event.TypeAsync},
		Fields: []extract.Field[*ticker]{
			{Name: "ticker.count", Desc: "Number of the last tick.", Value: extract.Uint64((*ticker).countField)},
			{Name: "ticker.time", Desc: "When it ticked last, by the clock of the machine.", Value: extract.AbsTime((*ticker).timeField)},
		},
	})
}

func main() {}

type settings struct {
	Interval time.Duration `json:"interval" default:"1s" min:"1ms" desc:"Time between two ticks."`
	Ticks    uint64        `json:"ticks" default:"0" desc:"How many ticks there are; 0 for no end."`
}

// ticker is one state of the plugin.
type ticker struct {
	cfg    settings
	events *async.Emitter
	seen   *metrics.Counter

	last tick // as parsed; zero before the first
}

// tick is what an event says.
type tick struct{ number, time uint64 }

// String is a tick as data of an event.
func (t tick) String() string { return fmt.Sprintf("%d at %d", t.number, t.time) }

func read(data []byte) (t tick, err error) {
	number, at, ok := strings.Cut(string(data), " at ")
	if !ok {
		return tick{}, fmt.Errorf(`read tick %q: want "NUMBER at TIME"`, data)
	}
	if t.number, err = strconv.ParseUint(number, 10, 64); err != nil {
		return tick{}, fmt.Errorf("read tick %q: number: %w", data, err)
	}
	if t.time, err = strconv.ParseUint(at, 10, 64); err != nil {
		return tick{}, fmt.Errorf("read tick %q: time: %w", data, err)
	}
	return t, nil
}

// Init starts the clock. A framework that tries a configuration inits states
// that no capture is ever opened with, so it waits for one.
func (t *ticker) Init(h *plugin.Host, text string) error {
	if err := config.Decode(text, &t.cfg); err != nil {
		return err
	}
	t.events = async.EmitterOf(h)
	t.seen = h.Metrics().Counter("ticks")
	plugin.Go(h.Context(), "clock", t.run)
	return nil
}

func (t *ticker) Destroy() {}

// run emits ticks while a capture takes them, which Wait waits for.
func (t *ticker) run(ctx context.Context) {
	clock := time.NewTicker(t.cfg.Interval)
	defer clock.Stop()
	for n := uint64(1); t.events.Wait(ctx) == nil; {
		select {
		case now := <-clock.C:
			err := t.events.Emit("tick", []byte(tick{n, uint64(now.UnixNano())}.String()))
			if errors.Is(err, async.ErrNoCapture) {
				continue // it was closed meanwhile
			}
			if n++; n > t.cfg.Ticks && t.cfg.Ticks > 0 {
				return
			}
		case <-ctx.Done():
		}
	}
}

// Parse takes what a tick says, live and replayed alike.
func (t *ticker) Parse(e *event.Event, _ *table.Access) error {
	_, name, data, ok := e.Async()
	if !ok {
		return e.Malformed()
	}
	if name != "tick" {
		return nil // another plugin's
	}
	last, err := read(data)
	if err != nil {
		return err
	}
	t.last = last
	t.seen.Inc()
	return nil
}

// DumpState puts the state at the head of a capture file.
func (t *ticker) DumpState(d *async.Dump) error {
	if t.last == (tick{}) {
		return nil
	}
	return d.Emit("tick", []byte(t.last.String()))
}

func (t *ticker) countField(_ *extract.Call, out *extract.Uint64Out) error {
	if t.last != (tick{}) {
		out.Set(t.last.number)
	}
	return nil
}

func (t *ticker) timeField(_ *extract.Call, out *extract.Uint64Out) error {
	if t.last != (tick{}) {
		out.Set(t.last.time)
	}
	return nil
}
