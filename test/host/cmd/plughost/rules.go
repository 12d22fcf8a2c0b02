// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aerie-falco/aerie/test/host"
	"github.com/aerie-falco/aerie/test/sinsp/rules"
)

// rulesColumn is the last column, or key, of a run with rules.
const rulesColumn = "rules"

// watched is a rule that is tried on each event.
type watched struct {
	rules.Rule
	condition *host.Condition
	output    *host.Output
}

// alert is a rule that an event fires.
type alert struct {
	Rule     string `json:"rule"`
	Priority string `json:"priority"`
	Output   string `json:"output"`
}

// watch compiles the enabled rules for a source, as the files have them one on top of the other.
func (s *streaming) watch(source string) error {
	if len(s.r.Rules) == 0 {
		return nil
	}
	f, err := rules.Read(s.r.Rules...)
	if err != nil {
		return usageError{err}
	}
	if err := s.require(f.Plugins); err != nil {
		return usageError{err}
	}
	for _, r := range f.Rules {
		if r.Source != source || !r.Enabled {
			continue
		}
		w := watched{Rule: r}
		if w.condition, err = s.n.CompileCondition(r.Condition); err == nil {
			w.output, err = s.n.CompileOutput(r.Output)
		}
		if err != nil {
			return badUsage("%s: rule %q: %w", r.At, r.Name, err)
		}
		s.rules = append(s.rules, w)
	}
	if len(s.rules) == 0 {
		return badUsage("--rules: no enabled rule is for events of %s", source)
	}
	return nil
}

// require checks the plugins that rules need: of each requirement the first that is loaded decides.
func (s *streaming) require(all [][]rules.Requirement) error {
	for _, any := range all {
		k := slices.IndexFunc(any, func(r rules.Requirement) bool { return s.n.Plugin(r.Name) != nil })
		if k < 0 {
			return fmt.Errorf("--rules: the rules require plugin %s %s, which is not loaded", any[0].Name, any[0].Version)
		}
		if err := any[k].Met(s.n.Plugin(any[k].Name).Version); err != nil {
			return fmt.Errorf("--rules: %w", err)
		}
	}
	return nil
}

// fired is the cell of the rules that an event fires.
func (s *streaming) fired(e *host.Event) (cell, error) {
	known := map[string][]any{} // many rules ask for the same fields
	of := func(c *host.Check) ([]any, error) {
		values, ok := known[c.Text]
		if ok {
			return values, nil
		}
		values, err := s.value(e, c)
		known[c.Text] = values
		return values, err
	}
	var alerts []any
	var texts []string
	for _, w := range s.rules {
		holds, err := w.condition.Holds(of)
		if err != nil {
			return cell{}, err
		}
		if !holds {
			continue
		}
		text, err := w.output.Text(of)
		if err != nil {
			return cell{}, err
		}
		alerts = append(alerts, alert{Rule: w.Name, Priority: w.Priority, Output: text})
		texts = append(texts, w.Priority+" "+text)
	}
	if s.r.JSON || len(alerts) == 0 {
		return cell{values: alerts, list: true}, nil
	}
	return cell{values: []any{strings.Join(texts, "; ")}}, nil
}
