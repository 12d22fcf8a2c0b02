// SPDX-License-Identifier: Apache-2.0

// Package standin plays the parts of a Kubernetes cluster that the plugin talks
// to: a metadata collector, by real gRPC, and an API server, by real HTTP, both
// telling of one set of objects. It is for tests, and for trying the plugin
// where there is no cluster.
//
// The objects are Kubernetes manifests. Tests change them by Apply, and script
// the servers by hooks; both servers tell their subscribers at once, so that
// nothing needs waiting for but what is to happen.
package standin

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"sync"

	"go.yaml.in/yaml/v3"
)

// Object is one resource of the cluster. It is not changed once made.
type Object struct {
	Kind string
	Meta ObjectMeta
	Spec struct {
		NodeName string          `json:"nodeName"`
		Selector json.RawMessage `json:"selector"`
	}
	Status struct {
		PodIP string `json:"podIP"`
	}
	tree map[string]any // all of it, as the API server tells it
}

// ObjectMeta is what the stand-in itself needs of an object's metadata.
type ObjectMeta struct {
	Name            string            `json:"name"`
	GenerateName    string            `json:"generateName"`
	Namespace       string            `json:"namespace"`
	UID             string            `json:"uid"`
	Labels          map[string]string `json:"labels"`
	OwnerReferences []struct {
		Kind       string `json:"kind"`
		Name       string `json:"name"`
		UID        string `json:"uid"`
		Controller bool   `json:"controller"`
	} `json:"ownerReferences"`
}

// place is where an object is in the cluster: objects of one place replace each other.
type place struct{ kind, namespace, name string }

func (o *Object) place() place { return place{o.Kind, o.Meta.Namespace, o.Meta.Name} }

// controller returns the kind, name and UID of what controls the object.
func (o *Object) controller() (kind, name, uid string) {
	for _, r := range o.Meta.OwnerReferences {
		if r.Controller {
			return r.Kind, r.Name, r.UID
		}
	}
	return "", "", ""
}

// change is one step in the cluster's history.
type change struct {
	version       uint64
	before, after *Object // nil: it was not there, it is gone
}

// Cluster is a set of objects and how it came about. It is safe for concurrent use.
type Cluster struct {
	mu      sync.Mutex
	objects map[place]*Object
	version uint64
	history []change
	oldest  uint64        // what happened up to this version is forgotten
	changed chan struct{} // closed at the next change
	sorted  []*Object     // by place; nil after a change
}

// NewCluster returns an empty cluster.
func NewCluster() *Cluster {
	return &Cluster{objects: make(map[place]*Object), version: 100, oldest: 100, changed: make(chan struct{})}
}

// Apply reads YAML documents, one object each, and puts them into the cluster
// in place of those of the same kind, namespace and name; one with the member
// "deleted: true" at its top is taken out instead. If one of them is no good,
// nothing is changed.
//
// A UID that a document leaves out stays what it is or is made of the place.
func (c *Cluster) Apply(manifests []byte) error {
	var docs []map[string]any
	decoder := yaml.NewDecoder(bytes.NewReader(manifests))
	for {
		var doc map[string]any
		err := decoder.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read objects: %w", err)
		}
		if doc != nil {
			docs = append(docs, doc)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var changes []change
	for i, doc := range docs {
		gone, _ := doc["deleted"].(bool)
		delete(doc, "deleted")
		o, err := c.read(doc)
		if err != nil {
			return fmt.Errorf("read objects: document %d: %w", i+1, err)
		}
		before := c.objects[o.place()]
		if gone {
			if before == nil {
				return fmt.Errorf("read objects: document %d: there is no %s %q in namespace %q to delete", i+1, o.Kind, o.Meta.Name, o.Meta.Namespace)
			}
			o = nil
		}
		changes = append(changes, change{before: before, after: o})
	}
	for _, ch := range changes {
		c.version++
		ch.version = c.version
		if ch.after != nil {
			c.objects[ch.after.place()] = ch.after.at(ch.version)
			ch.after = c.objects[ch.after.place()]
		} else {
			delete(c.objects, ch.before.place())
		}
		c.history = append(c.history, ch)
	}
	c.announce()
	return nil
}

// Replace makes the cluster another one, as after a restart with other data:
// all objects go, those of the manifests come, and nothing tells the difference.
func (c *Cluster) Replace(manifests []byte) error {
	other := NewCluster()
	if err := other.Apply(manifests); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.objects = other.objects
	c.version += uint64(len(other.objects)) + 1
	c.forget()
	c.announce()
	return nil
}

// announce tells of a change. The caller holds mu.
func (c *Cluster) announce() {
	c.sorted = nil
	close(c.changed)
	c.changed = make(chan struct{})
}

// Forget lets the API server forget the history: who watches from an earlier
// version is told that it is gone.
func (c *Cluster) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget()
}

