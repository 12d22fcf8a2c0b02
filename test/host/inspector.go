// SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"fmt"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Inspector puts several plugins to one stream of events, as one libsinsp
// inspector does, with the state tables that they share. It belongs to one
// goroutine at a time.
type Inspector struct {
	plugins []*Plugin
	tables  *tables
	async   asyncQueue
	pool    *routinePool // nil if routines are not to be had
	// platform is what the threads table holds after an open.
	platform []Process
	filter   *Filter

	stream stream
	// replayed streams have no async handlers.
	replayed bool
	// begun is true from the first step of an open, failed or not, to the close.
	begun bool
	// fed is the source of events that no loaded plugin emits.
	fed    feed
	evtnum uint64
	// lastTime is the time of the last event, 0 if there was none with a time.
	lastTime uint64
	// follows is set where threads are followed, and exited the thread whose exit
	// was the last event, 0 for none.
	follows bool
	exited  uint64
	// kept is the source's event that waits behind async events.
	kept *Event
	// late is the async event that was returned last.
	late       *Event
	recordings []*Recording
}

// stream is where an open inspector's events come from.
type stream interface {
	Next() (*Event, abi.RC, error)
	close()
}

// NewInspector makes an inspector without plugins.
func NewInspector() *Inspector { return &Inspector{tables: newTables()} }

// Register adds a library's plugin behind those already there. It refuses a
// second one of the same name, and a second source with the same ID.
func (n *Inspector) Register(lib *Library) (*Plugin, error) {
	p, err := Register(lib)
	if err != nil {
		return nil, err
	}
	for _, other := range n.plugins {
		if other.Name == p.Name {
			return nil, fmt.Errorf("register %s: a plugin named %q is already loaded, from %s", lib.path, p.Name, other.lib.path)
		}
		if p.ID != 0 && other.ID == p.ID {
			return nil, fmt.Errorf("register %s: plugin ID %d of %q is also that of %q", lib.path, p.ID, p.Name, other.Name)
		}
	}
	p.join(n.tables)
	if n.pool != nil {
		p.owner.pool.Store(&poolAccess{n.pool, p})
	}
	n.plugins = append(n.plugins, p)
	return p, nil
}

// EnableRoutines gives plugins a pool of that many threads for their routines.
// Without it there is none, as in Falco and in Debian's libraries, and
// subscribing returns NULL.
func (n *Inspector) EnableRoutines(threads int) {
	if n.pool != nil {
		return
	}
	n.pool = newRoutinePool(threads)
	for _, p := range n.plugins {
		p.owner.pool.Store(&poolAccess{n.pool, p})
	}
}

// SetProcesses says what the platform puts into the threads table at each open
// from now on: with a kernel driver the processes of the machine, with a plugin
// source usually nothing.
func (n *Inspector) SetProcesses(all []Process) { n.platform = all }

// SetFilter gives the inspector a filter, as sysdig's command line does: it is
// applied before plugins parse an event, and Next leaves out events that it
// does not hold for. Nil takes it away. Falco never sets one.
func (n *Inspector) SetFilter(f *Filter) { n.filter = f }

// Plugins lists the plugins in the order they were registered in.
func (n *Inspector) Plugins() []*Plugin { return append([]*Plugin(nil), n.plugins...) }

// Plugin is the plugin of that name, or nil.
func (n *Inspector) Plugin(name string) *Plugin {
	for _, p := range n.plugins {
		if p.Name == name {
			return p
		}
	}
	return nil
}

var errOpen = errors.New("the inspector is open already; close it first")

// Open opens the event source of the plugin of that name, which must be
// initialised. Event numbers start at 1 again. Then it tells the other plugins:
// first those that send async events, then those that listen to captures. If
// one of them fails, the inspector is to be closed like an open one.
func (n *Inspector) Open(name, params string) error {
	if n.stream != nil {
		return errOpen
	}
	p := n.Plugin(name)
	if p == nil {
		return fmt.Errorf("open %q: plugin %s does not exist", params, name)
	}
	if p.Capabilities&CapSourcing == 0 {
		return fmt.Errorf("open %q: plugin %s has no event source", params, name)
	}
	if err := n.prepare(); err != nil {
		return err
	}
	i, err := p.Open(params)
	if err != nil {
		return err
	}
	source := p.EventSource
	if p.ID == 0 {
		source = sourceSyscall
	}
	return n.start(i, n.platform, p.ID, source)
}

func (i *Instance) close() { i.plugin.Close(i) }

// OpenFeed opens the inspector on plugin events with the payloads that next
// returns until it returns an error; io.EOF ends the stream, ErrIdle is a turn
// without an event, any other is its failure. The events carry the ID and the source given, whether a loaded
// plugin has them or not.
func (n *Inspector) OpenFeed(id uint32, source string, next func() ([]byte, error)) error {
	if n.stream != nil {
		return errOpen
	}
	if id == 0 || source == "" {
		return fmt.Errorf("open feed: plugin ID %d and source %q; both must be given", id, source)
	}
	if err := n.prepare(); err != nil {
		return err
	}
	n.fed = feed{id: id, source: source, next: next}
	return n.start(&n.fed, n.platform, id, source)
}

// OpenEvents opens the inspector on given events of any type, as libsinsp's
// test engine does: the open source is syscall. next returns an event's bytes,
// or a result code without one; with a failure it tells why.
func (n *Inspector) OpenEvents(next func() ([]byte, abi.RC, error)) error {
	return n.openGiven(0, sourceSyscall, next)
}

// OpenStream opens the inspector on given events as if they were those of a
// plugin's source, of which no plugin need be loaded. next is as for OpenEvents.
func (n *Inspector) OpenStream(id uint32, source string, next func() ([]byte, abi.RC, error)) error {
	if id == 0 || source == "" {
		return fmt.Errorf("open stream: plugin ID %d and source %q; both must be given", id, source)
	}
	return n.openGiven(id, source, next)
}

func (n *Inspector) openGiven(id uint32, source string, next func() ([]byte, abi.RC, error)) error {
	if n.stream != nil {
		return errOpen
	}
	if err := n.prepare(); err != nil {
		return err
	}
	if id != 0 {
		n.fed = feed{id: id, source: source}
	}
	return n.start(&given{next: next}, n.platform, id, source)
}

// sourceOf is the source of the plugin whose ID an event carries, "" if no
// loaded one has it, and syscall for events without an ID.
func (n *Inspector) sourceOf(e *Event) string {
	id, ok := e.PluginID()
	if !ok || id == 0 {
		return sourceSyscall
	}
	if p := n.byID(id); p != nil {
		return p.EventSource
	}
	if id == n.fed.id {
		return n.fed.source
	}
	return ""
}

func (n *Inspector) byID(id uint32) *Plugin {
	for _, p := range n.plugins {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// Destroy closes the source and ends all plugins' states.
func (n *Inspector) Destroy() {
	_ = n.Close()
	for _, p := range n.plugins {
		p.Destroy()
	}
	if n.pool != nil {
		n.pool.end()
	}
}
