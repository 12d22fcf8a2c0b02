// SPDX-License-Identifier: Apache-2.0

// Package plughost builds and runs plughost, the command that plays the
// framework's part, and reads what it says about a plugin.
package plughost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aerie-falco/aerie/build/artifacts"
	"github.com/aerie-falco/aerie/build/gocmd"
	"github.com/aerie-falco/aerie/build/toolchain"
	"github.com/aerie-falco/aerie/build/workspace"
)

// Program is the path of the built command.
func Program(w workspace.Workspace) string { return filepath.Join(w.Dist(), "bin", "plughost") }

// Build builds the command for this machine.
func Build(ctx context.Context, w workspace.Workspace, log io.Writer) error {
	cc, err := toolchain.Ensure(ctx, artifacts.Host, log)
	if err != nil {
		return err
	}
	if err := compile(ctx, w, Program(w), log, "CC="+cc.Command); err != nil {
		return err
	}
	fmt.Fprintln(log, strings.TrimPrefix(Program(w), w.Root+string(filepath.Separator)))
	return nil
}

// compile builds the command with these settings, which name the C compiler.
func compile(ctx context.Context, w workspace.Workspace, program string, log io.Writer, settings ...string) error {
	module := w.Path("test")
	env, err := gocmd.Hermetic(ctx, module, append(settings, "CGO_ENABLED=1", "GOWORK=off")...)
	if err != nil {
		return err
	}
	if err := (gocmd.Go{Dir: module, Env: env, Stdout: log, Stderr: log}).Run(ctx, "build", "-trimpath", "-buildvcs=false", "-o", program, "./host/cmd/plughost"); err != nil {
		return fmt.Errorf("building plughost: %w", err)
	}
	return nil
}

// Inspection is what `plughost inspect --json` says: what a plugin tells of itself before it is initialised.
type Inspection struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Contact     string `json:"contact"`
	Version     string `json:"version"`
	RequiredAPI string `json:"required_api_version"`
	EventSchema string `json:"required_event_schema_version"` // "": events of any

	Capabilities   []string `json:"capabilities"` // sourcing, extraction, parsing, async, capture
	ID             uint32   `json:"id"`
	EventSource    string   `json:"event_source"`
	ExtractSources []string `json:"extract_event_sources"` // a plugin's own source is always among them, unless they are all
	ParseSources   []string `json:"parse_event_sources"`
	AsyncSources   []string `json:"async_event_sources"`
	AsyncEvents    []string `json:"async_events"`

	Fields     []Field         `json:"fields"`
	InitSchema json.RawMessage `json:"init_schema"` // null: none
}

// Field is a field as a plugin declares it.
type Field struct {
	Name string `json:"name"`
	Type string `json:"type"`
	List bool   `json:"isList"`
	Desc string `json:"desc"`
	Arg  struct {
		Required bool `json:"isRequired"`
		Index    bool `json:"isIndex"`
		Key      bool `json:"isKey"`
	} `json:"arg"`
}

// Inspect asks the plugin in file, which must be of this machine's architecture. Build must have run.
func Inspect(ctx context.Context, w workspace.Workspace, file string) (Inspection, error) {
	return inspect(ctx, []string{Program(w)}, nil, file)
}

// inspect runs the command; env nil is the caller's.
func inspect(ctx context.Context, command, env []string, file string) (Inspection, error) {
	cmd := exec.CommandContext(ctx, command[0], append(command[1:], "inspect", "--json", file)...)
	cmd.Env = env
	var said strings.Builder
	cmd.Stderr = &said
	text, err := cmd.Output()
	if err != nil {
		return Inspection{}, fmt.Errorf("inspecting %s: %w: %s", file, err, strings.TrimSpace(said.String()))
	}
	var i Inspection
	if err := json.Unmarshal(text, &i); err != nil {
		return Inspection{}, fmt.Errorf("inspecting %s: reading what plughost says: %w", file, err)
	}
	return i, nil
}

// BenchAll measures every plugin of the checkout beside a call that does nothing, and prints a table each.
func BenchAll(ctx context.Context, w workspace.Workspace, out io.Writer) error {
	plugins, err := w.Plugins()
	if err != nil {
		return err
	}
	for _, p := range plugins {
		fmt.Fprintf(out, "\n%s\n", p.Name)
		args := []string{"bench", artifacts.Library(w, artifacts.Host, p.Name)}
		config, err := NeededConfig(p)
		if err != nil {
			return fmt.Errorf("measuring %s: %w", p.Name, err)
		}
		if config != "" {
			args = append(args, "--config", p.Name+"="+config)
		}
		cmd := exec.CommandContext(ctx, Program(w), args...)
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("measuring %s: %w", p.Name, err)
		}
	}
	return nil
}

// NeededConfig is the configuration of a plugin that does not start without one,
// from the file in which it tells the conformance tests of it; "" for the others.
func NeededConfig(p workspace.Plugin) (string, error) {
	path := filepath.Join(p.Dir, "testdata", "conformance.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var hints struct{ Config string }
	if err := json.Unmarshal(text, &hints); err != nil {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	return hints.Config, nil
}

// Inspector returns a function that asks the plugin in a file, as Inspect does.
func Inspector(w workspace.Workspace) func(ctx context.Context, file string) (Inspection, error) {
	return func(ctx context.Context, file string) (Inspection, error) { return Inspect(ctx, w, file) }
}

// ByName returns a function that asks the plugin of that name, built for this machine.
func ByName(w workspace.Workspace) func(ctx context.Context, name string) (Inspection, error) {
	return func(ctx context.Context, name string) (Inspection, error) {
		return Inspect(ctx, w, artifacts.Library(w, artifacts.Host, name))
	}
}
