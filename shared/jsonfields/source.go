// SPDX-License-Identifier: Apache-2.0

package jsonfields

import "bytes"

// Values in the source text, which the check has accepted: brackets match, strings
// end, and what is skipped need not be looked at again. Nothing here recurses.

func (d *Document) sourceMember(object Value, t token) Value {
	found := Value{}
	d.eachSourceMember(object, func(key []byte, escaped bool, member Value) bool {
		if escaped {
			d.scratch = appendUnescaped(d.scratch[:0], key)
			key = d.scratch
		}
		if t.is(key) {
			found = member
		}
		return found.doc == nil
	})
	return found
}

func (d *Document) sourceMembers(object Value, yield func(key []byte, member Value) bool) {
	d.eachSourceMember(object, func(key []byte, escaped bool, member Value) bool {
		if escaped {
			// Not in scratch: it must outlive calls on the member.
			key = appendUnescaped(nil, key)
		}
		return yield(key, member)
	})
}

// eachSourceMember calls f with each key of an object, as written, and with its
// member, until f returns false. Other values have none.
func (d *Document) eachSourceMember(object Value, f func(key []byte, escaped bool, member Value) bool) {
	src := d.src
	if src[object.start] != '{' {
		return
	}
	member := object.inside()
	i := skipSpace(src, int(object.start)+1)
	for src[i] == '"' {
		end, escaped := skipString(src, i+1)
		key := src[i+1 : end-1]
		colon := skipSpace(src, end)
		member.start = uint32(skipSpace(src, colon+1))
		if !f(key, escaped, member) {
			return
		}
		end, member.container = member.end()
		i = skipSpace(src, end)
		if src[i] != ',' {
			return
		}
		i = skipSpace(src, i+1)
	}
}

func (d *Document) sourceElement(array Value, index int) Value {
	found := Value{}
	d.sourceElements(array, func(v Value) bool {
		if index == 0 {
			found = v
		}
		index--
		return found.doc == nil
	})
	return found
}

func (d *Document) sourceElements(array Value, yield func(Value) bool) {
	src := d.src
	if src[array.start] != '[' {
		return
	}
	element := array.inside()
	i := skipSpace(src, int(array.start)+1)
	for src[i] != ']' {
		element.start = uint32(i)
		if !yield(element) {
			return
		}
		i, element.container = element.end()
		i = skipSpace(src, i)
		if src[i] == ',' {
			i = skipSpace(src, i+1)
		}
	}
}

func (d *Document) appendSourceText(dst []byte, v Value) []byte {
	end, _ := v.end()
	value := d.src[v.start:end]
	switch value[0] {
	case '"':
		return appendUnescaped(dst, value[1:len(value)-1])
	case '{', '[':
		if d.survey.spaced {
			return appendCompact(dst, value)
		}
	}
	return append(dst, value...)
}

func (d *Document) verbatim(start, length int) (int, int, bool) {
	value := d.src[start : start+length]
	switch value[0] {
	case '"':
		if bytes.IndexByte(value, '\\') >= 0 {
			return 0, 0, false
		}
		return start + 1, length - 2, true
	case '{', '[':
		if d.survey.spaced && hasSpace(value) {
			return 0, 0, false
		}
	}
	return start, length, true
}

// inside is a value whose start is yet to be set to that of a value directly inside v.
// The first container in there is the one that follows v.
func (v Value) inside() Value {
	v.container++
	return v
}

// end returns the offset after the value, and the index of the first container that
// starts behind it.
func (v Value) end() (offset int, container uint32) {
	if c := v.doc.src[v.start]; c == '{' || c == '[' {
		this := v.doc.survey.containers[v.container]
		return int(this.end), this.next
	}
	return skipScalar(v.doc.src, int(v.start)), v.container
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
func skipString(src []byte, i int) (next int, escaped bool) {
	for {
		i = plainRun(src, i)
		if src[i] == '"' {
			return i + 1, escaped
		}
		escaped = true
		i += 2
	}
}
