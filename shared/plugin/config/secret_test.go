// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseSecretRefusesWithoutShowing(t *testing.T) {
	tests := []struct{ name, text string }{
		{"the secret itself", "hunter2"},
		{"nothing", ""},
		{"an environment variable without a name", "env:"},
		{"a name that no environment variable can have", "env:A=B"},
		{"a file without a name", "file:"},
		{"a file with a relative path", "file:secrets/token"},
		{"a NUL", "file:/a\x00b"},
		{"another case", "ENV:NAME"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseSecret(tt.text)
			assert.EqualError(t, err, `parse secret: want "env:NAME" or "file:/absolute/path"; the text itself is not shown`)
		})
	}
}

func TestSecretResolve(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	fifo := filepath.Join(dir, "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	large := string(bytes.Repeat([]byte{'x'}, maxSecret+1))
	t.Setenv("AERIE_SECRET", " hunter2\n")
	t.Setenv("AERIE_EMPTY", "")
	missing := filepath.Join(dir, "missing")

	tests := []struct {
		name      string
		reference string
		secret    string
		err       string
	}{
		{"an environment variable is taken as it is", "env:AERIE_SECRET", " hunter2\n", ""},
		{"a file without a newline", "file:" + file("plain", " a b "), " a b ", ""},
		{"a file's last newline is left out", "file:" + file("lf", "a\nb\n\n"), "a\nb\n", ""},
		{"a file's last CR LF is left out", "file:" + file("crlf", "a\r\n"), "a", ""},
		{"a file's last CR alone stays", "file:" + file("cr", "a\r"), "a\r", ""},
		{"a file as large as allowed", "file:" + file("max", large[1:]), large[1:], ""},
		{"a file that is larger", "file:" + file("large", large), "", "larger than 1048576 bytes"},
		{"an unset environment variable", "env:AERIE_UNSET", "", `read secret "env:AERIE_UNSET": the environment variable is not set`},
		{"an empty environment variable", "env:AERIE_EMPTY", "", `read secret "env:AERIE_EMPTY": it is empty`},
		{"an empty file", "file:" + file("empty", ""), "", "it is empty"},
		{"a file of one newline", "file:" + file("newline", "\n"), "", "it is empty"},
		{"a missing file", "file:" + missing, "", "stat " + missing + ": no such file or directory"},
		{"a directory", "file:" + dir, "", dir + " is no regular file"},
		{"a FIFO, which is not waited for", "file:" + fifo, "", fifo + " is no regular file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := ParseSecret(tt.reference)
			require.NoError(t, err)
			assert.False(t, s.IsZero())
			secret, err := s.Resolve()
			if tt.err != "" {
				assert.ErrorContains(t, err, tt.err)
				assert.Nil(t, secret)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.secret, string(secret))
		})
	}

	var none Secret
	assert.True(t, none.IsZero())
	_, err := none.Resolve()
	assert.EqualError(t, err, `read secret "": no secret is configured`)
}

func TestSecretIsReadAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	s, err := ParseSecret("file:" + path)
	require.NoError(t, err)
	for _, content := range []string{"old", "new"} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		secret, err := s.Resolve()
		require.NoError(t, err)
		assert.Equal(t, content, string(secret))
	}
}

func TestSecretPrintsAsItsReference(t *testing.T) {
	t.Setenv("AERIE_SECRET", "hunter2")
	s, err := ParseSecret("env:AERIE_SECRET")
	require.NoError(t, err)
	_, err = s.Resolve()
	require.NoError(t, err)
	assert.Equal(t, "env:AERIE_SECRET env:AERIE_SECRET", fmt.Sprint(s, " ", &s))
	assert.NotContains(t, fmt.Sprintf("%+v %#v", s, s), "hunter2")
}
