// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
)

// identity is whom the source trusts and who it says it is, from files that are
// read again for each connection: certificates are renewed while Falco runs. A
// file that has become unreadable leaves what was read before. There is no way
// from here to a connection without TLS.
type identity struct {
	name                     string // of the server, as its certificate must have it
	bundle, certificate, key string // files; the last two may be empty

	mu    sync.Mutex
	roots *x509.CertPool
	own   *tls.Certificate
}

// read reads the files, and keeps what it had if one of them is no good.
func (i *identity) read() error {
	pem, err := os.ReadFile(i.bundle)
	if err != nil {
		return fmt.Errorf("read CA bundle: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("read CA bundle %q: there is no PEM certificate in it", i.bundle)
	}
	var own *tls.Certificate
	switch {
	case (i.certificate == "") != (i.key == ""):
		return errors.New("client certificate and key: give both or neither")
	case i.certificate != "":
		pair, err := tls.LoadX509KeyPair(i.certificate, i.key)
		if err != nil {
			return fmt.Errorf("read client certificate %q and key %q: %w", i.certificate, i.key, err)
		}
		own = &pair
	}
	i.mu.Lock()
	i.roots, i.own = roots, own
	i.mu.Unlock()
	return nil
}

// config is for one connection.
func (i *identity) config() *tls.Config {
	_ = i.read()
	i.mu.Lock()
	defer i.mu.Unlock()
	c := &tls.Config{ServerName: i.name, RootCAs: i.roots, MinVersion: tls.VersionTLS12}
	if i.own != nil {
		c.Certificates = []tls.Certificate{*i.own}
	}
	return c
}
