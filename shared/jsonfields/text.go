// SPDX-License-Identifier: Apache-2.0

package jsonfields

import (
	"bytes"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// appendUnescaped appends the decoded inside of a string that the check has
// accepted. Half of a surrogate pair has no character and stays as written.
// s may stand in dst's own array, anywhere behind what is appended.
func appendUnescaped(dst, s []byte) []byte {
	for {
		at := bytes.IndexByte(s, '\\')
		if at < 0 {
			return append(dst, s...)
		}
		dst = append(dst, s[:at]...)
		s = s[at:]
		width := 2
		switch c := s[1]; c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			width = 6
			r := codeUnit(s)
			if utf16.IsSurrogate(r) {
				if r = utf16.DecodeRune(r, codeUnit(s[6:])); r == utf8.RuneError {
					dst = append(dst, s[:6]...)
					break
				}
				width = 12
			}
			dst = utf8.AppendRune(dst, r)
		default: // a quote, a slash or a backslash, which stand for themselves
			dst = append(dst, c)
		}
		s = s[width:]
	}
}

// codeUnit reads the \uXXXX that s starts with, or returns -1 if it starts otherwise.
func codeUnit(s []byte) rune {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return -1
	}
	return rune(hexDigit(s[2])<<12 | hexDigit(s[3])<<8 | hexDigit(s[4])<<4 | hexDigit(s[5]))
}

// appendCompact appends a value without the white space between its tokens.
func appendCompact(dst, value []byte) []byte {
	kept := 0 // value[kept:i] is wanted and not yet appended
	for i := 0; i < len(value); {
		switch value[i] {
		case '"':
			i, _ = skipString(value, i+1)
		case ' ', '\n', '\t', '\r':
			dst = append(dst, value[kept:i]...)
			i = skipSpace(value, i)
			kept = i
		default:
			i++
		}
	}
	return append(dst, value[kept:]...)
}

// hasSpace reports whether there is white space between the tokens of a value.
func hasSpace(value []byte) bool {
	for i := 0; i < len(value); {
		switch value[i] {
		case '"':
			i, _ = skipString(value, i+1)
		case ' ', '\n', '\t', '\r':
			return true
		default:
			i++
		}
	}
	return false
}

// maxIndented is the size up to which an indented text is made. Indentation
// multiplies: 300 levels deep, every two bytes of a hostile document become 600.
const maxIndented = 64 << 20

var errIndented = errors.New("indent JSON document: the text would have more than 64 MiB; read single values of it instead")

// AppendIndented appends the whole document with one member or element a line, two
// spaces a level, a blank after the colons, empty containers closed at once, and no
// newline at the end; keys, strings and numbers are as in the source. It fails if
// that takes more than 64 MiB. Nothing is appended if the document is not JSON.
func (d *Document) AppendIndented(dst []byte) ([]byte, error) {
	if !d.valid {
		return dst, nil
	}
	src := d.src[d.survey.start:d.survey.end]
	limit := len(dst) + maxIndented
	depth := 0
	for i := 0; i < len(src); {
		if len(dst) > limit {
			return dst, errIndented
		}
		from := i
		switch c := src[i]; c {
		case ' ', '\n', '\t', '\r':
			i = skipSpace(src, i)
		case '"':
			i, _ = skipString(src, i+1)
			dst = append(dst, src[from:i]...)
		case '{', '[':
			i = skipSpace(src, i+1)
			dst = append(dst, c)
			if src[i] == c+2 {
				i++
				dst = append(dst, c+2)
				break
			}
			depth++
			dst = appendLine(dst, depth)
		case '}', ']':
			i++
			depth--
			dst = appendLine(dst, depth)
			dst = append(dst, c)
		case ',':
			i++
			dst = append(dst, ',')
			dst = appendLine(dst, depth)
		case ':':
			i++
			dst = append(dst, ": "...)
		default:
			i = skipScalar(src, i)
			dst = append(dst, src[from:i]...)
		}
	}
	return dst, nil
}

func appendLine(dst []byte, depth int) []byte {
	const blanks = "                                                                "
	dst = append(dst, '\n')
	for n := 2 * depth; n > 0; n -= len(blanks) {
		dst = append(dst, blanks[:min(n, len(blanks))]...)
	}
	return dst
}
