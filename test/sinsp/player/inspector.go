// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// inspector is one of the test host's, with what the protocol puts around it.
type inspector struct {
	name      string
	voice     *voice
	framework *host.Inspector
	fields    []*host.Check
	rules     []rule

	feederID     uint32
	feederSource string

	followed bool      // its events are system calls
	playing  *livePlay // nil where no live capture of them was opened

	file      string // to write, "" for none
	recording *host.Recording
}

func (in *inspector) do(c stage.Command) (answer, error) {
	switch c.Do {
	case "register":
		return in.register(c.Library)
	case "feeder":
		in.feederID, in.feederSource = c.ID, c.Source
		return nil, nil
	case "syscalls":
		in.followed = true
		in.framework.FollowThreads()
		return nil, nil
	case "init":
		if c.Plugin == stage.Feeder {
			return nil, nil
		}
		p, err := in.plugin(c.Plugin)
		if err != nil {
			return nil, err
		}
		return nil, p.Init(host.InitOptions{Config: c.Config, Log: in.voice.log})
	case "open":
		return nil, in.open(c)
	case "inject":
		return nil, in.inject(c.File)
	case "live":
		return nil, in.live(c.File)
	case "play":
		if in.playing == nil {
			return nil, errors.New("nothing is open to be played")
		}
		return answer{"played": in.playing.play(c.Events)}, nil
	case "table":
		return in.table(c.Name)
	case "replay":
		return nil, in.replay(c.File)
	case "write":
		in.file = c.File
		return nil, nil
	case "fields":
		return nil, in.show(c.Fields)
	case "filter":
		return nil, in.setFilter(c.Filter)
	case "rule":
		return nil, in.watch(c)
	case "next":
		return in.next(c.Events, c.Idle)
	case "pool":
		in.framework.EnableRoutines(c.Threads)
		return nil, nil
	case "processes":
		return nil, in.processes(c.Table)
	case "metrics":
		return in.metrics()
	case "close":
		return nil, in.close()
	}
	return nil, fmt.Errorf("%s is not played by the test host", c.Do)
}

func (in *inspector) register(library string) (answer, error) {
	lib, err := host.Load(library, nil)
	if err != nil {
		return nil, err
	}
	p, err := in.framework.Register(lib)
	if err != nil {
		return nil, err
	}
	d, err := described(p)
	return answer{"plugin": d}, err
}

func (in *inspector) plugin(name string) (*host.Plugin, error) {
	if p := in.framework.Plugin(name); p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("no plugin %s in inspector %s", name, in.name)
}

func (in *inspector) open(c stage.Command) error {
	if c.Plugin != stage.Feeder {
		return in.framework.Open(c.Plugin, c.Params)
	}
	return in.feed(c.Feed)
}

func (in *inspector) close() error {
	in.playing = nil
	return errors.Join(in.save(), in.framework.Close())
}

func (in *inspector) show(fields []string) error {
	in.fields = nil
	for _, f := range fields {
		check, err := in.framework.Compile(f)
		if err != nil {
			return err
		}
		in.fields = append(in.fields, check)
	}
	return nil
}

func (in *inspector) setFilter(text string) error {
	filter, err := in.framework.CompileFilter(text)
	if err == nil {
		in.framework.SetFilter(filter)
	}
	return err
}

// next reads on as the driver does.
func (in *inspector) next(limit, idle uint64) (answer, error) {
	events, timeouts := uint64(0), uint64(0)
	for events < limit {
		e, rc, err := in.framework.Next()
		switch rc {
		case abi.Success:
			if err := errors.Join(in.tell(e), in.record(e)); err != nil {
				return nil, err
			}
			events++
		case abi.Timeout:
			if timeouts++; timeouts >= idle {
				return answer{"result": "timeout"}, nil
			}
			if in.playing != nil { // others have waited
				time.Sleep(time.Millisecond)
			}
		case abi.EOF:
			return answer{"result": "eof"}, nil
		default:
			return answer{"result": "failure"}, err
		}
	}
	return answer{"result": "events"}, nil
}

// tell says an event with its fields. A value that a plugin fails to extract is
// none, as in the framework.
func (in *inspector) tell(e *host.Event) error {
	found := map[string]any{}
	for _, f := range in.fields {
		values, err := in.values(e, f)
		if err != nil {
			return err
		}
		if v := value(values, f.List); v != nil {
			found[f.Text] = v
		}
	}
	fired, err := in.fired(e)
	if err != nil {
		return err
	}
	said := answer{
		"inspector": in.name, "num": e.Num(), "type": e.Type(), "ts": e.Timestamp(), "source": e.Source(), "values": found,
	}
	if len(fired) > 0 {
		said["rules"] = fired
	}
	in.voice.say("event", said)
	return nil
}
