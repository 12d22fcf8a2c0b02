// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	"slices"
	"strings"
	"unsafe"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
)

// kind is a kind of resource that fields are made of.
type kind int

const (
	pod kind = iota
	namespace
	deployment
	service
	replicaSet
	replicationController
	kinds // how many there are
)

var kindNames = [kinds]string{
	metadata.Pod, metadata.Namespace, metadata.Deployment, metadata.Service, metadata.ReplicaSet, metadata.ReplicationController,
}

// kindOf is the kind of that name.
func kindOf(name string) (k kind, ok bool) {
	i := slices.Index(kindNames[:], name)
	return kind(i), i >= 0
}

// resource is what is known of one resource. It never changes: news make a new
// one. All its texts are pieces of one string.
type resource struct {
	name, namespace string
	ip              string // of a pod that has one
	hash            string // of a static pod: what its cgroups call it
	labels          []label
	refs            []reference      // of a pod, as they came
	uids            *[kinds][]string // of them, those of the kinds that are kept; nil for none

	// As they came, for those who read the tables and for capture files.
	meta, spec, status piece
	refsText           piece

	size int // an estimate of the memory that it takes, in bytes
}

// piece is a text that may not be there, which is not the same as empty.
type piece struct {
	text  string
	given bool
}

// label is a label as fields of labels show it, key:value.
type label struct {
	text string
	key  int // length of the key
}

func (l label) value() string { return l.text[l.key+1:] }

// reference is the UIDs of the resources of one kind that a pod refers to.
type reference struct {
	kind string
	uids []string
}

// label is the value of the label of that key.
func (r *resource) label(key string) (value string, ok bool) {
	i, ok := slices.BinarySearchFunc(r.labels, key, func(l label, key string) int { return strings.Compare(l.text[:l.key], key) })
	if !ok {
		return "", false
	}
	return r.labels[i].value(), true
}

// refers is the UIDs of the resources of kind k that the pod refers to.
func (r *resource) refers(k kind) []string {
	if r.uids == nil {
		return nil
	}
	return r.uids[k]
}

// What a resource takes beside its texts: its share of the table and of Go's
// memory, estimated.
const (
	entrySize     = 1024
	labelSize     = int(unsafe.Sizeof(label{}))
	referenceSize = int(unsafe.Sizeof(reference{}) + unsafe.Sizeof(""))
	uidsSize      = int(unsafe.Sizeof([kinds][]string{}))
)

// sortLabels puts labels in order of their keys, and keeps the first of those
// with the same key.
func sortLabels(all []label) []label {
	slices.SortStableFunc(all, func(a, b label) int { return strings.Compare(a.text[:a.key], b.text[:b.key]) })
	return slices.CompactFunc(all, func(a, b label) bool { return a.text[:a.key] == b.text[:b.key] })
}

// event is the resource as the event that makes it, for a capture file.
func (r *resource) event(k kind, uid string) *metadata.Event {
	e := &metadata.Event{Reason: metadata.Create, Uid: uid, Kind: kindNames[k], Meta: r.meta.pointer(), Spec: r.spec.pointer(), Status: r.status.pointer()}
	if r.refsText.given {
		e.Refs = &metadata.References{Resources: make(map[string]*metadata.ListOfStrings, len(r.refs))}
		for _, ref := range r.refs {
			if e.Refs.Resources[ref.kind] == nil { // of a kind that is there twice, the first counts
				e.Refs.Resources[ref.kind] = &metadata.ListOfStrings{List: ref.uids}
			}
		}
	}
	return e
}

func (p piece) pointer() *string {
	if !p.given {
		return nil
	}
	return &p.text
}
