// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/aerie-falco/aerie/build/workspace"
)

// Sign has cosign sign each artifact that ListFile names, with the identity that
// cosign finds: that of the workflow, or of whoever logs in. Signing again does
// no harm, so that a run which failed half-way is repeated.
func Sign(ctx context.Context, w workspace.Workspace, log io.Writer) error {
	text, err := os.ReadFile(ListFile(w))
	if err != nil {
		return fmt.Errorf("signing: %w; publish first: go tool mage release:publish NAME REF", err)
	}
	references := strings.Fields(string(text))
	for _, ref := range references {
		// a tag may point elsewhere by the time that it is signed
		if _, of, ok := strings.Cut(ref, "@"); !ok || digest.Digest(of).Validate() != nil {
			return fmt.Errorf("signing: %s has the line %q, which is no reference by digest; publish again", ListFile(w), ref)
		}
	}
	for _, ref := range references {
		cmd := exec.CommandContext(ctx, "cosign", "sign", "--yes", ref)
		cmd.Stdout, cmd.Stderr = log, log
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("signing %s: cosign: %w", ref, err)
		}
	}
	return nil
}
