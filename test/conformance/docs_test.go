// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
)

// block is a fenced code block of a page: the words behind its fence, and its
// text with the last line break.
type block struct {
	info, text string
	line       int
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, filepath.FromSlash(path)))
	require.NoError(t, err)
	return string(text)
}

func blocks(t *testing.T, page string) []block {
	t.Helper()
	var all []block
	open, n := false, 0
	for line := range strings.Lines(read(t, page)) {
		n++
		info, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open:
			open = false
		case fence:
			open = true
			all = append(all, block{info: strings.TrimSpace(info), line: n})
		case open:
			all[len(all)-1].text += line
		}
	}
	require.False(t, open, "%s: a code block does not end", page)
	return all
}

// pages are the texts for people, relative to the repository's root.
func pages(t *testing.T) []string {
	t.Helper()
	all := []string{"README.md", "CONTRIBUTING.md"}
	docs, err := filepath.Glob(filepath.Join(repository, "docs", "*.md"))
	require.NoError(t, err)
	require.NotEmpty(t, docs)
	for _, d := range docs {
		all = append(all, "docs/"+filepath.Base(d))
	}
	return all
}

// The guide quotes the dummy plugin's files piece by piece, with one empty line
// between two pieces.
func TestTheGuidesCodeIsThatOfTheDummyPlugin(t *testing.T) {
	const guide, folder = "docs/writing-a-plugin.md", "test/conformance/fixtures/dummy/"
	quoted := map[string][]string{}
	for _, b := range blocks(t, guide) {
		if name, ok := strings.CutPrefix(b.info, "go "); ok {
			quoted[name] = append(quoted[name], b.text)
		}
	}
	for _, name := range []string{"main.go", "main_test.go"} {
		assert.Equal(t, read(t, folder+name), strings.Join(quoted[name], "\n"), "%s in %s", name, guide)
	}
}

func TestTheDummyPluginWorksThroughTheABI(t *testing.T) {
	file := filepath.Join(fixtures, "libdummy.so")
	out, err := exec.Command("go", "build", "-buildmode=c-shared", "-o", file, "./fixtures/dummy").CombinedOutput()
	require.NoError(t, err, "%s", out)
	lib, err := host.Load(file, nil)
	require.NoError(t, err)
	p, err := host.Register(lib)
	require.NoError(t, err)
	r := &rig{Plugin: p, t: t}
	require.NoError(t, r.init(`{"label":"tock"}`))
	defer r.Destroy()

	in, err := r.Open(`{"count":3,"every":"1ms"}`)
	require.NoError(t, err)
	defer r.Close(in)
	var got []string
	for rc := abi.Timeout; rc == abi.Timeout; { // an idle turn says that a number is not due yet
		var more []string
		more, rc, err = words(t, in)
		require.NoError(t, err)
		got = append(got, more...)
		if rc != abi.Timeout {
			assert.Equal(t, abi.EOF, rc)
		}
	}
	assert.Equal(t, []string{"1 tock", "2 tock", "3 tock"}, got)
	assert.EqualValues(t, 3, r.metric("ticks_delivered"))

	for _, c := range []struct {
		payload, field, arg string
		want                []any
	}{
		{"12 a label", "dummy.number", "", []any{uint64(12)}},
		{"12 a label", "dummy.label", "", []any{"a label"}},
		{"12 a label", "dummy.divisible", "5", []any{false}},
		{"12 a label", "dummy.divisible", "4", []any{true}},
		{"twelve", "dummy.number", "", nil},
	} {
		x, err := r.value(c.payload, c.field, c.arg, c.arg != "")
		require.NoError(t, err)
		assert.Equal(t, c.want, x.Results[0].Values, "%s[%s] of %q", c.field, c.arg, c.payload)
	}
	x, err := r.value("12 a label", "dummy.divisible", "0", true)
	require.NoError(t, err)
	assert.Equal(t, abi.Failure, x.RC)
	assert.Equal(t, "extract_fields dummy.divisible: argument 0: nothing is divisible by it; use 1 or more", r.LastError())
}

