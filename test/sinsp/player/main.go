// SPDX-License-Identifier: Apache-2.0

// Command player is the test host behind the protocol of package stage: it
// takes commands on standard input, and tells what plugins did on standard
// output, as the driver on libsinsp does. Rules are not played. What is written is
// the test host's and replayed by it; the framework's own capture files are
// replayed, and played live, where they are of system calls (the command
// syscalls), of which it follows the threads' programs and cgroups. Events of
// others can be thrown in.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

func main() {
	if err := play(os.Stdin, &voice{out: os.Stdout}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func play(in io.Reader, v *voice) error {
	from, s := bufio.NewReader(in), newScene(v)
	for {
		text, err := from.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading a command: %w", err)
		}
		var c stage.Command
		if err := json.Unmarshal(text, &c); err != nil {
			return fmt.Errorf("reading a command: %w: %.200s", err, text)
		}
		s.obey(c)
	}
}
