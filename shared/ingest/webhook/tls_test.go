// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// authority signs certificates.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t testing.TB, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{t, cert, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// issue returns a certificate and its key, both PEM.
func (a *authority) issue(name string) (cert, key []byte) {
	a.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &private.PublicKey, a.key)
	require.NoError(a.t, err)
	der2, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(a.t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der2})
}

func (a *authority) pair(name string) tls.Certificate {
	a.t.Helper()
	pair, err := tls.X509KeyPair(a.issue(name))
	require.NoError(a.t, err)
	return pair
}

// tlsFiles writes a certificate and its key, and returns the config for them.
func tlsFiles(a *authority, name, more string) (text, cert, key string) {
	certPEM, keyPEM := a.issue(name)
	cert, key = file(a.t, "cert.pem", string(certPEM)), file(a.t, "key.pem", string(keyPEM))
	return fmt.Sprintf(`{"tls": {"cert": %q, "key": %q%s}}`, cert, key, more), cert, key
}

func TestTLS(t *testing.T) {
	ca := newAuthority(t, "ca")
	text, _, _ := tlsFiles(ca, "server", "")
	l := listen(t, text, local())
	payloads := newFramework(t, l).run()
	c := client(t, &tls.Config{RootCAs: ca.pool(), NextProtos: []string{"h2", "http/1.1"}})
	assert.Equal(t, 200, send(t, c, request(t, "https://"+l.Addr(), strings.NewReader("x"))).code)
	assert.Equal(t, []string{"x"}, payloads())

	t.Run("an old version is refused", func(t *testing.T) {
		_, err := tls.Dial("tcp", l.Addr(), &tls.Config{RootCAs: ca.pool(), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
		assert.ErrorContains(t, err, "protocol version")
	})
	t.Run("plain HTTP is told so", func(t *testing.T) {
		c := dial(t, l)
		c.send("POST / HTTP/1.1\nHost: h\nContent-Length: 1\n\nx")
		assert.Equal(t, 400, c.answer().code)
	})
	t.Run("garbage ends its connection", func(t *testing.T) {
		before := l.counters.handshakes.Value()
		c := dial(t, l)
		c.send("\x16\x03\x01\xff\xffgarbage garbage garbage garbage\n\n\n")
		require.NoError(t, c.Conn.(*net.TCPConn).CloseWrite())
		io.Copy(io.Discard, c.Conn)
		eventually(t, "the handshake is counted as failed", func() bool { return l.counters.handshakes.Value() > before })
	})
	t.Run("a client that does not trust the certificate is the client's concern", func(t *testing.T) {
		_, err := tls.Dial("tcp", l.Addr(), &tls.Config{})
		assert.Error(t, err)
	})
	assert.Equal(t, 200, send(t, c, request(t, "https://"+l.Addr(), strings.NewReader("y"))).code)
	assert.Equal(t, []string{"x", "y"}, payloads())
}

func TestTLSWithCertificateAndKeyInOneFile(t *testing.T) {
	ca := newAuthority(t, "ca")
	cert, key := ca.issue("server")
	l := listen(t, fmt.Sprintf(`{"tls": {"cert": %q, "minVersion": "1.3"}}`, file(t, "both.pem", string(key)+string(cert))), local())
	newFramework(t, l).run()
	c := client(t, &tls.Config{RootCAs: ca.pool()})
	assert.Equal(t, 200, send(t, c, request(t, "https://"+l.Addr(), strings.NewReader("x"))).code)
	_, err := tls.Dial("tcp", l.Addr(), &tls.Config{RootCAs: ca.pool(), MaxVersion: tls.VersionTLS12})
	assert.ErrorContains(t, err, "protocol version")
}

func TestClientCertificates(t *testing.T) {
	ca, other := newAuthority(t, "ca"), newAuthority(t, "other")
	text, _, _ := tlsFiles(ca, "server", fmt.Sprintf(`, "clientCA": %q`, file(t, "ca.pem", string(ca.pem))))
	l := listen(t, text, local())
	payloads := newFramework(t, l).run()
	for name, c := range map[string]struct {
		certificates []tls.Certificate
		accepted     bool
	}{
		"signed by the authority": {[]tls.Certificate{ca.pair("client")}, true},
		"signed by another":       {[]tls.Certificate{other.pair("client")}, false},
		"none":                    {nil, false},
	} {
		before := l.counters.handshakes.Value()
		answer, err := client(t, &tls.Config{RootCAs: ca.pool(), Certificates: c.certificates}).
			Do(request(t, "https://"+l.Addr(), strings.NewReader(name)))
		if c.accepted {
			require.NoError(t, err, name)
			assert.Equal(t, 200, answer.StatusCode, name)
			answer.Body.Close()
		} else {
			assert.Error(t, err, name)
			eventually(t, "the handshake is counted as failed", func() bool { return l.counters.handshakes.Value() > before })
		}
	}
	assert.Equal(t, []string{"signed by the authority"}, payloads())
}

func TestTLSFilesThatCannotBeUsedFailTheOpening(t *testing.T) {
	ca := newAuthority(t, "ca")
	cert, _ := ca.issue("one")
	_, key := ca.issue("two")
	for name, c := range map[string]struct{ section, err string }{
		"no such file":         {`{"cert": "/nonexistent"}`, "tls: stat /nonexistent: no such file or directory"},
		"a certificate alone":  {fmt.Sprintf(`{"cert": %q}`, file(t, "c.pem", string(cert))), "tls: load certificate"},
		"a key of another":     {fmt.Sprintf(`{"cert": %q, "key": %q}`, file(t, "c.pem", string(cert)), file(t, "k.pem", string(key))), "private key does not match public key"},
		"an authority of none": {fmt.Sprintf(`{"cert": %q, "clientCA": %q}`, file(t, "both.pem", func() string { c, k := ca.issue("s"); return string(c) + string(k) }()), file(t, "ca.pem", "no PEM")), "no PEM certificate in it"},
	} {
		e := local()
		_, err := Listen(t.Context(), settings(t, `{"tls": `+c.section+`}`), e)
		assert.ErrorContains(t, err, c.err, name)
	}
}

func TestCertificatesAreReadAgainWhenTheirFilesChange(t *testing.T) {
	ca := newAuthority(t, "ca")
	text, certFile, keyFile := tlsFiles(ca, "one", "")
	var warnings []error
	s, err := loadCertificates(*settings(t, text).TLS, func(err error) { warnings = append(warnings, err) })
	require.NoError(t, err)
	now := time.Now()
	name := func() string {
		cert, err := x509.ParseCertificate(s.get(now).Certificates[0].Certificate[0])
		require.NoError(t, err)
		return cert.Subject.CommonName
	}
	assert.Equal(t, "one", name())
	unchanged := s.get(now)
	now = now.Add(recheck)
	assert.Same(t, unchanged, s.get(now))

	// As a mounted secret changes: another file takes the name.
	replace := func(path string, content []byte) {
		t.Helper()
		next := filepath.Join(filepath.Dir(path), "next")
		require.NoError(t, os.WriteFile(next, content, 0o600))
		require.NoError(t, os.Rename(next, path))
	}
	cert, key := ca.issue("two")
	replace(certFile, cert)
	assert.Equal(t, "one", name(), "not at every handshake")
	now = now.Add(recheck)
	assert.Equal(t, "one", name(), "a certificate without its key is not used")
	require.Len(t, warnings, 1)
	assert.ErrorContains(t, warnings[0], "the certificate of before stays in use")
	replace(keyFile, key)
	now = now.Add(recheck)
	assert.Equal(t, "two", name())
	assert.Len(t, warnings, 1)

	require.NoError(t, os.Remove(certFile))
	now = now.Add(recheck)
	assert.Equal(t, "two", name())
	assert.Len(t, warnings, 2)
}

func TestANewCertificateIsServedWithoutAnotherOpening(t *testing.T) {
	ca := newAuthority(t, "ca")
	text, certFile, keyFile := tlsFiles(ca, "one", "")
	l := listen(t, text, local())
	peer := func() string {
		c, err := tls.Dial("tcp", l.Addr(), &tls.Config{RootCAs: ca.pool()})
		require.NoError(t, err)
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	assert.Equal(t, "one", peer())
	cert, key := ca.issue("two")
	require.NoError(t, os.WriteFile(keyFile, key, 0o600))
	require.NoError(t, os.WriteFile(certFile, cert, 0o600))
	eventually(t, "the new certificate is served", func() bool { return peer() == "two" })
}
