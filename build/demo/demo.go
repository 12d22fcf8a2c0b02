// SPDX-License-Identifier: Apache-2.0

// Package demo shows the plugins at work on real data: sample audit events are
// posted over HTTP to the collector plugin, the json plugin reads them, and
// what it says is printed and compared with the samples. plughost plays the
// framework's part.
package demo

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
// plughost must have been built. It is an error if an event is not taken, is missing at the end, or has
// other values than its sample.
func Run(ctx context.Context, w workspace.Workspace, out io.Writer) error {
	return runWithin(ctx, w, out, patience)
}

func runWithin(ctx context.Context, w workspace.Workspace, out io.Writer, patience time.Duration) error {
	all, err := samples()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "aerie-demo-")
	if err != nil {
		return fmt.Errorf("making a folder for the socket: %w", err)
	}
	defer os.RemoveAll(dir) // holds the socket only
	socket := filepath.Join(dir, "collector.sock")

	introduce(out, len(all))
	runtime.LockOSThread() // for start
	defer runtime.UnlockOSThread()
	began := time.Now()
	h, err := start(ctx, w, socket, patience)
	if err != nil {
		return err
	}
	shown, err := stream(ctx, h, socket, all, out, patience)
	if stopped := h.stop(); err == nil {
		err = stopped
	}
	if err != nil {
		return fmt.Errorf("demo: %w%s", err, h.complaint())
	}
	return conclude(w, all, shown, time.Since(began), out)
}

// stream posts the samples while it prints what comes out at the other end, and returns that.
func stream(ctx context.Context, h *host, socket string, all []sample, out io.Writer, patience time.Duration) ([]row, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := h.awaitSocket(ctx, socket); err != nil {
		return nil, err
	}
	posted := make(chan error, 1)
	go func() { posted <- post(ctx, socket, all) }()

	t := newTable(out)
	var shown []row
	for answered := false; !answered || len(shown) < len(all); {
		select {
		case err := <-posted:
			if err != nil {
				return shown, err
			}
			answered, posted = true, nil
		case r, ok := <-h.rows:
			if !ok {
				return shown, fmt.Errorf("plughost ended after %d of %d events", len(shown), len(all))
			}
			shown = append(shown, r)
			t.add(r)
		case <-ctx.Done():
			names := missing(all, shown)
			return shown, fmt.Errorf("%d of %d events did not arrive: %s", len(names), len(all), strings.Join(names, ", "))
		}
	}
	return shown, nil
}

func introduce(out io.Writer, events int) {
	fmt.Fprintf(out, `
Kubernetes audit events on their way through two Falco plugins

  %d sample events
    │  HTTP: one POST each, %d at a time, to a unix socket
    ▼
  libcollector.so   the event source; answers 200 once the framework has taken an event
    │  events
    ▼
  plughost          plays the framework, in Falco's place
    │  events
    ▼
  libjson.so        the field extractor; asked for json.value[/verb], json.value[/objectRef/resource], …

`, events, clients)
}

// conclude compares what was shown with the samples and says how it went.
func conclude(w workspace.Workspace, all []sample, shown []row, took time.Duration, out io.Writer) error {
	if names := missing(all, shown); len(names) > 0 || len(shown) != len(all) {
		return fmt.Errorf("demo: %d events shown for %d posted; not shown as they are: %s", len(shown), len(all), strings.Join(names, ", "))
	}
	relative := func(path string) string { return strings.TrimPrefix(path, w.Root+string(filepath.Separator)) }
	_, err := fmt.Fprintf(out, `
%d events posted, %d answered 200, %d shown, every value as in its sample. It took %.1f s.

By hand, in two terminals:

  %s run %s %s \
    --open '{"addr": "127.0.0.1:54827"}' --fields 'json.value[/verb],json.value[/objectRef/resource],json.value[/user/username]'

  curl --data-binary @build/demo/samples/create_secret.json http://127.0.0.1:54827/

`, len(all), len(all), len(shown), took.Seconds(),
		relative(plughost.Program(w)), relative(artifacts.Library(w, artifacts.Host, "collector")), relative(artifacts.Library(w, artifacts.Host, "json")))
	return err
}
