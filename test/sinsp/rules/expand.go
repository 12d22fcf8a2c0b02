// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strings"
)

// definitions are the lists and macros so far, already expanded.
type definitions struct {
	lists  map[string][]string
	macros map[string]string
}

// list adds a list, whose items may be lists.
func (d definitions) list(name string, items []string) error {
	expanded := []string{}
	for _, item := range items {
		if inner, ok := d.lists[item]; ok {
			expanded = append(expanded, inner...)
		} else {
			expanded = append(expanded, quote(item))
		}
	}
	d.lists[name] = expanded
	return nil
}

// quote makes an item one word of the filter language.
func quote(item string) string {
	switch {
	case item != "" && !strings.ContainsAny(item, " \t\r\n()=!<>,\"'"):
		return item
	case !strings.Contains(item, `"`):
		return `"` + item + `"`
	case !strings.Contains(item, "'"):
		return "'" + item + "'"
	default:
		return `"` + strings.ReplaceAll(item, `"`, `\"`) + `"`
	}
}

// expand replaces macros where a condition can stand, and lists among the values of in, pmatch and intersects.
func (d definitions) expand(condition string) (string, error) {
	words, err := split(condition)
	if err != nil {
		return "", err
	}
	var out []string
	operand := true // a condition may begin here
	for i := 0; i < len(words); i++ {
		w := words[i]
		switch {
		case slices.Contains([]string{"and", "or", "not", "("}, w):
			operand = true
			out = append(out, w)
		case operand && d.isMacro(w):
			out = append(out, "("+d.macros[w]+")")
			operand = false
		case operand && !strings.ContainsAny(w, ".)"):
			return "", fmt.Errorf("%q is neither a field nor a macro that stands before it", w)
		case slices.Contains([]string{"in", "pmatch", "intersects"}, w) && i+1 < len(words) && words[i+1] == "(":
			closing := slices.Index(words[i:], ")")
			if closing < 0 {
				return "", fmt.Errorf("the values of %s have no end", w)
			}
			out = append(out, w, "("+strings.Join(d.values(words[i+2:i+closing]), ", ")+")")
			i += closing
		default:
			operand = false
			out = append(out, w)
		}
	}
	return strings.Join(out, " "), nil
}

func (d definitions) isMacro(word string) bool { _, ok := d.macros[word]; return ok }

// values replaces lists among words that stand between brackets with commas.
func (d definitions) values(words []string) []string {
	var out []string
	for _, w := range words {
		if w == "," {
			continue
		}
		if items, ok := d.lists[w]; ok {
			out = append(out, items...)
		} else {
			out = append(out, w)
		}
	}
	return out
}

// split gives the words of a condition: brackets and commas, quoted strings with
// their quotes, and everything else up to a blank or one of those. A field's
// argument in square brackets belongs to its word, whatever is in it.
func split(condition string) ([]string, error) {
	var words []string
	for i := 0; i < len(condition); {
		switch c := condition[i]; {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			i++
		case strings.IndexByte("(),", c) >= 0:
			words = append(words, string(c))
			i++
		case c == '"' || c == '\'':
			end := i + 1
			for end < len(condition) && condition[end] != c {
				if condition[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(condition) {
				return nil, fmt.Errorf("the string that begins with %.20q has no end", condition[i:])
			}
			words = append(words, condition[i:end+1])
			i = end + 1
		default:
			end, err := wordEnd(condition, i)
			if err != nil {
				return nil, err
			}
			words = append(words, condition[i:end])
			i = end
		}
	}
	return words, nil
}

func wordEnd(condition string, from int) (int, error) {
	for i := from; i < len(condition); i++ {
		switch condition[i] {
		case ' ', '\t', '\r', '\n', '(', ')', ',', '"', '\'':
			return i, nil
		case '[':
			closing := strings.IndexByte(condition[i:], ']')
			if closing < 0 {
				return 0, fmt.Errorf("the argument of %.20q has no end", condition[from:])
			}
			i += closing
		}
	}
	return len(condition), nil
}
