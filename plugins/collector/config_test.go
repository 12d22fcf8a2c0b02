// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/config"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestOpenParamsSchema(t *testing.T) {
	const path = "open_params.schema.json"
	want := config.Schema(&openParams{}) + "\n"
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, want, string(got), "go test -run TestOpenParamsSchema -update writes it anew")
}

func TestOpenParamsDefaults(t *testing.T) {
	for _, text := range []string{"", "{}", "null", " { } ", `{"addr": null}`} {
		p, err := readOpenParams(text)
		require.NoError(t, err, text)
		e := p.endpoint()
		assert.Equal(t, ":54827", e.Addr, text)
		assert.Equal(t, 262144, e.MaxEventSize, text)
		assert.Zero(t, e.Buffer, text)
		assert.Nil(t, e.Decode, text)
		assert.False(t, e.Splits, text)
		assert.Equal(t, "delivered", p.Ack, text)
		assert.Nil(t, p.TLS, text)
		assert.Empty(t, p.HealthPath, text)
		assert.True(t, p.Auth.BearerToken.IsZero(), text)
		assert.Nil(t, p.Auth.HMAC, text)
	}
}

func TestOpenParams(t *testing.T) {
	p, err := readOpenParams(`{
		"ADDR": "127.0.0.1:8080", "Buffer": 65536, "maxpayloadsize": "1MiB", "split": "auto", "ack": "queued",
		"auth": {"bearerToken": "env:TOKEN", "hmac": {"secret": "file:/key"}},
		"tls": {"cert": "/cert.pem"}, "timeouts": {"delivery": 3.5}, "limits": {"maxBodySize": "2MB"}}`)
	require.NoError(t, err)
	e := p.endpoint()
	assert.Equal(t, "127.0.0.1:8080", e.Addr)
	assert.Equal(t, 65536, e.Buffer)
	assert.Equal(t, 1<<20, e.MaxEventSize)
	assert.NotNil(t, e.Decode)
	assert.True(t, e.Splits)
	assert.Equal(t, "queued", p.Ack)
	assert.Equal(t, "env:TOKEN", p.Auth.BearerToken.String())
	assert.Equal(t, "X-Hub-Signature-256", p.Auth.HMAC.Header)
	assert.Equal(t, "1.2", p.TLS.MinVersion)
	assert.Equal(t, "3.5s", p.Timeouts.Delivery.String())
	assert.EqualValues(t, 2_000_000, p.Limits.MaxBodySize)
}

// Errors of open reach the user with 255 bytes at most: what matters stands in
// front.
func TestOpenParamsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, starts string }{
		"no JSON":                      {`:54827`, "open parameters: not valid JSON at line 1, column 1"},
		"an address in quotes":         {`":54827"`, `open parameters: got a string, want an object with the keys addr, buffer`},
		"an array":                     {`[]`, "open parameters: got a list, want an object with the keys addr, buffer"},
		"a second value":               {`{} {}`, "open parameters: not valid JSON at line 1, column 4"},
		"an unknown key":               {`{"adress": ":1"}`, "open parameters: adress: unknown key"},
		"a misspelt key":               {`{"bufer": 1}`, `open parameters: bufer: unknown key, did you mean "buffer"?`},
		"an unknown key in a section":  {`{"tls": {"cert": "/c", "ca": "/d"}}`, "open parameters: tls.ca: unknown key"},
		"an address that is an object": {`{"addr": {}}`, "open parameters: addr: got an object, want a string"},
		"a buffer that is a word":      {`{"buffer": "many"}`, `open parameters: buffer: got the string "many", want a whole number from 0 to 65536`},
		"a negative buffer":            {`{"buffer": -1}`, "open parameters: buffer: got -1, want a whole number from 0 to 65536"},
		"a buffer just too large":      {`{"buffer": 65537}`, "open parameters: buffer: got 65537, want a whole number from 0 to 65536"},
		"a buffer of no machine":       {`{"buffer": 9223372036854775808}`, "open parameters: buffer: got 9223372036854775808, want a whole number from 0 to 65536"},
		"a buffer that is a fraction":  {`{"buffer": 1.5}`, "open parameters: buffer: got 1.5, want a whole number from 0 to 65536"},
		"payloads too large":           {`{"maxPayloadSize": "17MiB"}`, `open parameters: maxPayloadSize: got the string "17MiB"`},
		"payloads of no size":          {`{"maxPayloadSize": 0}`, "open parameters: maxPayloadSize: got 0"},
		"an unknown way to split":      {`{"split": "csv"}`, `open parameters: split: got the string "csv", want "none", "ndjson", "array" or "auto"`},
		"an unknown acknowledgement":   {`{"ack": "never"}`, `open parameters: ack: got the string "never", want "delivered" or "queued"`},
		"TLS without a certificate":    {`{"tls": {}}`, "open parameters: tls.cert: "},
		"a token in plain text":        {`{"auth": {"bearerToken": "s3cret"}}`, "open parameters: auth.bearerToken: "},
		"a timeout without a unit":     {`{"timeouts": {"read": "5"}}`, `open parameters: timeouts.read: got the string "5", want a duration`},
		"a timeout of nothing":         {`{"timeouts": {"read": 0}}`, "open parameters: timeouts.read: got 0"},
	} {
		_, err := New().Open(t.Context(), c.text)
		if assert.Error(t, err, name) {
			assert.True(t, strings.HasPrefix(err.Error(), c.starts), "%s: %s", name, err)
			assert.NotContains(t, err.Error(), "s3cret", name)
		}
	}
}
