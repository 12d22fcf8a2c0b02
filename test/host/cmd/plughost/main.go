// SPDX-License-Identifier: Apache-2.0

// Plughost runs Falco plugins without Falco: it loads their shared objects,
// plays the framework, and shows what they say, emit and extract.
//
// A plugin runs in a child process, so that its crash is reported like any
// other fault. The libraries of one run share one child, because they have to
// see the same events.
//
// Exit codes:
//
//	0  done; also after Ctrl-C, at the end of the source, and where --count or --duration ended it
//	1  plughost could not do what it was asked: bad flags, a file that is not there
//	2  the plugin is at fault: refused by the framework, a failed init or open, a failure, a broken interface
//	3  the plugin took its process down, or did not return when told to stop
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// Exit codes, as documented above.
const (
	exitDone  = 0
	exitUsage = 1
	exitFault = 2
	exitCrash = 3
)

// exitError ends plughost with a code of its own. Its text, if any, is printed.
type exitError struct {
	code int
	text string
}

func (e *exitError) Error() string { return e.text }

func main() {
	os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// execute runs one command line and returns its exit code.
func execute(args []string, stdin, stdout, stderr *os.File) int {
	t := &terminal{in: stdin, out: stdout, err: stderr}
	root := &cobra.Command{
		Use:           "plughost",
		Short:         "Run Falco plugins without Falco",
		SilenceUsage:  true,
		SilenceErrors: true,
		Long: `Plughost loads plugins of Falco, plays the plugin framework for them (Plugin API 3.12)
and shows what they say, emit and extract. Plugins run in a child process: a crash is
reported with its signal and the end of what was printed.

Exit codes: 0 done, 1 bad usage, 2 the plugin is at fault, 3 the plugin crashed or hung.`,
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(inspectCommand(t), runCommand(t), benchCommand(t), diffCommand(t), payloadsCommand(t), childCommand())

	err := root.Execute()
	var exit *exitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &exit):
		if exit.text != "" {
			t.say("plughost: %s", exit.text)
		}
		return exit.code
	}
	t.say("plughost: %s", err)
	return exitUsage
}

// fprintf writes to a terminal or pipe that may be gone, which nobody could be
// told of.
func fprintf(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, format, args...)
}
