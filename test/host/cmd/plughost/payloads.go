// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/aerie-falco/aerie/test/face"
	"github.com/aerie-falco/aerie/test/payload"
)

func payloadsCommand(t *terminal) *cobra.Command {
	var compare bool
	var name string
	cmd := &cobra.Command{
		Use:   "payloads LIB FIXTURE",
		Short: "Record what a plugin makes of payloads, or compare it with what was recorded",
		Long: `Payloads gives a plugin what a fixture says, payloads or open parameters of its source, and
prints the fixture with what the plugin made of it: the values of all fields that need no
argument, of those that the fixture names, and the payloads of the plugin's own source.

With --compare nothing is recorded: the values of the payloads in the recording are compared
with those recorded, and the payloads that the source makes now with those that it made. The
differences are printed as a JSON array, as diff --with reads it.`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := os.ReadFile(args[1])
			if err != nil {
				return fmt.Errorf("reading a payload fixture: %w", err)
			}
			f, err := payload.Read(text)
			if err != nil {
				return fmt.Errorf("%s: %w", args[1], err)
			}
			if compare && f.Recorded == nil {
				return fmt.Errorf("%s: nothing is recorded in it", args[1])
			}
			recorded := f.Recorded
			if !compare {
				f.Recorded = nil
			}
			s := &session{t: t, request: request{Op: "payloads", Libs: args[:1], Fixture: f}}
			if err := s.run(); err != nil {
				return err
			}
			var now payload.Recorded
			if err := json.Unmarshal(s.result, &now); err != nil {
				return fmt.Errorf("%s: %w", args[1], err)
			}
			if compare {
				f.Recorded = recorded
				return printChanges(t, payload.Compare(name, f, &now))
			}
			f.Recorded = &now
			text, err = f.Write()
			if err != nil {
				return err
			}
			_, err = t.out.Write(text)
			return err
		},
	}
	cmd.Flags().BoolVar(&compare, "compare", false, "compare with what is recorded in the fixture, and print the differences")
	cmd.Flags().StringVar(&name, "name", "the fixture", "with --compare: what to call the fixture in messages")
	return cmd
}

func printChanges(t *terminal, changes []face.Change) error {
	if changes == nil {
		changes = []face.Change{}
	}
	e := json.NewEncoder(t.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(changes)
}
