// SPDX-License-Identifier: Apache-2.0

package scaffold

import (
	"bytes"
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"golang.org/x/mod/modfile"

	"github.com/aerie-falco/aerie/build/registry"
	"github.com/aerie-falco/aerie/build/workspace"
)

// names are those of the public registry, without the underscore that it
// discourages. The length keeps file names and tables readable.
var names = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

const longestName = 40

// taken are names that mean something else to Go, or in a plugin's lib/main.go, which imports these packages of the kit.
var taken = []string{
	"main", "plugin", "testing", "internal", "vendor", "all",
	"async", "capture", "config", "extract", "parse", "source",
}

// fieldClasses begin the names of the framework's own fields; threads is its table. Fields and tables of a plugin begin with its name.
var fieldClasses = []string{
	"container", "evt", "fd", "fdlist", "fs", "group", "k8s", "mesos", "proc", "span", "syslog", "thread", "threads", "user",
}

func checkName(w workspace.Workspace, name string) error {
	switch {
	case name == "":
		return errors.New("no name is given")
	case strings.ContainsAny(name, `/\.`):
		return errors.New("a name is no path: use lower-case letters, digits and single hyphens, such as cloud-audit")
	case !names.MatchString(name):
		return errors.New("use lower-case letters, digits and single hyphens, beginning with a letter, such as cloud-audit")
	case len(name) > longestName:
		return fmt.Errorf("it has %d characters; use at most %d", len(name), longestName)
	case token.IsKeyword(name) || slices.Contains(taken, name):
		return errors.New("a package of Go or the kit has that name; use another")
	case slices.Contains(fieldClasses, name):
		return fmt.Errorf("the framework has fields or tables of its own that begin with %s; use another", name)
	}
	if _, err := os.Lstat(w.Path("plugins", name)); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("plugins/%s exists already; use another name, or remove it first", name)
	}
	return nil
}

// firstUnassigned is the lowest ID that the public registry of Falco plugins has
// not assigned: 1 to 28 are in use there.
const firstUnassigned = 29

// register plans the entry in registry.yaml, and with it the ID.
func (p *written) register(w workspace.Workspace, v *values) error {
	file := w.Path(registry.FileName)
	before, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	ledger, err := registry.Load(file)
	if err != nil {
		return err
	}
	if _, taken := ledger.Entry(v.Name); taken {
		return fmt.Errorf("%s has an entry of that name already", registry.FileName)
	}
	if v.Kind == Source || v.Kind == Full {
		v.ID = freeID(ledger)
	}
	text, err := templates.ReadFile("templates/registry.yaml.tmpl")
	if err != nil {
		return err
	}
	t, err := template.New("registry").Delims("[[", "]]").Parse(string(text))
	if err != nil {
		return err
	}
	var entry bytes.Buffer
	if err := t.Execute(&entry, v); err != nil {
		return err
	}
	e := edit{string(before), strings.TrimRight(string(before), "\n") + "\n\n" + strings.TrimSpace(entry.String()) + "\n"}
	// indentation is that of the list, which the trimming took from the first line
	e.after = strings.Replace(e.after, "\n\n- name: "+v.Name+"\n", "\n\n  - name: "+v.Name+"\n", 1)
	p.edits[registry.FileName] = e
	return valid(e.after)
}

// valid tells what is wrong with a registry before it is one.
func valid(text string) error {
	dir, err := os.MkdirTemp("", "registry")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, registry.FileName)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	_, err = registry.Load(file)
	return err
}

func freeID(ledger *registry.Registry) uint32 {
	id := uint32(firstUnassigned)
	for id == registry.TestID || slices.ContainsFunc(ledger.Plugins, func(e registry.Entry) bool { return e.ID == id }) {
		id++
	}
	return id
}

// join plans the line in go.work.
func (p *written) join(w workspace.Workspace, v values) error {
	const file = "go.work"
	before, err := os.ReadFile(w.Path(file))
	if err != nil {
		return err
	}
	work, err := modfile.ParseWork(file, before, nil)
	if err != nil {
		return err
	}
	if err := work.AddUse("./plugins/"+v.Name, ""); err != nil {
		return err
	}
	work.SortBlocks()
	work.Cleanup()
	p.edits[file] = edit{string(before), string(modfile.Format(work.Syntax))}
	return nil
}

// libraries are the requirements of shared/jsonfields outside of the workspace,
// which has all that a new plugin needs.
func libraries(w workspace.Workspace) ([]string, error) {
	const file = "shared/jsonfields/go.mod"
	text, err := os.ReadFile(w.Path(filepath.FromSlash(file)))
	if err != nil {
		return nil, err
	}
	mod, err := modfile.Parse(file, text, nil)
	if err != nil {
		return nil, err
	}
	root := strings.TrimSuffix(mod.Module.Mod.Path, "shared/jsonfields")
	var all []string
	for _, r := range mod.Require {
		if !strings.HasPrefix(r.Mod.Path, root) {
			all = append(all, r.Mod.Path+" "+r.Mod.Version)
		}
	}
	return all, nil
}
