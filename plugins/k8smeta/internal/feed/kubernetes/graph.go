// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
	"github.com/aerie-falco/aerie/shared/plugin"
)

// graph is what one connection knows of the cluster: the node's pods, and what
// they need. Everything that a pod refers to is in its namespace, so a change
// concerns one namespace, and that is worked out anew: by one goroutine, so that
// a burst of changes is worked out once.
type graph struct {
	ctx       context.Context
	client    *client
	sink      feed.Sink
	followers sync.WaitGroup

	mu         sync.Mutex
	namespaces map[string]*namespace
	dirty      map[*namespace]bool // to be worked out
	stir       chan struct{}       // has an element when there may be some
	listed     bool                // the pods have been
	synced     bool                // and all that they need, and the sink knows
	complained map[string]bool     // kinds that the log has a line about
}

// need is a set of objects that pods refer to: one by name, or all services of
// a namespace.
type need struct{ kind, namespace, name string }

// namespace is one that has pods of the node, or had a moment ago.
type namespace struct {
	name  string
	pods  map[string]*object // by UID
	needs map[need]*needed
	told  map[identity]string // what the sink has been told: the event's text without its reason
}

// identity is of one resource.
type identity struct{ kind, uid string }

// needed is a need that is being followed.
type needed struct {
	graph   *graph
	in      *namespace
	need    need
	stop    context.CancelFunc
	objects map[string]*object // by UID

	// tried is true once there was an answer of any sort: events wait for it, so
	// that a pod is introduced with all that it refers to. known is true once
	// it was a good one, or that there will be none.
	tried, known bool
}

func newGraph(ctx context.Context, c *client, sink feed.Sink) *graph {
	g := &graph{
		ctx: ctx, client: c, sink: sink, namespaces: make(map[string]*namespace), complained: make(map[string]bool),
		dirty: make(map[*namespace]bool), stir: make(chan struct{}, 1),
	}
	g.start(ctx, "working out Kubernetes metadata", g.keepWorking)
	return g
}

// start runs f in a goroutine that Run waits for.
func (g *graph) start(ctx context.Context, name string, f func(context.Context)) {
	g.followers.Add(1)
	plugin.Go(ctx, name, func(ctx context.Context) {
		defer g.followers.Done()
		f(ctx)
	})
}

// keepWorking works out what has changed until ctx is done.
func (g *graph) keepWorking(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.stir:
		}
		g.workOut()
	}
}

func (g *graph) workOut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for ns := range g.dirty {
		delete(g.dirty, ns)
		g.work(ns)
	}
	g.sync()
}

// mark has a namespace worked out. The caller holds mu.
func (g *graph) mark(ns *namespace) {
	g.dirty[ns] = true
	g.wake()
}

func (g *graph) wake() {
	select {
	case g.stir <- struct{}{}:
	default:
	}
}

// pods are the graph as told of the node's pods.
type pods graph

func (p *pods) replace(all []resource) {
	g := (*graph)(p)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sink.Opened()
	for _, ns := range g.namespaces {
		clear(ns.pods)
	}
	for i := range all {
		g.podIn(&all[i])
	}
	g.listed = true
	for _, ns := range g.namespaces {
		g.mark(ns)
	}
	g.wake() // also when there is no pod at all
}

func (p *pods) put(r *resource) {
	g := (*graph)(p)
	g.mu.Lock()
	defer g.mu.Unlock()
	if ns := g.podIn(r); ns != nil {
		g.mark(ns)
	}
}

func (p *pods) remove(r *resource) {
	g := (*graph)(p)
	g.mu.Lock()
	defer g.mu.Unlock()
	if ns := g.namespaces[r.Metadata.Namespace]; ns != nil && ns.pods[r.Metadata.UID] != nil {
		delete(ns.pods, r.Metadata.UID)
		g.mark(ns)
	}
}

func (p *pods) refused(err error) { p.sink.Refuse(err) }

