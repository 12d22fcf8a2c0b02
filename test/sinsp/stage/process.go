// SPDX-License-Identifier: Apache-2.0

package stage

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
	"strings"
	"sync"
	"time"
)

// Process is a running driver or player. It belongs to one goroutine at a time.
type Process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	lines  chan Line
	failed error // why lines ended, set before they are closed
	said   tail  // on standard error
	closed bool

	// Logs of the process so far.
	Logs []Log
}

// Start runs a program that speaks the protocol. env is added to the caller's.
func Start(command []string, env ...string) (*Process, error) {
	p := &Process{cmd: exec.Command(command[0], command[1:]...), lines: make(chan Line, 16)}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = &p.said
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", command[0], err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", command[0], err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", command[0], err)
	}
	go p.read(out)
	return p, nil
}

func (p *Process) read(out io.Reader) {
	defer close(p.lines)
	from := bufio.NewReader(out)
	for {
		text, err := from.ReadBytes('\n')
		if err != nil {
			return
		}
		var line Line
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if err := decoder.Decode(&line); err != nil {
			p.failed = fmt.Errorf("reading what it says: %w: %.200s", err, text)
			return
		}
		p.lines <- line
	}
}

// Reply is what a command led to.
type Reply struct {
	Done   Done
	Events []Event
	Logs   []Log
}

// ErrRefused marks an error that the framework gave, as against one of the process.
var ErrRefused = errors.New("refused")

// Do carries a command out. A framework's refusal is an error that wraps
// ErrRefused. A process that ended, or did not answer before ctx was done, is
// gone afterwards; the error says what it said last.
func (p *Process) Do(ctx context.Context, c Command) (Reply, error) {
	var r Reply
	text, err := json.Marshal(c)
	if err != nil {
		return r, fmt.Errorf("writing command %s: %w", c.Do, err)
	}
	if _, err := p.in.Write(append(text, '\n')); err != nil {
		return r, p.gone(c, err)
	}
	for {
		select {
		case line, ok := <-p.lines:
			switch {
			case !ok:
				return r, p.gone(c, p.failed)
			case line.Event != nil:
				r.Events = append(r.Events, line.Event.canonical())
			case line.Log != nil:
				r.Logs, p.Logs = append(r.Logs, *line.Log), append(p.Logs, *line.Log)
			case line.Done != nil:
				// steps that ran together are done before the command is
				if line.Done.Error != "" && (r.Done.Error == "" || line.Done.Do == c.Do) {
					r.Done = *line.Done
				}
				if line.Done.Do != c.Do {
					continue
				}
				if r.Done.Error == "" {
					r.Done = *line.Done
					return r, nil
				}
				return r, fmt.Errorf("%s: %w: %s", r.Done.Do, ErrRefused, r.Done.Error)
			}
		case <-ctx.Done():
			_ = p.cmd.Process.Kill()
			return r, p.gone(c, ctx.Err())
		}
	}
}

func (e *Event) canonical() Event {
	for name, v := range e.Values {
		e.Values[name] = Canonical(v)
	}
	return *e
}

func (p *Process) gone(c Command, why error) error {
	p.closed = true
	ended := p.cmd.Wait()
	for range p.lines { // so that the reader ends
	}
	return fmt.Errorf("%s: the framework's process is gone: %w; it said: %s", c.Do, errors.Join(why, ended), strings.TrimSpace(p.said.String()))
}

// Close ends the process, and tells if it did not end well. Closing again does nothing.
func (p *Process) Close() error {
	if p.closed {
		return nil
	}
	p.closed = true
	p.in.Close()
	watch := time.AfterFunc(time.Minute, func() { _ = p.cmd.Process.Kill() })
	defer watch.Stop()
	for line := range p.lines {
		if line.Log != nil {
			p.Logs = append(p.Logs, *line.Log)
		}
	}
	if err := errors.Join(p.cmd.Wait(), p.failed); err != nil {
		return fmt.Errorf("ending the framework's process: %w; it said: %s", err, strings.TrimSpace(p.said.String()))
	}
	return nil
}

// tail keeps the end of what is written.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write never fails.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	const kept = 4096
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-kept):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
