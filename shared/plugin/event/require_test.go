// SPDX-License-Identifier: Apache-2.0

package event

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/event/schema"
)

func TestOnlyPluginEventsNeedNoSchema(t *testing.T) {
	for name, c := range map[string]struct {
		types []uint16
		want  string
	}{
		"no types":                     {nil, ""},
		"plugin events":                {[]uint16{TypePlugin, TypePlugin}, ""},
		"async events":                 {[]uint16{TypeAsync}, "4.0.0"},
		"plugin and async events":      {[]uint16{TypePlugin, TypeAsync}, "4.0.0"},
		"system calls":                 {[]uint16{TypeExecveX, TypeCloneX}, "4.0.0"},
		"types newer than the table's": {[]uint16{uint16(schema.Types())}, "4.0.0"},
	} {
		assert.Equal(t, c.want, SchemaFor(c.types), name)
	}
}

// The table has to describe the schemas that plugins ask for.
func TestTheTableIsOfTheSameMajorSchema(t *testing.T) {
	var lowest, table [3]int
	for text, to := range map[string]*[3]int{MinSchema: &lowest, schema.Version: &table} {
		_, err := fmt.Sscanf(text, "%d.%d.%d", &to[0], &to[1], &to[2])
		require.NoError(t, err)
	}
	assert.Equal(t, lowest[0], table[0])
	assert.GreaterOrEqual(t, slices.Compare(table[:], lowest[:]), 0)
}
