// SPDX-License-Identifier: Apache-2.0

package jsonfields

import (
	"math"

	"github.com/valyala/fastjson"
)

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

// Value is one value of a document. It is small, 32 bytes that the compiler keeps in
// registers, and meant to be passed on as it is. All methods may be called on the zero Value, which stands for a value that
// is not there. It is valid until its document loads other bytes.
type Value struct {
	doc   *Document
	node  *fastjson.Value // its place in the tree, or nil if it is read from the source text
	place                 // this is then its place there
}

// place is where a value stands in the source text.
type place struct {
	start     uint32 // offset of its first byte
	container uint32 // index of the first container that starts there or behind
	located   bool   // the value comes from Document.Locate
}

// Kind gives the kind of the value.
func (v Value) Kind() Kind {
	switch {
	case v.doc == nil:
		return KindAbsent
	case v.node != nil:
		return v.doc.nodeKind(v.node)
	}
	return kindOf(v.doc.src[v.start])
}

// Get gives the member of an object with this key: the first one, if there are
// several. Other values have no members.
func (v Value) Get(key string) Value {
	return v.member(token{text: key})
}

// At gives an element of an array, counted from 0. Other values have no elements.
func (v Value) At(index uint64) Value {
	if index > math.MaxInt {
		return Value{}
	}
	return v.element(int(index))
}

// Find gives the value that p points to from here on.
func (v Value) Find(p Pointer) Value {
	for p.inside && v.doc != nil {
		var t token
		t, p = p.next()
		next := v.member(t)
		if next.doc == nil {
			if index, ok := t.index(); ok {
				next = v.element(index)
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
	switch {
	case v.doc == nil:
	case v.node != nil:
		for _, node := range v.node.GetArray() {
			if !yield(Value{doc: v.doc, node: node}) {
				return
			}
		}
	default:
		v.doc.sourceElements(v, yield)
	}
}

// Members ranges over the members of an object in the order of the document,
// members with a key that came before included, and over nothing for other values.
// The key is decoded; it must not be changed. Keys with escape sequences cost an
// allocation each.
func (v Value) Members(yield func(key []byte, member Value) bool) {
	switch {
	case v.doc == nil:
	case v.node != nil:
		v.doc.nodeMembers(v.node, yield)
	default:
		v.doc.sourceMembers(v, yield)
	}
}

// AppendText appends the text of the value, as the package says what that is, and
// returns the extended slice. Nothing is appended for an absent value.
func (v Value) AppendText(dst []byte) []byte {
	switch {
	case v.doc == nil:
		return dst
	case v.node != nil:
		return appendNodeText(dst, v.node)
	}
	return v.doc.appendSourceText(dst, v)
}

// Text gives the text of the value in memory of the document, which the next call
// on the document or on any of its values overwrites.
func (v Value) Text() []byte {
	if v.doc == nil {
		return nil
	}
	v.doc.scratch = v.AppendText(v.doc.scratch[:0])
	return v.doc.scratch
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
	end, _ := v.end()
	return int(v.start), end - int(v.start), true
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
	return v.doc.verbatim(start, length)
}

func (v Value) member(t token) Value {
	switch {
	case v.doc == nil:
		return Value{}
	case v.node != nil:
		return v.doc.nodeMember(v.node, t)
	}
	return v.doc.sourceMember(v, t)
}

func (v Value) element(index int) Value {
	switch {
	case v.doc == nil:
		return Value{}
	case v.node != nil:
		if nodes := v.node.GetArray(); index < len(nodes) {
			return Value{doc: v.doc, node: nodes[index]}
		}
		return Value{}
	}
	return v.doc.sourceElement(v, index)
}
