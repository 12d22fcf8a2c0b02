// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/valyala/fastjson"

	"github.com/aerie-falco/aerie/test/host"
)

// benching is one bench in the child.
type benching struct {
	c        *child
	r        *benchRequest
	n        *host.Inspector
	p        *host.Plugin
	events   []*host.Event
	crossing *baseline // nil until it is chosen
	rows     []measure
	runs     []baseline // those that the crossing is chosen from, by row
}

// baseline is a call that does next to nothing, and how often to make it in a
// round.
type baseline struct {
	run timing
	n   int
	ns  float64 // of one call, when it was chosen
}

// timing makes n calls and tells how long they took and how many gave a value.
type timing func(n int) (took time.Duration, values int, err error)

// bench is the child's half of the bench command.
func (c *child) bench(r request) error {
	n, err := c.inspector(r)
	if err != nil {
		return err
	}
	defer n.Destroy()
	b := &benching{c: c, r: r.Bench, n: n, p: n.Plugins()[0]}
	payloads := samplePayloads()
	if b.r.Events {
		if payloads, err = distinctPayloads(payloadLines(c.events)); err != nil {
			return usageError{err}
		}
	}
	b.makeEvents(payloads)
	defer func() {
		for _, e := range b.events {
			e.Free()
		}
	}()
	return b.measure(payloads)
}

// add reports the rows so far, so that they survive a crash in the next one.
func (b *benching) add(m measure) error {
	b.rows = append(b.rows, m)
	return b.c.sendResult(b.rows)
}

// mostPayloads bounds how many events a bench walks through.
const mostPayloads = 1024

func distinctPayloads(next func() ([]byte, error)) ([][]byte, error) {
	var payloads [][]byte
	for len(payloads) < mostPayloads {
		line, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if len(payloads) == 0 || !bytes.Equal(line, payloads[len(payloads)-1]) {
			payloads = append(payloads, bytes.Clone(line))
		}
	}
	if len(payloads) == 0 {
		return nil, fmt.Errorf("--events: no payload in it")
	}
	return payloads, nil
}

func (b *benching) makeEvents(payloads [][]byte) {
	id, source := pretended(b.n, "")
	for k, p := range payloads {
		e := host.NewPluginEvent(id, uint64(time.Now().UnixNano()), p)
		e.SetNum(uint64(k + 1))
		e.SetSource(source)
		b.events = append(b.events, e)
	}
}

func (b *benching) measure(payloads [][]byte) error {
	requests, err := b.requests(string(payloads[0]))
	if err != nil {
		return usageError{err}
	}
	if err := b.baseline(); err != nil {
		return err
	}
	for _, r := range requests {
		name := r.Name
		switch {
		case r.HasKey:
			name += "[" + r.Key + "]"
		case r.Present:
			name += fmt.Sprintf("[%d]", r.Index)
		}
		err := b.time(name+", seen event", func(n int) (time.Duration, int, error) { return b.p.TimeExtract(b.events[:1], r, n) })
		if err != nil {
			return err
		}
		if len(b.events) < 2 {
			continue
		}
		err = b.time(name+", new event", func(n int) (time.Duration, int, error) { return b.p.TimeExtract(b.events, r, n) })
		if err != nil {
			return err
		}
	}
	if b.r.Together && len(requests) > 0 {
		if err := b.together(requests); err != nil {
			return err
		}
	}
	if b.r.Parse {
		if err := b.jsonParse(payloads); err != nil {
			return err
		}
	}
	if e := b.events[0]; b.p.Parses(e.Type(), e.Source()) {
		err := b.time(host.SymParseEvent.String()+", seen event", func(n int) (time.Duration, int, error) {
			took, err := b.p.TimeParse(e, n)
			return took, n, err
		})
		if err != nil {
			return err
		}
	}
	if b.r.Opened {
		return b.source()
	}
	return nil
}

