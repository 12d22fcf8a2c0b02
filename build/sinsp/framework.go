// SPDX-License-Identifier: Apache-2.0

// Package sinsp runs the tests that need more than this machine and Go: the
// real framework, other architectures and old C libraries. It makes what they
// need and calls go test with the places in the environment.
package sinsp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"

	"github.com/aerie-falco/aerie/build/debroot"
	"github.com/aerie-falco/aerie/build/workspace"
)

// framework is the Debian release with libsinsp, and what compiles against it.
var framework = debroot.Root{Suite: "forky", Packages: []string{"sysdig", "libfalcosecurity0-dev", "g++", "make"}}

// sources of the driver, relative to the checkout's root.
const driverSources = "test/sinsp/driver"

// headers is the folder of our declarations of the plugin API.
const headers = "shared/plugin/abi"

// prepare returns the framework's root, and in it the driver, compiled from the
// checkout's sources if it was not yet.
func prepare(ctx context.Context, w workspace.Workspace, log io.Writer) (root, driver string, err error) {
	if root, err = framework.Ensure(ctx, log); err != nil {
		return "", "", err
	}
	files, err := contents(w.Path(filepath.FromSlash(driverSources)), w.Path(filepath.FromSlash(headers), "abi.h"))
	if err != nil {
		return "", "", fmt.Errorf("reading the driver's sources: %w", err)
	}
	inside := "/opt/aerie/" + hash(files)
	driver = filepath.Join(root, inside, "driver")
	if _, err := os.Stat(driver); err == nil {
		return root, driver, nil
	}
	fmt.Fprintln(log, "compiling the driver against libsinsp")
	if err := os.MkdirAll(filepath.Join(root, inside), 0o755); err != nil {
		return "", "", err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, inside, name), text, 0o644); err != nil {
			return "", "", err
		}
	}
	var said bytes.Buffer
	if err := debroot.Chroot(ctx, root, &said, "make", "-s", "-j2", "-C", inside); err != nil {
		log.Write(said.Bytes())
		return "", "", fmt.Errorf("compiling the driver: %w", err)
	}
	return root, driver, nil
}

// contents reads a folder's files and the further ones, by base name.
func contents(dir string, further ...string) (map[string][]byte, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		further = append(further, filepath.Join(dir, e.Name()))
	}
	files := map[string][]byte{}
	for _, path := range further {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files[filepath.Base(path)] = text
	}
	return files, nil
}

// hash is a short name for files' names and contents.
func hash(files map[string][]byte) string {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	h := sha256.New()
	for _, name := range names {
		fmt.Fprintf(h, "%s %d\n", name, len(files[name]))
		h.Write(files[name])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
