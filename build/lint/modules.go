// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/aerie-falco/aerie/build/workspace"
)

// goWork reports modules that go.work lacks: tests and editors would not see them.
func goWork(_ context.Context, l linter) ([]string, error) {
	text, err := os.ReadFile(l.w.Path("go.work"))
	if err != nil {
		return nil, err
	}
	work, err := modfile.ParseWork("go.work", text, nil)
	if err != nil {
		return nil, err
	}
	var used []string
	for _, u := range work.Use {
		used = append(used, path.Clean(u.Path))
	}
	var findings []string
	for _, m := range l.modules {
		if !slices.Contains(used, m.Rel) {
			findings = append(findings, fmt.Sprintf("go.work does not use ./%s; run go work use ./%s", m.Rel, m.Rel))
		}
	}
	return findings, nil
}

// tidy reports go.mod and go.sum files that go mod tidy would change.
func tidy(ctx context.Context, l linter) ([]string, error) {
	return l.eachModule(ctx, "mod", "tidy", "-diff")
}

// build reports modules that do not build by themselves: without the workspace, as for whoever depends on them.
func build(ctx context.Context, l linter) ([]string, error) {
	return l.eachModule(ctx, "build", "./...")
}

// vet reports what go vet finds. The magefile is behind a build tag of its own.
func vet(ctx context.Context, l linter) ([]string, error) {
	findings, err := l.eachModule(ctx, "vet", "./...")
	if err != nil || !l.hasMagefile() {
		return findings, err
	}
	more, err := linter{w: l.w, modules: l.modules[:1]}.eachModule(ctx, "vet", "-tags", "mage", ".")
	return append(findings, more...), err
}

// hasMagefile reports whether the root module, which is the first, has a magefile.
func (l linter) hasMagefile() bool {
	_, err := os.Stat(l.w.Path("magefile.go"))
	return err == nil
}

// staticcheck reports what staticcheck finds.
func staticcheck(ctx context.Context, l linter) ([]string, error) {
	program, err := l.tool(ctx, "honnef.co/go/tools/cmd/staticcheck")
	if err != nil {
		return nil, err
	}
	var findings []string
	examine := func(m workspace.Module, args ...string) {
		cmd := exec.CommandContext(ctx, program, args...)
		cmd.Dir, cmd.Env = m.Dir, alone()
		if said, err := cmd.CombinedOutput(); err != nil {
			findings = append(findings, fmt.Sprintf("%s: %v\n%s", m.Rel, err, said))
		}
	}
	for _, m := range l.modules {
		examine(m, "./...")
	}
	if l.hasMagefile() {
		examine(l.modules[0], "-tags", "mage", ".")
	}
	return findings, nil
}

// workflows reports what actionlint finds in the CI's workflow files. Programs
// that it would use if they happened to be installed are switched off: the
// result must be the same everywhere.
func workflows(ctx context.Context, l linter) ([]string, error) {
	files, err := workflowFiles(l)
	if err != nil || len(files) == 0 {
		return nil, err
	}
	program, err := l.tool(ctx, "github.com/rhysd/actionlint/cmd/actionlint")
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, append([]string{"-no-color", "-shellcheck=", "-pyflakes="}, files...)...)
	cmd.Dir = l.w.Root
	if said, err := cmd.CombinedOutput(); err != nil {
		return []string{fmt.Sprintf("%v\n%s", err, said)}, nil
	}
	return nil, nil
}

func workflowFiles(l linter) ([]string, error) {
	const dir = ".github/workflows"
	entries, err := os.ReadDir(l.w.Path(".github", "workflows"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	var files []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".yml") || strings.HasSuffix(e.Name(), ".yaml") {
			files = append(files, path.Join(dir, e.Name()))
		}
	}
	return files, err
}
