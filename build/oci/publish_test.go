// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/archive"
	"github.com/aerie-falco/aerie/build/licences"
	"github.com/aerie-falco/aerie/build/release"
	"github.com/aerie-falco/aerie/build/ruleset"
)

const created = "2026-11-22T10:12:13Z"

// packaged writes a release of a plugin as package release would, with libraries that are none.
func packaged(t *testing.T, version, content string) release.Packaged {
	t.Helper()
	when, err := time.Parse(time.RFC3339, created)
	require.NoError(t, err)
	facts := release.Compatibility{
		Name: "sample", Version: version, Created: created, PluginAPI: "3.12.0", Platforms: map[string]release.Platform{},
		Rules: &release.Rules{Engine: "0.31.0", Plugins: []ruleset.Dependency{
			{Plugin: ruleset.Plugin{Name: "json", Version: "0.8.0"}, Alternatives: []ruleset.Plugin{{Name: "jsonish", Version: "0.1.0"}}},
			{Plugin: ruleset.Plugin{Name: "sample", Version: "1.2.0"}},
		}},
	}
	files := map[string][]byte{}
	for _, arch := range []string{"amd64", "arm64"} {
		packed, err := archive.TarGz([]archive.File{{Name: "libsample.so", Content: []byte(content + arch)}}, when)
		require.NoError(t, err)
		files[release.TarballFile("sample", version, arch)] = packed
		files[release.SBOMFile("sample", version, arch)] = []byte("linked into " + arch)
		facts.Platforms["linux/"+arch] = release.Platform{Library: "libsample.so", SHA256: licences.Sum([]byte(content + arch)), Glibc: "2.17"}
	}
	rules, err := archive.TarGz([]archive.File{{Name: "sample_rules.yaml", Content: []byte("- list: " + content)}}, when)
	require.NoError(t, err)
	files[release.RulesFile("sample", version)] = rules
	files[release.LicencesFile("sample", version)] = []byte("licences")
	text, err := json.Marshal(facts)
	require.NoError(t, err)
	files[release.CompatibilityFile("sample", version)] = text
	var sums, subjects strings.Builder
	for file, content := range files {
		fmt.Fprintf(&sums, "%s  %s\n", licences.Sum(content), file)
		fmt.Fprintf(&subjects, `,{"name":%q,"digest":{"sha256":%q}}`, file, licences.Sum(content))
	}
	files[release.SumsFile] = []byte(sums.String())
	files[release.ProvenanceFile("sample", version)] = []byte(`{"subject":[` + subjects.String()[1:] + `]}`)

	dir := t.TempDir()
	for file, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), content, 0o644))
	}
	p, err := release.Open(dir)
	require.NoError(t, err)
	return p
}

// server is a whole registry, which counts what would change it and can be made to fail.
type server struct {
	http.Handler
	mu     sync.Mutex
	writes []string // method and path
	left   int      // writes that still succeed; negative: all
	late   bool     // the write that fails is carried out, and only its answer is lost
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		s.mu.Lock()
		s.writes = append(s.writes, r.Method+" "+r.URL.Path)
		fail := s.left == 0
		if s.left > 0 {
			s.left--
		}
		s.mu.Unlock()
		if fail {
			if s.late {
				s.Handler.ServeHTTP(httptest.NewRecorder(), r)
			}
			panic(http.ErrAbortHandler) // the connection breaks
		}
	}
	s.Handler.ServeHTTP(w, r)
}

// limit forgets the writes so far, and lets n more succeed; negative: all.
func (s *server) limit(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left, s.writes = n, nil
}

// sent are the writes since limit.
func (s *server) sent() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.writes)
}

func start(t *testing.T, o ...registry.Option) (*server, Target) {
	t.Helper()
	quiet := registry.Logger(log.New(io.Discard, "", 0))
	s := &server{Handler: registry.New(append(o, quiet)...), left: -1}
	web := httptest.NewUnstartedServer(s)
	web.Config.ErrorLog = log.New(io.Discard, "", 0)
	web.Start()
	t.Cleanup(web.Close)
	target, err := ParseTarget(strings.TrimPrefix(web.URL, "http://")+"/org/plugins", Options{HTTP: web.Client()}) // repeats nothing
	require.NoError(t, err)
	return s, target
}

