// SPDX-License-Identifier: Apache-2.0

package act

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/sinsp/scap"
	"github.com/aerie-falco/aerie/test/sinsp/scenario"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// PrepareRecorded sets a new inspector of system calls up: it has the plugin, the
// scenario's fields, and a rule of each filter's name that fires on what passes.
func (c Cast) PrepareRecorded(ctx context.Context, p *stage.Process, inspector string, r scenario.Recorded, config string) error {
	commands := []stage.Command{
		{Do: "syscalls", Inspector: inspector},
		{Do: "register", Inspector: inspector, Library: c.Library(c.Plugin)},
		{Do: "init", Inspector: inspector, Plugin: c.Plugin, Config: config},
		{Do: "fields", Inspector: inspector, Fields: r.Fields()},
	}
	for _, filter := range r.Filters() {
		commands = append(commands, stage.Command{Do: "rule", Inspector: inspector, Name: filter, Condition: filter, Output: "passes"})
	}
	for _, command := range commands {
		if _, err := p.Do(ctx, command); err != nil {
			return err
		}
	}
	return nil
}

// Capture is the path of the scenario's capture file. One with events to put
// among the others is written anew, below scratch.
func (c Cast) Capture(r scenario.Recorded, scratch string) (string, error) {
	path := c.captureFile(r)
	if len(r.Among) == 0 {
		return path, nil
	}
	file, err := scap.Read(path)
	if err != nil {
		return "", err
	}
	var among [][]byte
	for _, a := range r.Among {
		for k := range max(1, a.Times) {
			data := bytes.ReplaceAll(a.Data, []byte("${n}"), fmt.Appendf(nil, "%08d", k))
			among = append(among, scap.Async(FirstTime, a.Name, data))
		}
	}
	file.Scatter(among)
	path = filepath.Join(scratch, "among.scap")
	return path, file.Write(path)
}

// HasCapture tells whether the scenario's capture file is there, as it must be
// but for optional ones.
func (c Cast) HasCapture(r scenario.Recorded) bool {
	_, err := os.Stat(c.captureFile(r))
	return err == nil || !r.Optional
}

func (c Cast) captureFile(r scenario.Recorded) string {
	path := filepath.Join(c.Folder, filepath.Dir(scenario.File), r.Capture)
	if dir := os.Getenv("AERIE_CAPTURES"); r.Optional && dir != "" {
		if _, err := os.Stat(path); err != nil {
			return filepath.Join(dir, filepath.Base(path))
		}
	}
	return path
}

// Replay replays a capture file in a prepared inspector, to its end.
func (c Cast) Replay(ctx context.Context, p *stage.Process, inspector, file string) ([]stage.Event, error) {
	if _, err := p.Do(ctx, stage.Command{Do: "replay", Inspector: inspector, File: file}); err != nil {
		return nil, err
	}
	r, err := p.Do(ctx, stage.Command{Do: "next", Inspector: inspector, Events: unlimited, Idle: unlimited})
	if err == nil && r.Done.Result != "eof" {
		err = fmt.Errorf("replaying %s: it ended with %s %s", file, r.Done.Result, r.Done.Error)
	}
	return r.Events, err
}

// Live is a live capture that is going on.
type Live struct {
	p         *stage.Process
	inspector string
	server    *Server // nil for none
}

// GoLive opens a live capture with the threads of the file.
func (c Cast) GoLive(ctx context.Context, p *stage.Process, inspector, file string, server *Server) (*Live, error) {
	_, err := p.Do(ctx, stage.Command{Do: "live", Inspector: inspector, File: file})
	return &Live{p, inspector, server}, err
}

// turns is how many timeouts of the driver's test engine, a millisecond each, go
// by before it is looked whether what is awaited has come.
const turns = 20

// Do takes one step and gives the events that came in it.
func (l *Live) Do(ctx context.Context, s scenario.Step) ([]stage.Event, error) {
	switch {
	case s.Tell != "":
		return nil, l.server.Tell(s.Tell)
	case s.Stop:
		l.server.Stop()
		return nil, nil
	case s.Start != nil:
		return nil, l.server.Start(s.Start)
	case s.Await != nil:
		return l.await(ctx, *s.Await)
	}
	r, err := l.p.Do(ctx, stage.Command{Do: "play", Inspector: l.inspector, Events: uint64(s.Play)})
	if err != nil {
		return nil, err
	}
	var all []stage.Event
	for left := r.Done.Played; left > 0; {
		more, err := l.next(ctx, left)
		all = append(all, more...)
		if err != nil {
			return all, err
		}
		left -= uint64(len(OfSystemCalls(more)))
	}
	return all, nil
}

func (l *Live) next(ctx context.Context, limit uint64) ([]stage.Event, error) {
	r, err := l.p.Do(ctx, stage.Command{Do: "next", Inspector: l.inspector, Events: limit, Idle: turns})
	if err == nil && r.Done.Result != "events" && r.Done.Result != "timeout" {
		err = fmt.Errorf("a live capture ended with %s %s", r.Done.Result, r.Done.Error)
	}
	return r.Events, err
}

// await reads on, as the framework does all the time, until the state is there.
func (l *Live) await(ctx context.Context, a scenario.Await) ([]stage.Event, error) {
	var all []stage.Event
	stuck := time.Now().Add(Patience / 2) // before ctx is done, which ends the process and tells nothing
	for {
		events, err := l.next(ctx, unlimited)
		all = append(all, events...)
		if err != nil {
			return all, err
		}
		there, now, err := l.look(ctx, a)
		if there || err != nil {
			return all, err
		}
		if time.Now().After(stuck) {
			return all, fmt.Errorf("awaiting %s: it is %s", a, now)
		}
	}
}

func (l *Live) look(ctx context.Context, a scenario.Await) (there bool, now string, err error) {
	if a.Metric != "" {
		r, err := l.p.Do(ctx, stage.Command{Do: "metrics", Inspector: l.inspector})
		if err != nil {
			return false, "", err
		}
		var value float64
		switch v := stage.Canonical(r.Done.Metrics[a.Metric].Value).(type) {
		case uint64:
			value = float64(v)
		case int64:
			value = float64(v)
		case float64:
			value = v
		default:
			return false, "", fmt.Errorf("awaiting metric %s: there is none; there are %v", a.Metric, slices.Sorted(maps.Keys(r.Done.Metrics)))
		}
		return (a.Least == nil || value >= *a.Least) && (a.Most == nil || value <= *a.Most), fmt.Sprint(value), nil
	}
	r, err := l.p.Do(ctx, stage.Command{Do: "table", Inspector: l.inspector, Name: a.Table})
	if err != nil {
		return false, "", err
	}
	n := 0
	for _, row := range r.Done.Table {
		if has(row, a.With) {
			n++
		}
	}
	return n == a.Rows, fmt.Sprintf("%d of %d rows, %.2000v", n, len(r.Done.Table), r.Done.Table), nil
}

func has(row, values map[string]any) bool {
	for name, v := range values {
		if !reflect.DeepEqual(stage.Canonical(row[name]), stage.Canonical(v)) {
			return false
		}
	}
	return true
}

// OfSystemCalls are the events without the asynchronous ones.
func OfSystemCalls(events []stage.Event) []stage.Event {
	return slices.DeleteFunc(slices.Clone(events), func(e stage.Event) bool { return e.Type == abi.TypeAsyncEvent })
}
