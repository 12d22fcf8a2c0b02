// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/aerie-falco/aerie/build/release"
	"github.com/aerie-falco/aerie/build/workspace"
)

// ListFile has, after publishing, what was published: one reference by digest a line, to be signed.
func ListFile(w workspace.Workspace) string { return filepath.Join(w.Dist(), "published.txt") }

// FromCheckout publishes a plugin that is packaged in dist/release. What is its name,
// or the tag of its release. A registry that others can reach gets tagged releases
// of the commit that is checked out, and nothing else; one on this machine takes
// what there is, for a rehearsal.
func FromCheckout(ctx context.Context, w workspace.Workspace, what string, t Target, log io.Writer) error {
	name, err := release.Name(what)
	if err != nil {
		return fmt.Errorf("publishing: %w", err)
	}
	packaged, err := release.Open(release.Dir(w))
	if err != nil {
		return err
	}
	facts, err := packaged.Compatibility(name)
	if err != nil {
		return err
	}
	if err := release.CheckAsked(what, facts); err != nil {
		return err
	}
	if !t.Loopback() {
		if err := release.CheckTagged(ctx, w, what, facts); err != nil {
			return err
		}
	}
	all, err := Publish(ctx, packaged, name, t, log)
	if err != nil {
		return err
	}
	var list strings.Builder
	for _, p := range all {
		fmt.Fprintln(&list, p.Reference())
	}
	if err := os.WriteFile(ListFile(w), []byte(list.String()), 0o644); err != nil {
		return fmt.Errorf("noting what was published: %w", err)
	}
	return nil
}
