// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Filter is one condition on a field, such as "json.value[/verb] = delete".
type Filter struct {
	Check *Check
	test  func(values []any) bool
}

// CompileFilter compiles a condition of the form
//
//	field exists
//	field OPERATOR value      OPERATOR is =, !=, contains, icontains, startswith, endswith, <, <=, > or >=
//	field in (value, value…)
//	field intersects (value, value…)
//
// Values with spaces, commas or brackets stand in quotes. As in libsinsp,
// lists know exists, in and intersects only, where in needs every value to be in
// the set, and intersects one; contains and its like are for strings, < and its like for
// numbers; and only = and != take a network (10.0.0.0/8) for a field of type ipnet.
func (n *Inspector) CompileFilter(text string) (*Filter, error) {
	words, err := splitWords(text)
	if err != nil {
		return nil, fmt.Errorf("compile filter %q: %w", text, err)
	}
	if len(words) < 2 {
		return nil, fmt.Errorf("compile filter %q: use FIELD OPERATOR VALUE", text)
	}
	c, err := n.Compile(words[0].text)
	if err != nil {
		return nil, fmt.Errorf("compile filter %q: %w", text, err)
	}
	f := &Filter{Check: c}
	if f.test, err = condition(c, words[1].text, words[2:]); err != nil {
		return nil, fmt.Errorf("compile filter %q: %w", text, err)
	}
	return f, nil
}

// Match reports whether the condition holds for a field's values. Without a
// value none does, != included.
func (f *Filter) Match(values []any) bool { return len(values) > 0 && f.test(values) }

func condition(c *Check, op string, words []word) (func([]any) bool, error) {
	switch op {
	case "exists":
		if len(words) > 0 {
			return nil, fmt.Errorf("exists takes no value, and has %q", words[0].text)
		}
		return func([]any) bool { return true }, nil
	case "in", "intersects":
		return inSet(c, op, words)
	}
	if c.List {
		return nil, fmt.Errorf("field %s is a list, which knows exists, in and intersects only, not %s", c.Text, op)
	}
	if len(words) != 1 || words[0].mark {
		return nil, fmt.Errorf("%s takes one value; put quotes around one with spaces, commas or brackets", op)
	}
	literal := words[0].text
	equal, err := equals(c, literal)
	if err != nil {
		return nil, err
	}
	switch op {
	case "=", "==":
		return func(v []any) bool { return equal(v[0]) }, nil
	case "!=":
		return func(v []any) bool { return !equal(v[0]) }, nil
	case "contains", "icontains", "startswith", "endswith":
		if c.Type != abi.FieldString {
			return nil, fmt.Errorf("%s is for strings, and field %s is none", op, c.Text)
		}
		test := map[string]func(s, part string) bool{
			"contains": strings.Contains, "icontains": containsFold, "startswith": strings.HasPrefix, "endswith": strings.HasSuffix,
		}[op]
		return func(v []any) bool { return test(v[0].(string), literal) }, nil
	case "<", "<=", ">", ">=":
		if !numeric(c.Type) {
			return nil, fmt.Errorf("%s is for numbers, and field %s is none", op, c.Text)
		}
		limit, err := strconv.ParseUint(literal, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("value %q is no number from 0 to 2^64-1", literal)
		}
		test := map[string]func(n uint64) bool{
			"<": func(n uint64) bool { return n < limit }, "<=": func(n uint64) bool { return n <= limit },
			">": func(n uint64) bool { return n > limit }, ">=": func(n uint64) bool { return n >= limit },
		}[op]
		return func(v []any) bool { return test(v[0].(uint64)) }, nil
	}
	return nil, fmt.Errorf("operator %q is unknown; use exists, in, intersects, =, !=, contains, icontains, startswith, endswith, <, <=, > or >=", op)
}

// containsFold is strings.Contains without regard to the case of letters.
func containsFold(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}

