// SPDX-License-Identifier: Apache-2.0

package levels_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/magefile/mage/mg"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/levels"
	"github.com/aerie-falco/aerie/build/toolchain"
)

// told returns a level that gives err and notes that it ran.
func told(ran *[]string, name string, err error) levels.Level {
	return levels.Level{Name: name, Run: func(context.Context) error {
		*ran = append(*ran, name)
		return err
	}}
}

func TestAllLevelsRunAndTheErrorNamesThoseThatFailed(t *testing.T) {
	var ran []string
	var out bytes.Buffer
	err := levels.Run(t.Context(), &out, false, []levels.Level{
		told(&ran, "lint", errors.New("a.go is not formatted")), told(&ran, "unit", nil), told(&ran, "docs", errors.New("stale")),
	})
	assert.EqualError(t, err, "failed: lint, docs")
	assert.Equal(t, []string{"lint", "unit", "docs"}, ran)
	assert.Contains(t, out.String(), "── 2/3 unit ──")
	assert.Contains(t, out.String(), "!!! lint failed: a.go is not formatted")
	assert.Regexp(t, `  FAILED   lint +\S+\n  passed   unit +\S+\n  FAILED   docs +\S+\n$`, out.String())
}

func TestALevelThatCannotRunIsSaidLoudlyAndFailsInCI(t *testing.T) {
	for name, reason := range map[string]error{
		"a machine without qemu":       fmt.Errorf("%w: no qemu-aarch64-static", levels.ErrCannotRun),
		"a machine without a compiler": fmt.Errorf("compiling: %w: install it with: x", toolchain.ErrMissing),
	} {
		t.Run(name, func(t *testing.T) {
			var ran []string
			var out bytes.Buffer
			require.NoError(t, levels.Run(t.Context(), &out, false, []levels.Level{told(&ran, "arm64", reason)}))
			assert.Contains(t, out.String(), "!!! arm64 did not run: "+reason.Error())
			assert.Contains(t, out.String(), "NOT RUN  arm64")

			out.Reset()
			assert.EqualError(t, levels.Run(t.Context(), &out, true, []levels.Level{told(&ran, "arm64", reason)}), "failed: arm64")
			assert.Contains(t, out.String(), "FAILED   arm64")
		})
	}
}

func TestAFailedMageDependencyFailsItsLevelOnly(t *testing.T) {
	var ran []string
	var out bytes.Buffer
	err := levels.Run(t.Context(), &out, false, []levels.Level{
		{Name: "registry", Run: func(ctx context.Context) error {
			mg.CtxDeps(ctx, func() error { return errors.New("the build failed") })
			return nil
		}},
		told(&ran, "unit", nil),
	})
	assert.EqualError(t, err, "failed: registry")
	assert.Contains(t, out.String(), "the build failed")
	assert.Equal(t, []string{"unit"}, ran)
}

func TestAnInterruptedRunStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var ran []string
	var out bytes.Buffer
	err := levels.Run(ctx, &out, false, []levels.Level{
		{Name: "lint", Run: func(context.Context) error { cancel(); return nil }}, told(&ran, "unit", nil),
	})
	assert.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, ran)
}
