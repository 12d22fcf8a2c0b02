// SPDX-License-Identifier: Apache-2.0

package plughost_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/artifacts"
	"github.com/aerie-falco/aerie/build/plughost"
)

func TestPluginsOfThisMachineAreAskedWithoutAnEmulator(t *testing.T) {
	w := checkout(t, "echo '{\"name\": \"sample\", \"version\": \"1.2.3\", \"required_api_version\": \"3.12.0\", \"required_event_schema_version\": \"4.4.0\"}'\n")
	ask, err := plughost.Foreign(t.Context(), w, artifacts.Host, t.Output())
	require.NoError(t, err)
	i, err := ask(t.Context(), "libsample.so")
	require.NoError(t, err)
	assert.Equal(t, plughost.Inspection{Name: "sample", Version: "1.2.3", RequiredAPI: "3.12.0", EventSchema: "4.4.0"}, i)
}

func TestAnArchitectureThatNobodyKnowsIsRefused(t *testing.T) {
	_, err := plughost.Foreign(t.Context(), checkout(t, ""), "riscv64", t.Output())
	assert.EqualError(t, err, `inspecting plugins for linux/riscv64: running programs for linux/riscv64: unknown architecture "riscv64"; use amd64 or arm64`)
}
