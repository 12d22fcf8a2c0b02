// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/archive"
	"github.com/aerie-falco/aerie/build/artifacts"
	"github.com/aerie-falco/aerie/build/git/scratch"
	"github.com/aerie-falco/aerie/build/index"
	"github.com/aerie-falco/aerie/build/licences"
	"github.com/aerie-falco/aerie/build/oci"
	"github.com/aerie-falco/aerie/build/plughost"
	"github.com/aerie-falco/aerie/build/release"
	"github.com/aerie-falco/aerie/build/workspace"
)

// stage is two copies of the checkout with one commit each, which is the same.
type stage struct {
	built  workspace.Workspace // has the libraries that the checkout's dist/ has
	fresh  workspace.Workspace // has none yet
	ask    map[string]plughost.Asking
	plugin []workspace.Plugin
}

func setUp(t *testing.T) stage {
	t.Helper()
	w, err := workspace.Find(".")
	require.NoError(t, err)
	s := stage{built: copied(t, w), fresh: copied(t, w)}
	s.plugin, err = w.Plugins()
	require.NoError(t, err)
	require.NotEmpty(t, s.plugin)
	s.ask, err = plughost.EachArchitecture(t.Context(), w, t.Output())
	require.NoError(t, err)
	for _, p := range s.plugin {
		for _, arch := range artifacts.Architectures {
			content, err := os.ReadFile(artifacts.Library(w, arch, p.Name))
			require.NoError(t, err, "run go tool mage build:all first")
			write(t, artifacts.Library(s.built, arch, p.Name), content)
		}
	}
	return s
}

// copied copies the checkout, without what was built, and commits it, always alike.
func copied(t *testing.T, from workspace.Workspace) workspace.Workspace {
	t.Helper()
	to := scratch.New(t)
	require.NoError(t, filepath.WalkDir(from.Root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from.Root, path)
		switch {
		case err != nil:
			return err
		case rel == ".git" || rel == "dist": // the former is a file in a linked worktree
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case !d.Type().IsRegular():
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		write(t, filepath.Join(to.Dir, rel), content)
		return nil
	}))
	to.Commit("A rehearsal")
	return workspace.Workspace{Root: to.Dir}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, content, 0o644))
}

func pack(t *testing.T, s stage, w workspace.Workspace) release.Packaged {
	t.Helper()
	require.NoError(t, release.Package(t.Context(), w, release.Request{Out: release.Dir(w), Inspect: s.ask, Log: t.Output()}))
	p, err := release.Open(release.Dir(w))
	require.NoError(t, err)
	return p
}

func sums(t *testing.T, p release.Packaged) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.Dir, release.SumsFile))
	require.NoError(t, err)
	return string(text)
}

func TestEveryPluginFromTheSourcesToWhoeverInstallsIt(t *testing.T) {
	s := setUp(t)
	packaged := pack(t, s, s.built)

	t.Run("building and packaging in another folder gives the same bytes", func(t *testing.T) {
		for _, arch := range artifacts.Architectures {
			require.NoError(t, artifacts.BuildAll(t.Context(), s.fresh, arch, t.Output()))
		}
		again := pack(t, s, s.fresh)
		assert.Equal(t, sums(t, packaged), sums(t, again))
		for _, p := range s.plugin {
			facts, err := again.Compatibility(p.Name)
			require.NoError(t, err)
			one, err := packaged.Provenance(p.Name, facts.Version)
			require.NoError(t, err)
			two, err := again.Provenance(p.Name, facts.Version)
			require.NoError(t, err)
			assert.Equal(t, string(one), string(two))
		}
	})
	t.Run("sha256sum agrees", func(t *testing.T) {
		cmd := exec.Command("sha256sum", "--check", "--strict", "--quiet", release.SumsFile)
		cmd.Dir = packaged.Dir
		said, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", said)
	})
	for _, p := range s.plugin {
		t.Run(p.Name, func(t *testing.T) { installed(t, s, packaged, p.Name) })
	}
}

// installed publishes a plugin to a registry and fetches it as a stranger would.
func installed(t *testing.T, s stage, packaged release.Packaged, plugin string) {
	facts, err := packaged.Compatibility(plugin)
	require.NoError(t, err)
	server := httptest.NewServer(registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	target, err := oci.ParseTarget(host+"/aerie/plugins", oci.Options{HTTP: server.Client()})
	require.NoError(t, err)
	require.NoError(t, oci.FromCheckout(t.Context(), s.built, plugin, target, t.Output()))

	listed, err := os.ReadFile(oci.ListFile(s.built))
	require.NoError(t, err)
	references := strings.Fields(string(listed))
	root, err := name.NewDigest(references[0])
	require.NoError(t, err)
	all, err := remote.Index(root)
	require.NoError(t, err)
	manifest, err := all.IndexManifest()
	require.NoError(t, err)
	require.Len(t, manifest.Manifests, len(artifacts.Architectures))
	for _, arch := range artifacts.Architectures {
		image, err := remote.Image(root, remote.WithPlatform(v1.Platform{OS: "linux", Architecture: arch}))
		require.NoError(t, err)
		files := unpacked(t, image)
		require.Len(t, files, 1)
		assert.Equal(t, "lib"+plugin+".so", files[0].Name)
		assert.Contains(t, sums(t, packaged), licences.Sum(files[0].Content)+"  linux-"+release.Uname[arch]+"/lib"+plugin+".so\n")
		assert.Equal(t, licences.Sum(files[0].Content), facts.Platforms["linux/"+arch].SHA256)

		fetched := filepath.Join(t.TempDir(), files[0].Name)
		write(t, fetched, files[0].Content)
		says, err := s.ask[arch](t.Context(), fetched)
		require.NoError(t, err)
		assert.Equal(t, []string{plugin, facts.Version, facts.PluginAPI}, []string{says.Name, says.Version, says.RequiredAPI})

		var bom struct{ BOMFormat, SpecVersion string }
		text, err := packaged.Read(release.SBOMFile(plugin, facts.Version, arch))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &bom))
		assert.Equal(t, []string{"CycloneDX", "1.6"}, []string{bom.BOMFormat, bom.SpecVersion})
	}
	if facts.Rules != nil {
		require.Len(t, references, 2)
		ref, err := name.NewDigest(references[1])
		require.NoError(t, err)
		image, err := remote.Image(ref)
		require.NoError(t, err)
		for _, f := range unpacked(t, image) {
			source, err := os.ReadFile(s.built.Path("plugins", plugin, "rules", f.Name))
			require.NoError(t, err)
			assert.Equal(t, string(source), string(f.Content))
		}
	}
	n, err := index.Write(t.Context(), s.built, target)
	require.NoError(t, err)
	assert.Equal(t, len(references), n)
}

func unpacked(t *testing.T, image v1.Image) []archive.File {
	t.Helper()
	layers, err := image.Layers()
	require.NoError(t, err)
	require.Len(t, layers, 1)
	packed, err := layers[0].Compressed()
	require.NoError(t, err)
	content, err := io.ReadAll(packed)
	require.NoError(t, err)
	require.NoError(t, packed.Close())
	files, err := archive.Untar(bytes.NewReader(content), 1<<30)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}
