// SPDX-License-Identifier: Apache-2.0

package lines

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
	"github.com/aerie-falco/aerie/shared/plugin/source"
)

// Decoder turns a line into events, by add: time is in nanoseconds since the Unix
// epoch. Payloads may be parts of the line, and the line may be changed in place;
// it and they are in use until the next call. On an error none of the line's
// events is taken; errors of add are returned as they are.
//
// A blank line never gets to a Decoder. A panic in one refuses the line.
type Decoder func(text []byte, add func(payload []byte, time uint64) error) error

// MaxEvents is how many events one line may hold.
const MaxEvents = 1 << 20

var errTooMany = fmt.Errorf("more than %d events in one line", MaxEvents)

// Options say what to do with lines.
type Options struct {
	// Name is what log lines call the file.
	Name string
	// MaxLine is the longest line in bytes, without its ending.
	MaxLine int
	// Decode turns lines into events.
	Decode Decoder
}

// Reader is the way from one file to batches. It is not for concurrent use.
type Reader struct {
	ctx     context.Context
	options Options
	cutter  cutter
	add     func(payload []byte, time uint64) error

	events []event // of the line at hand
	next   int     // first of them that is in no batch yet
	taken  int64   // offset behind the last line that is done with
	final  bool    // what is left without a newline is a line, too

	tooLong, refused *metrics.Counter
}

type event struct {
	payload []byte
	time    uint64
}

// NewReader returns a reader that starts at offset 0. ctx carries log and metrics.
func NewReader(ctx context.Context, o Options) *Reader {
	m := plugin.Metrics(ctx)
	r := &Reader{
		ctx: ctx, options: o, cutter: cutter{max: o.MaxLine},
		tooLong: m.Counter("lines_too_long"),
		refused: m.Counter("lines_refused"),
	}
	r.add = r.append
	return r
}

// Restart forgets what was read, and goes on with a file of this name at offset.
func (r *Reader) Restart(name string, offset int64) {
	r.options.Name = name
	r.cutter.restart(offset)
	r.forget()
	r.taken, r.final = offset, false
}

// Fill reads once from file; its error is passed on as it is. It is called after
// Take has taken everything.
func (r *Reader) Fill(file io.Reader) (int, error) { return r.cutter.fill(file) }

// Finish makes Take treat what is left without a newline as a line, until it has
// taken everything.
func (r *Reader) Finish() { r.final = true }

// Partial tells whether a line has begun that has not ended yet.
func (r *Reader) Partial() bool { return r.cutter.from < r.cutter.to || r.cutter.dropped > 0 }

// Offset is where in the file to go on after a restart: the events of all lines
// before it were added to batches, or there are none.
func (r *Reader) Offset() int64 { return r.taken }

// Position is up to where the file was read.
func (r *Reader) Position() int64 {
	return r.cutter.offset + int64(r.cutter.to-r.cutter.from)
}

// Take adds the events of the lines that were read. False means that the batch
// has no more room, and that the rest comes with the next Take.
func (r *Reader) Take(b *source.Batch) bool {
	for {
		for ; r.next < len(r.events); r.next++ {
			e := &r.events[r.next]
			// What is too large is counted and logged by the batch.
			if err := b.Add(e.payload, e.time); errors.Is(err, source.ErrFull) {
				return false
			}
		}
		r.taken = r.cutter.offset - r.cutter.dropped
		if b.Full() {
			return false
		}
		line, ok := r.cutter.next()
		if !ok && r.final {
			line, ok = r.cutter.rest()
		}
		if !ok {
			r.forget()
			r.final = false
			return true
		}
		r.load(line)
	}
}

// load makes the events of a line those that are added next.
func (r *Reader) load(l line) {
	r.forget()
	if l.text == nil {
		r.tooLong.Inc()
		plugin.LogLimited(r.ctx, slog.LevelWarn, "line too long", "left out a line that is too long",
			"file", r.options.Name, "bytes", l.size, "limit", r.options.MaxLine)
		return
	}
	if blank(l.text) {
		return
	}
	if err := r.decode(l.text); err != nil {
		r.forget()
		r.refused.Inc()
		plugin.LogLimited(r.ctx, slog.LevelWarn, "line refused", "left out a line: "+err.Error(),
			"file", r.options.Name, "end", r.cutter.offset)
	}
}

func (r *Reader) decode(text []byte) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			plugin.LogLimited(r.ctx, slog.LevelError, "decoder panic",
				"decoding a line panicked", "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			err = errors.New("it could not be decoded")
		}
	}()
	return r.options.Decode(text, r.add)
}

func (r *Reader) append(payload []byte, time uint64) error {
	if len(r.events) == MaxEvents {
		return errTooMany
	}
	r.events = append(r.events, event{payload, time})
	return nil
}

// keptEvents is how much room for events is kept from line to line.
const keptEvents = 1 << 12

func (r *Reader) forget() {
	if cap(r.events) > keptEvents {
		r.events = nil
	}
	r.events, r.next = r.events[:0], 0
}

func blank(text []byte) bool {
	for _, c := range text {
		if c != ' ' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}