// reference names what an independent client is to look at.
func reference(t *testing.T, target Target, repository, tag string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(target.Registry + "/org/plugins/" + repository + ":" + tag)
	require.NoError(t, err)
	return ref
}

func publish(t *testing.T, p release.Packaged, target Target) []Published {
	t.Helper()
	all, err := Publish(t.Context(), p, "sample", target, t.Output())
	require.NoError(t, err)
	return all
}

func rawJSON(t *testing.T, text []byte, err error) map[string]any {
	t.Helper()
	require.NoError(t, err)
	var v map[string]any
	require.NoError(t, json.Unmarshal(text, &v))
	return v
}

func layer(t *testing.T, image v1.Image) []archive.File {
	t.Helper()
	layers, err := image.Layers()
	require.NoError(t, err)
	require.Len(t, layers, 1)
	packed, err := layers[0].Compressed()
	require.NoError(t, err)
	defer packed.Close()
	files, err := archive.Untar(packed, 1<<20)
	require.NoError(t, err)
	return files
}

func TestThePluginIsWhatFalcoctlExpects(t *testing.T) {
	_, target := start(t, registry.WithReferrersSupport(true))
	p := packaged(t, "1.2.3", "so for ")
	all := publish(t, p, target)

	index, err := remote.Index(reference(t, target, "plugin/sample", "1.2.3"))
	require.NoError(t, err)
	digest, err := index.Digest()
	require.NoError(t, err)
	assert.Equal(t, digest.String(), all[0].Digest.String())
	assert.Equal(t, target.Registry+"/org/plugins/plugin/sample@"+digest.String(), all[0].Reference())
	assert.Equal(t, []string{"1.2.3", "1.2", "1", "latest"}, all[0].Tags)

	text, err := index.RawManifest()
	raw := rawJSON(t, text, err)
	assert.Equal(t, "application/vnd.oci.image.index.v1+json", raw["mediaType"])
	assert.EqualValues(t, 2, raw["schemaVersion"])
	assert.Equal(t, map[string]any{"org.opencontainers.image.source": release.Repository}, raw["annotations"])
	entries := raw["manifests"].([]any)
	require.Len(t, entries, 2)
	var configs []any
	for i, arch := range []string{"amd64", "arm64"} {
		entry := entries[i].(map[string]any)
		annotations := map[string]any{"org.opencontainers.image.source": release.Repository, "org.opencontainers.image.created": created}
		assert.Equal(t, map[string]any{"os": "linux", "architecture": arch}, entry["platform"])
		assert.Equal(t, annotations, entry["annotations"])
		assert.Equal(t, "application/vnd.cncf.falco.plugin.config.v1+json", entry["artifactType"])

		hash, err := v1.NewHash(entry["digest"].(string))
		require.NoError(t, err)
		image, err := index.Image(hash)
		require.NoError(t, err)
		text, err := image.RawManifest()
		manifest := rawJSON(t, text, err)
		assert.Equal(t, "application/vnd.oci.image.manifest.v1+json", manifest["mediaType"])
		assert.Equal(t, annotations, manifest["annotations"])
		assert.NotContains(t, manifest, "subject")
		config := manifest["config"].(map[string]any)
		assert.Equal(t, "application/vnd.cncf.falco.plugin.config.v1+json", config["mediaType"])
		assert.NotContains(t, config, "annotations")
		configs = append(configs, config["digest"])
		blob := manifest["layers"].([]any)[0].(map[string]any)
		assert.Equal(t, "application/vnd.cncf.falco.plugin.layer.v1+tar.gz", blob["mediaType"])
		machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[arch]
		assert.Equal(t, map[string]any{"org.opencontainers.image.title": "sample-1.2.3-linux-" + machine + ".tar.gz"}, blob["annotations"])

		text, err = image.RawConfigFile()
		require.NoError(t, err)
		assert.Equal(t, `{"name":"sample","version":"1.2.3","requirements":[{"name":"plugin_api_version","version":"3.12.0"}]}`, string(text))
		assert.Equal(t, []archive.File{{Name: "libsample.so", Content: []byte("so for " + arch)}}, layer(t, image))
	}
	assert.Equal(t, configs[0], configs[1])
}

