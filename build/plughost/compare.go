// SPDX-License-Identifier: Apache-2.0

package plughost

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/aerie-falco/aerie/build/workspace"
)

// Change is one difference between two versions of a plugin, as plughost tells and takes it.
type Change struct {
	Subject string `json:"subject"` // field json.value
	Text    string `json:"text"`    // removed
	Bump    string `json:"bump"`    // none, patch, minor, major; refused: no version may have it
	Review  string `json:"review,omitempty"`
}

// The bumps of Change.
const (
	None    = "none"
	Patch   = "patch"
	Minor   = "minor"
	Major   = "major"
	Refused = "refused"
)

// Verdict is what `plughost diff --json` says.
type Verdict struct {
	From     string   `json:"from"`
	Declared string   `json:"declared"`
	Changes  []Change `json:"changes"`
	Needed   string   `json:"needed"`
	Breaking bool     `json:"breaking"` // breaks users of a 0.y version, which the changelog has to tell
	Wanted   string   `json:"wanted"`   // the least version that will do, "" if none does
	Problems []string `json:"problems"` // why the declared version does not do
}

// Face returns the public face of the plugin in file, as JSON to be kept.
// config is its init configuration; openSchema the path of the schema of its open
// parameters, or "".
func Face(ctx context.Context, w workspace.Workspace, file, config, openSchema string) ([]byte, error) {
	args := []string{"inspect", "--face", "--config", config}
	if openSchema != "" {
		args = append(args, "--open-params-schema", openSchema)
	}
	return ask(ctx, w, nil, append(args, file)...)
}

// Record returns the payload fixture in a file with what the plugin in library makes of it.
func Record(ctx context.Context, w workspace.Workspace, library, fixture string) ([]byte, error) {
	return ask(ctx, w, nil, "payloads", library, fixture)
}

// CompareRecorded lists what the plugin in library makes otherwise of a payload
// fixture than what is recorded in it. The name is for the messages.
func CompareRecorded(ctx context.Context, w workspace.Workspace, library, fixture, name string) ([]Change, error) {
	text, err := ask(ctx, w, nil, "payloads", "--compare", "--name", name, library, fixture)
	if err != nil {
		return nil, err
	}
	var changes []Change
	if err := json.Unmarshal(text, &changes); err != nil {
		return nil, fmt.Errorf("comparing %s: reading what plughost says: %w", name, err)
	}
	return changes, nil
}

// Judge compares two faces, which are files, and judges these changes with what differs.
func Judge(ctx context.Context, w workspace.Workspace, old, new string, more []Change) (Verdict, error) {
	if more == nil {
		more = []Change{}
	}
	input, err := json.Marshal(more)
	if err != nil {
		return Verdict{}, fmt.Errorf("judging changes: %w", err)
	}
	text, err := ask(ctx, w, bytes.NewReader(input), "diff", "--json", "--with", "-", old, new)
	if err != nil {
		return Verdict{}, err
	}
	var v Verdict
	if err := json.Unmarshal(text, &v); err != nil {
		return v, fmt.Errorf("judging changes: reading what plughost says: %w", err)
	}
	return v, nil
}

// ask runs plughost and returns its standard output. Build must have run.
func ask(ctx context.Context, w workspace.Workspace, input io.Reader, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, Program(w), args...)
	cmd.Stdin = input
	var said strings.Builder
	cmd.Stderr = &said
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("plughost %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(said.String()))
	}
	return text, nil
}
