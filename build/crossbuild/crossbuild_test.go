// SPDX-License-Identifier: Apache-2.0

package crossbuild_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/crossbuild"
	"github.com/aerie-falco/aerie/build/elfgate"
	"github.com/aerie-falco/aerie/build/toolchain"
)

// sample is a plugin of the plainest kind. It resolves names and starts threads from C, for those are what brings in new symbols.
const sample = `package main

/*
#include <pthread.h>
#include <semaphore.h>
static void *idle(void *p) { return p; }
static int threads(void) {
	pthread_t t;
	sem_t s;
	return sem_init(&s, 0, 0) + pthread_create(&t, 0, idle, 0) + pthread_setname_np(t, "idle") + pthread_join(t, 0);
}
*/
import "C"

import (
	"net"
	"os/user"
)

//export plugin_init
func plugin_init() C.int {
	_, _ = net.LookupHost("localhost")
	_, _ = user.Current()
	return C.threads()
}

//export plugin_get_required_api_version
func plugin_get_required_api_version() {}

//export plugin_get_version
func plugin_get_version() {}

//export plugin_get_name
func plugin_get_name() {}

//export plugin_get_description
func plugin_get_description() {}

//export plugin_get_contact
func plugin_get_contact() {}

//export plugin_destroy
func plugin_destroy() {}

//export plugin_get_last_error
func plugin_get_last_error() {}

//export plugin_get_init_schema
func plugin_get_init_schema() {}

//export plugin_set_config
func plugin_set_config() {}

//export plugin_get_metrics
func plugin_get_metrics() {}

//export plugin_get_required_event_schema_version
func plugin_get_required_event_schema_version() {}

//export plugin_capture_open
func plugin_capture_open() {}

//export plugin_capture_close
func plugin_capture_close() {}

func main() {}
`

// module lays the sample out as a plugin module in a folder below dir.
func module(t *testing.T, dir string) string {
	t.Helper()
	for name, text := range map[string]string{
		"go.mod":      "module example.org/plugins/sample\n\ngo 1.26.0\n",
		"lib/main.go": sample,
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return dir
}

// build builds the sample for arch in a folder of its own and returns the file. The sources, the scratch folder and the
// result have that folder in their path.
func build(t *testing.T, dir, arch string) string {
	t.Helper()
	c, err := toolchain.Ensure(t.Context(), arch, t.Output())
	if errors.Is(err, toolchain.ErrMissing) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	require.NoError(t, err)
	out := filepath.Join(dir, "out", "libsample.so")
	require.NoError(t, crossbuild.SharedObject(t.Context(), crossbuild.Request{
		Module: module(t, filepath.Join(dir, "plugins", "sample")), Arch: arch, CC: c.Command, Out: out,
		Scratch: filepath.Join(dir, "scratch"), Log: t.Output(),
	}))
	return out
}

func sum(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	hash := sha256.Sum256(content)
	return hex.EncodeToString(hash[:])
}

func TestTwoFoldersGiveTheSameFileAndItPassesTheGate(t *testing.T) {
	// what a user may have set must not matter
	t.Setenv("GOFLAGS", "-race")
	t.Setenv("CGO_CFLAGS", "-O0")
	t.Setenv("CGO_LDFLAGS", "-L/nowhere -lnothing")
	t.Setenv("LD_RUN_PATH", "/opt/lib")
	t.Setenv("GOAMD64", "v3")
	for _, arch := range []string{"amd64", "arm64"} {
		t.Run(arch, func(t *testing.T) {
			short := t.TempDir()
			deep := filepath.Join(t.TempDir(), "a folder with blanks", "and", "more", "below")
			first, second := build(t, short, arch), build(t, deep, arch)
			assert.Equal(t, sum(t, first), sum(t, second))

			for _, file := range []string{first, second} {
				require.NoError(t, elfgate.Check(file, elfgate.Rules{
					Arch: arch, Capabilities: []elfgate.Capability{elfgate.Capture}, Builder: []string{short, deep, os.TempDir(), os.Getenv("HOME")},
				}))
				left, err := os.ReadDir(filepath.Dir(file))
				require.NoError(t, err)
				assert.Len(t, left, 1, "only the shared object may be left")
			}
		})
	}
}

func TestWhatDoesNotCompileNamesTheModule(t *testing.T) {
	dir := t.TempDir()
	broken := module(t, dir)
	require.NoError(t, os.WriteFile(filepath.Join(broken, "lib", "main.go"), []byte("package main\n\nfunc main() { undefined() }\n"), 0o644))
	err := crossbuild.SharedObject(t.Context(), crossbuild.Request{
		Module: broken, Arch: "amd64", CC: "gcc", Out: filepath.Join(dir, "out", "libsample.so"), Scratch: filepath.Join(dir, "scratch"), Log: t.Output(),
	})
	require.Error(t, err)
	assert.Contains(t, err.Error(), "building "+broken+" for linux/amd64")
	assert.NoFileExists(t, filepath.Join(dir, "out", "libsample.so"))
}

func TestAPathThatLinkerFlagsCannotCarryIsRefused(t *testing.T) {
	err := crossbuild.SharedObject(t.Context(), crossbuild.Request{Module: "/m", Arch: "amd64", CC: "gcc", Out: "/m/out.so", Scratch: "/a,b/scratch", Log: t.Output()})
	assert.EqualError(t, err, `building /m for linux/amd64: the path "/a,b/scratch" contains ',', which linker flags cannot carry; move the checkout to a folder without it`)
}
