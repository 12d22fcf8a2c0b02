// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"errors"
	"fmt"
	"strings"
)

// literal is an item of a list, or a value of an exception, as Falco puts it into
// a condition: in quotes if it has a blank, else as it is. Where that would
// come out as something else than the item, it is refused.
func literal(item string) (string, error) {
	const apart = " \t\r\n()=,\"'"
	switch {
	case item == "":
		return "", errors.New(`an item is empty; write '""' for an empty text`)
	case quoted(item), !strings.ContainsAny(item, apart):
		return item, nil
	case strings.Contains(item, " ") && !strings.Contains(item, `"`) && item[0] != '\'':
		return `"` + item + `"`, nil
	default:
		return "", fmt.Errorf("item %q would not stay one word in a condition; put quotes inside of it, as in '\"a, b\"'", item)
	}
}

// quoted says whether text is one string of the filter language, with its quotes.
func quoted(text string) bool {
	if len(text) < 2 || text[0] != '"' && text[0] != '\'' {
		return false
	}
	end, err := stringEnd(text, 0)
	return err == nil && end == len(text)
}

// stringEnd is where the quoted string that begins at from ends.
func stringEnd(text string, from int) (int, error) {
	for i := from + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case text[from]:
			return i + 1, nil
		}
	}
	return 0, fmt.Errorf("the string that begins with %.20q has no end", text[from:])
}
