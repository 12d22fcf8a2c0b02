// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/aerie-falco/aerie/test/host"
)

const (
	childName = "child"
	stopLine  = "stop"
)

func childCommand() *cobra.Command {
	return &cobra.Command{
		Use:    childName,
		Short:  "Run plugins for the plughost that started this process",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(*cobra.Command, []string) error { return childMain() },
	}
}

// child is the process that plugins run in. All calls into them are made on
// the thread of its main goroutine, as in a Falco with one source.
type child struct {
	rows     *os.File
	events   *os.File
	recorder *recorder
	stopped  atomic.Bool
	// beforeBatch runs before each next_batch: the framework takes the events
	// of the batch before for delivered then.
	beforeBatch func()

	mu       sync.Mutex // of messages, which plugins' threads cause too
	messages *json.Encoder
}

// usageError is an error of the request, not of a plugin.
type usageError struct{ error }

func badUsage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func childMain() error {
	runtime.LockOSThread()
	host.DefaultSignals()
	for fd := rowsFD; fd <= eventsFD; fd++ {
		unix.CloseOnExec(fd) // plugins may start processes
	}
	// The finding tells what a core file would, and nobody would delete it.
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	rec, err := openRecorder(boxFD)
	if err != nil {
		return err
	}
	c := &child{
		rows: os.NewFile(rowsFD, "rows"), events: os.NewFile(eventsFD, "events"), recorder: rec,
		messages: json.NewEncoder(os.NewFile(messagesFD, "messages")),
	}
	control := bufio.NewReader(os.Stdin)
	line, err := control.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read request: %w", err)
	}
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return fmt.Errorf("read request: %w", err)
	}
	go c.obey(control)

	switch r.Op {
	case "inspect":
		err = c.inspect(r)
	case "run":
		err = c.run(r)
	case "bench":
		err = c.bench(r)
	case "payloads":
		err = c.payloads(r)
	default:
		err = badUsage("unknown request %q", r.Op)
	}
	var usage usageError
	switch {
	case errors.As(err, &usage):
		c.send(message{Kind: kindUsage, Text: err.Error()})
	case err != nil:
		c.send(message{Kind: kindFault, Text: err.Error()})
	}
	c.send(message{Kind: kindDone})
	return nil
}

// obey waits for the parent's word, or its end.
func (c *child) obey(control *bufio.Reader) {
	for {
		line, err := control.ReadString('\n')
		if strings.TrimSpace(line) == stopLine {
			c.stopped.Store(true)
		}
		if err != nil {
			c.stopped.Store(true)
			time.AfterFunc(stopGrace, func() { os.Exit(exitCrash) })
			return
		}
	}
}

func (c *child) send(m message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// If the parent is gone, obey ends the child.
	_ = c.messages.Encode(m)
}

func (c *child) note(format string, args ...any) {
	c.send(message{Kind: kindNote, Text: fmt.Sprintf(format, args...)})
}

func (c *child) sendResult(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("report result: %w", err)
	}
	c.send(message{Kind: kindResult, Result: b})
	return nil
}

// log passes on a plugin's log line.
func (c *child) log(l host.LogLine) {
	text := l.String()
	if l.Fault != "" {
		text += " (finding: " + l.Fault + ")"
	}
	c.send(message{Kind: kindLog, Text: text, Severity: l.Severity})
}

// load loads library number k.
func (c *child) load(k int, path string) (*host.Library, error) {
	c.recorder.note(k, callLoad, 0)
	return host.Load(path, &host.LoadOptions{Observe: func(call host.Symbol, evtnum uint64) {
		if call == host.SymNextBatch && c.beforeBatch != nil {
			c.beforeBatch()
		}
		c.recorder.note(k, call, evtnum)
	}})
}

// inspector loads, registers and initialises the libraries of a request.
func (c *child) inspector(r request) (*host.Inspector, error) {
	n := host.NewInspector()
	for k, path := range r.Libs {
		lib, err := c.load(k, path)
		if err != nil {
			return nil, err
		}
		if _, err := n.Register(lib); err != nil {
			return nil, err
		}
	}
	var names []string
	for _, p := range n.Plugins() {
		names = append(names, p.Name)
	}
	for name := range r.Configs {
		if !slices.Contains(names, name) {
			return nil, badUsage("--config %s=...: no plugin of that name is loaded; loaded are %s", name, strings.Join(names, ", "))
		}
	}
	for _, p := range n.Plugins() {
		if err := p.Init(host.InitOptions{Config: r.Configs[p.Name], Log: c.log}); err != nil {
			n.Destroy()
			return nil, fmt.Errorf("plugin %s: %w", p.Name, err)
		}
	}
	return n, nil
}
