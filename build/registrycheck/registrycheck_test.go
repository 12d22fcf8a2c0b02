// SPDX-License-Identifier: Apache-2.0

package registrycheck

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/artifacts"
	"github.com/aerie-falco/aerie/build/git/scratch"
	"github.com/aerie-falco/aerie/build/levels"
	"github.com/aerie-falco/aerie/build/plughost"
	"github.com/aerie-falco/aerie/build/registry"
	"github.com/aerie-falco/aerie/build/toolchain"
	"github.com/aerie-falco/aerie/build/workspace"
)

const ledger = `plugins:
  - name: sample
    description: A sample
    authors: The Authors
    contact: jo@example.org
    url: https://example.org/sample
    license: Apache-2.0
    capabilities: {sourcing: {supported: true, id: 7, source: sample}, extraction: {supported: true}}
  - {name: held, reserved: true, capabilities: {sourcing: {id: 8}}}
`

const base = "get_required_api_version get_version get_name get_description get_contact init destroy get_last_error" +
	" get_init_schema set_config get_metrics get_required_event_schema_version"

const sourceAndExtract = base + " get_id get_event_source open close next_batch list_open_params get_progress event_to_string" +
	" get_fields extract_fields get_extract_event_types get_extract_event_sources"

// sample is what a plugin that agrees with the ledger says.
var sample = plughost.Inspection{
	Name: "sample", Description: "A sample", Contact: "jo@example.org", Version: "1.0.0", ID: 7, EventSource: "sample",
	Capabilities: []string{"sourcing", "extraction"}, ExtractSources: []string{"sample"},
}

// checkout has the plugin sample, whose file for this machine has these exports.
func checkout(t *testing.T, exports string) workspace.Workspace {
	t.Helper()
	w := workspace.Workspace{Root: t.TempDir()}
	write(t, w, registry.FileName, ledger)
	write(t, w, "plugins/sample/lib/main.go", "package main\n")
	library(t, w, exports)
	return w
}

