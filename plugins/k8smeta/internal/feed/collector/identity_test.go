// SPDX-License-Identifier: Apache-2.0

package collector_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed/collector"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed/feedtest"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/standin"
)

// files are an authority's certificate and a client's, in files.
type files struct {
	*testing.T
	dir                      string
	authority                *standin.Authority
	bundle, certificate, key string
}

func newFiles(t *testing.T) *files {
	a, err := standin.NewAuthority()
	require.NoError(t, err)
	f := &files{T: t, dir: t.TempDir(), authority: a}
	f.bundle = f.write("ca.pem", a.PEM)
	certificate, key, err := a.Issue("falco")
	require.NoError(t, err)
	f.certificate, f.key = f.write("falco.pem", certificate), f.write("falco.key", key)
	return f
}

func (f *files) write(name string, text []byte) string {
	f.Helper()
	path := filepath.Join(f.dir, name)
	require.NoError(f, os.WriteFile(path, text, 0o600))
	return path
}

func (f *files) server(r *rig, mutual bool) *standin.Collector {
	f.Helper()
	secure, err := f.authority.ServerTLS(mutual)
	require.NoError(f, err)
	return r.collector("127.0.0.1:0", standin.CollectorOptions{TLS: secure})
}

func TestTLS(t *testing.T) {
	r, f := newRig(t), newFiles(t)
	for _, host := range []string{"127.0.0.1", "localhost"} {
		stop := r.run(collector.Config{Host: host, Port: f.server(r, false).Port(), CABundle: f.bundle})
		r.Await(feedtest.Size(11))
		stop()
	}
}

func TestMutualTLS(t *testing.T) {
	r, f := newRig(t), newFiles(t)
	r.run(collector.Config{Port: f.server(r, true).Port(), CABundle: f.bundle, ClientCertificate: f.certificate, ClientKey: f.key})
	r.Await(feedtest.Size(11))
}

func TestThereIsNoWayAroundTLS(t *testing.T) {
	other := newFiles(t)
	for name, c := range map[string]func(f *files, c *standin.Collector) collector.Config{
		"a collector of another authority": func(_ *files, c *standin.Collector) collector.Config {
			return collector.Config{Port: c.Port(), CABundle: other.bundle, ClientCertificate: other.certificate, ClientKey: other.key}
		},
		"no client certificate": func(f *files, c *standin.Collector) collector.Config {
			return collector.Config{Port: c.Port(), CABundle: f.bundle}
		},
		"a client certificate of another authority": func(f *files, c *standin.Collector) collector.Config {
			return collector.Config{Port: c.Port(), CABundle: f.bundle, ClientCertificate: other.certificate, ClientKey: other.key}
		},
		"no TLS": func(_ *files, c *standin.Collector) collector.Config { return collector.Config{Port: c.Port()} },
	} {
		t.Run(name, func(t *testing.T) {
			r, f := newRig(t), newFiles(t)
			r.run(c(f, f.server(r, true)))
			lines := r.Lines.Await(r.Ctx.Done(), 1)
			assert.Contains(t, lines[len(lines)-1], "trying again until it is there")
			assert.Empty(t, r.Tables.All())
		})
	}
}

func TestARenewedBundleServesTheNextAttempt(t *testing.T) {
	r, f, other := newRig(t), newFiles(t), newFiles(t)
	r.run(collector.Config{Port: f.server(r, false).Port(), CABundle: other.bundle})
	r.Lines.Await(r.Ctx.Done(), 1)
	other.write("ca.pem", f.authority.PEM)
	r.Await(feedtest.Size(11))
}

func TestABundleThatBecomesUnreadableLeavesTheOneBefore(t *testing.T) {
	r, f := newRig(t), newFiles(t)
	c := f.server(r, false)
	r.run(collector.Config{Port: c.Port(), CABundle: f.bundle})
	r.Await(feedtest.Size(11))
	f.write("ca.pem", nil)
	c.End(0, "")
	r.Apply("{kind: Pod, metadata: {name: new, namespace: jobs}, spec: {nodeName: node-1}}")
	r.Await(func(all map[string]feedtest.Resource) bool { return len(all) == 12 })
}

func TestClientCertificatesThatCannotBeUsedAreRefused(t *testing.T) {
	f := newFiles(t)
	for name, c := range map[string]struct{ certificate, key, want string }{
		"a certificate alone":                 {f.certificate, "", "give both or neither"},
		"a key alone":                         {"", f.key, "give both or neither"},
		"a key that is not the certificate's": {f.certificate, newFiles(t).key, "private key does not match public key"},
		"a file that is not there":            {f.dir + "/none", f.key, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := collector.New(collector.Config{Host: "h", Port: 1, CABundle: f.bundle, ClientCertificate: c.certificate, ClientKey: c.key})
			assert.ErrorContains(t, err, c.want)
		})
	}
}
