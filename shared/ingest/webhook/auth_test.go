// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/config"
)

func file(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestBearerToken(t *testing.T) {
	t.Setenv("INGEST_TEST_TOKEN", "s3cret")
	l := listen(t, `{"auth": {"bearerToken": "env:INGEST_TEST_TOKEN"}}`, local())
	payloads := newFramework(t, l).run()
	for name, c := range map[string]struct {
		headers []string
		code    int
	}{
		"the right token":             {[]string{"Authorization", "Bearer s3cret"}, 200},
		"the scheme in small letters": {[]string{"Authorization", "bearer  s3cret"}, 200},
		"no token":                    {nil, 401},
		"an empty header":             {[]string{"Authorization", ""}, 401},
		"an empty token":              {[]string{"Authorization", "Bearer "}, 401},
		"another token":               {[]string{"Authorization", "Bearer s3creT"}, 401},
		"a token that begins alike":   {[]string{"Authorization", "Bearer s3cret2"}, 401},
		"the beginning of the token":  {[]string{"Authorization", "Bearer s3cre"}, 401},
		"another scheme":              {[]string{"Authorization", "Basic s3cret"}, 401},
		"no scheme":                   {[]string{"Authorization", "s3cret"}, 401},
		"two headers":                 {[]string{"Authorization", "Bearer s3cret", "Authorization", "Bearer x"}, 401},
	} {
		got := post(t, l, name, c.headers...)
		assert.Equal(t, c.code, got.code, name)
		if c.code == 401 {
			assert.Equal(t, "Bearer", got.header.Get("Www-Authenticate"), name)
			assert.Equal(t, "a valid bearer token is required\n", got.text, name)
		}
	}
	assert.ElementsMatch(t, []string{"the right token", "the scheme in small letters"}, payloads())
	assert.EqualValues(t, 9, l.counters.refused[causeToken].Value())
}

func TestTheTokenIsLookedAtBeforeTheBody(t *testing.T) {
	t.Setenv("INGEST_TEST_TOKEN", "s3cret")
	l := listen(t, `{"auth": {"bearerToken": "env:INGEST_TEST_TOKEN"}}`, local())
	c := dial(t, l)
	c.send("POST / HTTP/1.1\nHost: h\nContent-Length: 5000\n\n")
	got := c.answer()
	assert.Equal(t, 401, got.code, "answered though no byte of the body was sent, and told nothing else")
	assert.True(t, got.closes)
	assert.Zero(t, l.counters.bytes.Value())
}

func sign(key, body string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

func TestSignature(t *testing.T) {
	key := file(t, "key", "k3y\n")
	l := listen(t, fmt.Sprintf(`{"auth": {"hmac": {"secret": "file:%s"}}}`, key), local())
	payloads := newFramework(t, l).run()
	const header = "X-Hub-Signature-256"
	// As openssl dgst -sha256 -hmac has it.
	require.Equal(t, "6e23c49398c0354c8322b0687f3bd60cf3b3cb564665a650ed5eddcdd61b43d6", sign("k3y", "body"))
	for name, c := range map[string]struct {
		headers []string
		code    int
	}{
		"hexadecimal":             {[]string{header, sign("k3y", "body")}, 200},
		"with its prefix":         {[]string{header, "sha256=" + sign("k3y", "body")}, 200},
		"in capitals":             {[]string{"x-hub-signature-256", "SHA256=" + strings.ToUpper(sign("k3y", "body"))}, 200},
		"of another body":         {[]string{header, sign("k3y", "Body")}, 403},
		"with another key":        {[]string{header, sign("k3y\n", "body")}, 403},
		"cut":                     {[]string{header, sign("k3y", "body")[:62]}, 403},
		"empty":                   {[]string{header, ""}, 403},
		"a prefix and no more":    {[]string{header, "sha256="}, 403},
		"no hexadecimal":          {[]string{header, strings.Repeat("xy", 32)}, 403},
		"none":                    {nil, 401},
		"two":                     {[]string{header, sign("k3y", "body"), header, sign("k3y", "body")}, 401},
		"in another header":       {[]string{"X-Signature", sign("k3y", "body")}, 401},
		"another algorithm's tag": {[]string{header, "sha1=" + sign("k3y", "body")}, 403},
	} {
		got := post(t, l, "body", c.headers...)
		assert.Equal(t, c.code, got.code, name)
		assert.Empty(t, got.header.Get("Www-Authenticate"), name)
	}
	assert.Len(t, payloads(), 3)
	assert.EqualValues(t, 10, l.counters.refused[causeSignature].Value())
}

func TestTheSignatureIsOfTheBodyAsItWasSent(t *testing.T) {
	t.Setenv("INGEST_TEST_KEY", "k3y")
	l := listen(t, `{"auth": {"hmac": {"secret": "env:INGEST_TEST_KEY", "header": "x-signature"}}}`, local())
	payloads := newFramework(t, l).run()
	body := zipped(t, "event")
	assert.Equal(t, 200, post(t, l, body, "Content-Encoding", "gzip", "X-Signature", sign("k3y", body)).code)
	assert.Equal(t, 403, post(t, l, body, "Content-Encoding", "gzip", "X-Signature", sign("k3y", "event")).code)
	assert.Equal(t, []string{"event"}, payloads())
}

func TestAllThatIsConfiguredIsDemanded(t *testing.T) {
	t.Setenv("INGEST_TEST_KEY", "k3y")
	l := listen(t, `{"auth": {"bearerToken": "env:INGEST_TEST_KEY", "hmac": {"secret": "env:INGEST_TEST_KEY"}}}`, local())
	payloads := newFramework(t, l).run()
	token, signature := []string{"Authorization", "Bearer k3y"}, []string{"X-Hub-Signature-256", sign("k3y", "x")}
	assert.Equal(t, 401, post(t, l, "x", token...).code)
	assert.Equal(t, 401, post(t, l, "x", signature...).code)
	assert.Equal(t, 200, post(t, l, "x", append(token, signature...)...).code)
	assert.Equal(t, []string{"x"}, payloads())
}

func TestASecretThatCannotBeReadFailsTheOpening(t *testing.T) {
	for name, c := range map[string]struct{ auth, err string }{
		"no such variable": {`{"bearerToken": "env:INGEST_TEST_NONE"}`, `auth.bearerToken: read secret "env:INGEST_TEST_NONE": the environment variable is not set`},
		"no such file":     {`{"hmac": {"secret": "file:/nonexistent"}}`, `auth.hmac.secret: read secret "file:/nonexistent": stat /nonexistent: no such file or directory`},
	} {
		_, err := Listen(t.Context(), settings(t, `{"auth": `+c.auth+`}`), local())
		assert.EqualError(t, err, c.err, name)
	}
}

func TestASecretIsReadAgain(t *testing.T) {
	path := file(t, "token", "one")
	reference, err := config.ParseSecret("file:" + path)
	require.NoError(t, err)
	var warnings []error
	s, err := loadSecret(reference, func(err error) { warnings = append(warnings, err) })
	require.NoError(t, err)
	now := s.read
	assert.Equal(t, "one", string(s.get(now)))

	require.NoError(t, os.WriteFile(path, []byte("two"), 0o600))
	assert.Equal(t, "one", string(s.get(now.Add(recheck-time.Nanosecond))), "not at every request")
	now = now.Add(recheck)
	assert.Equal(t, "two", string(s.get(now)))

	require.NoError(t, os.Remove(path))
	now = now.Add(recheck)
	assert.Equal(t, "two", string(s.get(now)), "a file that is gone does not open the door, nor shut it")
	assert.Equal(t, "two", string(s.get(now)))
	require.Len(t, warnings, 1)
	assert.ErrorIs(t, warnings[0], os.ErrNotExist)
	assert.ErrorContains(t, warnings[0], "the one of before stays in use")

	require.NoError(t, os.WriteFile(path, []byte("three\n"), 0o600))
	assert.Equal(t, "three", string(s.get(now.Add(recheck))))
	assert.Len(t, warnings, 1)
}

func TestConfigValidation(t *testing.T) {
	for name, c := range map[string]struct{ text, err string }{
		"a mode that is not octal":    {`{"socketMode": "0968"}`, `socketMode "0968": want octal permissions from 0000 to 0777`},
		"a mode with a special bit":   {`{"socketMode": "1777"}`, `socketMode "1777": want octal permissions from 0000 to 0777`},
		"a health path without slash": {`{"healthPath": "healthz"}`, `healthPath "healthz": want an absolute path, such as /healthz`},
		"a health path with dots":     {`{"healthPath": "/a/../b"}`, `healthPath "/a/../b": want an absolute path, such as /healthz`},
		"a header that is none":       {`{"auth": {"hmac": {"secret": "env:A", "header": "X Y"}}}`, `auth.hmac: header "X Y": want the name of an HTTP header`},
		"an empty header":             {`{"auth": {"hmac": {"secret": "env:A", "header": ""}}}`, `auth.hmac: header "": want the name of an HTTP header`},
	} {
		var got Config
		err := config.Decode(c.text, &got)
		require.Error(t, err, name)
		assert.Equal(t, c.err, err.Error(), name)
	}
	assert.EqualValues(t, 0o660, settings(t, "").socketMode)
	assert.EqualValues(t, 0o600, settings(t, `{"socketMode": "600"}`).socketMode)
}

func TestAnErrorOfTheConfigNeverShowsASecret(t *testing.T) {
	var got Config
	err := config.Decode(`{"auth": {"bearerToken": "s3cret"}}`, &got)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "s3cret")
	assert.False(t, errors.Is(err, os.ErrNotExist))
}
