// SPDX-License-Identifier: Apache-2.0

package split

import "fmt"

// Object yields the members of the JSON object that text consists of: the inside
// of the key's quotes, as it is written, and the value without the white space
// around it. It checks as much as Array does, and likewise has yielded what stands
// before a mistake when the error is returned.
func Object(text []byte, yield func(key, value []byte) error) error {
	i := skipSpace(text, 0)
	if i == len(text) || text[i] != '{' {
		return fmt.Errorf("split JSON object: starts with %s; want %q", shown(text, i), '{')
	}
	i = skipSpace(text, i+1)
	if i < len(text) && text[i] == '}' {
		return endOf("object", text, i+1)
	}
	for {
		if i == len(text) || text[i] != '"' {
			return fmt.Errorf("split JSON object: %s at byte %d; want a key in quotes", shown(text, i), i)
		}
		stop := stringEnd(text, i)
		if stop < 0 {
			return fmt.Errorf("split JSON object: key at byte %d: %w", i, errString)
		}
		key := text[i+1 : stop-1 : stop-1]
		if i = skipSpace(text, stop); i == len(text) || text[i] != ':' {
			return fmt.Errorf("split JSON object: %s at byte %d after a key; want a colon", shown(text, i), i)
		}
		i = skipSpace(text, i+1)
		stop, err := value(text, i)
		if err != nil {
			return fmt.Errorf("split JSON object: value at byte %d: %w", i, err)
		}
		if err := yield(key, text[i:stop:stop]); err != nil {
			return err
		}
		i = skipSpace(text, stop)
		switch {
		case i < len(text) && text[i] == ',':
			i = skipSpace(text, i+1)
		case i < len(text) && text[i] == '}':
			return endOf("object", text, i+1)
		default:
			return fmt.Errorf("split JSON object: %s at byte %d after a value; want a comma or %q", shown(text, i), i, '}')
		}
	}
}