// together measures all fields of each event: what an output asks for in one
// call, and what the conditions of rules ask for one by one.
func (b *benching) together(requests []host.Request) error {
	type walk struct {
		name   string
		events []*host.Event
	}
	walks := []walk{{"seen event", b.events[:1]}}
	if len(b.events) > 1 {
		walks = append(walks, walk{"new event", b.events})
	}
	for _, walk := range walks {
		for _, way := range []struct {
			name     string
			together bool
		}{{"one call", true}, {fmt.Sprintf("%d calls", len(requests)), false}} {
			name := fmt.Sprintf("%d fields in %s, %s", len(requests), way.name, walk.name)
			err := b.timeValues(name, len(requests), func(n int) (time.Duration, int, error) {
				return b.p.TimeExtractSeveral(walk.events, requests, way.together, n)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// jsonParse measures what a well-known parser takes for the same events.
func (b *benching) jsonParse(payloads [][]byte) error {
	var parser fastjson.Parser
	err := b.time("a JSON parse, new event", func(n int) (time.Duration, int, error) {
		began := time.Now()
		for k := range n {
			if _, err := parser.ParseBytes(payloads[k%len(payloads)]); err != nil {
				return 0, 0, usageError{fmt.Errorf("--parse: %w", err)}
			}
		}
		return time.Since(began), n, nil
	})
	return err
}

// baseline measures the calls that do next to nothing. The fastest, or the one
// asked for, is what all ratios are to: the others do some work as well.
func (b *benching) baseline() error {
	lib := b.p.Library()
	for _, s := range host.Constants() {
		if !lib.Has(s) {
			continue
		}
		err := b.time(s.String(), func(n int) (time.Duration, int, error) {
			took, err := lib.TimeConstant(s, n)
			return took, n, err
		})
		if err != nil {
			return err
		}
	}
	if b.p.Capabilities&host.CapExtraction != 0 {
		err := b.time(host.SymExtractFields.String()+" of no field", func(n int) (time.Duration, int, error) {
			took, err := b.p.TimeNothing(b.events[0], n)
			return took, n, err
		})
		if err != nil {
			return err
		}
	}
	base := -1
	for k, m := range b.rows {
		switch {
		case b.r.Baseline == "" && (base < 0 || m.NS < b.rows[base].NS), m.Name == b.r.Baseline:
			base = k
		}
	}
	if base < 0 {
		return badUsage("--baseline %s: it is none of the calls measured; use %s or another of the first rows", b.r.Baseline, b.rows[0].Name)
	}
	b.crossing = &b.runs[base]
	b.rows[base].Note = "no-op crossing"
	for k := range b.rows {
		b.rows[k].CrossingNS = b.rows[base].NS
		b.rows[k].Ratio = b.rows[k].NS / b.rows[base].NS
	}
	return b.c.sendResult(b.rows)
}

// requests are those of the fields asked for, or of all fields with an
// argument made up where one is needed.
func (b *benching) requests(payload string) ([]host.Request, error) {
	var requests []host.Request
	if b.p.Capabilities&host.CapExtraction == 0 {
		return nil, nil
	}
	for _, expr := range b.r.Fields {
		c, err := b.n.Compile(expr)
		if err != nil {
			return nil, fmt.Errorf("--fields: %w", err)
		}
		r, ok := c.Request()
		if !ok {
			return nil, fmt.Errorf("--fields: field %s is the framework's own", expr)
		}
		requests = append(requests, r)
	}
	if len(b.r.Fields) > 0 {
		return requests, nil
	}
	for _, f := range b.p.Fields {
		argument := ""
		if f.Arg.Required {
			argument = "0"
			if f.Arg.Key {
				argument = firstPointer(payload, "0")
			}
		}
		r, err := b.p.Request(f.Name, argument, argument != "")
		if err != nil {
			return nil, err
		}
		requests = append(requests, r)
	}
	return requests, nil
}

// rounds is how many times a row is measured. The fastest counts: whatever else
// the machine does only ever makes a round slower. They are many and short, as
// a machine that is busy has short moments of rest.
const rounds = 20

// time measures one row. First rounds find how many calls fill its time. Beside
// each round of the row stands one of the crossing, and the ratio is that of
// the fastest two: a machine's speed may be another one by the next row.
func (b *benching) time(name string, run timing) error { return b.timeValues(name, 1, run) }

// timeValues is time for a row whose calls each give so many values.
func (b *benching) timeValues(name string, each int, run timing) error {
	const most = 1 << 30
	n, took, values, err := 16, time.Duration(0), 0, error(nil)
	for {
		if took, values, err = run(n); err != nil {
			return fmt.Errorf("measure %s: %w", name, err)
		}
		if took >= b.r.Time/rounds || n >= most {
			break
		}
		// A tenth more than needed, and at most a hundredfold of a round that
		// may have been too short to tell.
		more := 100.0
		if took > 0 {
			more = min(more, 1.1*float64(b.r.Time/rounds)/float64(took))
		}
		n = min(most, int(float64(n)*more)+1)
	}
	beside := time.Duration(math.MaxInt64)
	for range rounds - 1 {
		if b.crossing != nil {
			base, _, err := b.crossing.run(b.crossing.n)
			if err != nil {
				return fmt.Errorf("measure the crossing beside %s: %w", name, err)
			}
			beside = min(beside, base)
		}
		again, _, err := run(n)
		if err != nil {
			return fmt.Errorf("measure %s: %w", name, err)
		}
		took = min(took, again)
	}
	m := measure{Name: name, Calls: rounds * n, NS: float64(took.Nanoseconds()) / float64(n)}
	if b.crossing != nil {
		m.CrossingNS = float64(beside.Nanoseconds()) / float64(b.crossing.n)
		m.Ratio = m.NS / m.CrossingNS
	} else {
		b.runs = append(b.runs, baseline{run, n, m.NS})
	}
	switch wanted := n * each; {
	case values == wanted:
	case each == 1:
		m.Note = fmt.Sprintf("no value in %d%% of the calls", 100*(wanted-values)/wanted)
	default:
		m.Note = fmt.Sprintf("%d%% of the fields have no value", 100*(wanted-values)/wanted)
	}
	return b.add(m)
}

// source measures next_batch of the plugin's open source.
func (b *benching) source() error {
	i, err := b.p.Open(b.r.Open)
	if err != nil {
		return err
	}
	defer b.p.Close(i)
	b.c.send(message{Kind: kindOpened})
	t, err := i.TimeBatches(b.r.Count, b.r.Limit)
	if err != nil {
		return err
	}
	note := fmt.Sprintf("%d events in %d batches, %d calls without events", t.Events, t.Batches, t.IdleCalls)
	if t.Events == 0 {
		b.c.note("--open: the source gave no events: %s", note)
		return nil
	}
	perBatch := float64(t.Busy.Nanoseconds()) / float64(t.Batches)
	perEvent := float64(t.Busy.Nanoseconds()) / float64(t.Events)
	return errors.Join(
		b.add(measure{Name: "next_batch", Calls: t.Batches, NS: perBatch, Ratio: perBatch / b.crossing.ns, CrossingNS: b.crossing.ns, Note: note}),
		b.add(measure{Name: "next_batch, per event", Calls: t.Events, NS: perEvent, Ratio: perEvent / b.crossing.ns, CrossingNS: b.crossing.ns}))
}
