// SPDX-License-Identifier: Apache-2.0

package config

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseSize(t *testing.T) {
	const want = `want a whole number of bytes, or one with a unit such as "256KiB"`
	tests := []struct {
		name string
		text string
		size Size
		err  string
	}{
		{"a number is bytes", "262144", 262144, ""},
		{"zero is a size", "0", 0, ""},
		{"bytes may have their unit", "7B", 7, ""},
		{"binary units are powers of 1024", "1KiB", 1 << 10, ""},
		{"MiB", "12MiB", 12 << 20, ""},
		{"GiB", "3GiB", 3 << 30, ""},
		{"TiB", "2TiB", 2 << 40, ""},
		{"decimal units are powers of 1000", "1KB", 1000, ""},
		{"MB", "5MB", 5e6, ""},
		{"GB", "1GB", 1e9, ""},
		{"TB", "1TB", 1e12, ""},
		{"case does not matter", "256kib", 256 << 10, ""},
		{"a blank may stand before the unit", "1 GB", 1e9, ""},
		{"the largest size", "9223372036854775807", math.MaxInt64, ""},
		{"one too many", "9223372036854775808", 0, `parse size "9223372036854775808": ` + want},
		{"too large with its unit", "8388608TiB", 0, `parse size "8388608TiB": larger than 2^63-1 bytes`},
		{"nothing", "", 0, `parse size "": ` + want},
		{"a unit alone", "KiB", 0, `parse size "KiB": ` + want},
		{"a letter that could mean either", "1K", 0, `parse size "1K": ` + want},
		{"a fraction", "1.5GiB", 0, `parse size "1.5GiB": ` + want},
		{"a negative number", "-1", 0, `parse size "-1": ` + want},
		{"a sign", "+1", 0, `parse size "+1": ` + want},
		{"a blank before", " 1", 0, `parse size " 1": ` + want},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			size, err := ParseSize(tt.text)
			if tt.err != "" {
				require.EqualError(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.size, size)
			again, err := ParseSize(size.String())
			require.NoError(t, err)
			assert.Equal(t, size, again, "String must be readable")
		})
	}
}

func TestSizeString(t *testing.T) {
	for size, want := range map[Size]string{
		0: "0B", 1: "1B", 1000: "1000B", 1024: "1KiB", 1536: "1536B", 12 << 20: "12MiB", 1 << 40: "1TiB", 1 << 50: "1024TiB",
	} {
		assert.Equal(t, want, size.String())
	}
}
