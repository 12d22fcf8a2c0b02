// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// maxSecret is the largest file that a secret is read from, in bytes.
const maxSecret = 1 << 20

// Secret refers to a secret that stands outside the config: "env:NAME", an
// environment variable of the framework's process, or "file:/path", a file with
// an absolute path. The secret itself is never kept here, so a Secret may be
// printed and logged. The zero value refers to nothing.
type Secret struct{ reference string }

var errSecret = errors.New(`want "env:NAME" or "file:/absolute/path"`)

// ParseSecret makes a Secret from its reference. The error does not repeat the
// text, which may be the secret itself, written in the wrong place.
func ParseSecret(reference string) (Secret, error) {
	name, isEnv := strings.CutPrefix(reference, "env:")
	file, isFile := strings.CutPrefix(reference, "file:")
	switch {
	case strings.ContainsRune(reference, 0):
	case isEnv && name != "" && !strings.Contains(name, "="):
		return Secret{reference}, nil
	case isFile && filepath.IsAbs(file):
		return Secret{reference}, nil
	}
	return Secret{}, fmt.Errorf("parse secret: %w; the text itself is not shown", errSecret)
}

// IsZero reports whether no secret was configured.
func (s Secret) IsZero() bool { return s.reference == "" }

// String returns the reference, never the secret.
func (s Secret) String() string { return s.reference }

// Resolve reads the secret anew, so that one that has been exchanged is seen at
// the next call. Of a file one newline at the end, LF or CR LF, is left out.
// A secret that is missing, empty or over 1 MiB is an error.
func (s Secret) Resolve() ([]byte, error) {
	secret, err := s.read()
	if err == nil && len(secret) == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("read secret %q: %w", s.reference, err)
	}
	return secret, nil
}

func (s Secret) read() ([]byte, error) {
	if name, ok := strings.CutPrefix(s.reference, "env:"); ok {
		value, ok := os.LookupEnv(name)
		if !ok {
			return nil, errors.New("the environment variable is not set")
		}
		return []byte(value), nil
	}
	name, ok := strings.CutPrefix(s.reference, "file:")
	if !ok {
		return nil, errors.New("no secret is configured")
	}
	// Opening a FIFO would wait for a writer.
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	secret, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return nil, err
	}
	if len(secret) > maxSecret {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, maxSecret)
	}
	if line, ok := bytes.CutSuffix(secret, []byte("\n")); ok {
		secret = bytes.TrimSuffix(line, []byte("\r"))
	}
	return secret, nil
}
