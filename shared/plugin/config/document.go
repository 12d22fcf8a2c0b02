// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deeply lists and objects may be nested in a text.
const maxDepth = 32

type nodeKind int

const (
	nodeNull nodeKind = iota
	nodeBool
	nodeNumber
	nodeString
	nodeList
	nodeObject
)

// node is a JSON value as it stands in the text: numbers keep their spelling,
// objects their order and their duplicates.
type node struct {
	kind    nodeKind
	text    string // of a string its value, of a number or bool its spelling
	list    []node
	members []member
}

type member struct {
	key   string
	value node
}

// parse reads a text that holds exactly one JSON value.
func parse(text string) (node, error) {
	if !utf8.ValidString(text) {
		return node{}, errors.New("not valid JSON: the text is not UTF-8")
	}
	// The whole text is checked first: offsets in the errors of a Decoder that
	// is read by tokens are not offsets into the text.
	var whole json.RawMessage
	if err := json.Unmarshal([]byte(text), &whole); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return node{}, fmt.Errorf("not valid JSON at %s: %w", position(text, syntax.Offset-1), err)
		}
		return node{}, fmt.Errorf("not valid JSON: %w", err)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return parseValue(d, 0)
}

// parseValue reads the next value; depth is the number of lists and objects
// around it.
func parseValue(d *json.Decoder, depth int) (node, error) {
	token, err := d.Token()
	if err != nil {
		return node{}, err
	}
	switch v := token.(type) {
	case bool:
		return node{kind: nodeBool, text: strconv.FormatBool(v)}, nil
	case json.Number:
		return node{kind: nodeNumber, text: v.String()}, nil
	case string:
		return node{kind: nodeString, text: v}, nil
	case json.Delim:
		if depth == maxDepth {
			return node{}, fmt.Errorf("lists and objects are nested more than %d deep", maxDepth)
		}
		if v == '[' {
			return parseList(d, depth+1)
		}
		return parseObject(d, depth+1)
	}
	return node{kind: nodeNull}, nil
}

func parseList(d *json.Decoder, depth int) (node, error) {
	n := node{kind: nodeList}
	for d.More() {
		v, err := parseValue(d, depth)
		if err != nil {
			return node{}, err
		}
		n.list = append(n.list, v)
	}
	_, err := d.Token() // the closing bracket
	return n, err
}

func parseObject(d *json.Decoder, depth int) (node, error) {
	n := node{kind: nodeObject}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return node{}, err
		}
		key, ok := token.(string)
		if !ok {
			return node{}, fmt.Errorf("not valid JSON: %v is no key", token)
		}
		v, err := parseValue(d, depth)
		if err != nil {
			return node{}, err
		}
		n.members = append(n.members, member{key, v})
	}
	_, err := d.Token() // the closing brace
	return n, err
}

// position names the place of a byte for a person.
func position(text string, offset int64) string {
	before := text[:min(max(offset, 0), int64(len(text)))]
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return fmt.Sprintf("line %d, column %d", line, column)
}

// MarshalJSON writes the value back, for defaults and examples in a schema.
func (n node) MarshalJSON() ([]byte, error) {
	switch n.kind {
	case nodeBool, nodeNumber:
		return []byte(n.text), nil
	case nodeString:
		return json.Marshal(n.text)
	case nodeList:
		if n.list == nil {
			return []byte("[]"), nil
		}
		return json.Marshal(n.list)
	case nodeObject:
		var b bytes.Buffer
		b.WriteByte('{')
		for i, m := range n.members {
			if i > 0 {
				b.WriteByte(',')
			}
			key, err := json.Marshal(m.key)
			if err != nil {
				return nil, err
			}
			value, err := m.value.MarshalJSON()
			if err != nil {
				return nil, err
			}
			b.Write(key)
			b.WriteByte(':')
			b.Write(value)
		}
		b.WriteByte('}')
		return b.Bytes(), nil
	}
	return []byte("null"), nil
}
