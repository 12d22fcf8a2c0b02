// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"

	"github.com/aerie-falco/aerie/shared/plugin/config"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
	"github.com/aerie-falco/aerie/shared/plugin/internal/hostlog"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// Info says who a plugin is. It is copied at registration.
type Info struct {
	// Name, Description and Contact are shown to users. Name is what a
	// configuration calls the plugin by.
	Name, Description, Contact string

	// Version is the plugin's own, three numbers: "1.2.3".
	Version string

	// ID and EventSource belong to source plugins and are given both or
	// neither. The ID is the one registered for the plugin; it marks the
	// plugin's events in capture files for ever.
	ID          uint32
	EventSource string

	// Config is a pointer to the struct that Init decodes its configuration
	// into (package config). The framework checks a configuration against its
	// schema before it calls Init. Nil means that the plugin publishes no
	// schema.
	Config any
}

// Plugin is what the type of every plugin implements. One value serves one
// state; calls for one state do not overlap, unless a method says otherwise.
type Plugin interface {
	// Init starts a state. config is the text that the user wrote; see
	// config.Decode. On an error the framework gives up on the plugin and
	// shows the error; Init then has cleaned up, for Destroy is not called.
	Init(h *Host, config string) error

	// Destroy ends a state that Init began. The contexts of the state are done
	// before it is called, and no instance is open.
	Destroy()
}

// ConfigSetter is implemented by plugins that take a new configuration while
// they run. No known framework asks for it today.
type ConfigSetter interface {
	SetConfig(config string) error
}

// LevelNotice is the log level between slog.LevelInfo and slog.LevelWarn.
const LevelNotice = hostlog.LevelNotice

// Host is what a state is given by the kit. It is valid until Destroy returns
// and may be used from any goroutine.
type Host struct {
	st     *core.State
	tables *table.Init
}

// Context is done when the state is destroyed. Contexts derived from it carry
// the state's log and metrics, and make Go contain panics.
func (h *Host) Context() context.Context { return h.st.Context() }

// Log writes to the framework's log, which adds time and the plugin's name.
func (h *Host) Log() *slog.Logger { return h.st.Log }

// SetLogLevel drops lines below l, the kit's own too, for plugins that are
// configured with a verbosity. Without it all lines go to the framework, which
// has a setting of its own for what it shows.
func (h *Host) SetLogLevel(l slog.Level) {
	if h.st.Sink != nil {
		h.st.Sink.SetLevel(l)
	}
}

// Metrics holds the counters and gauges that the framework shows for this
// state.
func (h *Host) Metrics() *metrics.Registry { return h.st.Metrics }

// Tables reaches the framework's state tables, and takes tables of the
// plugin's own, while Init runs.
func (h *Host) Tables() *table.Init { return h.tables }

// Registration is a plugin of type P while capabilities are added to it.
type Registration[P Plugin] struct{ rec *core.Record }

// Record is for the kit's capability packages.
func (r *Registration[P]) Record() *core.Record { return r.rec }

var versionForm = regexp.MustCompile(`^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?$`)

// Register makes the library a plugin. create returns the value of a new state
// and does nothing else. Register panics when info is unusable, which a first
// load of the library shows.
func Register[P Plugin](info Info, create func() P) *Registration[P] {
	if err := info.check(); err != nil {
		panic(err)
	}
	rec := &core.Record{
		Name: info.Name, Description: info.Description, Contact: info.Contact, Version: info.Version,
		ID: info.ID, EventSource: info.EventSource,
		Create: func() core.Author { p := create(); return &author[P]{p} },
	}
	if info.Config != nil {
		rec.Schema = config.Schema(info.Config)
	}
	return &Registration[P]{rec: core.Register(rec)}
}

func (i *Info) check() error {
	switch {
	case i.Name == "" || i.Description == "" || i.Contact == "":
		return fmt.Errorf("register plugin %q: name, description and contact are needed", i.Name)
	case !versionForm.MatchString(i.Version):
		return fmt.Errorf("register plugin %q: version %q: want three numbers, such as 1.2.3", i.Name, i.Version)
	case (i.ID == 0) != (i.EventSource == ""):
		return fmt.Errorf("register plugin %q: ID %d with event source %q: give both or neither", i.Name, i.ID, i.EventSource)
	case i.EventSource == "syscall":
		return fmt.Errorf(`register plugin %q: event source "syscall" belongs to the framework`, i.Name)
	}
	return nil
}

// author adapts a Plugin to the kit's inner interface.
type author[P Plugin] struct{ p P }

func (a *author[P]) Init(st *core.State, config string) error {
	h := &Host{st, table.NewInit(st)}
	defer h.tables.End()
	return a.p.Init(h, config)
}

func (a *author[P]) Destroy()    { a.p.Destroy() }
func (a *author[P]) Unwrap() any { return a.p }

// Go runs f on a goroutine of its own. With a context that descends from
// Host.Context, or from the context of an open source, a panic in f is
// contained: logged, counted, and the end of that goroutine only. Destroy
// waits a few seconds for such goroutines, so f must return when ctx is done.
// name says in logs what was running.
func Go(ctx context.Context, name string, f func(ctx context.Context)) {
	if st := core.FromContext(ctx); st != nil {
		st.Go(ctx, name, f)
		return
	}
	go f(ctx)
}

// Log is the log of the state that ctx descends from; any other context gives
// a log that discards.
func Log(ctx context.Context) *slog.Logger {
	if st := core.FromContext(ctx); st != nil {
		return st.Log
	}
	return slog.New(slog.DiscardHandler)
}

// LogLimited writes a line about something that outside data can cause at any
// rate: at most one line a second for each kind, with the number of lines held
// back. kind is a fixed word of the caller's, never outside data.
func LogLimited(ctx context.Context, level slog.Level, kind, msg string, args ...any) {
	if st := core.FromContext(ctx); st != nil {
		st.LogLimited(level, kind, msg, args...)
	}
}

// Metrics is the registry of the state that ctx descends from; any other
// context gives a new one that nobody reads.
func Metrics(ctx context.Context) *metrics.Registry {
	if st := core.FromContext(ctx); st != nil {
		return st.Metrics
	}
	return metrics.New()
}
