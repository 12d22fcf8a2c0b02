// SPDX-License-Identifier: Apache-2.0

package jsonfields

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// MaxDepth is how many arrays and objects may stand inside each other.
const MaxDepth = 300

// survey is what the check learns about a document on its way.
type survey struct {
	start, end  int    // the extent of the top-level value
	spaced      bool   // there is insignificant white space inside the extent
	escapedKeys bool   // a key is written with an escape sequence
	nodes       []node // the values, in the order in which they start
}

// node is the place of one value in the text. Values are looked up in the list of nodes,
// where the members of an object and the elements of an array follow it, and each says
// where the next one is.
type node struct {
	key   uint32 // offset of the inside of its key, if it is a member
	start uint32 // offset of its first byte
	end   uint32 // offset after its last byte; with the bit escaped, it is a string with escape sequences
	next  uint32 // index of the first node behind it; until the check gets to its end, of the container around it
}

// escaped is the bit in the end of a node that says that the string differs from its text.
const escaped = 1 << 31

// maxText is the largest text whose offsets fit into a node beside that bit.
const maxText = escaped - 1

// fault says why a text is not JSON. The zero value stands for no fault.
type fault struct {
	at   int    // byte offset, len(text) if the text ends too early
	want string // what would have been right there
}

func (f fault) describe(text []byte) error {
	if f.at >= len(text) {
		return fmt.Errorf("parse JSON: the text ends after %d bytes: want %s", len(text), f.want)
	}
	return fmt.Errorf("parse JSON: byte %d is %q: want %s", f.at, text[f.at:f.at+1], f.want)
}

// check reads text once and reports whether it is one JSON value. It does not
// recurse: the kinds of the open containers are one bit each. It lists the values that
// stand inside at most so many containers in the memory of room, and allocates only if
// that is too small.
func check(text []byte, levels int, room []node) (survey, fault) {
	c := checker{text: text, survey: survey{nodes: room[:0]}}
	if len(text) > maxText {
		c.fail(maxText, "less than 2 GiB")
	} else {
		c.nodes = c.document(levels, c.nodes)
	}
	return c.survey, c.fault
}

// checker is a check under way. Its methods take the offset where something starts and
// return the one after it, or none after they have noted the fault.
type checker struct {
	text []byte
	survey
	fault
}

const none = -1

func (c *checker) fail(at int, want string) int {
	c.fault = fault{min(at, len(c.text)), want}
	return none
}

// document reads the whole text and returns the list of its values, appended to nodes.
func (c *checker) document(levels int, nodes []node) []node {
	var (
		text    = c.text
		objects [(MaxDepth + 63) / 64]uint64 // bit d: the container inside d others is an object
		depth   int
		inner   uint32 // index of the innermost open container that is listed
		closing byte   // what ends the innermost open container
		key     int    // offset of the inside of the key that was read last
	)
	i := skipSpace(text, skipMark(text))
	c.start = i
	for {
		if closing == '}' {
			// A member starts at i.
			key = i + 1
			end := key
			for end+8 <= len(text) { // plainRun, without a call
				if found := stops(binary.LittleEndian.Uint64(text[end:])); found != 0 {
					end += bits.TrailingZeros64(found) / 8
					break
				}
				end += 8
			}
			if end+2 < len(text) && text[i] == '"' && text[end] == '"' && text[end+1] == ':' && text[end+2] > ' ' {
				i = end + 2
			} else if i = c.key(i); i == none {
				return nodes
			}
		}

		// A value starts at i.
		switch {
		case i < len(text) && text[i] == '"':
			end, escapes := i+1, uint32(0)
			for end+8 <= len(text) { // as above
				if found := stops(binary.LittleEndian.Uint64(text[end:])); found != 0 {
					end += bits.TrailingZeros64(found) / 8
					break
				}
				end += 8
			}
			if end >= len(text) || text[end] != '"' {
				if end, escapes = c.string(end); end == none {
					return nodes
				}
			}
			end++
			if depth <= levels {
				nodes = append(nodes, node{uint32(key), uint32(i), uint32(end) | escapes, uint32(len(nodes) + 1)})
			}
			i = end

		case i < len(text) && (text[i] == '{' || text[i] == '['):
			if depth == MaxDepth {
				c.fail(i, "at most 300 arrays and objects inside each other")
				return nodes
			}
			if depth <= levels {
				nodes = append(nodes, node{key: uint32(key), start: uint32(i), next: inner})
				inner = uint32(len(nodes) - 1)
			}
			word, bit := depth/64, uint64(1)<<(depth%64)
			objects[word] &^= bit
			if text[i] == '{' {
				objects[word] |= bit
			}
			depth++
			closing = text[i] + 2 // ']' and '}' are two after '[' and '{'
			if i = c.space(i + 1); i >= len(text) || text[i] != closing {
				continue
			}

		default:
			end := c.numberOrWord(i)
			if end == none {
				return nodes
			}
			if depth <= levels {
				nodes = append(nodes, node{uint32(key), uint32(i), uint32(end), uint32(len(nodes) + 1)})
			}
			i = end
		}

		// A value has ended, or the container at hand ends here: close all that do.
		for depth > 0 {
			if i = c.space(i); i >= len(text) || text[i] != closing {
				break
			}
			i++
			if depth--; depth <= levels {
				n := &nodes[inner]
				inner, n.end, n.next = n.next, uint32(i), uint32(len(nodes))
			}
			if depth > 0 {
				closing = ']' + byte(objects[(depth-1)/64]>>((depth-1)%64)&1)*('}'-']')
			}
		}
		if depth == 0 {
			break
		}
		if i >= len(text) || text[i] != ',' {
			if closing == '}' {
				c.fail(i, "a comma or }")
			} else {
				c.fail(i, "a comma or ]")
			}
			return nodes
		}
		i = c.space(i + 1)
	}
	c.end = i
	if i = skipSpace(text, i); i < len(text) {
		c.fail(i, "nothing after the document")
	}
	return nodes
}

