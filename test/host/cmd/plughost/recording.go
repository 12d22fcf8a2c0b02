// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
	"github.com/aerie-falco/aerie/test/payload"
)

// recordedTime is the time of all events whose values are recorded, in
// nanoseconds since the epoch. They have the same one, so that a value that
// differs between two of them comes from the payloads.
const recordedTime = 1_700_000_000_000_000_000

// recordingLimit ends a source that does not make the events that are asked for.
const recordingLimit = time.Minute

// payloads is the child's half of the payloads command. The values are those of
// the payloads that are recorded already, if there are any.
func (c *child) payloads(r request) error {
	f := r.Fixture
	lib, err := c.load(0, r.Libs[0])
	if err != nil {
		return err
	}
	out := &payload.Recorded{}
	events := f.Events
	if f.Open != nil {
		if out.Emitted, err = c.emitted(lib, f); err != nil {
			return err
		}
		events = out.Emitted
		if f.Recorded != nil {
			events = f.Recorded.Emitted
		}
	}
	if err := c.values(lib, f, events, out); err != nil {
		return err
	}
	return c.sendResult(out)
}

// started is a new inspector with one initialised state of the library.
func (c *child) started(lib *host.Library, f *payload.Fixture) (*host.Inspector, *host.Plugin, error) {
	n := host.NewInspector()
	p, err := n.Register(lib)
	if err != nil {
		return nil, nil, err
	}
	if err := p.Init(host.InitOptions{Config: f.Config, Log: c.log}); err != nil {
		n.Destroy()
		return nil, nil, fmt.Errorf("plugin %s: %w", p.Name, err)
	}
	return n, p, nil
}

// emitted is the payloads of the plugin's own source.
func (c *child) emitted(lib *host.Library, f *payload.Fixture) ([]payload.Event, error) {
	n, p, err := c.started(lib, f)
	if err != nil {
		return nil, err
	}
	defer n.Destroy()
	params, address := *f.Open, ""
	if strings.Contains(params, "${address}") {
		if address, err = freeAddress(); err != nil {
			return nil, err
		}
		params = strings.ReplaceAll(params, "${address}", address)
	}
	if err := n.Open(p.Name, params); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), recordingLimit)
	defer cancel()
	posted := make(chan error, 1)
	if f.Post != nil {
		go func() { posted <- post(ctx, "http://"+address+f.Post.Path, f.Post.Bodies) }()
	}
	var events []payload.Event
	for last := false; ; {
		e, rc, err := n.Next()
		switch {
		case rc == abi.Success && e.Type() == abi.TypePluginEvent:
			b, _ := e.Payload()
			events = append(events, payload.Of(bytes.Clone(b)))
		case rc == abi.EOF, rc == abi.Timeout && last:
			return events, nil
		case rc != abi.Success && rc != abi.Timeout:
			return nil, fmt.Errorf("the source failed after %d events: %w", len(events), err)
		}
		if f.Count > 0 && len(events) == f.Count {
			return events, nil
		}
		select {
		case err := <-posted:
			if err != nil {
				return nil, err
			}
			last = f.Count == 0 // what is left comes before the source has nothing
		case <-ctx.Done():
			return nil, badUsage("the source made %d events in %s, and has not ended: give the fixture a count", len(events), recordingLimit)
		default:
		}
	}
}

// freeAddress is one that nobody listens on now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free address: %w", err)
	}
	return l.Addr().String(), l.Close()
}

func post(ctx context.Context, url string, bodies []payload.Event) error {
	for k, b := range bodies {
		body, err := b.Bytes()
		if err != nil {
			return fmt.Errorf("posting body %d: %w", k+1, err)
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return fmt.Errorf("posting body %d: %w", k+1, err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return fmt.Errorf("posting body %d: %w", k+1, err)
		}
		_, err = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if err != nil {
			return fmt.Errorf("posting body %d: %w", k+1, err)
		}
	}
	return nil
}

// values fills in what the plugin reads out of events: a replay of them, so that nothing of its own comes between.
func (c *child) values(lib *host.Library, f *payload.Fixture, events []payload.Event, out *payload.Recorded) error {
	n, p, err := c.started(lib, f)
	if err != nil {
		return err
	}
	defer n.Destroy()
	if p.Capabilities&host.CapExtraction == 0 {
		return nil
	}
	var checks []*host.Check
	ask := func(name string) {
		if check, err := n.Compile(name); err == nil { // a later version may not have it
			checks = append(checks, check)
		}
	}
	for _, field := range p.Fields {
		if !field.Arg.Required {
			ask(field.Name)
		}
	}
	for _, name := range f.Fields {
		ask(name)
	}
	id, source := pretended(n, f.Source)
	record := &host.Recording{Source: source}
	if id == testPluginID && n.Plugins()[0].ID != id {
		record.ID = id
	}
	for k, e := range events {
		raw, err := encode(e, id, recordedTime)
		if err != nil {
			return badUsage("event %d: %s", k+1, err)
		}
		record.Events = append(record.Events, raw)
	}
	empty, err := encode(payload.Of(nil), id, recordedTime)
	if err != nil {
		return err
	}
	record.Events = append(record.Events, empty)
	if err := n.OpenReplay(record); err != nil {
		return err
	}
	out.Values = make([]map[string]any, len(events))
	for {
		e, rc, err := n.Next()
		switch {
		case rc == abi.EOF:
			return nil
		case rc == abi.Timeout:
			continue
		case rc != abi.Success:
			return fmt.Errorf("replaying the events: %w", err)
		}
		values, err := asked(n, e, checks)
		if err != nil {
			return err
		}
		// the framework numbers all events, those that begin a file and are not returned too
		if at := e.Num() - 1; at < uint64(len(events)) {
			out.Values[at] = values
		} else {
			out.Empty = values
		}
	}
}

// encode makes the event's bytes.
func encode(e payload.Event, id uint32, ts uint64) ([]byte, error) {
	content, err := e.Bytes()
	if err != nil || e.Raw != nil {
		return content, err
	}
	made := host.NewPluginEvent(id, ts, content)
	if e.Async != "" {
		made.Free()
		made = host.NewAsyncEvent(id, ts, e.Async, content)
	}
	defer made.Free()
	return made.Bytes(), nil
}

// asked is the values of an event.
func asked(n *host.Inspector, e *host.Event, checks []*host.Check) (map[string]any, error) {
	values := map[string]any{}
	for _, check := range checks {
		r, err := n.Value(e, check)
		switch {
		case errors.Is(err, host.ErrExtraction):
			values[check.Text] = payload.Failure
		case err != nil:
			return nil, err
		case len(r.Values) == 0:
			values[check.Text] = nil
		case check.List:
			values[check.Text] = r.Values
		default:
			values[check.Text] = r.Values[0]
		}
	}
	return values, nil
}
