// SPDX-License-Identifier: Apache-2.0

package release

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aerie-falco/aerie/build/archive"
	"github.com/aerie-falco/aerie/build/crossbuild"
	"github.com/aerie-falco/aerie/build/toolchain"
)

// Repository is where the sources are.
const Repository = "https://github.com/aerie-falco/aerie"

// statement is an in-toto Statement v1 with a SLSA v1 provenance as its predicate:
// https://in-toto.io/Statement/v1, https://slsa.dev/provenance/v1.
type statement struct {
	Type          string     `json:"_type"`
	Subject       []resource `json:"subject"`
	PredicateType string     `json:"predicateType"`
	Predicate     predicate  `json:"predicate"`
}

type resource struct {
	Name   string            `json:"name,omitempty"`
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest"`
}

type predicate struct {
	BuildDefinition struct {
		BuildType            string         `json:"buildType"`
		ExternalParameters   map[string]any `json:"externalParameters"`
		InternalParameters   map[string]any `json:"internalParameters"`
		ResolvedDependencies []resource     `json:"resolvedDependencies"`
	} `json:"buildDefinition"`
	RunDetails struct {
		Builder struct {
			ID string `json:"id"`
		} `json:"builder"`
	} `json:"runDetails"`
}

// provenance says how a plugin's files came about. The libraries' own build
// information leaves out the compiler and linker flags, which are told here.
func (p *packer) provenance(ctx context.Context, one plugin, files []archive.File) ([]byte, error) {
	s := statement{Type: "https://in-toto.io/Statement/v1", PredicateType: "https://slsa.dev/provenance/v1"}
	for _, f := range files {
		s.Subject = append(s.Subject, resource{Name: f.Name, Digest: map[string]string{"sha256": sum(f.Content)}})
	}
	platforms := map[string]any{}
	for _, l := range one.libraries {
		cc, err := toolchain.For(l.arch)
		if err != nil {
			return nil, err
		}
		version, err := compilerVersion(ctx, cc.Command)
		if err != nil {
			return nil, err
		}
		environ, command := crossbuild.Recipe(l.arch, cc.Command)
		platforms["linux/"+l.arch] = map[string]any{"environment": environ, "command": command, "compiler": version}
	}
	d := &s.Predicate.BuildDefinition
	d.BuildType = Repository + "/blob/main/docs/releasing.md"
	d.ExternalParameters = map[string]any{"plugin": one.entry.Name, "version": one.version, "repository": Repository}
	if one.tag != "" {
		d.ExternalParameters["ref"] = "refs/tags/" + one.tag
	}
	d.InternalParameters = map[string]any{"go": one.goVersion, "platforms": platforms}
	d.ResolvedDependencies = []resource{{URI: "git+" + Repository, Digest: map[string]string{"gitCommit": p.checkout.Commit}}}
	s.Predicate.RunDetails.Builder.ID = builder()
	return indented(s)
}

// builder names who builds: a workflow of GitHub, by its file and ref, or anybody.
func builder() string {
	if workflow := os.Getenv("GITHUB_WORKFLOW_REF"); workflow != "" {
		return "https://github.com/" + workflow
	}
	return Repository + "/blob/main/magefile.go"
}

// compilerVersion is the first line of what the C compiler says of itself: its code is in the plugins too.
func compilerVersion(ctx context.Context, command string) (string, error) {
	cmd := exec.CommandContext(ctx, command, "--version")
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	text, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("asking %s for its version: %w", command, err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line, nil
}

// Provenance reads the statement about a plugin of the release. It has to speak of files that the checksums have, and of no others.
func (p Packaged) Provenance(name, version string) ([]byte, error) {
	file := ProvenanceFile(name, version)
	text, err := os.ReadFile(filepath.Join(p.Dir, file))
	if err != nil {
		return nil, fmt.Errorf("reading the release: %w", err)
	}
	var s statement
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("reading the release: %s: %w", file, err)
	}
	if len(s.Subject) == 0 {
		return nil, fmt.Errorf("reading the release: %s is about no file", file)
	}
	for _, r := range s.Subject {
		if p.sums[r.Name] != r.Digest["sha256"] {
			return nil, fmt.Errorf("reading the release: %s is about another %s than %s; make the release anew", file, r.Name, SumsFile)
		}
	}
	return text, nil
}