func TestTheRulesAreWhatFalcoctlExpects(t *testing.T) {
	_, target := start(t)
	all := publish(t, packaged(t, "1.2.3", "x"), target)
	require.Len(t, all, 2)
	assert.Equal(t, target.Registry+"/org/plugins/ruleset/sample", all[1].Repository)
	image, err := remote.Image(reference(t, target, "ruleset/sample", "latest"))
	require.NoError(t, err)
	text, err := image.RawManifest()
	manifest := rawJSON(t, text, err)
	assert.Equal(t, "application/vnd.oci.image.manifest.v1+json", manifest["mediaType"])
	assert.Equal(t, "application/vnd.cncf.falco.rulesfile.config.v1+json", manifest["config"].(map[string]any)["mediaType"])
	blob := manifest["layers"].([]any)[0].(map[string]any)
	assert.Equal(t, "application/vnd.cncf.falco.rulesfile.layer.v1+tar.gz", blob["mediaType"])
	assert.Equal(t, map[string]any{"org.opencontainers.image.title": "sample-rules-1.2.3.tar.gz"}, blob["annotations"])
	text, err = image.RawConfigFile()
	require.NoError(t, err)
	assert.Equal(t, `{"name":"sample-rules","version":"1.2.3","requirements":[{"name":"engine_version_semver","version":"0.31.0"}],`+
		`"dependencies":[{"name":"json","version":"0.8.0","alternatives":[{"name":"jsonish","version":"0.1.0"}]},{"name":"sample","version":"1.2.0"}]}`, string(text))
	assert.Equal(t, []archive.File{{Name: "sample_rules.yaml", Content: []byte("- list: x")}}, layer(t, image))
}

func TestWhatBelongsToAReleaseRefersToIt(t *testing.T) {
	for _, c := range []struct {
		name    string
		options []registry.Option
	}{
		{"a registry that lists referrers", []registry.Option{registry.WithReferrersSupport(true)}},
		{"a registry that does not", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, target := start(t, c.options...)
			all := publish(t, packaged(t, "1.2.3", "x"), target)
			for i, want := range []map[string]int{{SBOMType: 2, ProvenanceType: 1, CompatibilityType: 1, LicencesType: 1}, {ProvenanceType: 1}} {
				ref, err := name.NewDigest(all[i].Reference())
				require.NoError(t, err)
				referrers, err := remote.Referrers(ref)
				require.NoError(t, err)
				manifest, err := referrers.IndexManifest()
				require.NoError(t, err)
				got := map[string]int{}
				for _, d := range manifest.Manifests {
					it, err := remote.Get(ref.Context().Digest(d.Digest.String()))
					require.NoError(t, err)
					raw := rawJSON(t, it.Manifest, nil)
					assert.Equal(t, all[i].Digest.String(), raw["subject"].(map[string]any)["digest"])
					assert.Len(t, raw["layers"], 1)
					got[raw["artifactType"].(string)]++
				}
				assert.Equal(t, want, got)
			}
		})
	}
}

func TestPublishingAgainChangesNothing(t *testing.T) {
	s, target := start(t)
	p := packaged(t, "1.2.3", "x")
	first := publish(t, p, target)
	s.limit(-1)
	var said bytes.Buffer
	second, err := Publish(t.Context(), p, "sample", target, &said)
	require.NoError(t, err)
	assert.Equal(t, first, second)
	assert.Empty(t, s.sent())
	assert.Equal(t, 2, strings.Count(said.String(), "(was there already)"), said.String())
}

func TestAPublishedVersionDoesNotChange(t *testing.T) {
	s, target := start(t)
	publish(t, packaged(t, "1.2.3", "x"), target)
	s.limit(-1)
	_, err := Publish(t.Context(), packaged(t, "1.2.3", "y"), "sample", target, t.Output())
	require.ErrorContains(t, err, "org/plugins/plugin/sample:1.2.3 is published with the content sha256:")
	assert.ErrorContains(t, err, "what is released does not change: raise the version")
	assert.Empty(t, s.sent())
}

