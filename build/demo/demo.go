// SPDX-License-Identifier: Apache-2.0

// Package demo shows the plugins at work on real data. Sample audit events are
// posted to the k8saudit plugin as an API server does, its fields and the rules
// that fire are printed; then the same events go through the collector and json
// plugins. plughost plays the framework's part. What comes out is compared with
// the samples, and with what the rules are declared to fire on.
package demo

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/aerie-falco/aerie/build/artifacts"
	"github.com/aerie-falco/aerie/build/plughost"
	"github.com/aerie-falco/aerie/build/workspace"
)

// patience bounds the wait for what should take milliseconds: for the source to
// open, and for the last event to show.
const patience = 30 * time.Second

// Run streams the samples and prints what comes of them. The plugins and
// plughost must have been built. It is an error if an event is not taken, is missing at the end, has
// other values than its sample, or fires other rules than declared.
func Run(ctx context.Context, w workspace.Workspace, out io.Writer) error {
	return runWithin(ctx, w, out, patience)
}

func runWithin(ctx context.Context, w workspace.Workspace, out io.Writer, patience time.Duration) error {
	all, err := samples(w)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	for _, s := range scenes(w) {
		s.introduce(out, all)
		if err := s.play(ctx, w, all, out, patience); err != nil {
			return fmt.Errorf("demo of %s: %w", s.plugins[0], err)
		}
	}
	return byHand(w, out)
}

// play streams the samples through the scene's plugins, and checks what is shown.
func (s scene) play(ctx context.Context, w workspace.Workspace, all []sample, out io.Writer, patience time.Duration) error {
	runtime.LockOSThread() // for start
	defer runtime.UnlockOSThread()
	began := time.Now()
	h, err := start(ctx, w, s, patience)
	if err != nil {
		return err
	}
	shown, posts, err := s.stream(ctx, h, all, out, patience)
	if stopped := h.stop(); err == nil {
		err = stopped
	}
	if err != nil {
		return fmt.Errorf("%w%s", err, h.complaint())
	}
	return s.conclude(all, shown, posts, time.Since(began), out)
}

// stream posts the samples while it prints what comes out at the other end. It returns that, and how many requests it took.
func (s scene) stream(ctx context.Context, h *host, all []sample, out io.Writer, patience time.Duration) ([]row, int, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	address, err := h.awaitAddress(ctx)
	if err != nil {
		return nil, 0, err
	}
	bodies := s.bodies(all)
	posted := make(chan error, 1)
	go func() { posted <- post(ctx, "http://"+address+s.path, bodies, s.clients) }()

	t := newTable(out, s.rows)
	var shown []row
	for answered := false; !answered || len(shown) < len(all); {
		select {
		case err := <-posted:
			if err != nil {
				return shown, 0, err
			}
			answered, posted = true, nil
		case r, ok := <-h.rows:
			if !ok {
				return shown, 0, fmt.Errorf("plughost ended after %d of %d events", len(shown), len(all))
			}
			shown = append(shown, r)
			t.add(r)
		case <-ctx.Done():
			names := missing(s.expected(all), shown)
			return shown, 0, fmt.Errorf("%d of %d events did not arrive: %s", len(names), len(all), strings.Join(names, ", "))
		}
	}
	t.end()
	return shown, len(bodies), nil
}

// conclude compares what was shown with what had to be, and says how it went.
func (s scene) conclude(all []sample, shown []row, posts int, took time.Duration, out io.Writer) error {
	want := s.expected(all)
	if names := missing(want, shown); len(names) > 0 || len(shown) != len(all) {
		return fmt.Errorf("%d events shown for %d posted; not shown as they have to be: %s", len(shown), len(all), strings.Join(names, ", "))
	}
	alerts, silent := 0, 0
	for _, r := range shown {
		alerts += len(r.alerts)
		if len(r.alerts) == 0 {
			silent++
		}
	}
	fmt.Fprintf(out, "\n%d events in %d requests, each answered 200; %d shown, every value as in its sample.", len(all), posts, len(shown))
	if s.rules != "" {
		fmt.Fprintf(out, "\n%d alerts, each where the rule's samples say so; %d events fired no rule.", alerts, silent)
	}
	_, err := fmt.Fprintf(out, " It took %.1f s.\n", took.Seconds())
	return err
}

func byHand(w workspace.Workspace, out io.Writer) error {
	relative := func(path string) string { return strings.TrimPrefix(path, w.Root+"/") }
	_, err := fmt.Fprintf(out, `
By hand, in two terminals:

  %s run %s \
    --open http://127.0.0.1:9765/k8s-audit --rules %s --fields ka.verb,ka.target.resource,ka.user.name

  curl -H 'Content-Type: application/json' --data-binary @%s/exec_pod.json http://127.0.0.1:9765/k8s-audit

`, relative(plughost.Program(w)), relative(artifacts.Library(w, artifacts.Host, "k8saudit")), rulesPath, samplesPath)
	return err
}