// What a page shows as console is run from the repository's root, as its
// readers do. Lines after "$ " are commands, the others what they print.
func TestThePagesShowWhatTheirCommandsPrint(t *testing.T) {
	root, err := filepath.Abs(repository)
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(root, "dist", "bin", "plughost"), "run go tool mage build:plughost first")
	here := strings.NewReplacer("linux_amd64", "linux_"+runtime.GOARCH)
	asWritten := strings.NewReplacer("linux_"+runtime.GOARCH, "linux_amd64", root, "/home/you/aerie")
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			if b.info != "console" {
				continue
			}
			var got strings.Builder
			for line := range strings.Lines(b.text) {
				command, ok := strings.CutPrefix(line, "$ ")
				if !ok {
					continue
				}
				got.WriteString(line)
				sh := exec.Command("sh", "-c", here.Replace(command))
				sh.Dir = root
				out, err := sh.CombinedOutput()
				require.NoError(t, err, "%s:%d: %s%s", page, b.line, line, out)
				got.WriteString(asWritten.Replace(string(out)))
			}
			assert.Equal(t, timeless(b.text), timeless(got.String()), "%s:%d", page, b.line)
		}
	}
}

var (
	speed = regexp.MustCompile(`in [0-9.]+(ns|µs|ms|s) \([0-9]+/s\)`)
	idle  = regexp.MustCompile(`, [0-9]+ idle turns?`)
)

// timeless leaves out what differs from run to run, and empty lines at the end.
func timeless(text string) string {
	return strings.TrimRight(idle.ReplaceAllString(speed.ReplaceAllString(text, "in TIME"), ""), "\n")
}

var (
	link   = regexp.MustCompile(`\[([^\]\[]+)\]\(([^)\s]+)\)`)
	step   = regexp.MustCompile(`(?m)^ *(?:- )?run: *(.*)$`)
	target = regexp.MustCompile(`go tool mage ([a-z]+(?::[a-z0-9]+)?)`)
)

func TestLinksOfThePagesLeadSomewhere(t *testing.T) {
	for _, page := range pages(t) {
		for _, l := range link.FindAllStringSubmatch(read(t, page), -1) {
			text, to := strings.Trim(l[1], "`"), l[2]
			if strings.Contains(to, "://") || strings.HasPrefix(to, "#") {
				continue
			}
			to, _, _ = strings.Cut(to, "#")
			path := filepath.Join(repository, filepath.Dir(page), to)
			if _, err := os.Stat(path); !assert.NoError(t, err, "%s: [%s](%s)", page, l[1], l[2]) {
				continue
			}
			if strings.HasPrefix(text, "Test") && strings.HasSuffix(to, "_test.go") {
				code, err := os.ReadFile(path)
				require.NoError(t, err)
				assert.True(t, strings.Contains(string(code), "func "+text+"("), "%s: there is no %s in %s", page, text, to)
			}
		}
	}
}

func TestThePageAboutTheAPINamesEveryFunctionOnce(t *testing.T) {
	page := read(t, "docs/plugin-api.md")
	for _, name := range abi.Symbols {
		assert.Equal(t, 1, strings.Count(page, "| `plugin_"+name+"` |"), name)
	}
}

func TestMageTargetsOfThePagesExist(t *testing.T) {
	for _, page := range pages(t) {
		checkTargets(t, page, read(t, page))
	}
}

// checkTargets looks for the Mage targets that a text names.
func checkTargets(t *testing.T, where, text string) {
	t.Helper()
	magefile := strings.ToLower(read(t, "magefile.go"))
	for _, m := range target.FindAllStringSubmatch(text, -1) {
		space, name, ok := strings.Cut(m[1], ":")
		if !ok {
			space, name = "", m[1]
		}
		function := "func " + name + "("
		if ok {
			function = "func (" + space + ") " + name + "("
		}
		assert.True(t, strings.Contains(magefile, function), "%s: %s: no such target", where, m[0])
	}
}

// What a workflow does, anybody can do with one command.
func TestWorkflowsRunMageTargetsOnly(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(repository, ".github", "workflows", "*.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := ".github/workflows/" + filepath.Base(file)
		steps := step.FindAllStringSubmatch(read(t, name), -1)
		require.NotEmpty(t, steps, name)
		for _, s := range steps {
			if s[1] == `git config --global --add safe.directory "$GITHUB_WORKSPACE"` { // the container's user does not own the checkout
				continue
			}
			assert.Regexp(t, `^go tool mage [a-z]+:?[a-z0-9]*( "\$[A-Z_]+")*$`, s[1], name)
			checkTargets(t, name, s[1])
		}
	}
}
