// SPDX-License-Identifier: Apache-2.0

package jsonfields

import "bytes"

const (
	// keptBytes is the size of payload up to which the memory for it is kept for the
	// next one. If it has grown further, it is given back when a smaller payload comes.
	keptBytes = 1 << 20

	// keptNodes is the same for the list of its values, which takes 16 bytes each.
	keptNodes = keptBytes / 16
)

// Document is the JSON document of one event at a time. The zero value is ready.
//
// It may be used by one goroutine at a time: the framework never overlaps the
// calls that it makes on one plugin state, so a Document in the state needs no
// lock. Values and the byte slices handed to callbacks are valid until the next
// Load of other bytes.
type Document struct {
	src    []byte // the text of the document
	copied []byte // the memory of src after Load: a payload, against which the next one is compared
	loaded bool   // src is in copied, be it valid or not
	valid  bool   // src is JSON
	survey survey
	fault  fault
	loads  uint64
	called uint64 // loads after the last LoadCall
	isCall bool   // what that one returned

	scratch []byte // for scalars and keys on their way through; meaningless between calls
}

// Load makes payload the document and reports whether it is JSON. Nothing is read
// again, for a valid document or another, if payload has the very bytes of the
// last one: their address, the number of the event and its time prove nothing, as
// all three repeat. payload is copied, and may change or go away afterwards. More than
// 2 GiB, which no event has, are refused.
func (d *Document) Load(payload []byte) bool {
	if d.loaded && bytes.Equal(d.src, payload) {
		return d.valid
	}
	if cap(d.copied) > keptBytes && len(payload) <= keptBytes {
		d.copied = nil
	}
	d.copied = append(d.copied[:0], payload...)
	d.read(d.copied, MaxDepth)
	d.loaded = true
	return d.valid
}

// read makes text the document.
func (d *Document) read(text []byte, levels int) {
	d.shrink(len(text))
	d.loaded, d.valid = false, false
	d.loads++
	d.src = text
	d.survey, d.fault = check(text, levels, d.survey.nodes)
	d.valid = d.fault.want == ""
}

// shrink gives memory back that a text of so many bytes has no use for.
func (d *Document) shrink(size int) {
	// A value takes two bytes or more, with the comma or bracket behind it.
	if cap(d.survey.nodes) > max(keptNodes, size) {
		d.survey.nodes = nil
	}
	if cap(d.scratch) > max(keptBytes, size) {
		d.scratch = nil
	}
}

// Loads counts the texts that have become the document. While the number stays the same,
// so do all values, and what was found once need not be looked for again. Release makes
// it zero.
func (d *Document) Loads() uint64 { return d.loads }

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
func (d *Document) Release() { *d = Document{} }

// Root gives the whole document: the zero Value, of kind [KindAbsent], if it is not JSON.
func (d *Document) Root() Value {
	if !d.valid {
		return Value{}
	}
	return Value{doc: d}
}

// Find gives the value that p points to. The zero Value, of kind [KindAbsent], comes
// if there is none, or if the document is not JSON.
func (d *Document) Find(p Pointer) Value { return d.Root().Find(p) }

// Locate is Find for callers that want to know where the value stands: the values
// that it gives, and those reached from them, answer [Value.Extent] and
// [Value.Verbatim].
func (d *Document) Locate(p Pointer) Value {
	root := d.Root()
	root.located = d.valid
	return root.Find(p)
}
