// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/aerie-falco/aerie/test/host"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// rule is tried on each event that comes.
type rule struct {
	name      string
	condition *host.Condition
	output    *host.Output
}

func (in *inspector) watch(c stage.Command) (err error) {
	r := rule{name: c.Name}
	if r.condition, err = in.framework.CompileCondition(c.Condition); err != nil {
		return err
	}
	if r.output, err = in.framework.CompileOutput(c.Output); err != nil {
		return err
	}
	in.rules = append(in.rules, r)
	return nil
}

// fired is the outputs of the rules that an event fires, by their names.
func (in *inspector) fired(e *host.Event) (map[string]any, error) {
	of := func(c *host.Check) ([]any, error) { return in.values(e, c) }
	all := map[string]any{}
	for _, r := range in.rules {
		if holds, err := r.condition.Holds(of); err != nil {
			return nil, err
		} else if !holds {
			continue
		}
		text, err := r.output.Text(of)
		if err != nil {
			return nil, err
		}
		all[r.name] = written(text)
	}
	return all, nil
}
