// SPDX-License-Identifier: Apache-2.0

// Package debroot makes small Debian installations in the user's cache folder,
// so that programs of another Debian release than the machine's own can be run
// and compiled with. Two kinds: a [Root] is a whole system with packages
// installed in it, which takes the superuser; a [Set] is the unpacked files of
// some packages, which anyone may make.
//
// Both are made once and found again. They are put together beside their final
// place and moved there when whole, so one that is there is whole; what an
// interrupted run left is removed by the next.
package debroot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/aerie-falco/aerie/build/levels"
)

// Root is a recipe for a Debian system of this machine's architecture.
type Root struct {
	Suite    string   // Debian's name of the release, such as forky
	Packages []string // installed beside the minimal system, without what they merely recommend
}

// Ensure returns the folder of the root, which it makes if need be, and says so
// on log. A machine that lacks what making one
// takes gives an error that wraps levels.ErrCannotRun.
func (r Root) Ensure(ctx context.Context, log io.Writer) (string, error) {
	final, err := cached(r.Suite+"-"+runtime.GOARCH, r.recipe())
	if err != nil {
		return "", fmt.Errorf("making a Debian %s root: %w", r.Suite, err)
	}
	err = ensure(ctx, final, log, func(dir string) error { return r.build(ctx, dir, log) })
	if err != nil {
		return "", fmt.Errorf("making a Debian %s root in %s: %w", r.Suite, final, err)
	}
	return final, nil
}

// Find returns the folder of the root; false if it was never made on this machine.
func (r Root) Find() (string, bool, error) {
	final, err := cached(r.Suite+"-"+runtime.GOARCH, r.recipe())
	if err != nil {
		return "", false, fmt.Errorf("looking for a Debian %s root: %w", r.Suite, err)
	}
	return final, whole(final), nil
}

// recipe names everything that the content depends on but the mirror's state.
func (r Root) recipe() string {
	return strings.Join(append([]string{"root 1", r.Suite}, r.Packages...), "\n")
}

// script is debootstrap's way of installing suites that it may not know yet;
// Debian's releases since 2016 are all installed like this one.
const script = "/usr/share/debootstrap/scripts/sid"

func (r Root) build(ctx context.Context, dir string, log io.Writer) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w: debootstrap needs root; run this as root once, the result is kept", levels.ErrCannotRun)
	}
	if err := install(ctx, log, tool{"debootstrap", "debootstrap"}, tool{"/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring"}, tool{"unshare", "util-linux"}); err != nil {
		return err
	}
	mirror, err := Mirror()
	if err != nil {
		return err
	}
	fmt.Fprintf(log, "installing Debian %s with %s from %s\n", r.Suite, strings.Join(r.Packages, ", "), mirror)
	err = inOwnMounts(ctx, io.Discard, "debootstrap", "--variant=minbase", "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg", r.Suite, dir, mirror, script)
	if err != nil {
		return fmt.Errorf("debootstrap: %w", err)
	}
	// A mirror may be a snapshot whose signed index has run out: good enough for tests, signatures are checked all the same.
	const fill = `mount -t proc proc "$0/proc"
exec chroot "$0" /bin/sh -euc '
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
apt-get -q -o Acquire::Check-Valid-Until=false update
apt-get -q install -y --no-install-recommends "$@"
apt-get clean
rm -rf /var/lib/apt/lists/*
' sh "$@"`
	if err := inOwnMounts(ctx, io.Discard, "sh", append([]string{"-euc", fill, dir}, r.Packages...)...); err != nil {
		return fmt.Errorf("installing %s: %w", strings.Join(r.Packages, " "), err)
	}
	return nil
}

// Chroot runs a command inside a root, as the superuser. The root's /proc is
// mounted for it alone.
func Chroot(ctx context.Context, root string, out io.Writer, name string, args ...string) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("running %s inside %s: %w: chroot needs root", name, root, levels.ErrCannotRun)
	}
	const enter = `mount -t proc proc "$0/proc"; exec chroot "$0" "$@"`
	if err := inOwnMounts(ctx, out, "sh", append([]string{"-euc", enter, root, name}, args...)...); err != nil {
		return fmt.Errorf("running %s inside %s: %w", name, root, err)
	}
	return nil
}

// Interpreted is how to run a program of a root or set from outside, with the
// files of the machine around it and no privileges: the root's dynamic loader
// comes first, and is told to look for libraries in the root only.
func Interpreted(root, arch string) ([]string, error) {
	triplet, loader := "", ""
	switch arch {
	case "amd64":
		triplet, loader = "x86_64-linux-gnu", "ld-linux-x86-64.so.2"
	case "arm64":
		triplet, loader = "aarch64-linux-gnu", "ld-linux-aarch64.so.1"
	default:
		return nil, fmt.Errorf("running programs of %s: unknown architecture %q; use amd64 or arm64", root, arch)
	}
	folders := []string{filepath.Join(root, "usr/lib", triplet), filepath.Join(root, "lib", triplet)}
	for _, dir := range folders {
		path := filepath.Join(dir, loader)
		if _, err := os.Stat(path); err == nil {
			return []string{path, "--inhibit-cache", "--library-path", strings.Join(folders, ":")}, nil
		}
	}
	return nil, fmt.Errorf("running programs of %s: no %s in %s", root, loader, strings.Join(folders, " or "))
}

// errBusy is the reason not to remove a folder: another file system is mounted below it.
var errBusy = errors.New("something is mounted below it")
