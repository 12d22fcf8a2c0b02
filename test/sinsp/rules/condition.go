// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// walk goes through a condition once, and writes it anew with macros and lists in
// place. It knows as much of the filter language as that takes; libsinsp compiles
// the result.
type walk struct {
	*expander
	in   *macro   // whose condition it is; nil for a rule's
	path []string // macros that are being expanded
	text string
	at   int
	out  []string
}

const blanks = " \t\r\n\b"

// expression reads conditions with and, or, not and brackets between them.
func (w *walk) expression() error {
	open := 0
	for operand := true; ; {
		switch c := w.next(); {
		case operand && c == 0:
			return fmt.Errorf("the condition ends where a check is missing, behind %q", w.before())
		case operand && c == '(':
			open++
			w.emit(1)
		case operand:
			if word := w.word(); word == "not" {
				w.emit(len(word))
				continue
			}
			if err := w.check(); err != nil {
				return err
			}
			operand = false
		case c == ')' && open > 0:
			open--
			w.emit(1)
		case c == 0 && open == 0:
			return nil
		case c == 0:
			return fmt.Errorf("a bracket is not closed")
		default:
			word := w.word()
			if word != "and" && word != "or" {
				return fmt.Errorf("%.30q stands where the condition has to end or go on with and, or", w.text[w.at:])
			}
			w.emit(len(word))
			operand = true
		}
	}
}

// check reads a macro, or a field with what it is compared with.
func (w *walk) check() error {
	word := w.word()
	if word == "" {
		return fmt.Errorf("%.30q stands where a field or a macro has to", w.text[w.at:])
	}
	switch end := w.text[w.at+len(word):]; {
	case strings.HasPrefix(end, "("): // a transformer
		w.emit(len(word))
		if err := w.brackets(true); err != nil {
			return err
		}
	case strings.HasPrefix(end, "[") || strings.Contains(word, "."):
		size, err := fieldSize(w.text[w.at:], len(word))
		if err != nil {
			return err
		}
		w.emit(size)
	default:
		condition, err := w.use(word)
		if err != nil {
			return err
		}
		w.out = append(w.out, condition)
		w.at += len(word)
		return nil
	}
	return w.comparison()
}

// comparison reads an operator, and its values.
func (w *walk) comparison() error {
	w.next()
	operator := w.word()
	if operator == "" {
		rest := w.text[w.at:]
		operator = rest[:len(rest)-len(strings.TrimLeft(rest, "=!<>"))]
	}
	if operator == "" {
		return fmt.Errorf("%.30q stands where an operator has to, behind %q", w.text[w.at:], w.before())
	}
	w.emit(len(operator))
	if operator == "exists" {
		return nil
	}
	if w.next() == '(' {
		return w.brackets(false)
	}
	if slices.Contains(listOperators, operator) && !strings.HasPrefix(w.text[w.at:], "val(") {
		return fmt.Errorf("%s takes its values in brackets", operator)
	}
	return w.operand(false)
}

// brackets reads what is between two brackets: values, or what a transformer takes, which may be fields.
func (w *walk) brackets(fields bool) error {
	w.emit(1)
	for {
		switch w.next() {
		case 0:
			return fmt.Errorf("the bracket behind %q is not closed", w.before())
		case ')':
			w.emit(1)
			return nil
		case ',':
			w.comma()
		default:
			if err := w.operand(fields); err != nil {
				return err
			}
		}
	}
}

// comma keeps one comma between two values. A list without items leaves none.
func (w *walk) comma() {
	w.at++
	if last := w.out[len(w.out)-1]; last != "(" && last != "," {
		w.out = append(w.out, ",")
	}
}

// operand reads one value, which may be a field.
func (w *walk) operand(fields bool) error {
	rest := w.text[w.at:]
	switch c := w.next(); {
	case c == 0:
		return fmt.Errorf("a value is missing behind %q", w.before())
	case c == '"' || c == '\'':
		end, err := stringEnd(w.text, w.at)
		if err != nil {
			return err
		}
		if name := w.listInside(w.text[w.at+1 : end-1]); name != "" {
			return fmt.Errorf("the string %s has the name of list %q in it, and Falco puts its items there", w.text[w.at:end], name)
		}
		w.emit(end - w.at)
	default:
		size := strings.IndexAny(rest, blanks+"(),=\"'")
		if size < 0 {
			size = len(rest)
		}
		word := rest[:size]
		switch {
		case size == 0:
			return fmt.Errorf("%.30q stands where a value has to", rest)
		case strings.HasPrefix(rest[size:], "("): // a transformer
			w.emit(size)
			return w.brackets(true)
		case fields && strings.Contains(word, "["): // its argument may have any characters
			var err error
			if size, err = fieldSize(rest, strings.IndexByte(word, '[')); err != nil {
				return err
			}
			w.emit(size)
			return nil
		}
		w.at += size
		if text := w.value(word); text != "" {
			w.out = append(w.out, text)
		} else if last := len(w.out) - 1; w.out[last] == "," && w.next() == ')' {
			w.out = w.out[:last]
		}
	}
	return nil
}

// listInside finds the name of a list that stands alone in a quoted string. Falco
// replaces it there as well.
func (w *walk) listInside(s string) string {
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t\r\n(),=", r) }) {
		if w.lists[word] != nil {
			return word
		}
	}
	return ""
}

// next skips blanks and is the byte behind them, 0 at the end.
func (w *walk) next() byte {
	w.at = len(w.text) - len(strings.TrimLeft(w.text[w.at:], blanks))
	if w.at == len(w.text) {
		return 0
	}
	return w.text[w.at]
}

// word is the name that begins here: of a field, a macro or an operator.
func (w *walk) word() string {
	rest := w.text[w.at:]
	for k := range len(rest) {
		if c := rest[k]; c != '_' && c != '.' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return rest[:k]
		}
	}
	return rest
}

// emit copies so many bytes.
func (w *walk) emit(size int) {
	w.out = append(w.out, w.text[w.at:w.at+size])
	w.at += size
}

// before is the end of what was read, for errors.
func (w *walk) before() string {
	s := strings.TrimRight(w.text[:w.at], blanks)
	s = s[max(0, len(s)-30):]
	for len(s) > 0 && !utf8.RuneStart(s[0]) {
		s = s[1:]
	}
	return s
}

// fieldSize is how long a field is whose name is so long, with its argument.
func fieldSize(text string, name int) (int, error) {
	if name == len(text) || text[name] != '[' {
		return name, nil
	}
	from := name + 1
	if from < len(text) && (text[from] == '"' || text[from] == '\'') {
		end, err := stringEnd(text, from)
		if err != nil {
			return 0, err
		}
		from = end
	}
	closing := strings.IndexByte(text[from:], ']')
	if closing < 0 {
		return 0, fmt.Errorf("the argument of %.30q has no end", text)
	}
	return from + closing + 1, nil
}
