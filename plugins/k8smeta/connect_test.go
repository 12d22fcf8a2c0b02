// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/plugintest"
)

// begin initialises a state with the real feed.
func begin(t *testing.T, config string) error {
	_, err := plugintest.Start(t, Info, Register, New, config)
	return err
}

func TestAFeedIsMadeOfTheConfiguration(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	assert.NoError(t, begin(t, someConfig))
	assert.ErrorContains(t, begin(t, `{"nodeName":"n"}`), "collectorHostname")
	assert.ErrorContains(t, begin(t, `{"nodeName":"n","source":"kubernetes"}`), "KUBERNETES_SERVICE_HOST")
	assert.ErrorContains(t, begin(t, `{"nodeName":"n","source":"kubernetes","kubeconfig":"`+filepath.Join(t.TempDir(), "none")+`"}`), "none")
}

// TLS that was asked for and cannot be had must not become no TLS.
func TestABundleThatCannotBeUsedFailsTheInitialisation(t *testing.T) {
	dir := t.TempDir()
	empty, garbage := filepath.Join(dir, "empty.pem"), filepath.Join(dir, "garbage.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	require.NoError(t, os.WriteFile(garbage, []byte("no certificate"), 0o600))
	for _, bundle := range []string{filepath.Join(dir, "missing.pem"), empty, garbage, dir} {
		assert.ErrorContains(t, begin(t, `{"nodeName":"n","collectorHostname":"h","collectorPort":1,"caPEMBundle":"`+bundle+`"}`), bundle)
	}
}
