// SPDX-License-Identifier: Apache-2.0

package act

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aerie-falco/aerie/test/sinsp/scenario"
)

// Server is a program that a plugin talks to: one of the plugin's own module, so
// that nothing here has to know what they say to each other.
type Server struct {
	program, dir string
	said         map[string]string // by what stands for it in arguments and configurations

	// Of the running process; nil for none.
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	err *bytes.Buffer
}

// Serve starts a server, whose program is built, in the folder with the plugin's
// declaration. It may leave files in scratch. It must be stopped.
func (c Cast) Serve(program string, s scenario.Server, scratch string) (*Server, error) {
	v := &Server{
		program: program,
		dir:     filepath.Join(c.Folder, filepath.Dir(scenario.File)),
		said:    map[string]string{"${tmp}": scratch},
	}
	if err := v.Start(s.Args); err != nil {
		return nil, err
	}
	if s.Absent {
		v.Stop()
	}
	return v, nil
}

// Start starts a server that does not run. It is ready once it has said how it is
// reached, in a JSON object on its first line of output.
func (v *Server) Start(args []string) error {
	if v.cmd != nil {
		return errors.New("starting the server: it runs")
	}
	fail := func(err error) error { return fmt.Errorf("starting %s: %w", filepath.Base(v.program), err) }
	given := make([]string, len(args))
	for k, a := range args {
		given[k] = v.Filled(a)
	}
	cmd := exec.Command(v.program, given...)
	v.err = &bytes.Buffer{}
	cmd.Dir, cmd.Stderr = v.dir, v.err
	in, err := cmd.StdinPipe()
	if err != nil {
		return fail(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fail(err)
	}
	if err := cmd.Start(); err != nil {
		return fail(err)
	}
	v.cmd, v.in, v.out = cmd, in, bufio.NewReader(out)
	line, err := v.out.ReadBytes('\n')
	var at map[string]any
	if err == nil {
		err = json.Unmarshal(line, &at)
	}
	if err != nil {
		v.Stop()
		return fail(fmt.Errorf("reading how it is reached: %w: %s; it said: %s", err, line, v.err.String()))
	}
	for name, value := range at {
		text := fmt.Sprint(value)
		v.said["${server."+name+"}"] = text
		if u, err := url.Parse(text); err == nil && u.Host != "" {
			text = u.Host
		}
		if host, port, err := net.SplitHostPort(text); err == nil {
			v.said["${server."+name+".host}"], v.said["${server."+name+".port}"] = host, port
		}
	}
	return nil
}

// Filled is a text with what the server has said in its places.
func (v *Server) Filled(text string) string {
	var pairs []string
	for name, value := range v.said {
		pairs = append(pairs, name, value)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// Tell writes a line on the server's standard input, and waits for its answer: a
// JSON object, with a member "error" where it did not do as it was told.
func (v *Server) Tell(line string) error {
	if v.cmd == nil {
		return fmt.Errorf("telling the server %q: it does not run", line)
	}
	if _, err := io.WriteString(v.in, line+"\n"); err != nil {
		return fmt.Errorf("telling the server %q: %w", line, err)
	}
	text, err := v.out.ReadBytes('\n')
	var answer struct{ Error string }
	if err == nil {
		err = json.Unmarshal(text, &answer)
	}
	if err == nil && answer.Error != "" {
		err = errors.New(answer.Error)
	}
	if err != nil {
		return fmt.Errorf("telling the server %q: %w", line, err)
	}
	return nil
}

// Stop ends the server as a crash does. Stopping again does nothing.
func (v *Server) Stop() {
	if v.cmd == nil {
		return
	}
	_ = v.cmd.Process.Kill()
	_ = v.cmd.Wait() // killed, it always ends badly
	v.cmd = nil
}
