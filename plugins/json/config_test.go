// SPDX-License-Identifier: Apache-2.0

package json

import (
	stdjson "encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	kit "github.com/aerie-falco/aerie/shared/plugin/config"
)

func TestConfigurations(t *testing.T) {
	tests := []struct {
		name, text string
		useAsync   bool
	}{
		{"nothing", ``, true},
		{"null, which Falco makes of an empty map", `null`, true},
		{"an empty object", `{}`, true},
		{"the key of the official plugin", `{"useAsync":false}`, false},
		{"the key in other letters", `{"USEASYNC":false}`, false},
		{"unknown keys", `{"other":{"a":[1]},"useAsync":false}`, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := readConfig(test.text)
			require.NoError(t, err)
			assert.Equal(t, test.useAsync, c.UseAsync)
		})
	}
}

func TestConfigurationsThatTheLogReports(t *testing.T) {
	for text, says := range map[string]string{
		`{"useAsync":"x"}`: `useAsync`,
		`{"useAsync":`:     `read init config`,
		`hello`:            `read init config`,
		`[1]`:              `read init config`,
	} {
		_, err := readConfig(text)
		assert.ErrorContains(t, err, says, text)
	}
}

func TestTheSchemaAsksForNothingAndForbidsNothing(t *testing.T) {
	var schema struct {
		Type                 any
		Required             []string
		AdditionalProperties *bool
		Properties           map[string]struct {
			Default bool
		}
	}
	require.NoError(t, stdjson.Unmarshal([]byte(kit.Schema(Info.Config)), &schema))
	assert.Contains(t, schema.Type, "object")
	assert.Empty(t, schema.Required)
	if schema.AdditionalProperties != nil {
		assert.True(t, *schema.AdditionalProperties)
	}
	require.Len(t, schema.Properties, 1)
	assert.True(t, schema.Properties["useAsync"].Default)
}
