// SPDX-License-Identifier: Apache-2.0

package jsonfields

import "strings"

// Values in the list of nodes, and their text, which the check has accepted: brackets
// match, strings end, and what is skipped need not be looked at again. Nothing here
// recurses.

// member gives the first member of an object with this key. Other values have none.
func (v Value) member(t token) Value {
	d := v.doc
	if d == nil {
		return Value{}
	}
	src, nodes := d.src, d.survey.nodes
	this := nodes[v.node]
	if src[this.start] != '{' {
		return Value{}
	}
	if t.tildes || d.survey.escapedKeys {
		return v.memberDecoded(t)
	}
	for n := v.node + 1; n < this.next; n = nodes[n].next {
		at := int(nodes[n].key)
		end := at + len(t.text)
		// The byte behind the key, a quote only for keys of the right length, rules most out.
		if end < len(src) && src[end] == '"' && string(src[at:end]) == t.text {
			if strings.IndexByte(t.text, '"') >= 0 {
				break // it stretches over the key's end; a key with a quote in it has escape sequences
			}
			return v.at(n)
		}
	}
	return Value{}
}

// memberDecoded is member for keys or tokens that are not written as they are.
func (v Value) memberDecoded(t token) Value {
	d := v.doc
	nodes := d.survey.nodes
	for n := v.node + 1; n < nodes[v.node].next; n = nodes[n].next {
		key, escapes := d.rawKey(nodes[n])
		if escapes {
			d.scratch = appendUnescaped(d.scratch[:0], key)
			key = d.scratch
		}
		if t.is(key) {
			return v.at(n)
		}
	}
	return Value{}
}

// rawKey gives the key of a member as it is written.
func (d *Document) rawKey(n node) (raw []byte, escapes bool) {
	next, escapes := skipString(d.src, int(n.key))
	return d.src[n.key : next-1], escapes
}

// element gives an element of an array. Other values have none.
func (v Value) element(index uint64) Value {
	for element := range v.Elements {
		if index == 0 {
			return element
		}
		index--
	}
	return Value{}
}

// at is the value of another node of the same document.
func (v Value) at(n uint32) Value {
	v.node = n
	return v
}

// text gives the text of a value: where it stands, if it stands there like that, or else
// appended to dst. ok tells which.
func (v Value) text(dst []byte) (text []byte, ok bool) {
	d := v.doc
	n := d.survey.nodes[v.node]
	value := d.src[n.start : n.end&^escaped]
	switch value[0] {
	case '"':
		value = value[1 : len(value)-1]
		if n.end&escaped != 0 {
			return appendUnescaped(dst, value), false
		}
	case '{', '[':
		if d.survey.spaced {
			return appendCompact(dst, value), false
		}
	}
	return value, true
}

// skipScalar returns the offset after the scalar that starts at i.
func skipScalar(src []byte, i int) int {
	if src[i] == '"' {
		next, _ := skipString(src, i+1)
		return next
	}
	for i < len(src) && !endsScalar(src[i]) {
		i++
	}
	return i
}

// endsScalar reports whether c is one of the bytes that can follow a number or word.
func endsScalar(c byte) bool {
	return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\t' || c == '\r'
}

// skipString returns the offset after the string whose opening quote stands before i.
func skipString(src []byte, i int) (next int, escapes bool) {
	for {
		i = plainRun(src, i)
		if src[i] == '"' {
			return i + 1, escapes
		}
		escapes = true
		i += 2
	}
}
