// SPDX-License-Identifier: Apache-2.0

// Command gen writes the Go side of the event table from the JSON that
// libscap/events.sh took from a libscap. It is run by go generate in
// event/schema, with the module's event folder as its argument.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// Files of the event folder.
const (
	source    = "schema/events.json"
	tableFile = "schema/table.go"
	typesFile = "types.go"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gen EVENT-FOLDER")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func write(folder string) error {
	files, err := generate(folder)
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate is what each generated file of the event folder has to hold.
func generate(folder string) (map[string][]byte, error) {
	text, err := os.ReadFile(filepath.Join(folder, source))
	if err != nil {
		return nil, err
	}
	d, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", source, err)
	}
	table, err := table(d)
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", tableFile, err)
	}
	types, err := types(d)
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", typesFile, err)
	}
	return map[string][]byte{tableFile: table, typesFile: types}, nil
}
