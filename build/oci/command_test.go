// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/release"
	"github.com/aerie-falco/aerie/build/workspace"
)

func TestWhatIsAskedForIsWhatIsPublished(t *testing.T) {
	s, target := start(t)
	w := workspace.Workspace{Root: t.TempDir()}
	require.NoError(t, os.MkdirAll(w.Dist(), 0o755))
	require.NoError(t, os.Rename(packaged(t, "1.2.3", "x").Dir, release.Dir(w)))

	err := FromCheckout(t.Context(), w, "plugins/sample/v1.2.4", target, t.Output())
	assert.EqualError(t, err, "publishing plugins/sample/v1.2.4: dist/release has version 1.2.3; make the other: go tool mage release:package plugins/sample/v1.2.4")
	err = FromCheckout(t.Context(), w, "../sample", target, t.Output())
	assert.ErrorContains(t, err, `publishing: "../sample" is neither the name of a plugin nor the tag of a release`)
	assert.Empty(t, s.sent())
	assert.NoFileExists(t, ListFile(w))

	require.NoError(t, FromCheckout(t.Context(), w, "plugins/sample/v1.2.3", target, t.Output()))
	listed, err := os.ReadFile(ListFile(w))
	require.NoError(t, err)
	assert.Regexp(t, "^"+target.Registry+"/org/plugins/plugin/sample@sha256:[0-9a-f]{64}\n"+target.Registry+"/org/plugins/ruleset/sample@sha256:[0-9a-f]{64}\n$", string(listed))
}

func TestWhatWasPublishedIsSignedByItsDigest(t *testing.T) {
	w := workspace.Workspace{Root: t.TempDir()}
	tools := t.TempDir()
	t.Setenv("PATH", tools)
	list := func(lines ...string) {
		require.NoError(t, os.MkdirAll(w.Dist(), 0o755))
		require.NoError(t, os.WriteFile(ListFile(w), []byte(strings.Join(lines, "\n")+"\n"), 0o644))
	}
	var said strings.Builder
	assert.ErrorContains(t, Sign(t.Context(), w, &said), "publish first: go tool mage release:publish NAME REF")

	one, two := "ghcr.io/a/plugin/x@sha256:"+strings.Repeat("1", 64), "ghcr.io/a/ruleset/x@sha256:"+strings.Repeat("2", 64)
	list(one, two)
	assert.ErrorContains(t, Sign(t.Context(), w, &said), "signing "+one+": cosign: ", "there is no cosign")
	require.NoError(t, os.WriteFile(filepath.Join(tools, "cosign"), []byte("#!/bin/sh\necho \"$@\"\n"), 0o755))
	list(one, "ghcr.io/a/ruleset/x:1.2.3")
	assert.ErrorContains(t, Sign(t.Context(), w, &said), `has the line "ghcr.io/a/ruleset/x:1.2.3", which is no reference by digest`)
	assert.Empty(t, said.String())
	list(one, two)
	require.NoError(t, Sign(t.Context(), w, &said))
	assert.Equal(t, "sign --yes "+one+"\nsign --yes "+two+"\n", said.String())
}
