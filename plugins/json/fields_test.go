// SPDX-License-Identifier: Apache-2.0

package json

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

// The position of a field is its number, which compiled filters and viewers use.
func TestFieldsAreThoseOfTheOfficialPluginInItsOrder(t *testing.T) {
	want := []struct {
		name string
		arg  extract.Arg
	}{
		{"json.value", extract.RequiredKey},
		{"json.obj", extract.NoArg},
		{"json.rawtime", extract.NoArg},
		{"jevt.value", extract.RequiredKey},
		{"jevt.obj", extract.NoArg},
		{"jevt.rawtime", extract.NoArg},
	}
	require.Len(t, Extraction.Fields, len(want))
	for id, field := range Extraction.Fields {
		assert.Equal(t, want[id].name, field.Name)
		assert.Equal(t, want[id].arg, field.Arg, field.Name)
		assert.NotEmpty(t, field.Desc, field.Name)
		assert.False(t, field.AddOutput, field.Name)
	}
}

// Frameworks hand over room for offsets only to plugins that say they have some.
func TestValuesFromThePayloadSayThatTheyHaveOffsets(t *testing.T) {
	for _, field := range Extraction.Fields {
		offsets := reflect.ValueOf(field.Value).FieldByName("offsets").Bool()
		assert.Equal(t, !strings.HasSuffix(field.Name, ".rawtime"), offsets, field.Name)
	}
}

func TestEverySourceIsRead(t *testing.T) {
	assert.Empty(t, Extraction.Sources, "no source means every source")
	assert.Empty(t, Extraction.EventTypes, "no type means plugin events")
	assert.Zero(t, Info.ID)
	assert.Empty(t, Info.EventSource)
}
