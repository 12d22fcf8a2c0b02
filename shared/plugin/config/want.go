// SPDX-License-Identifier: Apache-2.0

package config

import (
	"strconv"
	"strings"
)

// want tells what a section takes.
func (s *section) want() string {
	if len(s.options) == 0 {
		return "an object"
	}
	return "an object with the keys " + strings.Join(s.keys(), ", ")
}

// want tells what a value must be.
func (s *shape) want() string {
	switch s.kind {
	case shapeString:
		if s.enum == nil {
			return "a string" + s.hint
		}
		values := make([]string, len(s.enum))
		for i, v := range s.enum {
			values[i] = strconv.Quote(v)
		}
		if len(values) == 1 {
			return values[0]
		}
		return strings.Join(values[:len(values)-1], ", ") + " or " + values[len(values)-1]
	case shapeBool:
		return "true or false"
	case shapeInt, shapeUint:
		return "a whole number" + s.limits.want()
	case shapeFloat:
		return "a number" + s.limits.want()
	case shapeDuration:
		return `a duration such as "30s" or a number of seconds` + s.limits.want()
	case shapeSize:
		return `a size such as "256KiB" or a number of bytes` + s.limits.want()
	case shapeSecret:
		return `"env:NAME" or "file:/absolute/path"`
	case shapeList:
		return "a list"
	case shapeMap:
		return "an object"
	}
	return s.section.want()
}

// want tells the bounds, with a blank before.
func (l *limits) want() string {
	switch {
	case l.minText != "" && l.maxText != "":
		return " from " + l.minText + " to " + l.maxText
	case l.minText != "":
		return ", " + l.minText + " or more"
	case l.maxText != "":
		return " up to " + l.maxText
	}
	return ""
}
