// SPDX-License-Identifier: Apache-2.0

package sinsp

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVersionsAreThoseOfTheInstalledPackages(t *testing.T) {
	root := t.TempDir()
	_, err := versions(root)
	assert.ErrorContains(t, err, "reading the versions of the framework: open ")

	status := filepath.Join(root, "var/lib/dpkg/status")
	require.NoError(t, os.MkdirAll(filepath.Dir(status), 0o755))
	require.NoError(t, os.WriteFile(status, []byte("Package: sysdig\nVersion: 0.41.4+repack-4+b1\n"), 0o644))
	_, err = versions(root)
	assert.EqualError(t, err, "reading the versions of the framework: "+status+" lacks sysdig or libfalcosecurity0-dev")

	require.NoError(t, os.WriteFile(status, []byte("Package: sysdig\nStatus: install ok installed\nVersion: 1:0.41.4+repack-4+b1\n\n"+
		"Package: libc6\nVersion: 2.42-2\n\nPackage: libfalcosecurity0-dev\nVersion: 0.23.2-6\n"), 0o644))
	got, err := versions(root)
	require.NoError(t, err)
	assert.Equal(t, Versions{Sysdig: "0.41.4", Libs: "0.23.2"}, got)
}
