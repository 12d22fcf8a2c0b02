// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed/feedtest"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/standin"
)

func write(t *testing.T, dir, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

// kubeconfigOf is the text of a kubeconfig file with one cluster and one user.
func kubeconfigOf(cluster, user string) []byte {
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
preferences: {}
current-context: here
contexts:
- {name: elsewhere, context: {cluster: none, user: none}}
- {name: here, context: {cluster: c, user: u, namespace: x}}
clusters:
- {name: c, cluster: {%s}}
users:
- {name: u, user: {%s}}
`, cluster, user)
}

func TestAPodsServiceAccount(t *testing.T) {
	authority, err := standin.NewAuthority()
	require.NoError(t, err)
	secure, err := authority.ServerTLS(false)
	require.NoError(t, err)
	r := newRig(t, standin.APIOptions{TLS: secure, Token: "secret"})
	dir := t.TempDir()
	write(t, dir, "token", []byte("secret\n"))
	write(t, dir, "ca.crt", authority.PEM)
	host, port, _ := strings.Cut(r.api.Address(), ":")
	environment := map[string]string{"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
	access := func() (*access, error) { return inCluster(func(name string) string { return environment[name] }, dir) }
	r.Run(&Source{node: "node-1", access: access})
	r.Await(feedtest.Size(11))

	write(t, dir, "ca.crt", nil)
	_, err = access()
	require.ErrorContains(t, err, "read the service account's CA: there is no PEM certificate in it")
	require.NoError(t, os.Remove(dir+"/token"))
	_, err = access()
	require.ErrorContains(t, err, "read the service account's token")
	clear(environment)
	_, err = access()
	require.ErrorContains(t, err, "outside of a pod, give a kubeconfig file")
}

func TestAnIPv6ServiceAddress(t *testing.T) {
	dir := t.TempDir()
	authority, err := standin.NewAuthority()
	require.NoError(t, err)
	write(t, dir, "token", []byte("x"))
	write(t, dir, "ca.crt", authority.PEM)
	a, err := inCluster(func(name string) string {
		return map[string]string{"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}[name]
	}, dir)
	require.NoError(t, err)
	assert.Equal(t, "https://[fd00::1]:443", a.server.String())
}

func TestAKubeconfigWithClientCertificates(t *testing.T) {
	authority, err := standin.NewAuthority()
	require.NoError(t, err)
	secure, err := authority.ServerTLS(true)
	require.NoError(t, err)
	var protocol atomic.Value
	r := newRig(t, standin.APIOptions{TLS: secure, Intercept: func(_ http.ResponseWriter, q *http.Request) bool {
		if q.URL.Path == "/api/v1/pods" && !q.URL.Query().Has("watch") {
			protocol.Store(q.Proto)
		}
		return false
	}})
	certificate, key, err := authority.Issue("falco")
	require.NoError(t, err)
	dir := t.TempDir()
	write(t, dir, "ca.pem", authority.PEM)
	write(t, dir, "falco.pem", certificate)
	write(t, dir, "falco.key", key)
	data := base64.StdEncoding.EncodeToString
	for name, text := range map[string][]byte{
		"as files beside it": kubeconfigOf("server: "+r.api.URL()+", certificate-authority: ca.pem", "client-certificate: falco.pem, client-key: falco.key"),
		"inside of it": kubeconfigOf("server: "+r.api.URL()+", certificate-authority-data: "+data(authority.PEM),
			"client-certificate-data: "+data(certificate)+", client-key-data: "+data(key)),
		"with no check of the server": kubeconfigOf("server: "+r.api.URL()+", insecure-skip-tls-verify: true", "client-certificate: falco.pem, client-key: falco.key"),
	} {
		s, err := New(Config{NodeName: "node-1", Kubeconfig: write(t, dir, "config", text)})
		require.NoError(t, err, name)
		stop := r.Run(s)
		r.Await(feedtest.Size(11))
		stop()
		assert.Equal(t, "HTTP/2.0", protocol.Load(), "watches share a connection")
	}
	s, err := New(Config{NodeName: "node-1", Kubeconfig: write(t, dir, "config", kubeconfigOf("server: "+r.api.URL(), ""))})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	assert.ErrorContains(t, s.Run(ctx, nil), "certificate", "an unknown authority, and no certificate of its own")
}

func TestKubeconfigsThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	server := "server: https://10.0.0.1:6443"
	for name, c := range map[string]struct {
		text []byte
		want string
	}{
		"no YAML":                 {[]byte("\t{"), "yaml"},
		"no current context":      {[]byte("{}"), "current-context is missing"},
		"a context that is not":   {[]byte("current-context: x"), `there is no context "x"`},
		"a cluster that is not":   {[]byte("{current-context: x, contexts: [{name: x, context: {cluster: y}}]}"), `there is no cluster "y"`},
		"a user that is not":      {[]byte("{current-context: x, contexts: [{name: x, context: {cluster: y, user: z}}]}"), `there is no user "z"`},
		"no server":               {kubeconfigOf("", ""), `server "" is no URL of an API server`},
		"a server without scheme": {kubeconfigOf("server: 'a:b'", ""), `server "a:b" is no URL of an API server`},
		"a program":               {kubeconfigOf(server, "exec: {command: aws}"), "a plugin inside Falco does not run; use a token"},
		"an auth provider":        {kubeconfigOf(server, "auth-provider: {name: gcp}"), "a plugin inside Falco does not run"},
		"a CA that is not there":  {kubeconfigOf(server+", certificate-authority: none.pem", ""), "certificate-authority: open " + dir + "/none.pem"},
		"a CA that is none":       {kubeconfigOf(server+", certificate-authority-data: eA==", ""), "certificate-authority: there is no PEM certificate in it"},
		"a CA in another code":    {kubeconfigOf(server+", certificate-authority-data: '%'", ""), "certificate-authority-data: illegal base64"},
		"a proxy that is none":    {kubeconfigOf(server+", proxy-url: 'http://u:secret@h:x y'", ""), "proxy-url is no URL, such as"},
		"a certificate alone":     {kubeconfigOf(server, "client-certificate-data: eA=="), "client-certificate and client-key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(Config{NodeName: "n", Kubeconfig: write(t, dir, "config", c.text)})
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.want)
			assert.Contains(t, err.Error(), "kubernetes: read kubeconfig")
			assert.NotContains(t, err.Error(), "secret")
		})
	}
	_, err := New(Config{NodeName: "n", Kubeconfig: dir + "/none"})
	require.ErrorContains(t, err, "no such file")
	_, err = New(Config{Kubeconfig: dir + "/config"})
	require.ErrorContains(t, err, "the node's name is empty")
}

func TestBasicAuthenticationAndTokens(t *testing.T) {
	for name, c := range map[string]struct{ user, want string }{
		"a token":             {"token: t", "Bearer t"},
		"a name and password": {"username: u, password: p", "Basic dTpw"},
		"nothing":             {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := readKubeconfig(write(t, t.TempDir(), "config", kubeconfigOf("server: 'http://h:1/prefix'", c.user)))
			require.NoError(t, err)
			request, err := http.NewRequest(http.MethodGet, "http://h:1", nil)
			require.NoError(t, err)
			require.NoError(t, a.authorize(request))
			assert.Equal(t, c.want, request.Header.Get("Authorization"))
			assert.Equal(t, "http://h:1/prefix/api/v1/pods", a.server.JoinPath("/api/v1/pods").String(), "behind a gateway")
		})
	}
}
