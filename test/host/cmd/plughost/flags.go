// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
)

const configHelp = "init configuration of the plugin `NAME=TEXT` (its name, not its file's); may be given for each plugin"

// parseConfigs reads the values of --config.
func parseConfigs(values []string) (map[string]string, error) {
	configs := map[string]string{}
	for _, v := range values {
		name, text, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--config %q: use NAME=TEXT with the plugin's name", v)
		}
		if _, twice := configs[name]; twice {
			return nil, fmt.Errorf("--config %q: plugin %s has one already", v, name)
		}
		configs[name] = text
	}
	return configs, nil
}

// openEvents opens the file of --events; "-" is standard input.
func (t *terminal) openEvents(path string) (*os.File, error) {
	if path == "-" {
		return t.in, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--events: %w", err)
	}
	return f, nil
}
