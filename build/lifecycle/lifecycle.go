// SPDX-License-Identifier: Apache-2.0

// Package lifecycle keeps plugins from breaking those who use them. Each plugin
// has its public face beside it, face.json, and samples of payloads with what it
// makes of them. Those of the last release, which git has, are compared with what
// the built plugin is now; that says which version the next release may have.
package lifecycle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aerie-falco/aerie/build/artifacts"
	"github.com/aerie-falco/aerie/build/docs"
	"github.com/aerie-falco/aerie/build/plughost"
	"github.com/aerie-falco/aerie/build/workspace"
)

const (
	// FaceFile is the public face, in a plugin's folder. It is generated.
	FaceFile = "face.json"
	// PayloadFolder has the payload fixtures, files *.json, in a plugin's folder. What is recorded in them is generated.
	PayloadFolder = "testdata/payloads"
)

// Generate brings the face and the recordings of all plugins up to date, and
// returns the files that it changed, relative to the root. The plugins and
// plughost must have been built for this machine. What is recorded anew is what
// the plugin makes of payloads now: Check compares with the last release.
func Generate(ctx context.Context, w workspace.Workspace) ([]string, error) {
	outdated, err := render(ctx, w)
	var changed []string
	for _, f := range outdated {
		if failed := os.WriteFile(w.Path(filepath.FromSlash(f.rel)), f.text, 0o644); failed != nil {
			err = errors.Join(err, fmt.Errorf("writing what was generated: %w", failed))
			continue
		}
		changed = append(changed, f.rel)
	}
	return changed, err
}

// upToDate returns an error if Generate would change something of a plugin.
func upToDate(ctx context.Context, w workspace.Workspace, p workspace.Plugin) error {
	outdated, err := generated(ctx, w, p)
	for _, f := range outdated {
		err = errors.Join(err, fmt.Errorf("%s is not what the built plugin says: %s; run go tool mage lifecycle:generate, and look at what it changes", f.rel, f.differs))
	}
	return err
}

// file is a generated file as it should be; rel is relative to the root.
type file struct {
	rel     string
	text    []byte
	differs string // the first difference from what stands there
}

// difference shows the first line that is not as it should be.
func difference(is, should []byte) string {
	was, want := strings.Split(string(is), "\n"), strings.Split(string(should), "\n")
	for k := range want {
		if k >= len(was) || was[k] != want[k] {
			there := "nothing"
			if k < len(was) {
				there = fmt.Sprintf("%.100q", strings.TrimSpace(was[k]))
			}
			return fmt.Sprintf("line %d is %s and should be %.100q", k+1, there, strings.TrimSpace(want[k]))
		}
	}
	return fmt.Sprintf("line %d and what follows should not be there", len(want))
}

func render(ctx context.Context, w workspace.Workspace) ([]file, error) {
	plugins, err := w.Plugins()
	if err != nil {
		return nil, err
	}
	var outdated []file
	var failed []error
	for _, p := range plugins {
		found, err := generated(ctx, w, p)
		outdated = append(outdated, found...)
		failed = append(failed, err)
	}
	return outdated, errors.Join(failed...)
}

// generated lists those of a plugin's generated files that have to change.
func generated(ctx context.Context, w workspace.Workspace, p workspace.Plugin) ([]file, error) {
	library := artifacts.Library(w, artifacts.Host, p.Name)
	var outdated []file
	compare := func(rel string, text []byte) error {
		old, err := os.ReadFile(w.Path(filepath.FromSlash(rel)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if !bytes.Equal(old, text) {
			outdated = append(outdated, file{rel, text, difference(old, text)})
		}
		return nil
	}
	face, err := faceOf(ctx, w, p)
	if err != nil {
		return nil, err
	}
	if err := compare(path.Join("plugins", p.Name, FaceFile), face); err != nil {
		return nil, fmt.Errorf("comparing the face of %s: %w", p.Name, err)
	}
	fixtures, err := fixturesOf(p)
	if err != nil {
		return nil, err
	}
	var failed []error
	for _, fixture := range fixtures {
		text, err := plughost.Record(ctx, w, library, fixture)
		if err == nil {
			err = compare(path.Join("plugins", p.Name, PayloadFolder, filepath.Base(fixture)), text)
		}
		failed = append(failed, err)
	}
	return outdated, errors.Join(failed...)
}

// fixturesOf lists a plugin's payload fixtures, sorted.
func fixturesOf(p workspace.Plugin) ([]string, error) {
	fixtures, err := filepath.Glob(filepath.Join(p.Dir, filepath.FromSlash(PayloadFolder), "*.json"))
	if err != nil {
		return nil, fmt.Errorf("listing the payload fixtures of %s: %w", p.Name, err)
	}
	slices.Sort(fixtures)
	return fixtures, nil
}

// faceOf asks the built plugin.
func faceOf(ctx context.Context, w workspace.Workspace, p workspace.Plugin) ([]byte, error) {
	config, err := plughost.NeededConfig(p)
	if err != nil {
		return nil, fmt.Errorf("asking for the face of %s: %w", p.Name, err)
	}
	schema := filepath.Join(p.Dir, docs.OpenParamsSchema)
	if _, err := os.Stat(schema); errors.Is(err, fs.ErrNotExist) {
		schema = ""
	}
	return plughost.Face(ctx, w, artifacts.Library(w, artifacts.Host, p.Name), config, schema)
}

// Declared is the version that a plugin declares, as its face.json has it.
func Declared(w workspace.Workspace, plugin string) (string, error) {
	p, err := w.Plugin(plugin)
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(p.Dir, FaceFile))
	if err != nil {
		return "", fmt.Errorf("reading the version of %s: %w; go tool mage lifecycle:generate writes it", plugin, err)
	}
	var d declaration
	if err := json.Unmarshal(text, &d); err != nil {
		return "", fmt.Errorf("reading the version of %s: %s: %w", plugin, FaceFile, err)
	}
	return d.Version, nil
}
