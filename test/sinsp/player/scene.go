// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"sync"

	"github.com/aerie-falco/aerie/test/host"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// scene is all inspectors of the process.
type scene struct {
	voice *voice
	mu    sync.Mutex
	all   map[string]*inspector
}

func newScene(v *voice) *scene { return &scene{voice: v, all: map[string]*inspector{}} }

// obey carries a command out and says what became of it.
func (s *scene) obey(c stage.Command) {
	done, err := s.carryOut(c)
	said := map[string]any{"do": c.Do}
	for name, v := range done {
		said[name] = v
	}
	if c.Inspector != "" {
		said["inspector"] = c.Inspector
	}
	if err != nil {
		said["error"] = written(err.Error())
	}
	s.voice.say("done", said)
}

// answer is what the done line has beside the command.
type answer = map[string]any

func (s *scene) carryOut(c stage.Command) (answer, error) {
	if c.Do == "together" {
		var wait sync.WaitGroup
		for _, step := range c.Steps {
			wait.Go(func() { s.obey(step) })
		}
		wait.Wait()
		return nil, nil
	}
	if c.Do == "drop" {
		s.drop(c.Inspector)
		return nil, nil
	}
	in, err := s.inspector(c.Inspector, c.Do == "register" || c.Do == "feeder" || c.Do == "syscalls")
	if err != nil {
		return nil, err
	}
	return in.do(c)
}

func (s *scene) inspector(name string, make bool) (*inspector, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.all[name]
	if in == nil {
		if !make {
			return nil, fmt.Errorf("no inspector %s", name)
		}
		in = &inspector{name: name, voice: s.voice, framework: host.NewInspector()}
		s.all[name] = in
	}
	return in, nil
}

func (s *scene) drop(name string) {
	s.mu.Lock()
	in := s.all[name]
	delete(s.all, name)
	s.mu.Unlock()
	if in != nil {
		_ = in.close()
		in.framework.Destroy()
	}
}

// described is what registration learnt, as the protocol says it.
func described(p *host.Plugin) (stage.Plugin, error) {
	schema, err := p.InitSchema()
	if err != nil {
		return stage.Plugin{}, err
	}
	out := stage.Plugin{
		Name: p.Name, Description: p.Description, Contact: p.Contact, Version: p.Version, RequiredAPI: p.RequiredAPI,
		Capabilities: p.Capabilities.Names(), ID: p.ID, Source: p.EventSource, Schema: schema,
		ExtractSources: sorted(p.ExtractSources), ParseSources: sorted(p.ParseSources),
		AsyncSources: sorted(p.AsyncSources), AsyncEvents: sorted(p.AsyncEvents),
		Fields: []stage.Field{},
	}
	for _, f := range p.Fields {
		out.Fields = append(out.Fields, stage.Field{
			Name: f.Name, Display: f.Display, Desc: f.Desc, Type: f.Type, List: f.List,
			Required: f.Arg.Required, Index: f.Arg.Index, Key: f.Arg.Key, AddOutput: f.AddOutput,
		})
	}
	return out, nil
}

func sorted(names []string) []string {
	out := append([]string{}, names...)
	slices.Sort(out)
	return slices.Compact(out)
}
