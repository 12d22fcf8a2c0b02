// SPDX-License-Identifier: Apache-2.0

package index

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/aerie-falco/aerie/build/oci"
	"github.com/aerie-falco/aerie/build/workspace"
)

const ledger = `plugins:
  - name: sample
    description: A sample
    authors: Jo
    contact: https://example.org
    maintainers: [{name: Jo, email: jo@example.org}, {name: Mo}]
    keywords: [samples, sample]
    url: https://example.org/sample
    rules_url: https://example.org/sample/rules
    license: Apache-2.0
    capabilities: {extraction: {supported: true}}
    signature: {cosign: {certificate-oidc-issuer: https://issuer.example.org, certificate-identity-regexp: ^https://example.org/.+}}
  - name: held
    reserved: true
    capabilities: {sourcing: {supported: true, id: 7}}
  - name: quiet
    description: No rules
    authors: Jo
    contact: https://example.org
    url: https://example.org/quiet
    license: MIT
    capabilities: {extraction: {supported: true}}
`

// falcoctlEntry is what falcoctl reads: every key it knows, of the type that it wants.
type falcoctlEntry struct {
	Name        string   `yaml:"name"`
	Type        string   `yaml:"type"`
	Registry    string   `yaml:"registry"`
	Repository  string   `yaml:"repository"`
	Description string   `yaml:"description"`
	Home        string   `yaml:"home"`
	Keywords    []string `yaml:"keywords"`
	License     string   `yaml:"license"`
	Maintainers []struct {
		Email string `yaml:"email"`
		Name  string `yaml:"name"`
	} `yaml:"maintainers"`
	Sources   []string `yaml:"sources"`
	Signature struct {
		Cosign struct {
			Issuer         string `yaml:"certificate-oidc-issuer"`
			IssuerRegexp   string `yaml:"certificate-oidc-issuer-regexp"`
			Identity       string `yaml:"certificate-identity"`
			IdentityRegexp string `yaml:"certificate-identity-regexp"`
		} `yaml:"cosign"`
	} `yaml:"signature"`
}

func written(t *testing.T, w workspace.Workspace) []falcoctlEntry {
	t.Helper()
	text, err := os.ReadFile(File(w))
	require.NoError(t, err)
	var entries []falcoctlEntry
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	require.NoError(t, d.Decode(&entries))
	return entries
}

func TestTheIndexHasWhatIsPublishedAndNothingElse(t *testing.T) {
	w := workspace.Workspace{Root: t.TempDir()}
	require.NoError(t, os.WriteFile(w.Path("registry.yaml"), []byte(ledger), 0o644))
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	target, err := oci.ParseTarget(host+"/org/plugins", oci.Options{HTTP: server.Client()})
	require.NoError(t, err)

	n, err := Write(t.Context(), w, target)
	require.NoError(t, err)
	assert.Zero(t, n)
	assert.Empty(t, written(t, w))

	for _, ref := range []string{"plugin/sample:latest", "ruleset/sample:latest", "plugin/held:latest", "plugin/quiet:1.0.0-rc1"} {
		to, err := name.ParseReference(host + "/org/plugins/" + ref)
		require.NoError(t, err)
		require.NoError(t, remote.Write(to, empty.Image))
	}
	n, err = Write(t.Context(), w, target)
	require.NoError(t, err)
	assert.Equal(t, 2, n)
	entries := written(t, w)
	require.Len(t, entries, 2)
	plugin, rules := entries[0], entries[1]
	assert.Equal(t, "^https://example.org/.+", plugin.Signature.Cosign.IdentityRegexp)
	assert.Equal(t, "https://issuer.example.org", rules.Signature.Cosign.Issuer)
	assert.Len(t, plugin.Maintainers, 2)
	assert.Equal(t, "jo@example.org", plugin.Maintainers[0].Email)
	plugin.Maintainers, rules.Maintainers = nil, nil
	plugin.Signature, rules.Signature = falcoctlEntry{}.Signature, falcoctlEntry{}.Signature
	assert.Equal(t, falcoctlEntry{
		Name: "sample", Type: "plugin", Registry: host, Repository: "org/plugins/plugin/sample", Description: "A sample",
		Home: "https://example.org/sample", Keywords: []string{"samples", "sample"}, License: "Apache-2.0", Sources: []string{"https://example.org/sample"},
	}, plugin)
	assert.Equal(t, falcoctlEntry{
		Name: "sample-rules", Type: "rulesfile", Registry: host, Repository: "org/plugins/ruleset/sample", Description: "Rules for the plugin sample: A sample",
		Home: "https://example.org/sample/rules", Keywords: []string{"samples", "sample", "sample-rules"}, License: "Apache-2.0", Sources: []string{"https://example.org/sample/rules"},
	}, rules)
}

func TestWhatARegistryDeniesIsLeftOutUnlessItDeniesAll(t *testing.T) {
	w := workspace.Workspace{Root: t.TempDir()}
	require.NoError(t, os.WriteFile(w.Path("registry.yaml"), []byte(ledger), 0o644))
	all := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	allowed := "/quiet/"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/" && !strings.Contains(r.URL.Path, allowed) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		all.ServeHTTP(w, r)
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	to, err := name.ParseReference(host + "/org/plugins/plugin/quiet:latest")
	require.NoError(t, err)
	require.NoError(t, remote.Write(to, empty.Image))
	target, err := oci.ParseTarget(host+"/org/plugins", oci.Options{HTTP: server.Client()})
	require.NoError(t, err)
	n, err := Write(t.Context(), w, target)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.Equal(t, "quiet", written(t, w)[0].Name)

	allowed = "nothing"
	_, err = Write(t.Context(), w, target)
	require.ErrorIs(t, err, oci.ErrDenied)
	assert.Len(t, written(t, w), 1)
}

func TestARegistryThatDoesNotAnswerLeavesTheIndexAsItWas(t *testing.T) {
	w := workspace.Workspace{Root: t.TempDir()}
	require.NoError(t, os.WriteFile(w.Path("registry.yaml"), []byte(ledger), 0o644))
	server := httptest.NewServer(nil)
	target, err := oci.ParseTarget(strings.TrimPrefix(server.URL, "http://")+"/org/plugins", oci.Options{HTTP: server.Client()})
	require.NoError(t, err)
	server.Close()
	_, err = Write(t.Context(), w, target)
	require.ErrorContains(t, err, "writing the index: looking for org/plugins/plugin/quiet:latest: ")
	assert.NoFileExists(t, File(w))
}
