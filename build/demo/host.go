// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/aerie-falco/aerie/build/artifacts"
	"github.com/aerie-falco/aerie/build/plughost"
	"github.com/aerie-falco/aerie/build/workspace"
)

// host is a running plughost. Its rows arrive on a channel that is closed when it has ended.
type host struct {
	cmd    *exec.Cmd
	said   bytes.Buffer // standard error; to be read after rows is closed
	rows   chan row
	broken error // why rows ended early; to be read after rows is closed
}

// start starts plughost with the collector listening on a unix socket. The
// caller must stay on its thread (runtime.LockOSThread) until stop.
func start(ctx context.Context, w workspace.Workspace, socket string, patience time.Duration) (*host, error) {
	params, err := json.Marshal(map[string]any{"addr": "unix:" + socket})
	if err != nil {
		return nil, fmt.Errorf("writing the open parameters: %w", err)
	}
	args := []string{
		"run", artifacts.Library(w, artifacts.Host, "collector"), artifacts.Library(w, artifacts.Host, "json"),
		"--source", "collector", "--open", string(params), "--json",
	}
	for _, c := range columns {
		args = append(args, "--fields", fieldOf(c.pointer))
	}
	h := &host{cmd: exec.CommandContext(ctx, plughost.Program(w), args...), rows: make(chan row)}
	// If the demo is killed, plughost must not stay behind. The signal comes when the thread ends that started plughost,
	// so the caller keeps it.
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	h.cmd.Cancel = func() error { return h.cmd.Process.Signal(os.Interrupt) }
	h.cmd.WaitDelay = patience
	h.cmd.Stderr = &h.said
	lines, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting plughost: %w", err)
	}
	if err := h.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting plughost: %w", err)
	}
	go h.read(lines)
	return h, nil
}

func fieldOf(pointer string) string { return "json.value[" + pointer + "]" }

// read turns plughost's lines into rows.
func (h *host) read(lines io.Reader) {
	defer close(h.rows)
	s := bufio.NewScanner(lines)
	for s.Scan() {
		r, err := parseRow(s.Bytes())
		if err != nil {
			h.broken = err
			break
		}
		h.rows <- r
	}
	if h.broken == nil {
		h.broken = s.Err()
	}
	_, _ = io.Copy(io.Discard, lines) // so that plughost can end, whatever was wrong with a line
}

// parseRow reads a line of `plughost run --json`: an object whose keys are the fields asked for.
func parseRow(line []byte) (row, error) {
	var fields map[string]any
	if err := json.Unmarshal(line, &fields); err != nil {
		return row{}, fmt.Errorf("reading what plughost shows: %w: %s", err, line)
	}
	var r row
	for i, c := range columns {
		switch v := fields[fieldOf(c.pointer)].(type) {
		case nil: // the event has no such value
		case string:
			r[i] = v
		default:
			return row{}, fmt.Errorf("reading what plughost shows: field %s is no string: %s", fieldOf(c.pointer), line)
		}
	}
	return r, nil
}

// awaitSocket returns once the collector accepts connections.
func (h *host) awaitSocket(ctx context.Context, socket string) error {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		var d net.Dialer
		c, err := d.DialContext(ctx, "unix", socket)
		if err == nil {
			return c.Close()
		}
		select {
		case _, open := <-h.rows:
			if !open {
				return errors.New("plughost ended before its source was open")
			}
		case <-ctx.Done():
			return fmt.Errorf("waiting for the collector: %w: %w", context.Cause(ctx), err)
		case <-again.C: // a socket that appears cannot be waited for otherwise
		}
	}
}

// stop asks plughost to end and waits for it. An error is its own exit code other than 0.
func (h *host) stop() error {
	// it fails only if plughost is gone already, which Wait reports
	_ = h.cmd.Process.Signal(os.Interrupt)
	for range h.rows { // what comes after the last row that was wanted
	}
	if err := h.cmd.Wait(); err != nil {
		return fmt.Errorf("ending plughost: %w", err)
	}
	return h.broken
}

// complaint is what plughost said on standard error, for an error's end. Only after stop.
func (h *host) complaint() string {
	if text := bytes.TrimSpace(h.said.Bytes()); len(text) > 0 {
		return "\nplughost said:\n" + string(text)
	}
	return ""
}
