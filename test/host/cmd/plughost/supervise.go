// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// stopGrace is how long a child may take to end once told to. The framework
// itself would wait for ever: nothing interrupts a plugin.
const stopGrace = 10 * time.Second

// emulatorVariable has the command, with arguments, that a plughost for another
// architecture runs under. Its child needs it too: starting a program leaves the
// emulator.
const emulatorVariable = "PLUGHOST_EMULATOR"

// session is one child process and what came of it.
type session struct {
	t       *terminal
	request request
	// events is the open file of --events, or nil.
	events *os.File
	// showStats is told how far the child is; nil if nobody wants to know.
	showStats func(stats)
	// opened is told that the child has opened its source.
	opened func()

	result json.RawMessage
	stats  stats
	logged uint64
	fault  string // the plugin's, or ""
	usage  string // ours, or ""
	done   bool
}

// run starts the child and follows it to its end. The error is an *exitError
// or plughost's own trouble.
func (s *session) run() error {
	rec, recFile, err := newRecorder()
	if err != nil {
		return err
	}
	defer rec.close()
	defer recFile.Close()
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("start child: %w", err)
	}
	words := append(strings.Fields(os.Getenv(emulatorVariable)), exe, childName)
	cmd := exec.Command(words[0], words[1:]...)
	// A group of its own, so that Ctrl-C reaches the child as a request to stop
	// and not as a signal that a plugin might die from.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second // a plugin's own children may hold its output open
	printed := &tail{pass: func(line []byte) { s.t.write(s.t.err, line) }}
	cmd.Stdout, cmd.Stderr = printed, printed
	control, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("start child: %w", err)
	}

	messages, messagesEnd, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start child: %w", err)
	}
	defer messages.Close()
	rows, waitRows, err := s.rowsFile()
	if err != nil {
		return err
	}
	cmd.ExtraFiles = []*os.File{rowsFD - 3: rows, messagesFD - 3: messagesEnd, boxFD - 3: recFile}
	if s.events != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, s.events)
	}
	err = cmd.Start()
	messagesEnd.Close()
	if rows != s.t.out {
		rows.Close()
	}
	if err != nil {
		return fmt.Errorf("start child: %w", err)
	}
	defer control.Close()

	first, err := json.Marshal(s.request)
	if err != nil {
		return fmt.Errorf("start child: %w", err)
	}
	// A child that is dead already shows in its messages.
	_, _ = control.Write(append(first, '\n'))
	killed := s.forwardSignals(cmd, control)
	s.follow(messages)
	err = cmd.Wait()
	waitRows()
	printed.flush()
	s.t.setProgress("")
	return s.verdict(err, killed(), printed, rec)
}

// rowsFile is where the child writes event rows: standard output itself, so
// that rows written outlive plughost, or, if that is a terminal, a pipe, so
// that rows and the progress line do not mix.
func (s *session) rowsFile() (f *os.File, wait func(), err error) {
	if !isTerminal(s.t.out) {
		return s.t.out, func() {}, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("start child: %w", err)
	}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		lines := bufio.NewReader(r)
		for {
			line, err := lines.ReadBytes('\n')
			if len(line) > 0 {
				s.t.write(s.t.out, line)
			}
			if err != nil {
				return
			}
		}
	}()
	return w, func() { <-copied; r.Close() }, nil
}

// forwardSignals turns the first interrupt into a request to stop, and a second
// one, or the end of the child's grace, into its end. The function returned
// ends that and says whether the child was killed for not stopping, and why.
func (s *session) forwardSignals(cmd *exec.Cmd, control io.Writer) (killed func() string) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	end, ended := make(chan struct{}), make(chan string, 1)
	go func() {
		select {
		case <-signals:
		case <-end:
			ended <- ""
			return
		}
		_, _ = io.WriteString(control, stopLine+"\n")
		grace := time.NewTimer(stopGrace)
		defer grace.Stop()
		why := ""
		select {
		case <-end:
		case <-signals:
			why = "killed at the second interrupt: it had not stopped yet"
		case <-grace.C:
			why = fmt.Sprintf("killed: it did not stop within %s", stopGrace)
		}
		if why != "" {
			_ = cmd.Process.Kill()
			<-end
		}
		ended <- why
	}()
	return func() string {
		signal.Stop(signals)
		close(end)
		return <-ended
	}
}

// follow handles the child's messages until there are no more.
func (s *session) follow(messages io.Reader) {
	d := json.NewDecoder(messages)
	for {
		var m message
		if err := d.Decode(&m); err != nil {
			return
		}
		switch m.Kind {
		case kindLog:
			s.logged++
			s.t.say("[%s] %s", severityName(m.Severity), clean(m.Text))
		case kindNote:
			s.t.say("plughost: %s", clean(m.Text))
		case kindStats:
			s.stats = *m.Stats
			if s.showStats != nil {
				s.showStats(s.stats)
			}
		case kindOpened:
			if s.opened != nil {
				s.opened()
			}
		case kindResult:
			s.result = m.Result
		case kindUsage:
			s.usage = m.Text
		case kindFault:
			s.fault = m.Text
		case kindDone:
			s.done = true
		}
	}
}

// verdict is the error that the child's end amounts to.
func (s *session) verdict(err error, killed string, printed *tail, rec *recorder) error {
	if s.done && err == nil || errors.Is(err, exec.ErrWaitDelay) && s.done {
		switch {
		case s.usage != "":
			return &exitError{exitUsage, s.usage}
		case s.fault != "":
			return &exitError{exitFault, "finding: " + clean(s.fault)}
		}
		return nil
	}
	lines := printed.end()
	how := killed
	if how == "" {
		how = howItDied(err, lines)
	}
	text := "the plugin's process was " + how
	if !strings.HasPrefix(how, "killed") {
		text = "the plugin's process " + how
	}
	if last := rec.last(s.request.Libs); last != "" {
		text += " (" + last + ")"
	}
	if s.fault != "" {
		text += "\n  before that: " + clean(s.fault)
	}
	for _, line := range lines {
		text += "\n  | " + clean(strings.ReplaceAll(line, "\t", "    "))
	}
	s.fault = text
	return &exitError{exitCrash, "finding: " + text}
}

// severityName is the framework's name for a log severity.
func severityName(n uint32) string {
	names := []string{"fatal", "critical", "error", "warning", "notice", "info", "debug", "trace"}
	if n < 1 || int(n) > len(names) {
		return fmt.Sprintf("severity %d", n)
	}
	return names[n-1]
}
