// SPDX-License-Identifier: Apache-2.0

// Package licences finds the licence texts of everything that is linked into a
// plugin. Which licence a text is, a person has said once, in known.list; a text
// that is not there stops the release.
package licences

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/aerie-falco/aerie/build/crossbuild"
	"github.com/aerie-falco/aerie/build/gocmd"
)

// Standard is the name that the Go standard library and runtime go by.
const Standard = "std"

// Allowed are the SPDX identifiers that the foundation behind Falco accepts for what it ships.
var Allowed = []string{"Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MPL-2.0"}

// Text is one file that has to go with the plugin.
type Text struct {
	Module  string // path, or Standard
	File    string // slash-separated, relative to the module's folder
	SPDX    string // expression; "" for a notice, which is no licence
	Content []byte
}

// Of returns the texts of all modules that the plugin in dir links for any of
// the architectures, sorted by module and file. The repository's own modules
// count as one, whose folder is root. The error lists every text that is not known.
func Of(ctx context.Context, root, dir string, architectures []string) ([]Text, error) {
	linked := folders{root: root, of: map[string]*module{}}
	for _, arch := range architectures {
		if err := linked.add(ctx, dir, arch); err != nil {
			return nil, fmt.Errorf("collecting licences: %w", err)
		}
	}
	known, err := parse(knownList)
	if err != nil {
		return nil, fmt.Errorf("collecting licences: %w", err)
	}
	texts, err := linked.texts(known)
	if err != nil {
		return nil, fmt.Errorf("collecting licences: %w", err)
	}
	return texts, nil
}

// ByModule returns the SPDX expression of each module.
func ByModule(texts []Text) map[string]string {
	found := map[string][]string{}
	for _, t := range texts {
		if t.SPDX != "" && !slices.Contains(found[t.Module], t.SPDX) {
			found[t.Module] = append(found[t.Module], t.SPDX)
		}
	}
	out := map[string]string{}
	for name, list := range found {
		out[name] = strings.Join(list, " AND ")
	}
	return out
}

// ListFile is the name under which List goes with the texts.
const ListFile = "licenses.txt"

// List is a line for each text: module, SPDX expression and file. A notice has "notice" for the expression.
func List(texts []Text) []byte {
	var out bytes.Buffer
	for _, t := range texts {
		fmt.Fprintf(&out, "%s\t%s\t%s/%s\n", t.Module, cmp.Or(t.SPDX, "notice"), t.Module, t.File)
	}
	return out.Bytes()
}

// folders are the linked modules, each with the folders of its linked packages.
type folders struct {
	root string
	of   map[string]*module
}

type module struct {
	root     string
	packages map[string]bool // absolute folders, root among them
}

// add asks the go command what a build for arch links.
func (f folders) add(ctx context.Context, dir, arch string) error {
	env, err := gocmd.Hermetic(ctx, dir, "CGO_ENABLED=1", "GOOS=linux", "GOARCH="+arch, "GOWORK=off")
	if err != nil {
		return err
	}
	text, err := gocmd.Go{Dir: dir, Env: env}.Output(ctx, "list", "-deps", "-tags", crossbuild.Tags, "-json=Dir,Standard,Module", "./lib")
	if err != nil {
		return err
	}
	goroot, err := gocmd.Go{Dir: dir, Env: env}.Output(ctx, "env", "GOROOT")
	if err != nil {
		return err
	}
	f.put(Standard, strings.TrimSpace(goroot), "")
	for d := json.NewDecoder(strings.NewReader(text)); ; {
		var p struct {
			Dir      string
			Standard bool
			Module   *struct{ Path, Dir string }
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading what go list says: %w", err)
		}
		switch {
		case p.Standard:
		case p.Module == nil || p.Module.Dir == "":
			return fmt.Errorf("the package in %s belongs to no module", p.Dir)
		case within(f.root, p.Module.Dir):
			f.put("github.com/aerie-falco/aerie", f.root, "")
		default:
			f.put(p.Module.Path, p.Module.Dir, p.Dir)
		}
	}
}

func (f folders) put(name, root, pkg string) {
	m := f.of[name]
	if m == nil {
		m = &module{root: root, packages: map[string]bool{root: true}}
		f.of[name] = m
	}
	// what stands above a package, up to the module's folder, is about the package too
	for dir := pkg; dir != "" && within(root, dir); dir = filepath.Dir(dir) {
		m.packages[dir] = true
	}
}

func within(root, dir string) bool {
	rel, err := filepath.Rel(root, dir)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

var (
	licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|unlicense)([-_.].*)?$`)
	noticeFile  = regexp.MustCompile(`(?i)^(notice|patents)([-_.].*)?$`)
	// the licence of a module's documentation is not that of its code
	docsLicence = regexp.MustCompile(`(?i)docs`)
)

func (f folders) texts(known table) ([]Text, error) {
	var texts []Text
	var unknown []string
	for name, m := range f.of {
		found := 0
		for dir := range m.packages {
			entries, err := os.ReadDir(dir)
			if err != nil {
				return nil, err
			}
			for _, e := range entries {
				isLicence, isNotice := licenceFile.MatchString(e.Name()), noticeFile.MatchString(e.Name())
				if !e.Type().IsRegular() || !isLicence && !isNotice || docsLicence.MatchString(e.Name()) || filepath.Ext(e.Name()) == ".go" {
					continue
				}
				content, err := os.ReadFile(filepath.Join(dir, e.Name()))
				if err != nil {
					return nil, err
				}
				rel, err := filepath.Rel(m.root, filepath.Join(dir, e.Name()))
				if err != nil {
					return nil, err
				}
				t := Text{Module: name, File: filepath.ToSlash(rel), Content: content}
				if isLicence {
					found++
					sum := Sum(content)
					if t.SPDX = known[name+" "+sum]; t.SPDX == "" {
						unknown = append(unknown, fmt.Sprintf("%s of %s is not known; read it, and if it is one of %s, add to build/licences/known.list: %s SPDX-ID %s",
							t.File, name, strings.Join(Allowed, ", "), name, sum))
					}
				}
				texts = append(texts, t)
			}
		}
		if found == 0 {
			unknown = append(unknown, fmt.Sprintf("%s has no licence file; what has none may not be shipped", name))
		}
	}
	slices.Sort(unknown)
	if len(unknown) > 0 {
		return nil, errors.New(strings.Join(unknown, "\n"))
	}
	slices.SortFunc(texts, func(a, b Text) int { return cmp.Or(cmp.Compare(a.Module, b.Module), cmp.Compare(a.File, b.File)) })
	return texts, nil
}

// Sum is how a text is known: its SHA-256, in hexadecimal.
func Sum(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

//go:embed known.list
var knownList string

// table maps "MODULE SHA256" to an SPDX expression.
type table map[string]string

// parse reads lines MODULE SPDX-ID[+SPDX-ID…] SHA256. Comments begin with #.
func parse(list string) (table, error) {
	known, n := table{}, 0
	for line := range strings.Lines(list) {
		n++
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if len(words) != 3 || len(words[2]) != 2*sha256.Size {
			return nil, fmt.Errorf("known.list line %d: %q is not MODULE SPDX-ID SHA256", n, strings.TrimSpace(line))
		}
		ids := strings.Split(words[1], "+")
		for _, id := range ids {
			if !slices.Contains(Allowed, id) {
				return nil, fmt.Errorf("known.list line %d: licence %q is not one of %s", n, id, strings.Join(Allowed, ", "))
			}
		}
		known[words[0]+" "+words[2]] = strings.Join(ids, " AND ")
	}
	return known, nil
}
