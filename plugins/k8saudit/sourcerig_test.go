// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/ingest/webhook"
	"github.com/aerie-falco/aerie/shared/plugin/source"
)

// patience bounds what must happen; no test passes by waiting for it.
const patience = 30 * time.Second

// rig is an open source, with the framework's part played by hand.
type rig struct {
	t        *testing.T
	instance source.Instance
	batch    *source.Batch
	url      string // of a webhook
	client   *http.Client
}

func state(t *testing.T, config string) *Plugin {
	t.Helper()
	p := New()
	require.NoError(t, p.Init(nil, config))
	return p
}

func open(t *testing.T, config, params string) *rig {
	t.Helper()
	p := state(t, config)
	in, err := p.Open(t.Context(), params)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, in.Close()) })
	b := source.NewBatch(in.(source.EventSizer).MaxEventSize(), source.DefaultMaxBatchBytes)
	t.Cleanup(b.Free)
	r := &rig{t: t, instance: in, batch: b}
	if l, ok := in.(*webhook.Listener); ok {
		scheme, rest, _ := strings.Cut(params, "://")
		path := ""
		if at := strings.IndexByte(rest, '/'); at >= 0 {
			path = rest[at:]
		}
		r.url = scheme + "://" + l.Addr() + path
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	r.client = &http.Client{Transport: transport, Timeout: patience}
	return r
}

// next returns the events of one batch that has any, which are not consumed yet.
func (r *rig) next() []emitted {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	require.NoError(r.t, r.instance.Next(ctx, r.batch))
	require.NotZero(r.t, r.batch.Len(), "no events came")
	return r.events()
}

func (r *rig) events() []emitted {
	var got []emitted
	r.batch.Events(func(payload []byte, time uint64) bool {
		got = append(got, emitted{string(payload), time})
		return true
	})
	return got
}

// all reads a source that ends.
func (r *rig) all() []emitted {
	r.t.Helper()
	got := []emitted{}
	for {
		err := r.instance.Next(r.t.Context(), r.batch)
		got = append(got, r.events()...)
		r.batch.Deliver(true)
		if err != nil {
			require.ErrorIs(r.t, err, io.EOF)
			return got
		}
	}
}

// nothing checks that no event is there.
func (r *rig) nothing() {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	cancel()
	require.NoError(r.t, r.instance.Next(ctx, r.batch), "being idle is no error")
	require.Zero(r.t, r.batch.Len())
}

type reply struct {
	code   int
	text   string
	header http.Header
	err    error
}

// post sends a body as an API server does, and does not wait.
func (r *rig) post(body string) <-chan reply {
	return r.send("POST", r.url, "application/json", strings.NewReader(body))
}

func (r *rig) send(method, url, contentType string, body io.Reader, header ...string) <-chan reply {
	r.t.Helper()
	request, err := http.NewRequest(method, url, body)
	require.NoError(r.t, err)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	replies := make(chan reply, 1)
	go func() {
		answer, err := r.client.Do(request)
		if err != nil {
			replies <- reply{err: err}
			return
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		replies <- reply{answer.StatusCode, strings.TrimSuffix(string(text), "\n"), answer.Header, err}
	}()
	return replies
}

func (r *rig) answer(replies <-chan reply) reply {
	r.t.Helper()
	select {
	case got := <-replies:
		require.NoError(r.t, got.err)
		return got
	case <-time.After(patience):
		require.Fail(r.t, "no answer came")
		return reply{}
	}
}

// lives sends one event all the way.
func (r *rig) lives() {
	r.t.Helper()
	answer := r.post(two)
	assert.Equal(r.t, []string{two}, payloads(r.next()))
	r.batch.Deliver(true)
	assert.Equal(r.t, 200, r.answer(answer).code)
}

// write writes a file that is as old as said.
func write(t *testing.T, name, text string, age time.Duration) string {
	t.Helper()
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	at := time.Now().Add(-age)
	require.NoError(t, os.Chtimes(name, at, at))
	return name
}

// appendTo writes more to a file.
func appendTo(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	defer f.Close()
	_, err = f.WriteString(text)
	require.NoError(t, err)
}

// authority signs certificates for 127.0.0.1.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	a.cert, a.key, _ = a.sign("authority", true)
	return a
}

func (a *authority) sign(name string, authority bool) (*x509.Certificate, *ecdsa.PrivateKey, []byte) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:        authority, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	parent, parentKey := template, key
	if a.cert != nil {
		parent, parentKey = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	require.NoError(a.t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(a.t, err)
	return cert, key, der
}

// file writes the key, the certificate and its chain into one PEM file, in this order, or
// the certificates only.
func (a *authority) file(withKey bool) string {
	_, key, der := a.sign("server", false)
	var text []byte
	if withKey {
		private, err := x509.MarshalPKCS8PrivateKey(key)
		require.NoError(a.t, err)
		text = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	}
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})...)
	return write(a.t, filepath.Join(a.t.TempDir(), "both.pem"), string(text), 0)
}

// trusts makes the client trust the authority, and show these certificates.
func (r *rig) trusts(a *authority, pairs ...tls.Certificate) {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: pairs}}
	r.t.Cleanup(transport.CloseIdleConnections)
	r.client = &http.Client{Transport: transport, Timeout: patience}
}

// pair is a certificate for a client.
func (a *authority) pair() tls.Certificate {
	_, key, der := a.sign("client", false)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
