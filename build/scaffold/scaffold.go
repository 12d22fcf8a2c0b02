// SPDX-License-Identifier: Apache-2.0

// Package scaffold makes a new plugin: a folder in plugins/ that compiles, is
// tested, documented and registered, for its author to change.
//
// What is made comes from templates/: the folder all/, and one for each kind.
package scaffold

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/aerie-falco/aerie/build/gocmd"
	"github.com/aerie-falco/aerie/build/workspace"
)

// The kinds of plugin.
const (
	Source    = "source"    // an event source
	Extractor = "extractor" // fields for the events of other plugins' sources
	Parser    = "parser"    // state learnt from events, and fields that tell it
	Full      = "full"      // every capability of the plugin API
)

// Kinds lists them.
var Kinds = []string{Source, Extractor, Parser, Full}

//go:embed all:templates
var templates embed.FS

// New makes the plugin and enters it into go.work and registry.yaml. It does
// not build: the tables in the READMEs are still empty.
//
// Whatever can be refused is refused before anything is written. If writing
// fails half-way, what was written is taken back.
func New(ctx context.Context, w workspace.Workspace, kind, name string, log io.Writer) error {
	p, err := plan(w, kind, name)
	if err != nil {
		return fmt.Errorf("making plugin %q: %w", name, err)
	}
	if err := p.write(ctx, w); err != nil {
		return fmt.Errorf("making plugin %q: %w", name, errors.Join(err, p.undo(w)))
	}
	fmt.Fprintf(log, "made plugins/%s with %d files, and entered it into go.work and registry.yaml\n", name, len(p.files))
	if p.ID != 0 {
		fmt.Fprintf(log, "its ID is %d, the next that is free here: have it assigned by the public registry of Falco plugins before a release\n", p.ID)
	}
	return nil
}

// values is what the templates are filled with.
type values struct {
	Kind     string   // one of Kinds
	Name     string   // of the plugin and its folder
	Package  string   // of its Go package, and the beginning of its file names
	Word     string   // of its event source, fields and tables: Name with _ for -
	Title    string   // Name as a word at the beginning of a sentence
	ID       uint32   // 0 for a plugin without a source
	Requires []string // lines of go.mod: libraries in the versions that the workspace has
}

// written is a new plugin as it is going to be.
type written struct {
	values
	files map[string]string // by slash-separated path in the plugin's folder
	edits map[string]edit   // files of the workspace, by slash-separated path
	made  bool              // its folder is ours
}

type edit struct{ before, after string }

func plan(w workspace.Workspace, kind, name string) (*written, error) {
	if !slices.Contains(Kinds, kind) {
		return nil, fmt.Errorf("unknown kind %q; use one of %s", kind, strings.Join(Kinds, ", "))
	}
	if err := checkName(w, name); err != nil {
		return nil, err
	}
	v := values{
		Kind:    kind,
		Name:    name,
		Package: strings.NewReplacer("-", "", "_", "").Replace(name),
		Word:    strings.ReplaceAll(name, "-", "_"),
		Title:   strings.ToUpper(name[:1]) + strings.ReplaceAll(name[1:], "-", " "),
	}
	requires, err := libraries(w)
	if err != nil {
		return nil, err
	}
	v.Requires = requires
	p := &written{files: map[string]string{}, edits: map[string]edit{}}
	if err := p.register(w, &v); err != nil {
		return nil, err
	}
	if err := p.join(w, v); err != nil {
		return nil, err
	}
	p.values = v
	for _, from := range []string{"all", kind} {
		if err := p.render(path.Join("templates", from)); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// render fills all templates below a folder. NAME in a file's name stands for the
// plugin's, PACKAGE for its package's; the suffix .tmpl is cut off.
func (p *written) render(folder string) error {
	names := strings.NewReplacer("NAME", p.Name, "PACKAGE", p.Package)
	return fs.WalkDir(templates, folder, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := templates.ReadFile(file)
		if err != nil {
			return err
		}
		// Go code and YAML are full of {{ and }}
		t, err := template.New(file).Delims("[[", "]]").Option("missingkey=error").Parse(string(text))
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := t.Execute(&out, p.values); err != nil {
			return err
		}
		to := names.Replace(strings.TrimSuffix(strings.TrimPrefix(file, folder+"/"), ".tmpl"))
		content := out.Bytes()
		if path.Ext(to) == ".go" {
			// names of other lengths align differently
			if content, err = format.Source(content); err != nil {
				return fmt.Errorf("%s: %w", to, err)
			}
		}
		if _, twice := p.files[to]; twice {
			return fmt.Errorf("two of its files would be %s; use another name", to)
		}
		p.files[to] = string(content)
		return nil
	})
}

// write puts everything in its place. The plugin's folder is made first: if
// somebody else made it meanwhile, nothing of theirs is touched.
func (p *written) write(ctx context.Context, w workspace.Workspace) error {
	dir := w.Path("plugins", p.Name)
	if err := os.MkdirAll(w.Path("plugins"), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	p.made = true
	for name, text := range p.files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
	}
	for name, e := range p.edits {
		if err := os.WriteFile(w.Path(filepath.FromSlash(name)), []byte(e.after), 0o644); err != nil {
			return err
		}
	}
	// the versions stand in go.mod already; this drops what is not needed and adds the checksums
	return gocmd.Go{Dir: dir, Env: gocmd.Inherit("GOWORK=off")}.Run(ctx, "mod", "tidy")
}

// undo takes back what write did. A file of the workspace that is not as write
// left it is somebody else's by now and stays.
func (p *written) undo(w workspace.Workspace) error {
	var failed []error
	for name, e := range p.edits {
		file := w.Path(filepath.FromSlash(name))
		if now, err := os.ReadFile(file); err != nil || string(now) != e.after {
			continue
		}
		failed = append(failed, os.WriteFile(file, []byte(e.before), 0o644))
	}
	if p.made {
		failed = append(failed, os.RemoveAll(w.Path("plugins", p.Name)))
	}
	return errors.Join(failed...)
}
