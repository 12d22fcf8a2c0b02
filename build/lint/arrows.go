// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"context"
	"fmt"
	"strings"

	"github.com/aerie-falco/aerie/build/gocmd"
)

// reach says which packages of this repository those below a folder may
// import. Paths are relative to the root of the repository.
var reach = []struct {
	folder string
	may    []string
}{
	{"shared/plugin", []string{"shared/plugin"}},
	{"shared/jsonfields", []string{"shared/jsonfields", "shared/plugin"}},
	{"shared/ingest", []string{"shared/ingest", "shared/plugin"}},
	{"test/conformance/fixtures", []string{"test/conformance/fixtures", "shared/plugin"}}, // plugins to be tested
	{"test/reference", []string{"test/reference", "shared/plugin"}},                       // plugins to be read
	{"test", []string{"test", "shared/plugin/abi"}},                                       // the bench knows the C ABI, no plugin and no kit
	{"build", []string{"build"}},
}

// mayImport returns what a package of ours may import of ours.
func mayImport(pkg string) []string {
	for _, r := range reach {
		if below(pkg, r.folder) {
			return r.may
		}
	}
	if parts := strings.SplitN(pkg, "/", 3); parts[0] == "plugins" && len(parts) > 1 {
		return []string{"plugins/" + parts[1], "shared"} // its own packages, and no other plugin's
	}
	if strings.HasPrefix(pkg, "shared/") {
		return []string{"shared"} // a module without a rule of its own yet: no plugin, no bench, no build
	}
	return []string{"build"} // the root
}

func below(pkg, folder string) bool { return pkg == folder || strings.HasPrefix(pkg, folder+"/") }

// arrows reports imports against the direction plugins → shared → kit. Direct imports are enough to look at: each
// package of a forbidden chain is looked at itself. Tests count as well.
func arrows(ctx context.Context, l linter) ([]string, error) {
	const format = `{{$p := .ImportPath}}{{range .Imports}}{{$p}} {{.}}
{{end}}{{range .TestImports}}{{$p}} {{.}}
{{end}}{{range .XTestImports}}{{$p}} {{.}}
{{end}}`
	var findings []string
	root := ""
	for _, m := range l.modules {
		if m.Rel == "." {
			root = m.Path + "/"
		}
	}
	if root == "" {
		return nil, fmt.Errorf("no go.mod at the root of %s", l.w.Root)
	}
	seen := map[string]bool{}
	for _, m := range l.modules {
		text, err := gocmd.Go{Dir: m.Dir, Env: alone()}.Output(ctx, "list", "-e", "-f", format, "./...")
		if err != nil {
			return findings, err
		}
		for line := range strings.Lines(text) {
			from, to, _ := strings.Cut(strings.TrimSpace(line), " ")
			to, ours := strings.CutPrefix(to, root)
			if !ours || seen[line] {
				continue
			}
			seen[line] = true
			from = strings.TrimPrefix(from, root)
			if may := mayImport(from); !allowed(to, may) {
				findings = append(findings, fmt.Sprintf("%s imports %s; of this repository it may import only %s", from, to, strings.Join(may, ", ")))
			}
		}
	}
	return findings, nil
}

func allowed(pkg string, folders []string) bool {
	for _, f := range folders {
		if below(pkg, f) {
			return true
		}
	}
	return false
}
