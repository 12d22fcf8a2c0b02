// SPDX-License-Identifier: Apache-2.0

package crossbuild

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

//go:embed floor.list
var floorList string

// floorHeader is included before every C and assembler unit. It binds the
// listed functions to the oldest version of the symbol that has the same code,
// so that the object asks no newer glibc than it needs. Lines about functions
// that a unit does not use add nothing to it.
func floorHeader() string {
	var amd64, arm64 strings.Builder
	for line := range strings.Lines(floorList) {
		symbol, version, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || symbol == "#" {
			continue
		}
		fmt.Fprintf(&amd64, "__asm__(\".symver %s,%s@GLIBC_%s\");\n", symbol, symbol, version)
		fmt.Fprintf(&arm64, "__asm__(\".symver %s,%s@GLIBC_2.17\");\n", symbol, symbol)
	}
	return "/* SPDX-License-Identifier: Apache-2.0 */\n" +
		"#ifndef __ASSEMBLER__\n" +
		"#if defined(__x86_64__)\n" + amd64.String() +
		"#elif defined(__aarch64__)\n" + arm64.String() +
		"#else\n#error \"no glibc floor is known for this architecture\"\n" +
		"#endif\n#endif\n"
}

// writeHashed writes text to dir/STEM-HASH.EXT and returns the path. Go's build
// cache keys on the text of flags, not on the files that they name: the name
// has to change with the content, or stale objects would be linked.
func writeHashed(dir, stem, ext, text string) (string, error) {
	path := filepath.Join(dir, hashedName(stem, ext, text))
	if old, err := os.ReadFile(path); err == nil && string(old) == text {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	temp, err := os.CreateTemp(dir, stem+"-*.tmp")
	if err != nil {
		return "", err
	}
	defer os.Remove(temp.Name()) // gone already when renamed
	if _, err := temp.WriteString(text); err != nil {
		_ = temp.Close() // the write's error is the one to report
		return "", err
	}
	if err := temp.Close(); err != nil {
		return "", err
	}
	return path, os.Rename(temp.Name(), path)
}

func hashedName(stem, ext, text string) string {
	sum := sha256.Sum256([]byte(text))
	return stem + "-" + hex.EncodeToString(sum[:6]) + ext
}
