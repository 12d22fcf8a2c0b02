// SPDX-License-Identifier: Apache-2.0

package debroot

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/levels"
)

func TestMirrorIsTheMachinesOwn(t *testing.T) {
	const debian = "ID=debian\nVERSION_CODENAME=bookworm\n"
	tests := map[string]struct {
		release string
		files   map[string]string
		want    string
	}{
		"stanzas, with the security archive first": {
			debian, map[string]string{"sources.list.d/debian.sources": `# first
Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb deb-src
# comment
URIs: http://mirror.example/debian/
Suites: bookworm
 bookworm-updates
Components: main contrib
`}, "http://mirror.example/debian",
		},
		"a stanza that is switched off": {
			debian, map[string]string{"sources.list.d/debian.sources": "Enabled: no\nTypes: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\nComponents: main\n"},
			"",
		},
		"lines, with options and other vendors": {
			debian, map[string]string{
				"sources.list":             "# deb http://old.example/debian bookworm main\ndeb-src http://s.example/debian bookworm main\ndeb [arch=amd64 signed-by=/k] https://mirror.example/debian bookworm main # mine\n",
				"sources.list.d/tool.list": "deb https://tool.example/apt bookworm main\n",
			}, "https://mirror.example/debian",
		},
		"a place that debootstrap cannot fetch from": {debian, map[string]string{"sources.list": "deb mirror+file:/etc/apt/mirrors bookworm main\n"}, ""},
		"another distribution":                       {"ID=ubuntu\nVERSION_CODENAME=noble\n", map[string]string{"sources.list": "deb http://u.example/ubuntu noble main\n"}, ""},
		"no sources at all":                          {debian, nil, ""},
		"no release file":                            {"", nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			release := filepath.Join(dir, "os-release")
			if tt.release != "" {
				require.NoError(t, os.WriteFile(release, []byte(tt.release), 0o644))
			}
			for file, text := range tt.files {
				path := filepath.Join(dir, "apt", file)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			}
			got, err := mirrorOf(release, filepath.Join(dir, "apt"))
			assert.Equal(t, tt.want, got)
			if tt.want == "" {
				require.ErrorIs(t, err, levels.ErrCannotRun)
				assert.ErrorContains(t, err, "set AERIE_DEBIAN_MIRROR")
				return
			}
			require.NoError(t, err)
		})
	}
}

func TestMirrorMayBeNamed(t *testing.T) {
	t.Setenv("AERIE_DEBIAN_MIRROR", "http://mirror.example/debian/")
	got, err := Mirror()
	require.NoError(t, err)
	assert.Equal(t, "http://mirror.example/debian", got)
}
