// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// maxDepth bounds how deep sections may lie in each other.
const maxDepth = 32

// schema is what a table shows of a JSON Schema of draft 7.
type schema struct {
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Type        oneOrMore         `json:"type"`
	Default     json.RawMessage   `json:"default"`
	Examples    []json.RawMessage `json:"examples"`
	Enum        []json.RawMessage `json:"enum"`
	Minimum     json.Number       `json:"minimum"`
	Maximum     json.Number       `json:"maximum"`
	Required    []string          `json:"required"`
	Properties  properties        `json:"properties"`
	Items       *schema           `json:"items"`
	// AdditionalProperties is a schema for a map, or a bool, which says nothing about values.
	AdditionalProperties schemaOrBool `json:"additionalProperties"`
	Ref                  string       `json:"$ref"`
}

// schemaTable lists the options that a schema describes, in its order, those of a section after it under KEY.SUBKEY.
// Without a schema (empty or null) there is no table.
func schemaTable(text []byte) (string, error) {
	if trimmed := bytes.TrimSpace(text); len(trimmed) == 0 || string(trimmed) == "null" {
		return "", nil
	}
	var root schema
	if err := json.Unmarshal(text, &root); err != nil {
		return "", fmt.Errorf("reading a JSON Schema: %w", err)
	}
	rows, err := root.rows("", 0)
	if err != nil {
		return "", err
	}
	if len(rows) == 0 {
		return "", errors.New("the schema describes no option")
	}
	return markdown([]string{"KEY", "TYPE", "DEFAULT", "REQUIRED", "DESCRIPTION"}, rows), nil
}

// rows are the options below s, whose own key is prefix.
func (s *schema) rows(prefix string, depth int) ([][]string, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("option %q lies more than %d sections deep", prefix, maxDepth)
	}
	if s.Ref != "" {
		return nil, fmt.Errorf("option %q uses $ref %q; write the schema out", prefix, s.Ref)
	}
	var rows [][]string
	for _, p := range s.Properties {
		key := p.name
		if prefix != "" {
			key = prefix + "." + key
		}
		required := "no"
		if slices.Contains(s.Required, p.name) {
			required = "yes"
		}
		preset := ""
		if p.schema.Default != nil {
			preset = code(compact(p.schema.Default))
		}
		rows = append(rows, []string{code(key), p.schema.kind(), preset, required, p.schema.text(p.name)})
		more, err := p.schema.rows(key, depth+1)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	for _, elements := range []struct {
		of     *schema
		suffix string
	}{{s.Items, "[]"}, {s.AdditionalProperties.schema, ".*"}} {
		if elements.of != nil {
			more, err := elements.of.rows(prefix+elements.suffix, depth+1)
			if err != nil {
				return nil, err
			}
			rows = append(rows, more...)
		}
	}
	return rows, nil
}

// kind is the type to show. Where several are accepted, the first is the one
// to write; null always stands for the default.
func (s *schema) kind() string {
	if len(s.Type) == 0 {
		return "any"
	}
	switch kind := s.Type[0]; {
	case kind == "array" && s.Items != nil:
		return "list of " + s.Items.kind()
	case kind == "object" && s.AdditionalProperties.schema != nil:
		return "map of " + s.AdditionalProperties.schema.kind()
	case kind == "object":
		return "section"
	default:
		return kind
	}
}

// text is what there is to say of the option of that name: title, description, and which values are allowed.
func (s *schema) text(name string) string {
	var sentences []string
	add := func(text string) {
		if text = strings.TrimSpace(text); text != "" {
			if !strings.ContainsRune(".!?:", rune(text[len(text)-1])) {
				text += "."
			}
			sentences = append(sentences, text)
		}
	}
	if letters(s.Title) != letters(name) { // a title that only spells the name out says nothing here
		add(prose(s.Title))
	}
	add(prose(s.Description))
	words := slices.Clone(s.Enum)
	isText := len(s.Type) > 0 && s.Type[0] == "string"
	if isText { // YAML may turn a word into a number or a bool; the word is what to write
		words = slices.DeleteFunc(words, func(v json.RawMessage) bool { return v[0] != '"' })
	}
	if len(words) > 0 {
		add("One of " + list(words))
	}
	switch {
	case isText: // bounds are of the number that it may also be written as; the description tells them in its own terms
	case s.Minimum != "" && s.Maximum != "":
		add(fmt.Sprintf("From %s to %s", s.Minimum, s.Maximum))
	case s.Minimum != "" && s.Minimum != "0":
		add(fmt.Sprintf("At least %s", s.Minimum))
	case s.Maximum != "":
		add(fmt.Sprintf("At most %s", s.Maximum))
	}
	if len(s.Examples) > 0 {
		add("Example: " + list(s.Examples))
	}
	return strings.Join(sentences, " ")
}

// letters is a name without its case, blanks and separators.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

func list(values []json.RawMessage) string {
	var out []string
	for _, v := range values {
		out = append(out, code(compact(v)))
	}
	return strings.Join(out, ", ")
}

// compact is a JSON value on one line.
func compact(v json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Compact(&b, v); err != nil {
		return string(v)
	}
	return b.String()
}

// oneOrMore reads "x" like ["x"]. Null is left out.
type oneOrMore []string

// UnmarshalJSON implements json.Unmarshaler.
func (o *oneOrMore) UnmarshalJSON(text []byte) error {
	var many []string
	if err := json.Unmarshal(text, &many); err != nil {
		var one string
		if err := json.Unmarshal(text, &one); err != nil {
			return fmt.Errorf("type %s is neither a name nor a list of names", text)
		}
		many = []string{one}
	}
	*o = slices.DeleteFunc(many, func(name string) bool { return name == "null" })
	return nil
}

// schemaOrBool reads a schema, or true or false.
type schemaOrBool struct{ schema *schema }

// UnmarshalJSON implements json.Unmarshaler.
func (s *schemaOrBool) UnmarshalJSON(text []byte) error {
	var open bool
	if json.Unmarshal(text, &open) == nil {
		return nil
	}
	s.schema = &schema{}
	return json.Unmarshal(text, s.schema)
}

// properties keeps the order of a schema's text, which is the author's.
type properties []property

type property struct {
	name   string
	schema schema
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *properties) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return fmt.Errorf("properties are %s; use an object", text)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		one := property{name: fmt.Sprint(name)} // a key of an object is always a string
		if err := d.Decode(&one.schema); err != nil {
			return fmt.Errorf("property %q: %w", one.name, err)
		}
		*p = append(*p, one)
	}
	if _, err := d.Token(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}
