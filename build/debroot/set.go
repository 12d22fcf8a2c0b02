// SPDX-License-Identifier: Apache-2.0

package debroot

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Set is a recipe for the unpacked files of Debian packages of any
// architecture. Nothing is configured or run: a set is what to link with, or to
// take shared libraries from.
type Set struct {
	Suite    string
	Arch     string // Debian's name, which for amd64 and arm64 is Go's
	Packages []string
}

// Ensure returns the folder of the set, which it makes if need be. It takes
// apt-get, but not root.
func (s Set) Ensure(ctx context.Context, log io.Writer) (string, error) {
	doing := fmt.Sprintf("unpacking packages of Debian %s for %s", s.Suite, s.Arch)
	final, err := cached(s.Suite+"-set-"+s.Arch, strings.Join(append([]string{"set 1", s.Suite, s.Arch}, s.Packages...), "\n"))
	if err != nil {
		return "", fmt.Errorf("%s: %w", doing, err)
	}
	if err := ensure(ctx, final, log, func(dir string) error { return s.build(ctx, dir, log) }); err != nil {
		return "", fmt.Errorf("%s into %s: %w", doing, final, err)
	}
	return final, nil
}

func (s Set) build(ctx context.Context, dir string, log io.Writer) error {
	err := install(ctx, log, tool{"apt-get", "apt"}, tool{"dpkg-deb", "dpkg"}, tool{"/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring"})
	if err != nil {
		return err
	}
	mirror, err := Mirror()
	if err != nil {
		return err
	}
	fmt.Fprintf(log, "fetching %s of Debian %s for %s from %s\n", strings.Join(s.Packages, ", "), s.Suite, s.Arch, mirror)
	apt := filepath.Join(dir, ".apt")
	options, err := s.aptOptions(apt, mirror)
	if err != nil {
		return err
	}
	if err := run(ctx, io.Discard, nil, "apt-get", append(options, "-q", "update")...); err != nil {
		return fmt.Errorf("apt-get update: %w", err)
	}
	// apt-get download leaves the files in the current folder, which only a shell can choose for it here
	download := slices.Concat([]string{"-euc", `cd "$0"; exec apt-get "$@"`, apt}, options, []string{"-q", "download"}, s.Packages)
	if err := run(ctx, io.Discard, nil, "sh", download...); err != nil {
		return fmt.Errorf("apt-get download: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(apt, "*.deb"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := run(ctx, io.Discard, nil, "dpkg-deb", "--extract", file, dir); err != nil {
			return fmt.Errorf("unpacking %s: %w", filepath.Base(file), err)
		}
	}
	if err := os.RemoveAll(apt); err != nil {
		return err
	}
	return relink(dir)
}

// relink makes absolute symbolic links below dir point to where they would if
// dir was the root: a linker that is given dir as its root follows them as they are.
func relink(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink == 0 {
			return err
		}
		target, err := os.Readlink(path)
		if err != nil || !filepath.IsAbs(target) {
			return err
		}
		inside, err := filepath.Rel(filepath.Dir(path), filepath.Join(dir, target))
		if err != nil {
			return err
		}
		if err := os.Remove(path); err != nil {
			return err
		}
		return os.Symlink(inside, path)
	})
}

// aptOptions makes apt-get work in a folder of its own, and leave the machine's
// lists, packages and architectures alone.
func (s Set) aptOptions(dir, mirror string) ([]string, error) {
	for _, sub := range []string{"lists/partial", "cache/archives/partial", "parts"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	line := fmt.Sprintf("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n", mirror, s.Suite)
	for name, text := range map[string]string{"sources.list": line, "status": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	var options []string
	for _, o := range []string{
		"Dir::Etc::sourcelist=" + filepath.Join(dir, "sources.list"),
		"Dir::Etc::sourceparts=" + filepath.Join(dir, "parts"),
		"Dir::State::lists=" + filepath.Join(dir, "lists"),
		"Dir::State::status=" + filepath.Join(dir, "status"),
		"Dir::Cache=" + filepath.Join(dir, "cache"),
		"APT::Architecture=" + s.Arch,
		"APT::Architectures=" + s.Arch,
		"APT::Sandbox::User=root", // the folder may be one that apt's own user cannot enter
		"Acquire::Languages=none",
		"Acquire::Check-Valid-Until=false", // as for roots
	} {
		options = append(options, "-o", o)
	}
	return options, nil
}
