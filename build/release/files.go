// SPDX-License-Identifier: Apache-2.0

package release

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aerie-falco/aerie/build/archive"
)

// The files of a release. Machines have the names of uname -m in them, as where
// the official plugins are downloaded.

// TarballFile is the archive that has the plugin, libNAME.so, and nothing else; arch is a GOARCH.
func TarballFile(name, version, arch string) string {
	return fmt.Sprintf("%s-%s-linux-%s.tar.gz", name, version, Uname[arch])
}

// SBOMFile is what is linked into the plugin for arch, CycloneDX JSON.
func SBOMFile(name, version, arch string) string {
	return fmt.Sprintf("%s-%s-linux-%s.cdx.json", name, version, Uname[arch])
}

// LibraryFile is the plugin itself, unpacked, for arch.
func LibraryFile(name, arch string) string {
	return fmt.Sprintf("linux-%s/lib%s.so", Uname[arch], name)
}

// RulesFile is the archive of the plugin's rules.
func RulesFile(name, version string) string { return fmt.Sprintf("%s-rules-%s.tar.gz", name, version) }

// LicencesFile is the archive of the licence texts of all that is linked.
func LicencesFile(name, version string) string {
	return fmt.Sprintf("%s-%s-licenses.tar.gz", name, version)
}

// CompatibilityFile says what the plugin needs and what it was tested on.
func CompatibilityFile(name, version string) string {
	return fmt.Sprintf("%s-%s-compatibility.json", name, version)
}

// ProvenanceFile says from what, with what, how and by whom the plugin's other
// files were made: an in-toto statement. It has their checksums, so that it is the
// one file that SumsFile leaves out: whoever builds the same commit gets the same
// checksums.
func ProvenanceFile(name, version string) string {
	return fmt.Sprintf("%s-%s-provenance.intoto.json", name, version)
}

// SumsFile has the SHA-256 of the files, as sha256sum writes it.
const SumsFile = "SHA256SUMS"

// sums is the content of SumsFile, sorted by file.
func sums(files []archive.File) []byte {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b archive.File) int { return strings.Compare(a.Name, b.Name) })
	var out bytes.Buffer
	for _, f := range files {
		fmt.Fprintf(&out, "%s  %s\n", sum(f.Content), f.Name)
	}
	return out.Bytes()
}

func sum(content []byte) string {
	s := sha256.Sum256(content)
	return hex.EncodeToString(s[:])
}

// Packaged is a folder that Package has written, read back.
type Packaged struct {
	Dir  string
	sums map[string]string // SHA-256 by file
}

// Open reads the checksums of a folder that Package has written.
func Open(dir string) (Packaged, error) {
	text, err := os.ReadFile(filepath.Join(dir, SumsFile))
	if err != nil {
		return Packaged{}, fmt.Errorf("reading the release: %w; make it first: go tool mage release:package NAME", err)
	}
	p := Packaged{Dir: dir, sums: map[string]string{}}
	for line := range strings.Lines(string(text)) {
		sum, file, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok || !filepath.IsLocal(file) {
			return Packaged{}, fmt.Errorf("reading the release: %s has the line %q, which is no checksum and file", filepath.Join(dir, SumsFile), line)
		}
		p.sums[file] = sum
	}
	return p, nil
}

// Has reports whether the release has a file.
func (p Packaged) Has(file string) bool { return p.sums[file] != "" }

// Read returns a file of the release, which has to have the content that the checksums tell.
func (p Packaged) Read(file string) ([]byte, error) {
	if !p.Has(file) {
		return nil, fmt.Errorf("reading the release: %s has no %s; make it anew: go tool mage release:package NAME", filepath.Join(p.Dir, SumsFile), file)
	}
	content, err := os.ReadFile(filepath.Join(p.Dir, filepath.FromSlash(file)))
	if err != nil {
		return nil, fmt.Errorf("reading the release: %w", err)
	}
	if got := sum(content); got != p.sums[file] {
		return nil, fmt.Errorf("reading the release: %s has SHA-256 %s, but %s says %s; make the release anew", file, got, SumsFile, p.sums[file])
	}
	return content, nil
}