// podIn puts a pod where it belongs. It returns nil if nothing of interest has changed.
func (g *graph) podIn(r *resource) *namespace {
	o, err := read(metadata.Pod, r)
	if err != nil {
		g.sink.Refuse(err)
		return nil
	}
	ns := g.namespaces[r.Metadata.Namespace]
	if ns == nil {
		ns = &namespace{
			name: r.Metadata.Namespace, pods: make(map[string]*object),
			needs: make(map[need]*needed), told: make(map[identity]string),
		}
		g.namespaces[ns.name] = ns
	}
	before := ns.pods[o.uid]
	ns.pods[o.uid] = o
	if before != nil && before.meta == o.meta && before.podIP == o.podIP && before.controller == o.controller {
		return nil
	}
	return ns
}

func (n *needed) replace(all []resource) {
	n.graph.mu.Lock()
	defer n.graph.mu.Unlock()
	clear(n.objects)
	for i := range all {
		n.take(&all[i])
	}
	n.tried, n.known = true, true
	n.changed()
}

func (n *needed) put(r *resource) {
	n.graph.mu.Lock()
	defer n.graph.mu.Unlock()
	n.take(r)
	n.changed()
}

func (n *needed) remove(r *resource) {
	n.graph.mu.Lock()
	defer n.graph.mu.Unlock()
	delete(n.objects, r.Metadata.UID)
	n.changed()
}

func (n *needed) refused(err error) { n.graph.sink.Refuse(err) }

func (n *needed) take(r *resource) {
	o, err := read(n.need.kind, r)
	if err != nil {
		n.graph.sink.Refuse(err)
		return
	}
	if n.need.name != "" {
		if o.name != n.need.name {
			return // of a server that knows no selectors
		}
		clear(n.objects) // a new one of the name is in the place of the one before
	}
	n.objects[o.uid] = o
}

// changed has the namespace worked out, unless nobody needs n any more.
func (n *needed) changed() {
	if n.in.needs[n.need] == n {
		n.graph.mark(n.in)
	}
}

// failed notes that n cannot be followed now.
func (n *needed) failed(err error) {
	g := n.graph
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.complained[n.need.kind] {
		g.complained[n.need.kind] = true
		plugin.Log(g.ctx).Warn("Kubernetes metadata: a kind of resources cannot be followed, its fields stay as they are; trying again",
			"kind", n.need.kind, "error", err)
	}
	n.tried = true
	if isStatus(err, http.StatusForbidden, http.StatusNotFound) {
		n.known = true
	}
	n.changed()
}

// follow follows n until nobody needs it.
func (n *needed) follow(ctx context.Context) {
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		started := time.Now()
		err := n.graph.client.follow(ctx, queryOf(n.need), n)
		if ctx.Err() != nil {
			return
		}
		if time.Since(started) > lastWait {
			wait = firstWait
		}
		n.failed(err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait + rand.N(wait/2)):
		}
	}
}

// sync tells the sink when everything that is needed has been listed, and told.
func (g *graph) sync() {
	if g.synced || !g.listed {
		return
	}
	for _, ns := range g.namespaces {
		for _, n := range ns.needs {
			if !n.known {
				return
			}
		}
	}
	g.synced = true
	g.sink.Synced()
}

// require follows what a namespace needs, and nothing else. It returns the
// objects of a need, and whether they can be relied on.
func (g *graph) require(ns *namespace, n need) *needed {
	if have := ns.needs[n]; have != nil {
		return have
	}
	ctx, stop := context.WithCancel(g.ctx)
	have := &needed{graph: g, in: ns, need: n, stop: stop, objects: make(map[string]*object)}
	ns.needs[n] = have
	g.start(ctx, "following Kubernetes resources", have.follow)
	return have
}

// work tells the sink what has become different in a namespace. The caller
// holds mu.
func (g *graph) work(ns *namespace) {
	w := &worker{graph: g, ns: ns, used: make(map[need]bool), says: make(map[identity]bool)}
	for _, uid := range sorted(ns.pods) {
		w.pod(ns.pods[uid])
	}
	for id := range ns.told {
		if !w.says[id] {
			delete(ns.told, id)
			g.sink.Event(g.ctx, &metadata.Event{Reason: metadata.Delete, Kind: id.kind, Uid: id.uid})
		}
	}
	for n, have := range ns.needs {
		if !w.used[n] {
			have.stop()
			delete(ns.needs, n)
		}
	}
	if len(ns.pods) == 0 && g.namespaces[ns.name] == ns {
		delete(g.namespaces, ns.name)
	}
}
