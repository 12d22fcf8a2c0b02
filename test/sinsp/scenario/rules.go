// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// RulesFile is where the samples for a plugin's rules stand in its folder. It is
// not among the rules: those are shipped. An example:
//
//	Shell in a pod:                # the rule's name
//	  fires:                       # events that fire it, as payloads of its source
//	    - {file: exec_pod.json}
//	  spares:                      # near misses: events that do not
//	    - '{"verb": "get"}'
const RulesFile = "testdata/rules.yaml"

// RuleSamples is what a rule is tried on.
type RuleSamples struct {
	Fires  []Payload `yaml:"fires"`
	Spares []Payload `yaml:"spares"`
}

// ReadRules reads the samples in a plugin's folder, by the names of rules.
func ReadRules(dir string) (map[string]RuleSamples, error) {
	path := filepath.Join(dir, filepath.FromSlash(RulesFile))
	samples := map[string]RuleSamples{}
	if err := decode(path, &samples); err != nil {
		return nil, err
	}
	for name, s := range samples {
		if len(s.Fires) == 0 || len(s.Spares) == 0 {
			return nil, fmt.Errorf("reading %s: rule %q needs at least one event that fires it and one that does not", path, name)
		}
	}
	return samples, nil
}

// decode reads a YAML file strictly, with the files of payloads in place.
func decode(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading a declaration: %w", err)
	}
	var document yaml.Node
	err = yaml.Unmarshal(text, &document)
	if err == nil && document.Kind == 0 {
		err = errors.New("it is empty")
	}
	if err == nil {
		err = inline(&document, filepath.Dir(path))
	}
	if err == nil {
		text, err = yaml.Marshal(&document)
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	strict := yaml.NewDecoder(bytes.NewReader(text))
	strict.KnownFields(true)
	if err := strict.Decode(into); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}
