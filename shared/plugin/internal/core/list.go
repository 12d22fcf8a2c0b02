// SPDX-License-Identifier: Apache-2.0

package core

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// NameList is names as the JSON array that the lists of a plugin are: event
// sources, names of asynchronous events. what is the list's name in errors.
func NameList(what string, names []string) (string, error) {
	for i, n := range names {
		switch {
		case n == "":
			return "", fmt.Errorf("%s: name %d is empty; leave it out", what, i)
		case strings.ContainsRune(n, 0) || !utf8.ValidString(n):
			return "", fmt.Errorf("%s: %q: want UTF-8 text without NUL bytes", what, n)
		case slices.Contains(names[:i], n):
			return "", fmt.Errorf("%s: %q is listed twice", what, n)
		}
	}
	text, err := json.Marshal(append([]string{}, names...))
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	return string(text), nil
}
