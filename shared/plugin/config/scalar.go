// SPDX-License-Identifier: Apache-2.0

package config

import (
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// decodeScalar fills a scalar and reports whether the value is right for it.
func (s *shape) decodeScalar(n node, into reflect.Value) bool {
	switch s.kind {
	case shapeString:
		text, ok := s.text(n)
		into.SetString(text)
		return ok
	case shapeBool:
		into.SetBool(n.text == "true")
		return n.kind == nodeBool
	case shapeInt:
		i, ok := wholeInt(n)
		into.SetInt(i)
		return ok && s.inRange(i)
	case shapeUint:
		u, ok := wholeUint(n)
		into.SetUint(u)
		return ok && u >= s.limits.minUint && u <= s.limits.maxUint
	case shapeFloat:
		f, err := strconv.ParseFloat(n.text, 64)
		into.SetFloat(f)
		return n.kind == nodeNumber && err == nil && f >= s.limits.minFloat && f <= s.limits.maxFloat
	case shapeDuration:
		d, ok := s.duration(n)
		into.SetInt(int64(d))
		return ok && s.inRange(int64(d))
	case shapeSize:
		i, ok := wholeInt(n)
		if n.kind == nodeString {
			size, err := ParseSize(n.text)
			i, ok = int64(size), err == nil
		}
		into.SetInt(i)
		return ok && s.inRange(i)
	case shapeSecret:
		if n.kind != nodeString {
			return false
		}
		if n.text == "" { // not configured
			return true
		}
		secret, err := ParseSecret(n.text)
		into.Set(reflect.ValueOf(secret))
		return err == nil
	}
	return false
}

func (s *shape) inRange(i int64) bool { return i >= s.limits.minInt && i <= s.limits.maxInt }

// text reads a string, which YAML may have taken for a number or a bool. Of an
// enum, a bool means its only value that YAML takes for that bool: mode: off.
func (s *shape) text(n node) (string, bool) {
	if n.kind != nodeString && n.kind != nodeNumber && n.kind != nodeBool {
		return "", false
	}
	if s.enum == nil || slices.Contains(s.enum, n.text) {
		return n.text, true
	}
	if n.kind == nodeBool {
		match := ""
		for _, value := range s.enum {
			if yamlBool(value) == n.text {
				if match != "" {
					return "", false
				}
				match = value
			}
		}
		return match, match != ""
	}
	return "", false
}

// yamlBool returns "true" or "false" for what Falco's YAML library takes for
// that bool, else "".
func yamlBool(s string) string {
	switch strings.ToLower(s) {
	case "y", "yes", "on", "true":
		return "true"
	case "n", "no", "off", "false":
		return "false"
	}
	return ""
}

// wholeInt reads a whole number, which YAML may have spelled as a float.
func wholeInt(n node) (int64, bool) {
	if n.kind != nodeNumber {
		return 0, false
	}
	if i, err := strconv.ParseInt(n.text, 10, 64); err == nil {
		return i, true
	}
	f, err := strconv.ParseFloat(n.text, 64)
	if err != nil || f != math.Trunc(f) || f < -1<<63 || f >= 1<<63 {
		return 0, false
	}
	return int64(f), true
}

// wholeUint is wholeInt for numbers up to 2^64-1.
func wholeUint(n node) (uint64, bool) {
	if n.kind != nodeNumber {
		return 0, false
	}
	if u, err := strconv.ParseUint(n.text, 10, 64); err == nil {
		return u, true
	}
	f, err := strconv.ParseFloat(n.text, 64)
	if err != nil || f != math.Trunc(f) || f < 0 || f >= 1<<64 {
		return 0, false
	}
	return uint64(f), true
}

// duration reads "1m30s" or a number of seconds. The bounds of a number are
// checked before it is rounded to nanoseconds.
func (s *shape) duration(n node) (time.Duration, bool) {
	switch n.kind {
	case nodeString:
		d, err := time.ParseDuration(n.text)
		return d, err == nil
	case nodeNumber:
		f, err := strconv.ParseFloat(n.text, 64)
		ns := math.Round(f * float64(time.Second))
		if err != nil || ns < -1<<63 || ns >= 1<<63 {
			return 0, false
		}
		inBounds := f >= seconds(s.limits.minInt) && f <= seconds(s.limits.maxInt)
		return time.Duration(ns), inBounds
	}
	return 0, false
}

// seconds is a bound of a Duration, in the unit of its numbers.
func seconds(ns int64) float64 { return float64(ns) / float64(time.Second) }
