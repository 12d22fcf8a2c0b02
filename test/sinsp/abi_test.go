// SPDX-License-Identifier: Apache-2.0

package sinsp_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The comparison with the framework's headers is made when the driver is
// compiled; this finds what our header declares and nobody compares.
func TestEverythingThatOurHeaderDeclaresIsComparedWithTheFrameworks(t *testing.T) {
	header, err := os.ReadFile("../../shared/plugin/abi/abi.h")
	require.NoError(t, err)
	check, err := os.ReadFile("driver/abi_check.cpp")
	require.NoError(t, err)
	var compared []string
	compares := func(pattern string) {
		compared = append(compared, pattern)
		assert.Regexp(t, `(?m)^`+pattern, string(check))
	}
	types := regexp.MustCompile(`(?ms)^(struct|union) (?:__attribute__\(\(packed\)\) )?(\w+) \{(.*?)^\};`)
	member := regexp.MustCompile(`(?m)^\t.*?\(\*(\w+)\)\(.*;|^\t.*?(\w+);`)
	for _, declared := range types.FindAllStringSubmatch(string(header), -1) {
		name := declared[1] + " " + declared[2]
		compares(`SIZE\(` + name + `,`)
		for _, m := range member.FindAllStringSubmatch(declared[3], -1) {
			if m[1] != "" {
				compares(`FUNCTION\(` + name + `, .*, ` + m[1] + `\)`)
			} else {
				compares(`MEMBER\(` + name + `, .*, ` + m[2] + `\)`)
			}
		}
	}
	for _, constant := range regexp.MustCompile(`\b(AERIE_[A-Z0-9_]+)(?: = | \d)`).FindAllStringSubmatch(string(header), -1) {
		compares(`CONSTANT\(` + constant[1] + `,`)
	}
	for _, alias := range regexp.MustCompile(`(?m)^typedef .*?(?:\(\*(\w+)\)\(.*|(\w+));`).FindAllStringSubmatch(string(header), -1) {
		compares(`TYPE\(` + alias[1] + alias[2] + `,`)
	}
	assert.Greater(t, len(compared), 200, "the header is read: %v", compared)
}