func TestTagsMoveToTheNewestVersionOnly(t *testing.T) {
	_, target := start(t)
	for _, c := range []struct {
		version string
		tags    []string
	}{
		{"1.2.3", []string{"1.2.3", "1.2", "1", "latest"}},
		{"2.0.0-rc1", []string{"2.0.0-rc1"}},
		{"1.10.0", []string{"1.10.0", "1.10", "1", "latest"}},
		{"1.2.4", []string{"1.2.4", "1.2"}},
		{"2.0.0", []string{"2.0.0", "2.0", "2", "latest"}},
		{"1.10.1", []string{"1.10.1", "1.10", "1"}},
	} {
		all := publish(t, packaged(t, c.version, c.version), target)
		assert.Equal(t, c.tags, all[0].Tags, c.version)
		assert.Equal(t, c.tags, all[1].Tags, c.version)
	}
	for tag, version := range map[string]string{"latest": "2.0.0", "2": "2.0.0", "2.0": "2.0.0", "1": "1.10.1", "1.10": "1.10.1", "1.2": "1.2.4"} {
		assert.Equal(t, digestOf(t, target, "plugin/sample", version), digestOf(t, target, "plugin/sample", tag), tag)
	}
}

// digestOf is what a tag points to, "" if there is none.
func digestOf(t *testing.T, target Target, repository, tag string) string {
	t.Helper()
	d, err := remote.Head(reference(t, target, repository, tag))
	if err != nil {
		return ""
	}
	return d.Digest.String()
}

func TestAPublishThatIsCutOffLeavesNoReleaseAndIsResumed(t *testing.T) {
	whole, target := start(t)
	p := packaged(t, "1.2.3", "x")
	want := publish(t, p, target)
	total := len(whole.sent())
	require.Greater(t, total, 20)

	interrupted := 0
	for k := range 2 * total {
		s, target := start(t)
		s.late = k >= total
		k %= total
		s.limit(k)
		_, err := Publish(t.Context(), p, "sample", target, t.Output())
		require.Error(t, err, "after %d writes", k)
		assert.ErrorContains(t, err, "publishing sample to "+target.Registry+"/org/plugins: ")
		// whoever finds a version finds all of it: both platforms, the rules' content and what refers to it
		for _, repository := range []string{"plugin/sample", "ruleset/sample"} {
			if digestOf(t, target, repository, "1.2.3") == "" {
				interrupted++
				assert.Empty(t, digestOf(t, target, repository, "latest"), "after %d writes: latest is there and the version is not", k)
				continue
			}
			sent := strings.Join(s.sent(), "\n")
			assert.NotContains(t, sent[strings.Index(sent, "/manifests/1.2.3"):], "/blobs/", "after %d writes: content came after the version's tag", k)
		}
		s.limit(-1)
		got := publish(t, p, target)
		for i := range got {
			assert.Equal(t, want[i].Digest, got[i].Digest)
			assert.Equal(t, want[i].Tags, got[i].Tags)
			ref, err := name.NewDigest(got[i].Reference())
			require.NoError(t, err)
			referrers, err := remote.Referrers(ref)
			require.NoError(t, err)
			manifest, err := referrers.IndexManifest()
			require.NoError(t, err)
			assert.Len(t, manifest.Manifests, []int{5, 1}[i], "after %d writes", k)
		}
	}
	assert.Greater(t, interrupted, 2*total)
}

func TestAReleaseThatWasChangedIsNotSent(t *testing.T) {
	s, target := start(t)
	p := packaged(t, "1.2.3", "x")
	file := release.TarballFile("sample", "1.2.3", "arm64")
	require.NoError(t, os.WriteFile(filepath.Join(p.Dir, file), []byte("evil"), 0o644))
	_, err := Publish(t.Context(), p, "sample", target, t.Output())
	require.ErrorContains(t, err, "reading the release: "+file+" has SHA-256 ")
	assert.Empty(t, s.sent())
	_, err = Publish(t.Context(), p, "other", target, t.Output())
	require.ErrorContains(t, err, `has no plugin "other"; make it first: go tool mage release:package other`)
	assert.Empty(t, s.sent())
}

func TestRequiredPluginsThatAreNotThereAreNamed(t *testing.T) {
	_, target := start(t)
	var said strings.Builder
	_, err := Publish(t.Context(), packaged(t, "1.2.0", "x"), "sample", target, &said)
	require.NoError(t, err)
	assert.Contains(t, said.String(), "note: the rules of sample need json 0.8.0, which "+target.Registry+"/org/plugins/plugin/json does not have; ")
	assert.Equal(t, 1, strings.Count(said.String(), "note: "), "sample 1.2.0 is what was published: %s", said.String())
}

