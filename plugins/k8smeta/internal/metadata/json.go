// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"maps"
	"slices"
	"unicode/utf8"
)

// AppendJSON appends the event's canonical protobuf JSON to dst and returns the
// extended buffer: compact, members in the order of the message's fields, map
// keys sorted, what is not set left out. Equal events have equal texts.
//
// protojson would do as well, but varies its blanks from build to build on purpose.
func AppendJSON(dst []byte, e *Event) []byte {
	start := len(dst)
	dst = append(dst, '{')
	member := func(name, value string) {
		if len(dst) > start+1 {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, name...)
		dst = append(dst, `":`...)
		dst = AppendString(dst, value)
	}
	// Without presence, empty means not set.
	if e.Reason != "" {
		member("reason", e.Reason)
	}
	if e.Uid != "" {
		member("uid", e.Uid)
	}
	if e.Kind != "" {
		member("kind", e.Kind)
	}
	if e.Meta != nil {
		member("meta", *e.Meta)
	}
	if e.Spec != nil {
		member("spec", *e.Spec)
	}
	if e.Status != nil {
		member("status", *e.Status)
	}
	if e.Refs != nil {
		if len(dst) > start+1 {
			dst = append(dst, ',')
		}
		dst = append(dst, `"refs":`...)
		dst = appendReferences(dst, e.Refs)
	}
	return append(dst, '}')
}

func appendReferences(dst []byte, r *References) []byte {
	if len(r.Resources) == 0 {
		return append(dst, `{}`...)
	}
	dst = append(dst, `{"resources":{`...)
	for i, kind := range slices.Sorted(maps.Keys(r.Resources)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendString(dst, kind)
		dst = append(dst, ':')
		uids := r.Resources[kind].GetList()
		if len(uids) == 0 {
			dst = append(dst, `{}`...)
			continue
		}
		dst = append(dst, `{"list":[`...)
		for j, uid := range uids {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = AppendString(dst, uid)
		}
		dst = append(dst, `]}`...)
	}
	return append(dst, `}}`...)
}

// AppendString appends s as a JSON string to dst. What is not UTF-8 becomes the
// replacement character.
func AppendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	done := 0 // s[:done] has been written
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			if r, n := utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
			dst = append(dst, s[done:i]...)
			dst = append(dst, "\ufffd"...)
			i++
			done = i
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[done:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		done = i
	}
	dst = append(dst, s[done:]...)
	return append(dst, '"')
}
