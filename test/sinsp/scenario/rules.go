// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

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
//	  local:                       # left out: none
//	    - rules: |                 # an operator's own file on top of the plugin's,
//	        - list: shell_users
//	          items: [deployer]
//	          override: {items: append}
//	      spares: [{file: exec_pod.json}] # and what fires the rule then, or does not
//
//	Shell in a container:          # a rule for system calls
//	  captures:
//	    - file: pods.scap.gz       # below the declaration's folder
//	      config: '{"a": 1}'       # of the plugin; left out: none
//	      fires: 3                 # so often; or some, for at least once; or never
const RulesFile = "testdata/rules.yaml"

// RuleSamples is what a rule is tried on: payloads, or captures of system calls.
type RuleSamples struct {
	Fires    []Payload      `yaml:"fires"`
	Spares   []Payload      `yaml:"spares"`
	Local    []LocalSamples `yaml:"local"`
	Captures []Capture      `yaml:"captures"`
}

// LocalSamples is what a rule is tried on together with rules of an operator.
type LocalSamples struct {
	Rules  string    `yaml:"rules"`
	Fires  []Payload `yaml:"fires"`
	Spares []Payload `yaml:"spares"`
}

// Capture is a file of events, and how often a rule fires on them. ReadRules
// makes the file's path one from the root.
type Capture struct {
	File   string `yaml:"file"`
	Config string `yaml:"config"`
	Fires  Times  `yaml:"fires"`
}

// Times is how often a rule fires, or Some.
type Times int

// Some is at least once.
const Some Times = -1

// UnmarshalYAML reads a number, some or never.
func (t *Times) UnmarshalYAML(n *yaml.Node) error {
	switch count, err := strconv.ParseUint(n.Value, 10, 31); {
	case n.Value == "some":
		*t = Some
	case n.Value == "never":
		*t = 0
	case err == nil:
		*t = Times(count)
	default:
		return fmt.Errorf("a rule fires %q; use a number, some or never", n.Value)
	}
	return nil
}

func (t Times) String() string {
	switch t {
	case Some:
		return "some"
	case 0:
		return "never"
	default:
		return strconv.Itoa(int(t))
	}
}

// Allows says whether a rule that fired n times did as it should.
func (t Times) Allows(n int) bool { return t == Times(n) || t == Some && n > 0 }

// ReadRules reads the samples in a plugin's folder, by the names of rules.
func ReadRules(dir string) (map[string]RuleSamples, error) {
	path := filepath.Join(dir, filepath.FromSlash(RulesFile))
	samples := map[string]RuleSamples{}
	if err := decode(path, &samples); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(samples)) {
		s := samples[name]
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("reading %s: rule %q: %w", path, name, err)
		}
		for k := range s.Captures {
			c := &s.Captures[k]
			if !filepath.IsLocal(c.File) {
				return nil, fmt.Errorf("reading %s: rule %q: capture %q is outside of the declaration's folder", path, name, c.File)
			}
			var err error
			if c.File, err = filepath.Abs(filepath.Join(filepath.Dir(path), c.File)); err != nil {
				return nil, fmt.Errorf("reading %s: rule %q: %w", path, name, err)
			}
		}
	}
	return samples, nil
}

// check asks for something that fires the rule, and for something that shows it does not fire on everything.
func (s *RuleSamples) check() error {
	for k, l := range s.Local {
		if l.Rules == "" || len(l.Fires)+len(l.Spares) == 0 {
			return fmt.Errorf("local %d needs rules, and events that fire or spare", k+1)
		}
	}
	if len(s.Captures) == 0 {
		if len(s.Fires) == 0 || len(s.Spares) == 0 {
			return errors.New("it needs at least one event that fires it and one that does not")
		}
		return nil
	}
	if len(s.Fires)+len(s.Spares)+len(s.Local) > 0 {
		return errors.New("use events or captures, not both")
	}
	fires := func(c Capture) bool { return c.Fires != 0 }
	counts := func(c Capture) bool { return c.Fires != Some }
	if !slices.ContainsFunc(s.Captures, fires) || !slices.ContainsFunc(s.Captures, counts) {
		return errors.New("it needs a capture that fires it, and one where it fires a certain number of times or never")
	}
	return nil
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
