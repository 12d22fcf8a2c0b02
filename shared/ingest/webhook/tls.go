// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// recheck is how often, at most, files are looked at for a change.
const recheck = time.Second

// certificates is a TLS configuration that follows its files. They are looked
// at when a client connects, at most once a second. Files that cannot be used
// leave what was loaded before in place, and are tried again.
type certificates struct {
	config TLS
	warn   func(error)

	mu      sync.Mutex
	current *tls.Config
	files   []fs.FileInfo
	checked time.Time
}

func loadCertificates(c TLS, warn func(error)) (*certificates, error) {
	if c.Key == "" {
		c.Key = c.Cert
	}
	s := &certificates{config: c, warn: warn}
	if err := s.load(); err != nil {
		return nil, err
	}
	return s, nil
}

// serverConfig is for the listener; each handshake asks it for the current one.
func (s *certificates) serverConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return s.get(time.Now()), nil
		},
	}
}

func (s *certificates) get(now time.Time) *tls.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.checked) >= recheck {
		s.checked = now
		if s.changed() {
			if err := s.load(); err != nil {
				s.warn(fmt.Errorf("read TLS files again: %w; the certificate of before stays in use", err))
			}
		}
	}
	return s.current
}

// names are the files, in the order of certificates.files.
func (s *certificates) names() []string {
	names := []string{s.config.Cert, s.config.Key}
	if s.config.ClientCA != "" {
		names = append(names, s.config.ClientCA)
	}
	return names
}

func (s *certificates) changed() bool {
	for i, name := range s.names() {
		file, err := os.Stat(name)
		if err != nil {
			return true // load says what is wrong
		}
		old := s.files[i]
		if !os.SameFile(file, old) || file.Size() != old.Size() || !file.ModTime().Equal(old.ModTime()) {
			return true
		}
	}
	return false
}

func (s *certificates) load() error {
	// The files' marks are taken before they are read: a change in between is
	// found the next time.
	var files []fs.FileInfo
	for _, name := range s.names() {
		file, err := os.Stat(name)
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	pair, err := tls.LoadX509KeyPair(s.config.Cert, s.config.Key)
	if err != nil {
		return fmt.Errorf("load certificate %q with key %q: %w", s.config.Cert, s.config.Key, err)
	}
	c := &tls.Config{
		Certificates: []tls.Certificate{pair},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"},
	}
	if s.config.MinVersion == "1.3" {
		c.MinVersion = tls.VersionTLS13
	}
	if name := s.config.ClientCA; name != "" {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		c.ClientCAs = x509.NewCertPool()
		if !c.ClientCAs.AppendCertsFromPEM(text) {
			return fmt.Errorf("load client CA %q: %w", name, errors.New("no PEM certificate in it"))
		}
		c.ClientAuth = tls.RequireAndVerifyClientCert
		// A resumed session would outlive a change of the authorities.
		c.SessionTicketsDisabled = true
	}
	s.current, s.files = c, files
	return nil
}
