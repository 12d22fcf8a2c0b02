// SPDX-License-Identifier: Apache-2.0

package jsonfields

import "github.com/valyala/fastjson"

// Values in fastjson's tree. Of a *fastjson.Value only these may be called:
// GetObject and GetArray without keys, and MarshalTo; of its objects Get and Visit.
// They leave the tree as it is, because no key in it has an escape sequence (see
// Document.tree). All others, Type to begin with, decode strings in place.

func (d *Document) nodeKind(node *fastjson.Value) Kind {
	if node.GetObject() != nil {
		return KindObject
	}
	if node.GetArray() != nil {
		return KindArray
	}
	// A scalar, or an array without elements, which is nil too.
	d.scratch = node.MarshalTo(d.scratch[:0])
	return kindOf(d.scratch[0])
}

func (d *Document) nodeMember(node *fastjson.Value, t token) Value {
	object := node.GetObject()
	if object == nil {
		return Value{}
	}
	var found *fastjson.Value
	if !t.tildes {
		// Get first compares the keys as they are written. As none is escaped,
		// what it finds is the first of its name.
		found = object.Get(t.text)
	} else {
		object.Visit(func(key []byte, member *fastjson.Value) {
			if found == nil && t.is(key) {
				found = member
			}
		})
	}
	if found == nil {
		return Value{}
	}
	return Value{doc: d, node: found}
}

func (d *Document) nodeMembers(node *fastjson.Value, yield func(key []byte, member Value) bool) {
	object := node.GetObject()
	if object == nil {
		return
	}
	more := true
	object.Visit(func(key []byte, member *fastjson.Value) {
		more = more && yield(key, Value{doc: d, node: member})
	})
}

// appendNodeText relies on MarshalTo writing strings and keys as they stand in the
// source, which it does as long as they have not been decoded.
func appendNodeText(dst []byte, node *fastjson.Value) []byte {
	n := len(dst)
	dst = node.MarshalTo(dst)
	if dst[n] != '"' {
		return dst
	}
	// Decoded in place: the text is never longer than what it is made from, and
	// starts one byte, the quote, before it.
	return appendUnescaped(dst[:n], dst[n+1:len(dst)-1])
}
