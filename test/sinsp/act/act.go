// SPDX-License-Identifier: Apache-2.0

// Package act performs declared scenarios on a framework, be it libsinsp or the
// test host.
package act

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/aerie-falco/aerie/test/sinsp/scenario"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// Cast is who takes part: a plugin, and where those are that scenarios name.
type Cast struct {
	Plugin string
	// Folder is that of the plugin.
	Folder string
	// Library is the path of a plugin's shared object.
	Library func(plugin string) string
}

// Times of fed events: one a millisecond from here on, in nanoseconds since the epoch.
const (
	FirstTime = 1_700_000_000_000_000_000
	TimeStep  = 1_000_000
)

// unlimited is more timeouts than a framework waits for.
const unlimited = 1 << 40

// Prepare registers and initialises what the scenario needs in a new inspector,
// and asks for its fields. The plugin itself stands first, but for the feeder.
func (c Cast) Prepare(ctx context.Context, p *stage.Process, inspector string, s scenario.Scenario) error {
	if s.Feed != nil {
		if _, err := p.Do(ctx, stage.Command{Do: "feeder", Inspector: inspector, ID: s.Feed.ID, Source: s.Feed.Source}); err != nil {
			return err
		}
		if _, err := p.Do(ctx, stage.Command{Do: "init", Inspector: inspector, Plugin: stage.Feeder}); err != nil {
			return err
		}
	}
	if err := c.Load(ctx, p, inspector, s); err != nil {
		return err
	}
	_, err := p.Do(ctx, stage.Command{Do: "fields", Inspector: inspector, Fields: s.Fields()})
	return err
}

// Load registers and initialises the plugin and those with it.
func (c Cast) Load(ctx context.Context, p *stage.Process, inspector string, s scenario.Scenario) error {
	for k, name := range append([]string{c.Plugin}, s.With...) {
		config := ""
		if k == 0 {
			config = s.Config
		}
		if _, err := p.Do(ctx, stage.Command{Do: "register", Inspector: inspector, Library: c.Library(name)}); err != nil {
			return err
		}
		if _, err := p.Do(ctx, stage.Command{Do: "init", Inspector: inspector, Plugin: name, Config: config}); err != nil {
			return err
		}
	}
	return nil
}

// Performance is how a scenario went.
type Performance struct {
	Events []stage.Event
	// Result is how the stream ended: eof or failure, or timeout where it goes on.
	Result  string
	Error   string // of a failure
	Answers []int  // to posts
}

// Perform opens the scenario's source and reads until it ends, or, where it
// does not end of itself, until all that is expected has come. It leaves the
// inspector open.
func (c Cast) Perform(ctx context.Context, p *stage.Process, inspector string, s scenario.Scenario) (Performance, error) {
	open, address, err := c.opening(inspector, s)
	if err != nil {
		return Performance{}, err
	}
	if _, err := p.Do(ctx, open); err != nil {
		return Performance{}, err
	}
	switch {
	case s.Post != nil:
		return perform(ctx, p, inspector, s, address)
	case s.Blocks:
		went, err := read(ctx, p, stage.Command{Do: "next", Inspector: inspector, Events: uint64(len(s.Events)), Idle: unlimited})
		if err != nil || went.Result != "events" {
			return went, err
		}
		// the framework must get its turns all the same: nothing but a source's return lets it stop
		more, err := read(ctx, p, stage.Command{Do: "next", Inspector: inspector, Events: 1, Idle: 3})
		went.Events, went.Result, went.Error = append(went.Events, more.Events...), more.Result, more.Error
		return went, err
	}
	return read(ctx, p, stage.Command{Do: "next", Inspector: inspector, Events: unlimited, Idle: unlimited})
}

// Opening is the command that opens the scenario's source.
func (c Cast) Opening(inspector string, s scenario.Scenario) (stage.Command, error) {
	open, _, err := c.opening(inspector, s)
	return open, err
}

func (c Cast) opening(inspector string, s scenario.Scenario) (open stage.Command, address string, err error) {
	open = stage.Command{Do: "open", Inspector: inspector, Plugin: c.Plugin}
	if s.Feed != nil {
		open.Plugin = stage.Feeder
		for k, payload := range s.Feed.Payloads {
			open.Feed = append(open.Feed, stage.Fed{TS: FirstTime + uint64(k)*TimeStep, Hex: hex.EncodeToString(payload)})
		}
		return open, "", nil
	}
	open.Params = *s.Open
	if strings.Contains(open.Params, "${address}") {
		if address, err = freeAddress(); err != nil {
			return open, "", err
		}
		open.Params = strings.ReplaceAll(open.Params, "${address}", address)
	}
	return open, address, nil
}

// freeAddress is one that nobody listens on now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free address: %w", err)
	}
	return l.Addr().String(), l.Close()
}

func read(ctx context.Context, p *stage.Process, next stage.Command) (Performance, error) {
	r, err := p.Do(ctx, next)
	out := Performance{Events: r.Events, Result: r.Done.Result, Error: string(r.Done.Error)}
	if out.Result == "failure" {
		err = nil // the source's, not the command's
	}
	return out, err
}

// Patience is how long anything may take before it counts as stuck.
const Patience = 2 * time.Minute
