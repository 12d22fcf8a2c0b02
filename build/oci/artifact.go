// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content/memory"

	"github.com/aerie-falco/aerie/build/release"
	"github.com/aerie-falco/aerie/build/ruleset"
)

// The media types that falcoctl knows an artifact by.
const (
	PluginConfigType = "application/vnd.cncf.falco.plugin.config.v1+json"
	PluginLayerType  = "application/vnd.cncf.falco.plugin.layer.v1+tar.gz"
	RulesConfigType  = "application/vnd.cncf.falco.rulesfile.config.v1+json"
	RulesLayerType   = "application/vnd.cncf.falco.rulesfile.layer.v1+tar.gz"
)

// The types of what refers to an artifact. falcoctl does not look at them.
const (
	SBOMType          = "application/vnd.cyclonedx+json"
	ProvenanceType    = "application/vnd.in-toto+json"
	CompatibilityType = "application/vnd.aerie.compatibility.v1+json"
	LicencesType      = "application/vnd.aerie.licenses.v1+tar.gz"
)

// Config is the config of an artifact, by which falcoctl resolves dependencies
// and compares requirements with a running Falco.
type Config struct {
	Name         string               `json:"name"`
	Version      string               `json:"version"`
	Requirements []ruleset.Plugin     `json:"requirements,omitempty"` // keys of Falco's /versions
	Dependencies []ruleset.Dependency `json:"dependencies,omitempty"`
}

// artifact is one artifact, ready to be copied to a registry.
type artifact struct {
	repository string // below the registry
	version    string
	needs      []ruleset.Dependency
	store      *memory.Store
	root       ocispec.Descriptor // what tags point to
	referrers  []ocispec.Descriptor
}

// packer builds one artifact in memory.
type packer struct {
	artifact
	from        release.Packaged
	facts       release.Compatibility
	annotations map[string]string // of its manifests
}

func newPacker(from release.Packaged, facts release.Compatibility, repository string) *packer {
	return &packer{
		artifact: artifact{repository: repository, version: facts.Version, store: memory.New()},
		from:     from, facts: facts,
		// The time is fixed, so that the same release has the same digest whenever it is published.
		annotations: map[string]string{ocispec.AnnotationSource: release.Repository, ocispec.AnnotationCreated: facts.Created},
	}
}

// pluginArtifact is an image index with a manifest for each platform.
func pluginArtifact(ctx context.Context, from release.Packaged, facts release.Compatibility, repository string) (artifact, error) {
	p := newPacker(from, facts, repository)
	config, err := p.json(ctx, PluginConfigType, Config{
		Name: facts.Name, Version: facts.Version, Requirements: []ruleset.Plugin{{Name: "plugin_api_version", Version: facts.PluginAPI}},
	})
	if err != nil {
		return artifact{}, err
	}
	index := ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex,
		Annotations: map[string]string{ocispec.AnnotationSource: release.Repository},
	}
	for _, arch := range architectures(facts) {
		manifest, err := p.manifest(ctx, config, PluginLayerType, release.TarballFile(facts.Name, facts.Version, arch), nil)
		if err != nil {
			return artifact{}, err
		}
		// falcoctl chooses by Go's names of platforms
		manifest.Platform = &ocispec.Platform{OS: "linux", Architecture: arch}
		manifest.Annotations, manifest.ArtifactType = p.annotations, PluginConfigType
		index.Manifests = append(index.Manifests, manifest)
	}
	if p.root, err = p.json(ctx, ocispec.MediaTypeImageIndex, index); err != nil {
		return artifact{}, err
	}
	for _, arch := range architectures(facts) {
		if err := p.refer(ctx, SBOMType, release.SBOMFile(facts.Name, facts.Version, arch)); err != nil {
			return artifact{}, err
		}
	}
	for _, r := range []struct{ kind, file string }{
		{CompatibilityType, release.CompatibilityFile(facts.Name, facts.Version)},
		{LicencesType, release.LicencesFile(facts.Name, facts.Version)},
	} {
		if err := p.refer(ctx, r.kind, r.file); err != nil {
			return artifact{}, err
		}
	}
	return p.artifact, p.referProvenance(ctx)
}

