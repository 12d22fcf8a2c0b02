// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Argument is what an extraction request says of a field's argument.
type Argument struct {
	Present bool
	Key     string
	HasKey  bool // else the plugin gets NULL for the key
	Index   uint64
}

// noArgument is what libsinsp says where no argument was written.
var noArgument = Argument{Index: abi.NoIndex}

// Argument turns the text between a field's brackets into what libsinsp makes
// of it, or refuses it. written is false for a field without brackets.
func (f *Field) Argument(text string, written bool) (Argument, error) {
	switch {
	case !written && f.Arg.Required:
		return Argument{}, fmt.Errorf("field %q needs an argument: write %s[...]", f.Name, f.Name)
	case !written:
		return noArgument, nil
	case !f.Arg.Key && !f.Arg.Index:
		return Argument{}, fmt.Errorf("field %q takes no argument, and has %q", f.Name, text)
	case text == "":
		return Argument{}, fmt.Errorf("field %q has empty brackets; leave them out or write an argument", f.Name)
	}
	a := Argument{Present: true, Index: abi.NoIndex}
	if f.Arg.Key {
		a.Key, a.HasKey = text, true
	}
	if f.Arg.Index {
		n, err := parseIndex(text)
		switch {
		case err == nil:
			a.Index = n
		case !f.Arg.Key:
			return Argument{}, fmt.Errorf("field %q: %w", f.Name, err)
		}
	}
	return a, nil
}

// parseIndex reads digits without a leading zero.
func parseIndex(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || strings.Trim(text, "0123456789") != "" || (len(text) > 1 && text[0] == '0') {
		return 0, fmt.Errorf("argument %q is no index; use a number from 0 to %d without leading zeros", text, abi.NoIndex)
	}
	return n, nil
}

// splitField takes "name[argument]" apart after a name that is known to be its
// start. libsinsp ends the argument at the first bracket and cuts the whole at
// the first space, so that an argument can hold neither, in quotes or not.
func splitField(expr, name string) (argument string, written bool, err error) {
	rest := expr[len(name):]
	if rest == "" {
		return "", false, nil
	}
	inner, ok := strings.CutPrefix(rest, "[")
	if !ok {
		return "", false, fmt.Errorf("field %q is unknown", expr)
	}
	if strings.ContainsRune(inner, ' ') {
		return "", false, fmt.Errorf("field %q has a space between its brackets, which filters cannot pass", expr)
	}
	inner, after, closed := strings.Cut(inner, "]")
	if !closed {
		return "", false, fmt.Errorf("field %q has an opening bracket and no closing one", expr)
	}
	if after != "" {
		return "", false, fmt.Errorf("field %q goes on after its first closing bracket, where its argument ends", expr)
	}
	for _, quote := range []string{`"`, `'`} {
		if len(inner) >= 2 && strings.HasPrefix(inner, quote) && strings.HasSuffix(inner, quote) {
			inner = inner[1 : len(inner)-1]
			break
		}
	}
	return inner, true, nil
}
