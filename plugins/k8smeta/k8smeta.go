// SPDX-License-Identifier: Apache-2.0

// Package k8smeta is the k8smeta plugin: fields with the Kubernetes metadata of
// the pod that an event's thread runs in.
//
// A feed (internal/feed) says what there is in Kubernetes, as asynchronous
// events. These join the stream of system calls and come back to be parsed,
// live as on replay, and nothing else changes what is known: so a capture
// file shows the same fields as the capture did. Which pod a thread runs in is
// read off its cgroups and noted in the framework's table of threads.
package k8smeta

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed"
	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/async"
	"github.com/aerie-falco/aerie/shared/plugin/capture"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
	"github.com/aerie-falco/aerie/shared/plugin/parse"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// Info says who the plugin is. It has neither an ID nor an event source, as its
// events join those of the system calls.
var Info = plugin.Info{
	Name:        "k8smeta",
	Description: "Kubernetes metadata of the pods behind system calls",
	Contact:     "https://github.com/aerie-falco/aerie",
	Version:     "0.5.0",
	Config:      &config{},
}

// eventName is the name of the events that carry metadata.
const eventName = "k8s"

// Register adds the plugin's capabilities to r.
func Register(r *plugin.Registration[*Plugin]) {
	sources := []string{"syscall"}
	table.RequireSubtables(r)
	extract.Register(r, extract.Options[*Plugin]{Fields: fields, Sources: sources, EveryEventType: true})
	parse.Register(r, parse.Options{Sources: sources, EventTypes: parsed})
	async.Register(r, async.Options{Events: []string{eventName}, Sources: sources, MaxEventSize: 2 * maxMessage})
	capture.Register(r)
}

// Plugin is one state of the plugin.
type Plugin struct {
	log      *slog.Logger
	messages *metrics.Counter
	feed     feeder

	tables  *tables
	threads threads
	derived derived
	unknown *unknown
	reader  reader

	uid, before []byte // scratch, of one call at a time

	// connect makes the feed; tests have one of their own.
	connect func(c *config, h *plugin.Host, emit feed.Emit) (feeder, error)
}

// New makes a state that Init readies.
func New() *Plugin { return &Plugin{connect: newFeed} }

// Init reads the configuration and what it refers to, and connects nothing yet:
// a reload initialises a second state beside the running one.
func (p *Plugin) Init(h *plugin.Host, text string) error {
	c, err := readConfig(text)
	if err != nil {
		return err
	}
	h.SetLogLevel(c.level())
	p.log, p.messages = h.Log(), h.Metrics().Counter("events_parsed")
	p.unknown = newUnknown(h.Metrics())
	if err := p.threads.open(h.Tables()); err != nil {
		return fmt.Errorf("find the pods of threads: %w", err)
	}
	p.tables = newTables(h.Metrics())
	if err := p.tables.offer(h); err != nil {
		return err
	}
	emitter := async.EmitterOf(h)
	p.feed, err = p.connect(&c, h, func(text []byte) error {
		return emitter.Emit(eventName, append(slices.Clip(text), 0)) // official readers look for the NUL
	})
	if err != nil {
		return err
	}
	for _, line := range c.warnings() {
		p.log.Warn(line)
	}
	// Frameworks give no handler on replay, so nobody connects then.
	plugin.Go(h.Context(), "feed", func(ctx context.Context) { emitter.During(ctx, p.feed.Run) })
	return nil
}

// Destroy has nothing to give back: the feed ends with the state's context.
func (p *Plugin) Destroy() {}

// feeder is where news of resources come from.
type feeder interface {
	// Run emits news until ctx is done.
	Run(ctx context.Context)
	// Parsed tells that an event came back: what it is about, empty where it
	// cannot be read, and its text.
	Parsed(kind, uid string, text []byte)
}
