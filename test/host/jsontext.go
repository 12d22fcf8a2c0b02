// SPDX-License-Identifier: Apache-2.0

package host

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// decodeLeading reads the first JSON value of text the way the JSON reader of
// libsinsp does: comments count as blanks, and what follows the value is
// ignored. Numbers come as json.Number.
func decodeLeading(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(blankComments(text)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("no JSON value in it")
		}
		return nil, err
	}
	return v, nil
}

// blankComments puts blanks in place of comments of C and C++ style.
func blankComments(text string) string {
	if !strings.Contains(text, "/") {
		return text
	}
	b := []byte(text)
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case b[i] == '/' && i+1 < len(b) && (b[i+1] == '/' || b[i+1] == '*'):
			end := len(b)
			if b[i+1] == '/' {
				if n := strings.IndexByte(text[i:], '\n'); n >= 0 {
					end = i + n
				}
			} else if n := strings.Index(text[i+2:], "*/"); n >= 0 {
				end = i + 2 + n + 2
			}
			for ; i < end; i++ {
				b[i] = ' '
			}
			i--
		}
	}
	return string(b)
}
