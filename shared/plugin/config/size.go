// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes. In a config it is a number, or a whole number with
// a unit: "256KiB", "12 MiB", "1GB". KB, MB, GB and TB are powers of 1000, KiB,
// MiB, GiB and TiB powers of 1024; case does not matter.
type Size int64

var sizeUnits = [...]struct {
	name  string
	bytes int64
}{
	// The largest first, so that String finds the largest that fits.
	{"TiB", 1 << 40}, {"TB", 1e12}, {"GiB", 1 << 30}, {"GB", 1e9},
	{"MiB", 1 << 20}, {"MB", 1e6}, {"KiB", 1 << 10}, {"KB", 1e3}, {"B", 1},
}

// ParseSize reads a whole number, not negative, with a unit or without.
func ParseSize(s string) (Size, error) {
	digits := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	unit := s[len(digits):]
	factor := int64(0)
	for _, u := range sizeUnits {
		if strings.EqualFold(unit, u.name) || unit == "" {
			factor = u.bytes
			if unit == "" {
				factor = 1
			}
			break
		}
	}
	n, err := strconv.ParseUint(strings.TrimRight(digits, " "), 10, 63)
	if factor == 0 || err != nil {
		return 0, fmt.Errorf("parse size %s: want a whole number of bytes, or one with a unit such as %q", quoted(s), "256KiB")
	}
	if int64(n) > math.MaxInt64/factor {
		return 0, fmt.Errorf("parse size %s: larger than 2^63-1 bytes", quoted(s))
	}
	return Size(int64(n) * factor), nil
}

// String gives the size in the largest unit of 1024 that keeps it whole, in a
// form that ParseSize reads.
func (s Size) String() string {
	for _, u := range sizeUnits {
		if strings.HasSuffix(u.name, "iB") && s != 0 && int64(s)%u.bytes == 0 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}
