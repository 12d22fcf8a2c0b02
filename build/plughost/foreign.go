// SPDX-License-Identifier: Apache-2.0

package plughost

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/aerie-falco/aerie/build/artifacts"
	"github.com/aerie-falco/aerie/build/emulator"
	"github.com/aerie-falco/aerie/build/gocmd"
	"github.com/aerie-falco/aerie/build/toolchain"
	"github.com/aerie-falco/aerie/build/workspace"
)

// emulatorVariable tells plughost what it runs under, so that its child process does as well.
const emulatorVariable = "PLUGHOST_EMULATOR"

// Asking asks the plugin in a file what it tells of itself.
type Asking = func(ctx context.Context, file string) (Inspection, error)

// EachArchitecture returns what Foreign does for each architecture, by its Go name.
func EachArchitecture(ctx context.Context, w workspace.Workspace, log io.Writer) (map[string]Asking, error) {
	each := map[string]Asking{}
	for _, arch := range artifacts.Architectures {
		ask, err := Foreign(ctx, w, arch, log)
		if err != nil {
			return nil, err
		}
		each[arch] = ask
	}
	return each, nil
}

// Foreign builds plughost for arch and returns a function that asks plugins of
// that architecture what Inspect asks those of this machine; for the machine's own
// architecture it is that. Other architectures are emulated: if the emulator is
// missing and may not be installed, the error wraps levels.ErrCannotRun.
func Foreign(ctx context.Context, w workspace.Workspace, arch string, log io.Writer) (Asking, error) {
	run, err := emulator.Ensure(ctx, arch, log)
	if err != nil {
		return nil, fmt.Errorf("inspecting plugins for linux/%s: %w", arch, err)
	}
	if arch == artifacts.Host {
		return Inspector(w), nil
	}
	cc, err := toolchain.Ensure(ctx, arch, log)
	if err != nil {
		return nil, err
	}
	program := filepath.Join(w.Dist(), ".build", "linux_"+arch, "plughost")
	if err := compile(ctx, w, program, log, "GOARCH="+arch, "CC="+cc.Command); err != nil {
		return nil, err
	}
	return func(ctx context.Context, file string) (Inspection, error) {
		return inspect(ctx, append(run, program), gocmd.Inherit(emulatorVariable+"="+strings.Join(run, " ")), file)
	}, nil
}