// space skips white space inside the document and remembers that there was some. If
// there was none to skip, the document ends too early or is not JSON, and spaced is void.
func (c *checker) space(i int) int {
	if i < len(c.text) && c.text[i] > ' ' {
		return i
	}
	c.spaced = true
	return skipSpace(c.text, i)
}

// key reads a key and its colon and returns where the member's value starts.
func (c *checker) key(i int) int {
	if i >= len(c.text) || c.text[i] != '"' {
		return c.fail(i, "a key in double quotes")
	}
	end := plainRun(c.text, i+1)
	if end == len(c.text) || c.text[end] != '"' {
		if end = c.escapedString(end); end == none {
			return none
		}
		c.escapedKeys = true
	}
	i = c.space(end + 1)
	if i >= len(c.text) || c.text[i] != ':' {
		return c.fail(i, "a colon after the key")
	}
	return c.space(i + 1)
}

// string reads on in a string from i, which no more than a plain run is behind, and returns
// the offset of the closing quote, and escaped if there are escape sequences.
func (c *checker) string(i int) (end int, escapes uint32) {
	end = plainRun(c.text, i)
	if end < len(c.text) && c.text[end] == '"' {
		return end, 0
	}
	return c.escapedString(end), escaped
}

func (c *checker) numberOrWord(i int) int {
	if i < len(c.text) {
		switch first := c.text[i]; {
		case first == '-' || first-'0' < 10:
			return c.number(i)
		case first == 't':
			return c.word(i, "true")
		case first == 'f':
			return c.word(i, "false")
		case first == 'n':
			return c.word(i, "null")
		}
	}
	return c.fail(i, "a value")
}

func (c *checker) word(i int, word string) int {
	if len(c.text)-i >= len(word) && string(c.text[i:i+len(word)]) == word {
		return i + len(word)
	}
	return c.fail(i, "a value")
}

// escapedString reads on in a string from i, the first byte of it that does not stand
// for itself, and returns the offset of the closing quote. Strings without such a byte do
// not come here, to save them a call.
func (c *checker) escapedString(i int) int {
	text := c.text
	for {
		switch {
		case i == len(text):
			return c.fail(i, "a closing double quote")
		case text[i] == '"':
			return i
		case text[i] != '\\':
			return c.fail(i, "an escape sequence for a control character")
		}
		if i = c.escape(i); i == none {
			return none
		}
		i = plainRun(text, i)
	}
}

func (c *checker) escape(i int) int {
	if i+1 >= len(c.text) {
		return c.fail(i+1, "an escape sequence")
	}
	switch c.text[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		for at := i + 2; at < i+6; at++ {
			if at >= len(c.text) || hexDigit(c.text[at]) < 0 {
				return c.fail(at, "a hexadecimal digit")
			}
		}
		return i + 6
	}
	return c.fail(i+1, `an escape sequence out of \" \\ \/ \b \f \n \r \t \u`)
}

// number reads a number as the grammar has it: no leading zero, no plus sign, digits
// on both sides of the point and after the exponent's mark.
func (c *checker) number(i int) int {
	text := c.text
	if text[i] == '-' {
		i++
	}
	first := i
	if i = skipDigits(text, i); i == first {
		return c.fail(i, "a digit")
	}
	if text[first] == '0' && i-first > 1 {
		return c.fail(first+1, "no digit after a leading 0")
	}
	if i < len(text) && text[i] == '.' {
		first = i + 1
		if i = skipDigits(text, first); i == first {
			return c.fail(i, "a digit")
		}
	}
	if i < len(text) && text[i]|0x20 == 'e' {
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		first = i
		if i = skipDigits(text, first); i == first {
			return c.fail(i, "a digit")
		}
	}
	return i
}

func skipDigits(text []byte, i int) int {
	for i < len(text) && text[i]-'0' < 10 {
		i++
	}
	return i
}

// skipMark skips a UTF-8 byte order mark at the start of the text.
func skipMark(text []byte) int {
	if len(text) >= 3 && text[0] == 0xEF && text[1] == 0xBB && text[2] == 0xBF {
		return 3
	}
	return 0
}

func skipSpace(text []byte, i int) int {
	for i < len(text) {
		if c := text[i]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return i
		}
		i++
	}
	return i
}

// plainRun returns the offset of the first quote, backslash or control character
// at or after i, or len(text). It looks at eight bytes at a time: most of an event
// is the inside of strings.
func plainRun(text []byte, i int) int {
	for ; i+8 <= len(text); i += 8 {
		if found := stops(binary.LittleEndian.Uint64(text[i:])); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(text); i++ {
		if c := text[i]; c == '"' || c == '\\' || c < ' ' {
			return i
		}
	}
	return i
}

// stops finds the first quote, backslash or control character among eight bytes. In each
// of the three terms the top bit of a byte comes out set if the byte is one looked for,
// or not ASCII, which &^ w sorts out; a borrow can set it wrongly only above a byte looked
// for, and only the lowest one may be used.
func stops(w uint64) uint64 {
	const (
		ones = 0x0101010101010101
		tops = 0x8080808080808080
	)
	quote, slash, control := (w^ones*'"')-ones, (w^ones*'\\')-ones, w-ones*' '
	return (quote | slash | control) &^ w & tops
}

// hexDigit returns the value of a hexadecimal digit, or -1.
func hexDigit(c byte) int {
	switch {
	case c-'0' < 10:
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
