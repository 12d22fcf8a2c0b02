// SPDX-License-Identifier: Apache-2.0

package sbom

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/licences"
)

// A program stands for the plugin: it carries the same kind of list.
func subject(t *testing.T) Subject {
	t.Helper()
	program := filepath.Join(t.TempDir(), "linked")
	cmd := exec.Command("go", "build", "-o", program, "./testdata/linked")
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "GOFLAGS=-trimpath -buildvcs=false")
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", said)
	content, err := os.ReadFile(program)
	require.NoError(t, err)
	return Subject{
		Name: "sample", Version: "1.2.3", Description: "A sample <of> it", License: "Apache-2.0", URL: "https://example.org/sample", File: "libsample.so",
		Content: content, Time: time.Date(2026, 11, 22, 11, 12, 13, 0, time.FixedZone("elsewhere", 3600)),
		Licenses: map[string]string{licences.Standard: "BSD-3-Clause", "go.yaml.in/yaml/v3": "MIT AND Apache-2.0"},
	}
}

func TestTheDocumentSaysWhatIsLinked(t *testing.T) {
	s := subject(t)
	text, err := CycloneDX(s)
	require.NoError(t, err)
	var bom cdx.BOM
	require.NoError(t, cdx.NewBOMDecoder(bytes.NewReader(text), cdx.BOMFileFormatJSON).Decode(&bom))
	assert.Equal(t, cdx.SpecVersion1_6, bom.SpecVersion)
	assert.Empty(t, bom.SerialNumber)
	assert.Equal(t, "2026-11-22T10:12:13Z", bom.Metadata.Timestamp)
	main := bom.Metadata.Component
	assert.Equal(t, "sample", main.Name)
	assert.Equal(t, "1.2.3", main.Version)
	assert.Equal(t, "pkg:golang/github.com/aerie-falco/aerie@v1.2.3", main.PackageURL)
	assert.Equal(t, []cdx.Hash{{Algorithm: "SHA-256", Value: licences.Sum(s.Content)}}, *main.Hashes)
	assert.Contains(t, *main.Properties, cdx.Property{Name: "aerie:platform", Value: "linux/" + runtime.GOARCH})
	assert.Contains(t, string(text), "A sample <of> it")

	var names []string
	parts := map[string]cdx.Component{}
	for _, c := range *bom.Components {
		names = append(names, c.BOMRef)
		parts[c.Name] = c
	}
	assert.IsIncreasing(t, names)
	assert.Equal(t, names, *(*bom.Dependencies)[0].Dependencies)
	assert.Equal(t, main.BOMRef, (*bom.Dependencies)[0].Ref)
	std := parts["std"]
	assert.Equal(t, "pkg:golang/std@"+strings.TrimPrefix(runtime.Version(), "go"), std.PackageURL)
	assert.Equal(t, cdx.Licenses{{License: &cdx.License{ID: "BSD-3-Clause"}}}, *std.Licenses)
	yaml := parts["go.yaml.in/yaml/v3"]
	assert.Equal(t, "pkg:golang/go.yaml.in/yaml/v3@"+yaml.Version, yaml.PackageURL)
	assert.Equal(t, cdx.Licenses{{Expression: "MIT AND Apache-2.0"}}, *yaml.Licenses)
	assert.Len(t, (*yaml.Hashes)[0].Value, 64)
	assert.Len(t, parts, 2)
}

func TestTheSameObjectGivesTheSameBytes(t *testing.T) {
	a, err := CycloneDX(subject(t))
	require.NoError(t, err)
	b, err := CycloneDX(subject(t))
	require.NoError(t, err)
	assert.Equal(t, a, b)
}

func TestModulesOfTheRepositoryHaveThePluginsVersionAndLicence(t *testing.T) {
	s := Subject{Version: "1.2.3", License: "Apache-2.0"}
	got, err := s.module(&debug.Module{Path: "example.org/x", Version: "v0.0.0", Replace: &debug.Module{Path: "../../shared/x", Version: "(devel)"}})
	require.NoError(t, err)
	assert.Equal(t, "pkg:golang/example.org/x@v1.2.3", got.PackageURL)
	assert.Equal(t, &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}}, got.Licenses)
	assert.Nil(t, got.Hashes)

	sum := bytes.Repeat([]byte{0xab}, 32)
	h1 := "h1:" + base64.StdEncoding.EncodeToString(sum)
	got, err = s.module(&debug.Module{Path: "example.org/x", Version: "v1.0.0", Replace: &debug.Module{Path: "example.org/fork", Version: "v1.0.1+incompatible", Sum: h1}})
	require.NoError(t, err)
	assert.Equal(t, "pkg:golang/example.org/fork@v1.0.1%2Bincompatible", got.PackageURL)
	assert.Equal(t, hex.EncodeToString(sum), (*got.Hashes)[0].Value)

	_, err = s.module(&debug.Module{Path: "example.org/x", Version: "v1.0.0"})
	assert.EqualError(t, err, `module example.org/x: the sum "" is not h1: and a SHA-256`)
}

func TestAFileWithoutBuildInformationIsRefused(t *testing.T) {
	_, err := CycloneDX(Subject{File: "libsample.so", Content: []byte("no ELF")})
	assert.ErrorContains(t, err, "listing what is linked into libsample.so: ")
}