// rulesArtifact is an image manifest with the archive of the rules.
func rulesArtifact(ctx context.Context, from release.Packaged, facts release.Compatibility, repository string) (artifact, error) {
	p := newPacker(from, facts, repository)
	p.needs = facts.Rules.Plugins
	c := Config{Name: facts.Name + "-rules", Version: facts.Version, Dependencies: facts.Rules.Plugins}
	if facts.Rules.Engine != "" {
		c.Requirements = []ruleset.Plugin{{Name: "engine_version_semver", Version: facts.Rules.Engine}}
	}
	config, err := p.json(ctx, RulesConfigType, c)
	if err != nil {
		return artifact{}, err
	}
	if p.root, err = p.manifest(ctx, config, RulesLayerType, release.RulesFile(facts.Name, facts.Version), nil); err != nil {
		return artifact{}, err
	}
	return p.artifact, p.referProvenance(ctx)
}

// architectures are those of the release, in a fixed order.
func architectures(facts release.Compatibility) []string {
	var all []string
	for _, arch := range []string{"amd64", "arm64"} {
		if _, ok := facts.Platforms["linux/"+arch]; ok {
			all = append(all, arch)
		}
	}
	return all
}

// manifest stores a manifest with one layer, a file of the release. falcoctl
// stores the layer under its title, so that it has to be there. The form is that of
// OCI 1.0, unless there is a subject: what falcoctl itself pushes.
func (p *packer) manifest(ctx context.Context, config ocispec.Descriptor, layerType, file string, subject *ocispec.Descriptor) (ocispec.Descriptor, error) {
	content, err := p.from.Read(file)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	return p.manifestOf(ctx, config, layerType, file, content, subject)
}

func (p *packer) manifestOf(ctx context.Context, config ocispec.Descriptor, layerType, file string, content []byte, subject *ocispec.Descriptor) (ocispec.Descriptor, error) {
	layer, err := p.put(ctx, layerType, content)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	layer.Annotations = map[string]string{ocispec.AnnotationTitle: path.Base(file)}
	m := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: config, Layers: []ocispec.Descriptor{layer}, Annotations: p.annotations, Subject: subject,
	}
	if subject != nil {
		m.ArtifactType = layerType
	}
	return p.json(ctx, ocispec.MediaTypeImageManifest, m)
}

// refer adds a manifest that refers to the artifact, with a file of the release.
func (p *packer) refer(ctx context.Context, kind, file string) error {
	content, err := p.from.Read(file)
	if err != nil {
		return err
	}
	return p.referTo(ctx, kind, file, content)
}

func (p *packer) referProvenance(ctx context.Context) error {
	content, err := p.from.Provenance(p.facts.Name, p.facts.Version)
	if err != nil {
		return err
	}
	return p.referTo(ctx, ProvenanceType, release.ProvenanceFile(p.facts.Name, p.facts.Version), content)
}

func (p *packer) referTo(ctx context.Context, kind, file string, content []byte) error {
	config, err := p.put(ctx, ocispec.MediaTypeEmptyJSON, ocispec.DescriptorEmptyJSON.Data)
	if err != nil {
		return err
	}
	root := ocispec.Descriptor{MediaType: p.root.MediaType, Digest: p.root.Digest, Size: p.root.Size}
	d, err := p.manifestOf(ctx, config, kind, file, content, &root)
	p.referrers = append(p.referrers, d)
	return err
}

// json stores a value as compact JSON.
func (p *packer) json(ctx context.Context, mediaType string, v any) (ocispec.Descriptor, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	return p.put(ctx, mediaType, text)
}

// put stores a blob; one that is there already is left alone. The descriptor has
// no annotations, which some registries refuse for configs.
func (p *packer) put(ctx context.Context, mediaType string, content []byte) (ocispec.Descriptor, error) {
	d := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))}
	there, err := p.store.Exists(ctx, d)
	if err == nil && !there {
		err = p.store.Push(ctx, d, bytes.NewReader(content))
	}
	if err != nil {
		return d, fmt.Errorf("preparing %s: %w", p.repository, err)
	}
	return d, nil
}
