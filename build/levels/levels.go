// SPDX-License-Identifier: Apache-2.0

// Package levels runs the levels of test one after another, each under a
// heading, and ends with what became of each. A level that cannot run on this
// machine is said so loudly; in CI it counts as failed.
package levels

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aerie-falco/aerie/build/toolchain"
)

// Level is one step.
type Level struct {
	Name string
	Run  func(ctx context.Context) error
}

// ErrCannotRun marks a level's error as: this machine lacks what the level needs.
var ErrCannotRun = errors.New("cannot run on this machine")

// cannotRun also knows the error of a compiler that is missing and may not be installed.
func cannotRun(err error) bool {
	return errors.Is(err, ErrCannotRun) || errors.Is(err, toolchain.ErrMissing)
}

// Run runs every level, whatever became of those before, unless ctx is done. It returns an
// error that names the levels that failed; in CI, those that could not run are among them.
func Run(ctx context.Context, out io.Writer, ci bool, all []Level) error {
	var summary strings.Builder
	var failed []string
	for i, l := range all {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		heading(out, fmt.Sprintf("%d/%d %s", i+1, len(all), l.Name))
		began := time.Now()
		err := run(ctx, l)
		took := time.Since(began).Round(100 * time.Millisecond)
		verdict := "passed"
		switch {
		case err == nil:
		case cannotRun(err) && !ci:
			verdict = "NOT RUN"
			fmt.Fprintf(out, "\n!!! %s did not run: %v\n", l.Name, err)
		default:
			verdict = "FAILED"
			failed = append(failed, l.Name)
			fmt.Fprintf(out, "\n!!! %s failed: %v\n", l.Name, err)
		}
		fmt.Fprintf(&summary, "  %-8s %-18s %s\n", verdict, l.Name, took)
	}
	heading(out, "result")
	fmt.Fprint(out, summary.String())
	if len(failed) > 0 {
		return fmt.Errorf("failed: %s", strings.Join(failed, ", "))
	}
	return nil
}

// run turns the panic by which a Mage dependency reports its failure into the error it is.
func run(ctx context.Context, l Level) (err error) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case error:
			err = v
		default:
			panic(v)
		}
	}()
	return l.Run(ctx)
}

func heading(out io.Writer, text string) {
	fmt.Fprintf(out, "\n── %s %s\n", text, strings.Repeat("─", max(3, 76-len(text))))
}
