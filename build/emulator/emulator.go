// SPDX-License-Identifier: Apache-2.0

// Package emulator says how programs of another architecture are run on this
// machine: with qemu's user mode, and the C library that Debian's cross
// compilers link with.
package emulator

import (
	"context"
	"fmt"
	"io"
	"runtime"

	"github.com/aerie-falco/aerie/build/debroot"
)

// emulators run programs of other architectures: the command, all of which one Debian package brings.
var emulators = map[string]string{"amd64": "qemu-x86_64-static", "arm64": "qemu-aarch64-static"}

const emulatorPackage = "qemu-user-static"

// crossLibc is where Debian's cross compilers have the C library that their programs need.
var crossLibc = map[string]string{"amd64": "/usr/x86_64-linux-gnu", "arm64": "/usr/aarch64-linux-gnu"}

// Ensure returns the words that come before the name of a program of arch, a
// GOARCH; none for this machine's own. A missing emulator is installed where
// that is allowed; otherwise the error wraps levels.ErrCannotRun.
func Ensure(ctx context.Context, arch string, log io.Writer) ([]string, error) {
	if arch == runtime.GOARCH {
		return nil, nil
	}
	command, ok := emulators[arch]
	if !ok {
		return nil, fmt.Errorf("running programs for linux/%s: unknown architecture %q; use amd64 or arm64", arch, arch)
	}
	if err := debroot.Require(ctx, log, command, emulatorPackage); err != nil {
		return nil, err
	}
	return []string{command, "-L", crossLibc[arch]}, nil
}
