// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/index"
	"github.com/aerie-falco/aerie/build/licences"
	"github.com/aerie-falco/aerie/build/oci"
	"github.com/aerie-falco/aerie/build/release"
)

// The real falcoctl takes minutes to build, so it is used where somebody has one: AERIE_FALCOCTL is its path.
func TestFalcoctlInstallsPluginsAndRulesFromTheIndex(t *testing.T) {
	program := os.Getenv("AERIE_FALCOCTL")
	if program == "" {
		t.Skip("AERIE_FALCOCTL does not name a falcoctl")
	}
	s := setUp(t)
	packaged := pack(t, s, s.built)
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	target, err := oci.ParseTarget(strings.TrimPrefix(server.URL, "http://")+"/aerie/plugins", oci.Options{HTTP: server.Client()})
	require.NoError(t, err)
	for _, p := range s.plugin {
		require.NoError(t, oci.FromCheckout(t.Context(), s.built, p.Name, target, t.Output()))
	}
	_, err = index.Write(t.Context(), s.built, target)
	require.NoError(t, err)

	for arch, machine := range release.Uname {
		t.Run(arch, func(t *testing.T) {
			home := t.TempDir()
			config := filepath.Join(home, "falcoctl.yaml")
			write(t, config, []byte("indexes: []\n"))
			folders := map[string]string{}
			for _, name := range []string{"plugins", "rules", "state"} {
				folders[name] = filepath.Join(home, name)
				require.NoError(t, os.Mkdir(folders[name], 0o755))
			}
			falcoctl := func(args ...string) string {
				cmd := exec.CommandContext(t.Context(), program, append([]string{"--config", config}, args...)...)
				cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home)
				said, err := cmd.CombinedOutput()
				require.NoError(t, err, "falcoctl %v: %s", args, said)
				return string(said)
			}
			falcoctl("index", "add", "local", "file://"+index.File(s.built))
			for _, p := range s.plugin {
				assert.Contains(t, falcoctl("artifact", "search", p.Name), "local\t"+p.Name)
				facts, err := packaged.Compatibility(p.Name)
				require.NoError(t, err)
				what := p.Name
				if facts.Rules != nil {
					what += "-rules" // which bring the plugin
				}
				// nobody has signed what a test publishes
				falcoctl("artifact", "install", what, "--no-verify", "--plain-http", "--platform", "linux/"+arch,
					"--plugins-dir", folders["plugins"], "--rulesfiles-dir", folders["rules"], "--state-dir", folders["state"])
				content, err := os.ReadFile(filepath.Join(folders["plugins"], "lib"+p.Name+".so"))
				require.NoError(t, err)
				assert.Contains(t, sums(t, packaged), licences.Sum(content)+"  linux-"+machine+"/lib"+p.Name+".so\n")
				rules, err := filepath.Glob(s.built.Path("plugins", p.Name, "rules", "*.yaml"))
				require.NoError(t, err)
				for _, file := range rules {
					assert.FileExists(t, filepath.Join(folders["rules"], filepath.Base(file)))
				}
			}
		})
	}
}
