// SPDX-License-Identifier: Apache-2.0

// Package sbom writes down what is linked into a plugin, as CycloneDX 1.6 JSON.
// All of it is read from the shared object itself, which carries the list of its
// Go modules; what only tests need is not in it.
package sbom

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/aerie-falco/aerie/build/licences"
)

// Subject is the shared object that is described.
type Subject struct {
	Name, Version, Description string
	License                    string // SPDX identifier of the plugin itself
	URL                        string // where its sources are
	File                       string // its name, libNAME.so
	Content                    []byte
	Time                       time.Time
	Licenses                   map[string]string // SPDX expression by module path; licences.Standard for the standard library
}

// CycloneDX returns the document. There is neither a serial number nor a clock in
// it, so that the same object gives the same bytes.
func CycloneDX(s Subject) ([]byte, error) {
	info, err := buildinfo.Read(bytes.NewReader(s.Content))
	if err != nil {
		return nil, fmt.Errorf("listing what is linked into %s: %w", s.File, err)
	}
	main := s.component(info.Main.Path, s.Version)
	main.BOMRef = purl(info.Main.Path, s.Version) + "#" + platform(info)
	main.Type, main.Name, main.Description = cdx.ComponentTypeLibrary, s.Name, s.Description
	main.Licenses = &cdx.Licenses{{License: &cdx.License{ID: s.License}}}
	sum := sha256.Sum256(s.Content)
	main.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}}
	main.ExternalReferences = &[]cdx.ExternalReference{{Type: cdx.ERTypeVCS, URL: s.URL}}
	main.Properties = &[]cdx.Property{{Name: "aerie:file", Value: s.File}, {Name: "aerie:platform", Value: platform(info)}}

	parts := []cdx.Component{s.component(licences.Standard, strings.TrimPrefix(info.GoVersion, "go"))}
	for _, m := range info.Deps {
		part, err := s.module(m)
		if err != nil {
			return nil, fmt.Errorf("listing what is linked into %s: %w", s.File, err)
		}
		parts = append(parts, part)
	}
	slices.SortFunc(parts, func(a, b cdx.Component) int { return cmp.Compare(a.BOMRef, b.BOMRef) })
	var refs []string
	for _, p := range parts {
		refs = append(refs, p.BOMRef)
	}

	bom := cdx.NewBOM()
	bom.SpecVersion = cdx.SpecVersion1_6
	bom.SerialNumber = ""
	bom.Metadata = &cdx.Metadata{Timestamp: s.Time.UTC().Format(time.RFC3339), Component: &main}
	bom.Components = &parts
	bom.Dependencies = &[]cdx.Dependency{{Ref: main.BOMRef, Dependencies: &refs}}
	var out bytes.Buffer
	if err := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return nil, fmt.Errorf("writing what is linked into %s: %w", s.File, err)
	}
	return out.Bytes(), nil
}

// module describes a linked module. One that a folder replaces is a module of
// this repository, which is released with the plugin and has its version.
func (s Subject) module(m *debug.Module) (cdx.Component, error) {
	switch {
	case m.Replace == nil:
	case strings.HasPrefix(m.Replace.Path, "."):
		part := s.component(m.Path, s.Version)
		part.Licenses = &cdx.Licenses{{License: &cdx.License{ID: s.License}}}
		return part, nil
	default:
		m = m.Replace
	}
	part := s.component(m.Path, m.Version)
	// The sum of go.sum is a SHA-256 of the module's files.
	sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.Sum, "h1:"))
	if err != nil || len(sum) != sha256.Size {
		return part, fmt.Errorf("module %s: the sum %q is not h1: and a SHA-256", m.Path, m.Sum)
	}
	part.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}
	return part, nil
}

func (s Subject) component(path, version string) cdx.Component {
	id := purl(path, version)
	c := cdx.Component{BOMRef: id, Type: cdx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: id}
	switch license := s.Licenses[path]; {
	case license == "":
	case strings.Contains(license, " "):
		c.Licenses = &cdx.Licenses{{Expression: license}}
	default:
		c.Licenses = &cdx.Licenses{{License: &cdx.License{ID: license}}}
	}
	return c
}

// purl is the package URL. Versions of Go modules begin with a v there, those of the standard library do not.
func purl(path, version string) string {
	if path != licences.Standard && !strings.HasPrefix(version, "v") {
		version = "v" + version
	}
	return "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
}

func platform(info *buildinfo.BuildInfo) string {
	var os, arch string
	for _, s := range info.Settings {
		switch s.Key {
		case "GOOS":
			os = s.Value
		case "GOARCH":
			arch = s.Value
		}
	}
	return os + "/" + arch
}