func TestCredentialsAreThoseOfTheDockerConfiguration(t *testing.T) {
	s, target := start(t)
	all := s.Handler
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "jo" || password != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		all.ServeHTTP(w, r)
	})
	p := packaged(t, "1.2.3", "x")
	_, err := Publish(t.Context(), p, "sample", target, t.Output())
	require.Error(t, err)

	dir := t.TempDir()
	t.Setenv("DOCKER_CONFIG", dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"auths":{"`+target.Registry+`":{"auth":"am86c2VjcmV0"}}}`), 0o600)) // jo:secret
	target, err = ParseTarget(target.Registry+"/org/plugins", Options{})
	require.NoError(t, err)
	publish(t, p, target)
}

func TestWhatSomebodyElsePublishesMeanwhileIsNotOverwritten(t *testing.T) {
	s, target := start(t)
	all := s.Handler
	var came atomic.Bool
	theirs := packaged(t, "1.2.3", "theirs")
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") && !came.Swap(true) {
			_, err := Publish(t.Context(), theirs, "sample", target, t.Output())
			assert.NoError(t, err)
		}
		all.ServeHTTP(w, r)
	})
	_, err := Publish(t.Context(), packaged(t, "1.2.3", "ours"), "sample", target, t.Output())
	require.ErrorContains(t, err, "org/plugins/plugin/sample:1.2.3 is published with the content sha256:")
	assert.Equal(t, publish(t, theirs, target)[0].Digest.String(), digestOf(t, target, "plugin/sample", "latest"))
}

func TestTargetsAreRegistryAndNamespace(t *testing.T) {
	for _, c := range []struct {
		ref, plain string
		want       Target
	}{
		{"ghcr.io/aerie-falco/plugins", "", Target{Registry: "ghcr.io", Namespace: "aerie-falco/plugins"}},
		{"registry.example.org:5000/a", "true", Target{Registry: "registry.example.org:5000", Namespace: "a", PlainHTTP: true}},
		{"localhost:5000/a/b", "", Target{Registry: "localhost:5000", Namespace: "a/b", PlainHTTP: true}},
		{"127.0.0.1:5000/a", "false", Target{Registry: "127.0.0.1:5000", Namespace: "a"}},
		{"[::1]:5000/a", "", Target{Registry: "[::1]:5000", Namespace: "a", PlainHTTP: true}},
	} {
		got, err := ParseTarget(c.ref, Options{PlainHTTP: c.plain})
		require.NoError(t, err, c.ref)
		got.client = nil
		assert.Equal(t, c.want, got)
	}
	for ref, want := range map[string]string{
		"ghcr.io":                         "give REGISTRY/NAMESPACE, such as ghcr.io/aerie-falco/plugins",
		"https://ghcr.io/aerie/plugins":   "without a scheme, tag or digest",
		"ghcr.io/aerie/plugins:latest":    "without a scheme, tag or digest",
		"ghcr.io/aerie/plugins@sha256:aa": "without a scheme, tag or digest",
		"ghcr.io/Aerie/plugins":           "invalid repository",
		"ghcr.io/":                        "invalid repository",
		"/aerie":                          "invalid registry",
		"ghcr.io/../plugins":              "invalid repository",
	} {
		_, err := ParseTarget(ref, Options{})
		require.ErrorContains(t, err, fmt.Sprintf("reading the target %q: ", ref))
		assert.ErrorContains(t, err, want, ref)
	}
	_, err := ParseTarget("ghcr.io/a", Options{PlainHTTP: "perhaps"})
	assert.EqualError(t, err, `reading the target "ghcr.io/a": plain HTTP is "perhaps"; say true or false`)
}

func TestTagsThatAreNoFinalVersionsDoNotCount(t *testing.T) {
	assert.Equal(t, []string{"1.2", "1", "latest"}, Moving("1.2.3", []string{"1.2.3", "latest", "9", "9.9", "main", "sha256-aa", "9.9.9-rc1", "v9.9.9", "9.9.9+x"}))
	assert.Equal(t, []string{"0.8"}, Moving("0.8.9", []string{"0.10.0"}))
	assert.Nil(t, Moving("1.2.3-rc1", nil))
}
