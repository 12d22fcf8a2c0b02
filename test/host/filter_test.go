// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFiltersCompareByType(t *testing.T) {
	n := inspector(t, load(t, "full.c"))
	v4, v6 := netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("2001:db8::7")
	tests := []struct {
		filter string
		values []any
		want   bool
	}{
		{"full.payload = abc", []any{"abc"}, true},
		{"full.payload=abc", []any{"abc"}, true},
		{"full.payload = abc", []any{"abcd"}, false},
		{"full.payload = abc", nil, false},
		{"full.payload != abc", []any{"x"}, true},
		{"full.payload != abc", nil, false},
		{`full.payload = "a b"`, []any{"a b"}, true},
		{"full.payload = 'it, (is)'", []any{"it, (is)"}, true},
		{`full.payload = ""`, []any{""}, true},
		{"full.payload contains bc", []any{"abcd"}, true},
		{"full.payload contains bc", []any{"acbd"}, false},
		{"full.payload startswith ab", []any{"abcd"}, true},
		{"full.payload startswith bc", []any{"abcd"}, false},
		{"full.payload icontains BC", []any{"aBcd"}, true},
		{"full.payload icontains bc", []any{"acbd"}, false},
		{"full.payload endswith cd", []any{"abcd"}, true},
		{"full.payload endswith bc", []any{"abcd"}, false},
		{"full.payload intersects (a, b)", []any{"b"}, true},
		{"full.payload in ()", []any{"a"}, false},
		{"full.payload exists", []any{""}, true},
		{"full.payload exists", nil, false},
		{"full.payload in (a, 'b c',d)", []any{"b c"}, true},
		{"full.payload in(a,b)", []any{"c"}, false},
		{"full.payload in (a, ',')", []any{","}, true},
		{"full.echo[a=b] = x", []any{"x"}, true},
		{"full.num < 5", []any{uint64(4)}, true},
		{"full.num < 5", []any{uint64(5)}, false},
		{"full.num <= 5", []any{uint64(5)}, true},
		{"full.num <= 5", []any{uint64(6)}, false},
		{"full.num >= 5", []any{uint64(5)}, true},
		{"full.num >= 5", []any{uint64(4)}, false},
		{"full.num<5", []any{uint64(5)}, false},
		{"full.num > 5", []any{uint64(6)}, true},
		{"full.num > 5", nil, false},
		{"full.ago = 5", []any{uint64(5)}, true},
		{"full.yes = true", []any{true}, true},
		{"full.yes != true", []any{false}, true},
		{"full.ip = 10.1.2.3", []any{v4}, true},
		{"full.ip in (::1, 2001:db8::7)", []any{v6}, true},
		{"full.net = 10.0.0.0/8", []any{v4}, true},
		{"full.net != 10.0.0.0/8", []any{v6}, true},
		{"full.strings in (a, b)", []any{"a", "b", "a"}, true},
		{"full.strings in (a, b)", []any{"a", "c"}, false},
		{"full.strings in (a, b)", nil, false},
		{"full.strings in ()", []any{"a"}, false},
		{"full.strings intersects (b, c)", []any{"a", "c"}, true},
		{"full.strings intersects (b, c)", []any{"a", "d"}, false},
		{"full.strings intersects (b, c)", nil, false},
		{"full.strings exists", []any{"a", "b"}, true},
		{"evt.num > 0", []any{uint64(1)}, true},
	}
	for _, tt := range tests {
		f, err := n.CompileFilter(tt.filter)
		require.NoError(t, err, tt.filter)
		assert.Equal(t, tt.want, f.Match(tt.values), "%s with %v", tt.filter, tt.values)
	}
}

func TestFiltersThatMakeNoSenseAreRefused(t *testing.T) {
	n := inspector(t, load(t, "full.c"))
	for filter, want := range map[string]string{
		"":                             "use FIELD OPERATOR VALUE",
		"full.payload":                 "use FIELD OPERATOR VALUE",
		"full.nosuch = x":              `field "full.nosuch" is unknown`,
		"full.payload like x":          `operator "like" is unknown`,
		"full.payload =":               "= takes one value",
		"full.payload = a b":           "= takes one value; put quotes around one with spaces",
		"full.payload = (":             "= takes one value",
		`full.payload = "a`:            "is never closed",
		"full.payload exists x":        `exists takes no value, and has "x"`,
		"full.payload in a":            "in takes a set of values in brackets",
		"full.payload in (":            "in takes a set of values in brackets",
		"full.payload intersects a":    "intersects takes a set of values in brackets",
		"full.payload in (a b)":        "with a comma between each two",
		"full.payload in (a,)":         "with a comma between each two",
		"full.payload in (,a)":         "with a comma between each two",
		"full.payload in (a, b":        "in takes a set of values in brackets",
		"full.payload < 5":             "< is for numbers, and field full.payload is none",
		"full.num contains 5":          "contains is for strings, and field full.num is none",
		"full.num = five":              `value "five" is no number`,
		"full.num < -1":                `value "-1" is no number`,
		"full.num in (1, x)":           `value "x" is no number`,
		"full.yes = yes":               `value "yes" is no bool; use true or false`,
		"full.ip = 10.0.0.0/8":         `value "10.0.0.0/8" is no IP address`,
		"full.net = 10.0.0.1":          `value "10.0.0.1" is no network`,
		"full.strings = a":             "full.strings is a list, which knows exists, in and intersects only, not =",
		"full.strings contains a":      "is a list",
		"full.payload = x and evt.num": "= takes one value",
	} {
		_, err := n.CompileFilter(filter)
		assert.ErrorContains(t, err, want, filter)
	}
}
