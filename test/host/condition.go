// SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"fmt"
	"strings"
)

// Condition is what a rule has: comparisons, with and, or, not and brackets
// between them.
type Condition struct {
	holds func(of Values) (bool, error)
}

// Values gives the values of a field in the event at hand.
type Values func(*Check) ([]any, error)

// Holds reports whether the condition holds. Fields are asked for only as far as
// it takes. An error is one of values.
func (c *Condition) Holds(values Values) (bool, error) { return c.holds(values) }

// deepest is how many brackets may stand in each other, as in libsinsp.
const deepest = 1000

// CompileCondition compiles a condition whose lists and macros are expanded. Each
// comparison in it is one that CompileFilter takes.
func (n *Inspector) CompileCondition(text string) (*Condition, error) {
	p := conditionParser{n: n, rest: text}
	holds, err := p.or(deepest)
	if err == nil && p.rest != "" {
		err = fmt.Errorf("%.40q stands where the condition has to end or go on with and, or", p.rest)
	}
	if err != nil {
		return nil, fmt.Errorf("compile condition: %w", err)
	}
	return &Condition{holds}, nil
}

// conditionParser reads a condition from the left. rest begins with no blank.
type conditionParser struct {
	n    *Inspector
	rest string
}

type holds = func(Values) (bool, error)

// or takes alternatives; and binds closer.
func (p *conditionParser) or(depth int) (holds, error) {
	return p.chain("or", true, func() (holds, error) {
		return p.chain("and", false, func() (holds, error) { return p.term(depth) })
	})
}

// chain takes terms with a word between them, of which the first with the verdict decides.
func (p *conditionParser) chain(word string, verdict bool, term func() (holds, error)) (holds, error) {
	first, err := term()
	if err != nil {
		return nil, err
	}
	all := []holds{first}
	for p.take(word) {
		next, err := term()
		if err != nil {
			return nil, err
		}
		all = append(all, next)
	}
	if len(all) == 1 {
		return first, nil
	}
	return func(v Values) (bool, error) {
		for _, each := range all {
			if is, err := each(v); err != nil || is == verdict {
				return is, err
			}
		}
		return !verdict, nil
	}, nil
}

// term takes a comparison or an expression in brackets, with any number of not before it.
func (p *conditionParser) term(depth int) (holds, error) {
	negated := false
	for p.take("not") {
		negated = !negated
	}
	inner, err := p.plain(depth)
	if err != nil || !negated {
		return inner, err
	}
	return func(v Values) (bool, error) {
		is, err := inner(v)
		return !is, err
	}, nil
}

func (p *conditionParser) plain(depth int) (holds, error) {
	p.skip()
	if !strings.HasPrefix(p.rest, "(") {
		return p.comparison()
	}
	if depth == 0 {
		return nil, fmt.Errorf("more than %d brackets stand in each other", deepest)
	}
	p.rest = p.rest[1:]
	inner, err := p.or(depth - 1)
	if err != nil {
		return nil, err
	}
	p.skip()
	if !strings.HasPrefix(p.rest, ")") {
		return nil, fmt.Errorf("a bracket is not closed before %.40q", p.rest)
	}
	p.rest = p.rest[1:]
	p.skip()
	return inner, nil
}

// comparison takes a field, an operator and what it compares with.
func (p *conditionParser) comparison() (holds, error) {
	size, err := comparisonSize(p.rest)
	if err != nil {
		return nil, err
	}
	f, err := p.n.CompileFilter(p.rest[:size])
	if err != nil {
		return nil, err
	}
	p.rest = p.rest[size:]
	p.skip()
	return func(v Values) (bool, error) {
		values, err := v(f.Check)
		return err == nil && f.Match(values), err
	}, nil
}

// take removes a word from the beginning, if it is there.
func (p *conditionParser) take(word string) bool {
	p.skip()
	after, ok := strings.CutPrefix(p.rest, word)
	if !ok || after != "" && !strings.ContainsRune(filterBlanks+"(", rune(after[0])) {
		return false
	}
	p.rest = after
	p.skip()
	return true
}

func (p *conditionParser) skip() { p.rest = strings.TrimLeft(p.rest, filterBlanks) }

const filterBlanks = " \t\r\n"

// comparisonSize is the length of the comparison that a text begins with.
func comparisonSize(text string) (int, error) {
	at := fieldEnd(text)
	blanks := func() { at = len(text) - len(strings.TrimLeft(text[at:], filterBlanks)) }
	blanks()
	operator := at
	if at += len(text[at:]) - len(strings.TrimLeft(text[at:], "=!<>")); at == operator {
		at += indexAny(text[at:], filterBlanks+"()")
	}
	if text[operator:at] == "exists" {
		return at, nil
	}
	blanks()
	switch {
	case operator == at || at == len(text):
		return 0, fmt.Errorf("%.40q is no comparison; use FIELD OPERATOR VALUE", text)
	case text[at] == '(':
		return setEnd(text, at)
	case text[at] == '"' || text[at] == '\'':
		return quoteEnd(text, at)
	}
	return at + indexAny(text[at:], filterBlanks+"()"), nil
}

// setEnd is where the brackets close that open at from. None stand inside them.
func setEnd(text string, from int) (int, error) {
	for at := from + 1; at < len(text); at++ {
		switch text[at] {
		case ')':
			return at + 1, nil
		case '"', '\'':
			end, err := quoteEnd(text, at)
			if err != nil {
				return 0, err
			}
			at = end - 1
		}
	}
	return 0, fmt.Errorf("values %.40q have no end", text[from:])
}

func quoteEnd(text string, from int) (int, error) {
	size := strings.IndexByte(text[from+1:], text[from])
	if size < 0 {
		return 0, fmt.Errorf("quote before %.40q is never closed", text[from+1:])
	}
	if strings.Contains(text[from:from+size+2], `\`) {
		return 0, errors.New("a string has a backslash, which means something in rules that is not played here")
	}
	return from + size + 2, nil
}
