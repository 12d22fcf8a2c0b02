// SPDX-License-Identifier: Apache-2.0

package jsonfields

import "math"

// Kind is the kind of a JSON value.
type Kind uint8

// The kinds. KindAbsent is that of the zero Value: there is nothing.
const (
	KindAbsent Kind = iota
	KindNull
	KindBool
	KindNumber
	KindString
	KindArray
	KindObject
)

// kindOf tells the kind of a value from its first byte.
func kindOf(first byte) Kind {
	switch first {
	case '{':
		return KindObject
	case '[':
		return KindArray
	case '"':
		return KindString
	case 't', 'f':
		return KindBool
	case 'n':
		return KindNull
	}
	return KindNumber
}

// Value is one value of a document. It is 16 bytes, and meant to be passed on as it is.
// All methods may be called on the zero Value, which stands for a value that is not
// there. It is valid until its document loads other bytes.
type Value struct {
	doc     *Document
	node    uint32 // its place in the document's list
	located bool   // the value comes from Document.Locate
}

// Kind gives the kind of the value.
func (v Value) Kind() Kind {
	if v.doc == nil {
		return KindAbsent
	}
	return kindOf(v.doc.src[v.doc.survey.nodes[v.node].start])
}

// Get gives the member of an object with this key: the first one, if there are
// several. Other values have no members.
func (v Value) Get(key string) Value {
	return v.member(token{text: key})
}

// At gives an element of an array, counted from 0. Other values have no elements.
func (v Value) At(index uint64) Value { return v.element(index) }

// Find gives the value that p points to from here on.
func (v Value) Find(p Pointer) Value {
	for p.inside && v.doc != nil {
		var t token
		t, p = p.next()
		next := v.member(t)
		if next.doc == nil {
			if index, ok := t.index(); ok {
				next = v.element(uint64(index))
			}
		}
		v = next
	}
	return v
}

// Elements ranges over the elements of an array, and over nothing for other values:
//
//	for element := range value.Elements { … }
func (v Value) Elements(yield func(Value) bool) {
	if v.Kind() != KindArray {
		return
	}
	nodes := v.doc.survey.nodes
	for n := v.node + 1; n < nodes[v.node].next; n = nodes[n].next {
		if !yield(v.at(n)) {
			return
		}
	}
}

// Members ranges over the members of an object in the order of the document,
// members with a key that came before included, and over nothing for other values.
// The key is decoded; it must not be changed. Keys with escape sequences cost an
// allocation each.
func (v Value) Members(yield func(key []byte, member Value) bool) {
	if v.Kind() != KindObject {
		return
	}
	nodes := v.doc.survey.nodes
	for n := v.node + 1; n < nodes[v.node].next; n = nodes[n].next {
		key, escapes := v.doc.rawKey(nodes[n])
		if escapes {
			// Not in scratch: it must outlive calls on the member.
			key = appendUnescaped(nil, key)
		}
		if !yield(key, v.at(n)) {
			return
		}
	}
}

// AppendText appends the text of the value, as the package says what that is, and
// returns the extended slice. Nothing is appended for an absent value.
func (v Value) AppendText(dst []byte) []byte {
	if v.doc == nil {
		return dst
	}
	text, ok := v.text(dst)
	if ok {
		return append(dst, text...)
	}
	return text
}

// Text gives the text of the value in memory of the document, which must not be changed,
// and which the next call on the document or on any of its values may overwrite. It
// copies nothing if the text stands in the document like that.
func (v Value) Text() []byte {
	if v.doc == nil {
		return nil
	}
	text, ok := v.text(v.doc.scratch[:0])
	if !ok {
		v.doc.scratch = text
	}
	return text
}

// Source gives the value as it stands in the document: a string with its quotes, an
// array or object with its white space. It must not be changed, and is valid as long as
// the value.
func (v Value) Source() []byte {
	if v.doc == nil {
		return nil
	}
	n := v.doc.survey.nodes[v.node]
	return v.doc.src[n.start : n.end&^escaped]
}

// Bool gives the value of true and false; ok is false for all other values.
func (v Value) Bool() (value, ok bool) {
	if v.Kind() != KindBool {
		return false, false
	}
	return v.Text()[0] == 't', true
}

// Uint64 gives the value of a number that is written in digits alone and fits; ok is
// false for all other values, also for 1.0 and 1e3.
func (v Value) Uint64() (value uint64, ok bool) {
	if v.Kind() != KindNumber {
		return 0, false
	}
	for _, c := range v.Text() {
		digit := uint64(c - '0')
		if digit > 9 || value > math.MaxUint64/10 || value*10 > math.MaxUint64-digit {
			return 0, false
		}
		value = value*10 + digit
	}
	return value, true
}

// Extent says where the value stands in the payload, the quotes of a string
// included. Only values that came from [Document.Locate] know it.
func (v Value) Extent() (start, length int, ok bool) {
	if !v.located {
		return 0, 0, false
	}
	n := v.doc.survey.nodes[v.node]
	return int(n.start), int(n.end&^escaped - n.start), true
}

// Verbatim says where the payload holds the very bytes of the value's text: a
// string between its quotes, if there is no escape sequence in it; a number or
// word; an array or object, if there is no insignificant white space in it. ok is
// false where the text is written differently, and for values that do not come from
// [Document.Locate].
func (v Value) Verbatim() (start, length int, ok bool) {
	start, length, ok = v.Extent()
	if !ok {
		return 0, 0, false
	}
	switch v.doc.src[start] {
	case '"':
		start, length = start+1, length-2
		ok = v.doc.survey.nodes[v.node].end&escaped == 0
	case '{', '[':
		ok = !v.doc.survey.spaced || !hasSpace(v.Source())
	}
	if !ok {
		return 0, 0, false
	}
	return start, length, true
}
