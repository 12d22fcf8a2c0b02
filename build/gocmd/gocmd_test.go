// SPDX-License-Identifier: Apache-2.0

package gocmd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/gocmd"
)

func TestHermeticLeavesOutWhatWouldChangeTheResult(t *testing.T) {
	for name, value := range map[string]string{
		"GOFLAGS": "-mod=mod -race", "CGO_CFLAGS": "-O0", "CGO_LDFLAGS": "-L/opt", "CC": "clang", "CPATH": "/opt/include",
		"LD_RUN_PATH": "/opt/lib", "GOAMD64": "v3", "GOEXPERIMENT": "synctest", "GOWORK": "/elsewhere/go.work", "LANG": "de_DE.UTF-8",
		"SOURCE_DATE_EPOCH": "1",
	} {
		t.Setenv(name, value)
	}
	t.Setenv("HTTPS_PROXY", "http://proxy.example:3128")

	env, err := gocmd.Hermetic(t.Context(), t.TempDir(), "GOWORK=off", "GOAMD64=v1")
	require.NoError(t, err)

	got := map[string]string{}
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		assert.NotContains(t, got, name, "a name set twice")
		got[name] = value
	}
	for _, name := range []string{"GOFLAGS", "CGO_CFLAGS", "CGO_LDFLAGS", "CC", "CPATH", "LD_RUN_PATH", "GOEXPERIMENT", "LANG", "SOURCE_DATE_EPOCH"} {
		assert.NotContains(t, got, name)
	}
	assert.Equal(t, "off", got["GOWORK"])
	assert.Equal(t, "v1", got["GOAMD64"])
	assert.Equal(t, "http://proxy.example:3128", got["HTTPS_PROXY"])
	assert.Equal(t, os.Getenv("PATH"), got["PATH"])
	assert.NotEmpty(t, got["GOMODCACHE"])
}

func TestHermeticSwitchesTheSettingsFileOffButKeepsItsProxy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "env")
	require.NoError(t, os.WriteFile(file, []byte("GOFLAGS=-tags=surprise\nGOPROXY=https://mirror.example\n"), 0o644))
	t.Setenv("GOENV", file)
	t.Setenv("GOFLAGS", "")
	t.Setenv("GOPROXY", "")

	dir := t.TempDir()
	env, err := gocmd.Hermetic(t.Context(), dir)
	require.NoError(t, err)
	flags, err := gocmd.Go{Dir: dir, Env: env}.Output(t.Context(), "env", "GOFLAGS", "GOPROXY")
	require.NoError(t, err)
	assert.Equal(t, "\nhttps://mirror.example\n", flags)
}

func TestAFailedCommandIsNamedWithItsFolderAndMessage(t *testing.T) {
	dir := t.TempDir()
	_, err := gocmd.Go{Dir: dir, Env: gocmd.Inherit("GOWORK=off", "GOFLAGS=-mod=readonly")}.Output(t.Context(), "build", "./nowhere.go")
	require.Error(t, err)
	assert.Contains(t, err.Error(), "running go build ./nowhere.go in "+dir)
	assert.Contains(t, err.Error(), "go.mod file not found")
}