func write(t *testing.T, w workspace.Workspace, name, text string) {
	t.Helper()
	path := w.Path(filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

// library compiles a shared object with these exports to where sample's belongs.
func library(t *testing.T, w workspace.Workspace, exports string) {
	t.Helper()
	c, err := toolchain.Ensure(t.Context(), artifacts.Host, t.Output())
	require.NoError(t, err)
	var source strings.Builder
	for _, name := range strings.Fields(exports) {
		source.WriteString("void plugin_" + name + "(void) {}\n")
	}
	file := artifacts.Library(w, artifacts.Host, "sample")
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	cmd := exec.CommandContext(t.Context(), c.Command, "-shared", "-fPIC", "-nostdlib", "-o", file, "-x", "c", "-")
	cmd.Stdin = strings.NewReader(source.String())
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", said)
}

// saying returns the Inspectors for a plugin that says i.
func saying(i plughost.Inspection) Inspectors {
	return inspecting(func(context.Context, string) (plughost.Inspection, error) { return i, nil })
}

// inspecting returns that Inspector for every architecture.
func inspecting(i Inspector) Inspectors {
	return func(context.Context, string) (Inspector, error) { return i, nil }
}

// problems runs all comparisons and returns what is wrong.
func problems(t *testing.T, w workspace.Workspace, inspect Inspectors) []registry.Problem {
	t.Helper()
	err := Run(t.Context(), w, inspect, t.Output())
	var invalid *registry.Invalid
	require.ErrorAs(t, err, &invalid)
	return invalid.Problems
}

func TestAPluginThatAgreesPassesAndWhatIsNotBuiltIsSaid(t *testing.T) {
	w := checkout(t, sourceAndExtract)
	var log bytes.Buffer
	require.NoError(t, Run(t.Context(), w, saying(sample), &log))
	assert.Contains(t, log.String(), "registry.yaml agrees with the plugins: 1")
	for _, arch := range artifacts.Foreign() {
		assert.Contains(t, log.String(), "not compared: dist/linux_"+arch+"/libsample.so is not built")
	}
}

func TestEveryDifferenceIsNamed(t *testing.T) {
	w := checkout(t, base+" get_fields extract_fields get_extract_event_types get_extract_event_sources parse_event")
	file := "plugin \"sample\": dist/linux_" + artifacts.Host + "/libsample.so "
	var texts []string
	for _, p := range problems(t, w, saying(plughost.Inspection{
		Name: "simple", Description: "Another", Contact: "jo@example.com", ID: 8, EventSource: "simple",
		Capabilities: []string{"extraction", "parsing"}, ExtractSources: []string{"syscall", "simple"}, ParseSources: []string{"syscall"},
		AsyncSources: []string{"a"}, AsyncEvents: []string{"b"},
	})) {
		assert.Equal(t, 2, p.Line)
		texts = append(texts, strings.TrimPrefix(p.Text, file))
	}
	assert.Equal(t, []string{
		"does not export plugin_get_id (source)", "does not export plugin_get_event_source (source)", "does not export plugin_open (source)",
		"does not export plugin_close (source)", "does not export plugin_next_batch (source)", "does not export plugin_list_open_params (source)",
		"does not export plugin_get_progress (source)", "does not export plugin_event_to_string (source)",
		"exports plugin_parse_event (parse), a capability that the registry does not list",
		`says its name is "simple", the registry "sample"`,
		`says its description is "Another", the registry "A sample"`,
		`says its contact is "jo@example.com", the registry "jo@example.org"`,
		"says its ID is 8, the registry 7",
		`says its event source is "simple", the registry "sample"`,
		"says its capabilities are [extraction parsing], the registry [extraction sourcing]",
		"says its extraction sources are [simple syscall], the registry [sample]",
		"says its parsing sources are [syscall], the registry []",
		"says its async sources are [a], the registry []",
		"says its async events are [b], the registry []",
	}, texts)
}

func TestAPluginThatIsNotBuiltOrCannotBeInspectedIsAProblem(t *testing.T) {
	w := checkout(t, sourceAndExtract)
	got := problems(t, w, inspecting(func(context.Context, string) (plughost.Inspection, error) {
		return plughost.Inspection{}, errors.New("it crashed")
	}))
	require.Len(t, got, 1)
	assert.Contains(t, got[0].Text, "it crashed")

	require.NoError(t, os.Remove(artifacts.Library(w, artifacts.Host, "sample")))
	got = problems(t, w, saying(sample))
	require.Len(t, got, 1)
	assert.Contains(t, got[0].Text, "no such file")
}

// withForeign is checkout with the same file for another architecture.
func withForeign(t *testing.T, exports string) (w workspace.Workspace, arch string) {
	w = checkout(t, exports)
	arch = artifacts.Foreign()[0]
	foreign := artifacts.Library(w, arch, "sample")
	require.NoError(t, os.MkdirAll(filepath.Dir(foreign), 0o755))
	require.NoError(t, os.Rename(artifacts.Library(w, artifacts.Host, "sample"), foreign))
	library(t, w, sourceAndExtract)
	return w, arch
}

func TestForeignFilesAreComparedByTheirExports(t *testing.T) {
	w, arch := withForeign(t, base)
	got := problems(t, w, saying(sample))
	require.NotEmpty(t, got)
	for _, p := range got {
		assert.Contains(t, p.Text, "dist/linux_"+arch+"/libsample.so does not export plugin_")
	}
}

func TestForeignFilesAreAskedWhereSomethingRunsThem(t *testing.T) {
	w, arch := withForeign(t, sourceAndExtract)
	other := sample
	other.Description = "Another"
	got := problems(t, w, func(_ context.Context, asked string) (Inspector, error) {
		said := sample
		if asked == arch {
			said = other
		}
		return saying(said)(t.Context(), asked)
	})
	assert.Equal(t, []registry.Problem{
		{Line: 2, Text: `plugin "sample": dist/linux_` + arch + `/libsample.so says its description is "Another", the registry "A sample"`},
	}, got)

	var log bytes.Buffer
	err := Run(t.Context(), w, func(_ context.Context, asked string) (Inspector, error) {
		if asked == arch {
			return nil, fmt.Errorf("no emulator: %w", levels.ErrCannotRun)
		}
		return saying(sample)(t.Context(), asked)
	}, &log)
	require.ErrorIs(t, err, levels.ErrCannotRun)
	assert.Contains(t, log.String(), "compared by its exports only: dist/linux_"+arch+"/libsample.so")
}

func TestRulesArePublishedWhereThereAreAny(t *testing.T) {
	w := checkout(t, sourceAndExtract)
	write(t, w, "plugins/sample/rules/sample_rules.yaml", "[]\n")
	assert.Equal(t, []registry.Problem{
		{Line: 2, Text: `plugin "sample": there are plugins/sample/rules/*.yaml, but no rules_url; without it they are not published`},
	}, problems(t, w, saying(sample)))

	write(t, w, registry.FileName, strings.Replace(ledger, "    license:", "    rules_url: https://example.org/rules\n    license:", 1))
	require.NoError(t, Run(t.Context(), w, saying(sample), t.Output()))
	require.NoError(t, os.RemoveAll(w.Path("plugins", "sample", "rules")))
	assert.Equal(t, []registry.Problem{
		{Line: 2, Text: `plugin "sample": it has a rules_url, but there are no plugins/sample/rules/*.yaml`},
	}, problems(t, w, saying(sample)))
}

func TestAReservedNameHasNoFolder(t *testing.T) {
	w := checkout(t, sourceAndExtract)
	write(t, w, "plugins/held/lib/main.go", "package main\n")
	assert.Equal(t, []registry.Problem{
		{Line: 9, Text: `plugin "held": the name is reserved, but there is a plugins/held`},
	}, problems(t, w, saying(sample)))
}

func TestFoldersAndEntriesMatchBothWays(t *testing.T) {
	w := checkout(t, sourceAndExtract)
	write(t, w, "plugins/unlisted/lib/main.go", "package main\n")
	write(t, w, registry.FileName, ledger+strings.NewReplacer("plugins:\n", "", "sample", "missing", "id: 7", "id: 9").Replace(strings.Split(ledger, "  - {name: held")[0]))
	assert.Equal(t, []registry.Problem{
		{Line: 0, Text: "plugins/unlisted has no entry"},
		{Line: 10, Text: `plugin "missing": there is no plugins/missing/lib/main.go`},
	}, problems(t, w, saying(sample)))
}

func TestIDAndSourceStayWhatTheyWereAtTheLastRelease(t *testing.T) {
	w := checkout(t, sourceAndExtract)
	r := scratch.In(t, w.Root)
	r.Git("add", registry.FileName)
	require.NoError(t, Run(t.Context(), w, saying(sample), t.Output()), "nothing is committed yet")
	r.Git("commit", "--quiet", "--message", "one")
	require.NoError(t, Run(t.Context(), w, saying(sample), t.Output()), "nothing is released yet")
	r.Tag("plugins/sample/v1.0.0")
	r.Tag("plugins/sample-two/v9.0.0")
	require.NoError(t, Run(t.Context(), w, saying(sample), t.Output()))

	write(t, w, registry.FileName, strings.NewReplacer("id: 7", "id: 70", "source: sample", "source: simple").Replace(ledger))
	changed := sample
	changed.ID, changed.EventSource, changed.ExtractSources = 70, "simple", []string{"simple"}
	assert.Equal(t, []registry.Problem{
		{Line: 2, Text: `plugin "sample": its ID is 70, but was 7 when plugins/sample/v1.0.0 was released; captures hold it, so it must not change`},
		{Line: 2, Text: `plugin "sample": its source is "simple", but was "sample" when plugins/sample/v1.0.0 was released; captures and rules hold it, so it must not change`},
	}, problems(t, w, saying(changed)))
}
