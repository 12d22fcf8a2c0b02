// SPDX-License-Identifier: Apache-2.0

package jsonfields

import (
	"fmt"
	"math"
	"strings"
)

// Pointer is a JSON Pointer (RFC 6901). The zero value is the empty pointer, which
// points to the whole document. Following a pointer does not allocate.
type Pointer struct {
	tokens string // reference tokens with a slash between each two, ~0 and ~1 as written
	inside bool   // there is at least one token; tokens == "" is then the empty key
}

// ParsePointer reads a pointer as RFC 6901 writes it: empty, or every reference
// token behind a slash, with ~1 for a slash in a key and ~0 for a tilde. The result
// refers to text, which must not change while the pointer is used.
func ParsePointer(text string) (Pointer, error) {
	if text == "" {
		return Pointer{}, nil
	}
	if text[0] != '/' {
		return Pointer{}, fmt.Errorf("parse JSON pointer %q: it starts with %q; it must be empty or start with /", text, text[:1])
	}
	return parseTokens(text, text[1:])
}

// ParseLaxPointer is ParsePointer, but the first slash may be left out: a/b is
// /a/b. The pointer to the empty key is then written as a single slash, as ever.
func ParseLaxPointer(text string) (Pointer, error) {
	if text == "" {
		return Pointer{}, nil
	}
	return parseTokens(text, strings.TrimPrefix(text, "/"))
}

// MustPointer is ParsePointer for pointers that stand in a program's source. It
// panics where ParsePointer would fail.
func MustPointer(text string) Pointer {
	p, err := ParsePointer(text)
	if err != nil {
		panic(err)
	}
	return p
}

func parseTokens(text, tokens string) (Pointer, error) {
	for rest := tokens; ; {
		at := strings.IndexByte(rest, '~')
		if at < 0 {
			return Pointer{tokens: tokens, inside: true}, nil
		}
		rest = rest[at+1:]
		if rest == "" || rest[0] != '0' && rest[0] != '1' {
			return Pointer{}, fmt.Errorf("parse JSON pointer %q: a ~ must be written ~0, and / in a key ~1", text)
		}
	}
}

// String gives the pointer as RFC 6901 writes it.
func (p Pointer) String() string {
	if !p.inside {
		return ""
	}
	return "/" + p.tokens
}

// next takes the first reference token off. It must not be called on an empty pointer.
func (p Pointer) next() (token, Pointer) {
	first, rest, more := strings.Cut(p.tokens, "/")
	return token{first, strings.IndexByte(first, '~') >= 0}, Pointer{tokens: rest, inside: more}
}

// token is one step: a key to look for, or an index.
type token struct {
	text   string
	tildes bool // text holds ~0 or ~1
}

// is reports whether the token names key, which is decoded text.
func (t token) is(key []byte) bool {
	if !t.tildes {
		return t.text == string(key)
	}
	text := t.text
	for len(key) > 0 && text != "" {
		c := text[0]
		text = text[1:]
		if c == '~' {
			c = '~'
			if text[0] == '1' {
				c = '/'
			}
			text = text[1:]
		}
		if c != key[0] {
			return false
		}
		key = key[1:]
	}
	return len(key) == 0 && text == ""
}

// index gives the token as an array index: decimal digits without a leading zero
// (RFC 6901 section 4). The dash, which stands for the element after the last,
// names nothing that could be read.
func (t token) index() (int, bool) {
	if t.text == "" || len(t.text) > 1 && t.text[0] == '0' {
		return 0, false
	}
	n := 0
	for i := range len(t.text) {
		digit := int(t.text[i]) - '0'
		if digit < 0 || digit > 9 || n > math.MaxInt/10-1 {
			return 0, false
		}
		n = n*10 + digit
	}
	return n, true
}
