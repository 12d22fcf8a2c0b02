// SPDX-License-Identifier: Apache-2.0

package jsonfields

import (
	"bytes"

	"github.com/valyala/fastjson"
)

const (
	// keptBytes is the size of payload up to which the memory for it, here and in
	// fastjson, is kept for the next one. If it has grown further, it is given back
	// when a smaller payload comes.
	keptBytes = 1 << 20

	// treeValues is the number of values up to which a document gets a tree, which
	// takes some 100 bytes a value. Above it, values are read from the source text.
	treeValues = 1 << 14

	// sourceFinds is how many questions about a document are answered from the source
	// text before it gets a tree, which costs as much as some ten answers
	// (BenchmarkEvent). Conditions mostly fail at one of their first fields.
	sourceFinds = 8

	// parserValues is the number of values after which fastjson's parser is given
	// back. It keeps the largest array and object that each of its slots ever held,
	// so documents of changing shapes make it grow with the square of their size.
	parserValues = 1 << 18
)

// Document is the JSON document of one event at a time. The zero value is ready.
//
// It may be used by one goroutine at a time: the framework never overlaps the
// calls that it makes on one plugin state, so a Document in the state needs no
// lock. Values and the byte slices handed to callbacks are valid until the next
// Load of other bytes.
type Document struct {
	src    []byte // private copy of the payload, against which the next one is compared
	loaded bool   // src is a payload, be it valid or not
	valid  bool   // src is JSON
	asTree bool   // the tree serves this document
	survey survey
	fault  fault

	parser fastjson.Parser
	root   *fastjson.Value // nil until there is a tree
	finds  int             // questions answered without one
	spent  int             // values that parser has parsed
	parses int             // trees built, for the tests

	scratch []byte // for scalars and keys on their way through; meaningless between calls
}

// Load makes payload the document and reports whether it is JSON. Nothing is read
// again, for a valid document or another, if payload has the very bytes of the
// last one: their address, the number of the event and its time prove nothing, as
// all three repeat. payload is copied, and may change or go away afterwards. It must be
// shorter than 4 GiB, as payloads of events are.
func (d *Document) Load(payload []byte) bool {
	if d.loaded && bytes.Equal(d.src, payload) {
		return d.valid
	}
	if cap(d.src) > keptBytes && len(payload) <= keptBytes {
		d.Release()
	}
	d.root, d.finds, d.loaded, d.valid = nil, 0, false, false
	d.src = append(d.src[:0], payload...)
	d.survey, d.fault = check(d.src, d.survey.containers)
	d.loaded, d.valid = true, d.fault.want == ""
	d.asTree = !d.survey.escapedKeys && !d.survey.fullDepth && d.survey.values <= treeValues
	return d.valid
}

// Err says why the payload last loaded is not JSON: what stands where, and what
// would be right. It is nil if the payload is JSON, or if there is none.
func (d *Document) Err() error {
	if d.fault.want == "" {
		return nil
	}
	return d.fault.describe(d.src)
}

// Release lets go of all memory. The document is empty afterwards, and may be used again.
// When the memory leaves the process is the collector's affair: to force it here would
// stop the event thread for whoever sends large payloads.
func (d *Document) Release() { *d = Document{parses: d.parses} }

// Find gives the value that p points to. The zero Value, of kind [KindAbsent], comes
// if there is none, or if the document is not JSON.
func (d *Document) Find(p Pointer) Value {
	if !d.valid {
		return Value{}
	}
	if d.finds < sourceFinds {
		d.finds++
		return d.inSource().Find(p)
	}
	return d.inTree().Find(p)
}

// Locate is Find for callers that want to know where the value stands: the values
// that it gives, and those reached from them, answer [Value.Extent] and
// [Value.Verbatim].
func (d *Document) Locate(p Pointer) Value {
	if !d.valid {
		return Value{}
	}
	root := d.inSource()
	root.located = true
	return root.Find(p)
}

// inSource is the whole document, to be read from the source text.
func (d *Document) inSource() Value {
	return Value{doc: d, place: place{start: uint32(d.survey.start)}}
}

// inTree is the whole document, to be read from the tree where it has one.
func (d *Document) inTree() Value {
	if root := d.tree(); root != nil {
		return Value{doc: d, node: root}
	}
	return d.inSource()
}

// tree returns the root of fastjson's tree, or nil if the document is to be read
// from its source text.
func (d *Document) tree() *fastjson.Value {
	if d.root != nil {
		return d.root
	}
	if !d.asTree {
		return nil
	}
	if d.spent += d.survey.values; d.spent > parserValues {
		d.parser = fastjson.Parser{}
		d.spent = d.survey.values
	}
	d.parses++
	root, err := d.parser.ParseBytes(d.src[d.survey.start:d.survey.end])
	if err != nil {
		// The check accepts nothing that fastjson refuses. Should the two ever
		// differ, the source text has the answers.
		d.asTree = false
		return nil
	}
	d.root = root
	return root
}