func (c *Cluster) forget() {
	c.history, c.oldest = nil, c.version
}

// read makes an object of a document.
func (c *Cluster) read(doc map[string]any) (*Object, error) {
	kind, _ := doc["kind"].(string)
	if _, ok := doc["metadata"].(map[string]any); !ok || kind == "" {
		return nil, errors.New("an object has at least kind and metadata")
	}
	doc = clone(doc)
	meta := doc["metadata"].(map[string]any)
	if kind != "Namespace" && kind != "Node" && meta["namespace"] == nil {
		meta["namespace"] = "default"
	}
	name, _ := meta["name"].(string)
	namespace, _ := meta["namespace"].(string)
	if name == "" {
		return nil, fmt.Errorf("%s: metadata.name is missing", kind)
	}
	if meta["uid"] == nil {
		meta["uid"] = uidOf(place{kind, namespace, name})
		if before := c.objects[place{kind, namespace, name}]; before != nil {
			meta["uid"] = before.Meta.UID
		}
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("%s %q: %w", kind, name, err)
	}
	o := &Object{tree: doc}
	into := struct {
		Kind     *string     `json:"kind"`
		Metadata *ObjectMeta `json:"metadata"`
		Spec     any         `json:"spec"`
		Status   any         `json:"status"`
	}{&o.Kind, &o.Meta, &o.Spec, &o.Status}
	if err := json.Unmarshal(text, &into); err != nil {
		return nil, fmt.Errorf("%s %q: %w", kind, name, err)
	}
	return o, nil
}

// at returns a copy of the object with a resource version.
func (o *Object) at(version uint64) *Object {
	out := *o
	out.tree = clone(o.tree)
	out.tree["metadata"].(map[string]any)["resourceVersion"] = strconv.FormatUint(version, 10)
	return &out
}

// clone copies an object's tree as far as it is changed here.
func clone(tree map[string]any) map[string]any {
	out := maps.Clone(tree)
	if meta, ok := tree["metadata"].(map[string]any); ok {
		out["metadata"] = maps.Clone(meta)
	}
	return out
}

func uidOf(p place) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", p))
	sum[6] = sum[6]&0x0f | 0x40 // RFC 9562: the form of a random one
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// now returns all objects in the order of their places, the version that this
// is, and what is closed at the next change.
func (c *Cluster) now() ([]*Object, uint64, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sorted != nil {
		return slices.Clone(c.sorted), c.version, c.changed
	}
	places := slices.SortedFunc(maps.Keys(c.objects), func(a, b place) int {
		return slices.Compare([]string{a.kind, a.namespace, a.name}, []string{b.kind, b.namespace, b.name})
	})
	out := make([]*Object, len(places))
	for i, p := range places {
		out[i] = c.objects[p]
	}
	c.sorted = out
	return slices.Clone(out), c.version, c.changed
}

// since returns what has happened after a version, and what is closed when more
// does. ok is false if that is not known any more.
func (c *Cluster) since(version uint64) (changes []change, next <-chan struct{}, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if version < c.oldest || version > c.version {
		return nil, nil, false
	}
	i, _ := slices.BinarySearchFunc(c.history, version+1, func(ch change, v uint64) int {
		return int(int64(ch.version) - int64(v))
	})
	return slices.Clone(c.history[i:]), c.changed, true
}
