// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	stdjson "encoding/json"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	kit "github.com/aerie-falco/aerie/shared/plugin/config"
)

func TestAConfigurationOfTheOfficialPluginIsTaken(t *testing.T) {
	c, err := readConfig(`{"collectorHostname":"k8s-metacollector.metacollector.svc","collectorPort":45000.0,"nodeName":"node-1","verbosity":"warning","hostProc":"/host"}`)
	require.NoError(t, err)
	assert.Equal(t, config{
		Source: fromCollector, CollectorHostname: "k8s-metacollector.metacollector.svc", CollectorPort: 45000,
		NodeName: "node-1", Verbosity: "warning", HostProc: "/host",
	}, c)
	assert.Equal(t, []string{"hostProc has no effect any more; leave it out"}, c.warnings())
}

func TestConfigurationsThatCannotBeUsed(t *testing.T) {
	t.Setenv("EMPTY", " ")
	for text, says := range map[string]string{
		``:                 `nodeName`,
		`{"nodeName":"n"}`: `collectorHostname: it is missing or empty`,
		`{"nodeName":"n","collectorHostname":" ","collectorPort":1}`:                                         `collectorHostname: it is missing or empty`,
		`{"nodeName":"n","collectorHostname":"h"}`:                                                           `collectorPort: it is missing or 0; give the port of the k8s-metacollector, 1 to 65535`,
		`{"nodeName":"n","collectorHostname":"h","collectorPort":65536}`:                                     `65535`,
		`{"nodeName":"n","collectorHostname":"h","collectorPort":-1}`:                                        `collectorPort`,
		`{"nodeName":"n","collectorHostname":"h","collectorPort":1,"verbosity":"loud"}`:                      `verbosity`,
		`{"nodeName":"n","collectorHostname":"h","collectorPort":1,"other":1}`:                               `unknown key`,
		`{"nodeName":" ","collectorHostname":"h","collectorPort":1}`:                                         `nodeName: it is empty`,
		`{"nodeName":"${EMPTY}","collectorHostname":"h","collectorPort":1}`:                                  `nodeName: it is empty`,
		`{"nodeName":"a-${SURELY_NOT_SET}","collectorHostname":"h","collectorPort":1}`:                       `nodeName: "a-${SURELY_NOT_SET}": the environment variable SURELY_NOT_SET is not set`,
		`{"nodeName":"n","source":"elsewhere"}`:                                                              `source`,
		`{"nodeName":"n","collectorHostname":"h","collectorPort":1,"clientKey":"k"}`:                         `give both or neither`,
		`{"nodeName":"n","collectorHostname":"h","collectorPort":1,"clientKey":"k","clientCertificate":"c"}`: `give caPEMBundle too`,
	} {
		_, err := readConfig(text)
		assert.ErrorContains(t, err, says, text)
		assert.ErrorContains(t, err, "read init config", text)
	}
}

func TestVariablesInTheNodeNameAreReplacedInPlace(t *testing.T) {
	t.Setenv("NODE", " node-7\n")
	t.Setenv("ZONE", "${NODE}")
	for name, want := range map[string]string{
		"plain": "plain", "${NODE}": "node-7", "pre-${NODE}-post": "pre- node-7\n-post", " trimmed ": "trimmed", "$NODE": "$NODE", "${NODE": "${NODE", "${ZONE}": "${NODE}", "${}": "${}",
	} {
		text, err := stdjson.Marshal(map[string]string{"source": "kubernetes", "nodeName": name})
		require.NoError(t, err)
		c, err := readConfig(string(text))
		require.NoError(t, err)
		assert.Equal(t, want, c.NodeName)
	}
}

func TestWithoutACollectorItsKeysAreNotNeeded(t *testing.T) {
	c, err := readConfig(`{"source":"kubernetes","nodeName":"n"}`)
	require.NoError(t, err)
	assert.Empty(t, c.warnings())
	c, err = readConfig(`{"source":"kubernetes","nodeName":"n","collectorHostname":"h","caPEMBundle":"b"}`)
	require.NoError(t, err)
	assert.Equal(t, []string{"caPEMBundle has no effect with the source kubernetes", "collectorHostname has no effect with the source kubernetes"}, c.warnings())
	c, err = readConfig(`{"nodeName":"n","collectorHostname":"h","collectorPort":1,"kubeconfig":"k"}`)
	require.NoError(t, err)
	assert.Equal(t, []string{"kubeconfig has no effect with the source collector"}, c.warnings())
}

func TestVerbositiesAreLevels(t *testing.T) {
	for verbosity, want := range map[string]slog.Level{"": slog.LevelInfo, "trace": -8, "debug": -4, "info": 0, "warning": 4, "error": 8, "critical": 12} {
		assert.Equal(t, want, (&config{Verbosity: verbosity}).level(), verbosity)
	}
}

func TestTheSchemaKnowsTheKeysOfTheOfficialPluginAndRefusesOthers(t *testing.T) {
	var schema struct {
		Required             []string
		AdditionalProperties *bool
		Properties           map[string]struct{ Type any }
	}
	require.NoError(t, stdjson.Unmarshal([]byte(kit.Schema(Info.Config)), &schema))
	assert.Equal(t, []string{"nodeName"}, schema.Required)
	require.NotNil(t, schema.AdditionalProperties)
	assert.False(t, *schema.AdditionalProperties)
	for _, key := range []string{"collectorHostname", "collectorPort", "nodeName", "verbosity", "caPEMBundle", "hostProc"} {
		assert.Contains(t, schema.Properties, key)
	}
}
