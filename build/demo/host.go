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
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"time"

	"github.com/aerie-falco/aerie/build/artifacts"
	"github.com/aerie-falco/aerie/build/plughost"
	"github.com/aerie-falco/aerie/build/workspace"
)

// host is a running plughost. Its rows arrive on a channel that is closed when it has ended.
type host struct {
	cmd    *exec.Cmd
	fields []string
	said   said
	rows   chan row
	broken error // why rows ended early; to be read after rows is closed
}

// start starts plughost with the scene's source. The
// caller must stay on its thread (runtime.LockOSThread) until stop.
func start(ctx context.Context, w workspace.Workspace, s scene, patience time.Duration) (*host, error) {
	args := []string{"run"}
	for _, p := range s.plugins {
		args = append(args, artifacts.Library(w, artifacts.Host, p))
	}
	args = append(args, "--source", s.plugins[0], "--open", s.open, "--json")
	if s.rules != "" {
		args = append(args, "--rules", s.rules)
	}
	for _, f := range s.fields {
		args = append(args, "--fields", f)
	}
	h := &host{cmd: exec.CommandContext(ctx, plughost.Program(w), args...), fields: s.fields, rows: make(chan row)}
	h.said.address = make(chan string, 1)
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

// read turns plughost's lines into rows.
func (h *host) read(lines io.Reader) {
	defer close(h.rows)
	s := bufio.NewScanner(lines)
	for s.Scan() {
		r, err := parseRow(s.Bytes(), h.fields)
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

// parseRow reads a line of `plughost run --json`: an object whose keys are the fields asked for, and rules.
func parseRow(line []byte, names []string) (row, error) {
	fields := map[string]json.RawMessage{}
	err := json.Unmarshal(line, &fields)
	var r row
	for i, name := range names {
		if err == nil {
			err = json.Unmarshal(fields[name], &r.values[i]) // null, for no value, leaves it empty
		}
	}
	if alerts := fields["rules"]; err == nil && alerts != nil {
		err = json.Unmarshal(alerts, &r.alerts)
	}
	if err != nil {
		return row{}, fmt.Errorf("reading what plughost shows: %w: %s", err, line)
	}
	return r, nil
}

// said is standard error. It is safe for concurrent use.
type said struct {
	mu      sync.Mutex
	text    bytes.Buffer
	address chan string // where the source listens, once that was said
	found   bool
}

// listening is the line with which a source says where it does.
var listening = regexp.MustCompile(`listening for events address=(\S+) .*\n`)

// Write never fails.
func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(b)
	if m := listening.FindSubmatch(s.text.Bytes()); m != nil && !s.found {
		s.found = true
		s.address <- string(m[1])
	}
	return len(b), nil
}

// awaitAddress returns where the source listens.
func (h *host) awaitAddress(ctx context.Context) (string, error) {
	for {
		select {
		case address := <-h.said.address:
			return address, nil
		case _, open := <-h.rows:
			if !open {
				return "", errors.New("plughost ended before its source was open")
			}
		case <-ctx.Done():
			return "", fmt.Errorf("waiting for the source to listen: %w", context.Cause(ctx))
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
	h.said.mu.Lock()
	defer h.said.mu.Unlock()
	if text := bytes.TrimSpace(h.said.text.Bytes()); len(text) > 0 {
		return "\nplughost said:\n" + string(text)
	}
	return ""
}
