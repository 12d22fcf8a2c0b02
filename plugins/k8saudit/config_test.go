// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	kit "github.com/aerie-falco/aerie/shared/plugin/config"
)

func TestConfigurations(t *testing.T) {
	tests := []struct {
		name, text, certificate string
		event, request          int
	}{
		{"nothing", ``, "/etc/falco/falco.pem", 262144, 12582912},
		{"null, which Falco makes of an empty map", `null`, "/etc/falco/falco.pem", 262144, 12582912},
		{"an empty object", `{}`, "/etc/falco/falco.pem", 262144, 12582912},
		{"the keys of the official plugin", `{"sslCertificate":"/a.pem","useAsync":false,"maxEventSize":1,"webhookMaxBatchSize":2}`, "/a.pem", 1, 2},
		{"the keys in other letters", `{"SSLCERTIFICATE":"/a.pem","useasync":true,"MaxEventSize":3,"webhookmaxbatchsize":4}`, "/a.pem", 3, 4},
		{"unknown keys", `{"other":{"a":[1]},"maxEventSize":5}`, "/etc/falco/falco.pem", 5, 12582912},
		{"the largest sizes", `{"maxEventSize":2147483648,"webhookMaxBatchSize":2147483648}`, "/etc/falco/falco.pem", 1 << 31, 1 << 31},
		{"sizes with units", `{"maxEventSize":"1MiB","webhookMaxBatchSize":"16 MiB"}`, "/etc/falco/falco.pem", 1 << 20, 16 << 20},
		{"null for a default", `{"maxEventSize":null}`, "/etc/falco/falco.pem", 262144, 12582912},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := New()
			require.NoError(t, p.Init(nil, test.text))
			assert.Equal(t, test.certificate, p.config.SSLCertificate)
			assert.EqualValues(t, test.event, p.config.MaxEventSize)
			assert.EqualValues(t, test.request, p.config.WebhookMaxBatchSize)
		})
	}
}

func TestConfigurationsThatInitRefuses(t *testing.T) {
	tests := []struct {
		name, text, says string
	}{
		{"a cut object", `{"useAsync":`, "read init config"},
		{"text", `hello`, "read init config"},
		{"an array", `[1]`, "read init config"},
		{"a word for a flag", `{"useAsync":"x"}`, "useAsync"},
		{"an object for a path", `{"sslCertificate":{}}`, "sslCertificate"},
		{"no bytes for an event, with which the official plugin drops all", `{"maxEventSize":0}`, "maxEventSize"},
		{"4 GiB for an event, with which the official plugin dies at the first", `{"maxEventSize":4294967296}`, "maxEventSize"},
		{"one byte over 2 GiB for an event", `{"maxEventSize":2147483649}`, "maxEventSize"},
		{"less than no bytes for an event", `{"maxEventSize":-1}`, "maxEventSize"},
		{"half a byte for an event", `{"maxEventSize":1.5}`, "maxEventSize"},
		{"no bytes for a request", `{"webhookMaxBatchSize":0}`, "webhookMaxBatchSize"},
		{"less than no bytes for a request", `{"webhookMaxBatchSize":-1}`, "webhookMaxBatchSize"},
		{"one byte over 2 GiB for a request", `{"webhookMaxBatchSize":2147483649}`, "webhookMaxBatchSize"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.ErrorContains(t, New().Init(nil, test.text), test.says)
		})
	}
}

func TestTheSchemaKnowsTheKeysOfTheOfficialPlugin(t *testing.T) {
	schema := kit.Schema(Info.Config)
	for _, key := range []string{"sslCertificate", "useAsync", "maxEventSize", "webhookMaxBatchSize"} {
		assert.Contains(t, schema, `"`+key+`"`)
	}
	assert.NotContains(t, schema, `"required"`, "nothing needs to be configured")
}
