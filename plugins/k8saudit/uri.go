// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"bytes"
	"encoding/hex"

	"github.com/aerie-falco/aerie/shared/jsonfields"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

// uriParam gives the first value of a parameter in the query of the request.
func (p *Plugin) uriParam(c *extract.Call, out *extract.StringOut) error {
	key, _ := c.Key()
	uri := p.event(c).Get("requestURI")
	if uri.Kind() != jsonfields.KindString {
		return nil
	}
	if value, ok := appendParam(out.Buffer(), uri.Text(), key); ok {
		out.SetBuffer(value)
	}
	return nil
}

// appendParam appends the value of the first parameter of this name. It takes the query
// apart as the API server does (parseQuery in Go's net/url), so that what the server
// acts on cannot be hidden behind what it ignores: pairs with a semicolon and those
// that are encoded wrongly do not count, and the others still do. A fragment, which
// no server should get, ends at the next pair for the same reason.
func appendParam(dst, uri []byte, name string) (value []byte, ok bool) {
	_, query, _ := bytes.Cut(uri, []byte{'?'})
	for len(query) > 0 {
		var pair []byte
		pair, query, _ = bytes.Cut(query, []byte{'&'})
		pair, _, _ = bytes.Cut(pair, []byte{'#'})
		if len(pair) == 0 || bytes.IndexByte(pair, ';') >= 0 {
			continue
		}
		key, encoded, _ := bytes.Cut(pair, []byte{'='})
		if !unescapesTo(key, name) {
			continue
		}
		if value, ok = appendUnescaped(dst, encoded); ok {
			return value, true
		}
	}
	return dst, false
}

// unescapesTo reports whether encoded is an encoding of text.
func unescapesTo(encoded []byte, text string) bool {
	for len(encoded) > 0 {
		c, rest, ok := unescape(encoded)
		if !ok || text == "" || c != text[0] {
			return false
		}
		encoded, text = rest, text[1:]
	}
	return text == ""
}

// appendUnescaped appends the text of a key or value in a query, or reports that it is
// encoded wrongly.
func appendUnescaped(dst, encoded []byte) (text []byte, ok bool) {
	for len(encoded) > 0 {
		c, rest, ok := unescape(encoded)
		if !ok {
			return dst, false
		}
		dst, encoded = append(dst, c), rest
	}
	return dst, true
}

// unescape takes one byte off an encoded text that is not empty.
func unescape(encoded []byte) (c byte, rest []byte, ok bool) {
	switch encoded[0] {
	case '+':
		return ' ', encoded[1:], true
	case '%':
		if len(encoded) < 3 {
			return 0, nil, false
		}
		var decoded [1]byte
		_, err := hex.Decode(decoded[:], encoded[1:3])
		return decoded[0], encoded[3:], err == nil
	}
	return encoded[0], encoded[1:], true
}