// inSet needs every value to be in the set for in, and one for intersects.
func inSet(c *Check, op string, words []word) (func([]any) bool, error) {
	last := len(words) - 1
	if last < 1 || words[0] != (word{"(", true}) || words[last] != (word{")", true}) {
		return nil, fmt.Errorf("%s takes a set of values in brackets, such as %s (a, b)", op, op)
	}
	var set []func(any) bool
	for k, w := range words[1:last] {
		if between := k%2 == 1; w.mark != between || (between && w.text != ",") || (w.mark && k == last-2) {
			return nil, fmt.Errorf("%s takes values with a comma between each two", op)
		} else if between {
			continue
		}
		equal, err := equals(c, w.text)
		if err != nil {
			return nil, err
		}
		set = append(set, equal)
	}
	inside := func(v any) bool {
		return slices.ContainsFunc(set, func(equal func(any) bool) bool { return equal(v) })
	}
	if op == "intersects" {
		return func(values []any) bool { return slices.ContainsFunc(values, inside) }, nil
	}
	return func(values []any) bool {
		return !slices.ContainsFunc(values, func(v any) bool { return !inside(v) })
	}, nil
}

func numeric(code uint32) bool {
	return code == abi.FieldUint64 || code == abi.FieldRelTime || code == abi.FieldAbsTime
}

// equals compares a value of the field with a literal of its type.
func equals(c *Check, literal string) (func(any) bool, error) {
	same := func(want any) func(any) bool { return func(v any) bool { return v == want } }
	switch {
	case c.Type == abi.FieldString:
		return same(literal), nil
	case numeric(c.Type):
		n, err := strconv.ParseUint(literal, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("value %q is no number from 0 to 2^64-1", literal)
		}
		return same(n), nil
	case c.Type == abi.FieldBool:
		if literal != "true" && literal != "false" {
			return nil, fmt.Errorf("value %q is no bool; use true or false", literal)
		}
		return same(literal == "true"), nil
	case c.Type == abi.FieldIPAddr:
		addr, err := netip.ParseAddr(literal)
		if err != nil {
			return nil, fmt.Errorf("value %q is no IP address", literal)
		}
		return same(addr), nil
	}
	network, err := netip.ParsePrefix(literal)
	if err != nil {
		return nil, fmt.Errorf("value %q is no network; use ADDRESS/LENGTH", literal)
	}
	return func(v any) bool { return network.Contains(v.(netip.Addr)) }, nil
}

// word is a part of a condition. A mark is a bracket or comma of a set.
type word struct {
	text string
	mark bool
}

// splitWords splits a condition into its field, its operator and the rest, at
// blanks and where an operator's own characters begin and end. A quoted word is
// taken as it is.
func splitWords(text string) ([]word, error) {
	var words []word
	for {
		text = strings.TrimLeft(text, " \t\n")
		if text == "" {
			return words, nil
		}
		w, end := word{}, 0
		switch c := text[0]; {
		case len(words) == 0:
			end = fieldEnd(text)
		case len(words) == 1:
			end = len(text) - len(strings.TrimLeft(text, "=!<>"))
			if end == 0 {
				end = indexAny(text, " \t\n(")
			}
		case c == '"' || c == '\'':
			size := strings.IndexByte(text[1:], c)
			if size < 0 {
				return nil, fmt.Errorf("quote before %q is never closed", text[1:])
			}
			words = append(words, word{text: text[1 : 1+size]})
			text = text[size+2:]
			continue
		case strings.IndexByte("(),", c) >= 0:
			w.mark, end = true, 1
		default:
			end = indexAny(text, " \t\n(),")
		}
		w.text, text = text[:end], text[end:]
		words = append(words, w)
	}
}

// fieldEnd is where a field at the start of text ends: at a blank, or at an
// operator outside its brackets.
func fieldEnd(text string) int {
	inside := false
	for i := range len(text) {
		switch c := text[i]; {
		case c == '[':
			inside = true
		case c == ']':
			inside = false
		case strings.IndexByte(" \t\n", c) >= 0, !inside && strings.IndexByte("=!<>", c) >= 0:
			return i
		}
	}
	return len(text)
}

// indexAny is strings.IndexAny with the end of text for not found.
func indexAny(text, chars string) int {
	if i := strings.IndexAny(text, chars); i >= 0 {
		return i
	}
	return len(text)
}
