// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/ingest/queue"
)

// Endpoint is what a plugin says about its listener.
type Endpoint struct {
	// Addr is where to listen: "host:port" or "unix:/path". An empty host
	// means all interfaces.
	Addr string

	// Path is the one that requests must have. Empty or "/": any.
	Path string

	// ContentTypes are those that requests must have one of, in lower case and
	// without parameters. None: any.
	ContentTypes []string

	// Decode turns bodies into events. Nil: each body is one event.
	Decode Decoder

	// Splits tells that Decode may find several events in one body, which
	// raises the default limit for bodies.
	Splits bool

	// MaxEventSize is the largest payload of an event, in bytes.
	MaxEventSize int

	// Buffer bounds how many requests may wait for the framework to take
	// their events. 0: with acknowledgement "queued" a request is answered
	// when the framework takes its events; with "delivered" only the limits of
	// connections and memory apply.
	Buffer int
}

// Decoder turns the body of a request into events, by out.Add. It owns the body
// while the request lasts: payloads may be parts of it, and it may be changed in
// place. Memory of its own should not exceed the size of the body. Decoders are
// called on many goroutines at once.
//
// On an error nothing of the request is ingested. Errors of out.Add are returned
// as they are; a *Refusal chooses the answer; any other error is answered 400,
// with its text. No events and no error is answered 400 too.
type Decoder func(r *http.Request, body []byte, out *Events) error

// Single is the Decoder for bodies that are one event.
func Single(_ *http.Request, body []byte, out *Events) error {
	return out.Add(body, 0)
}

// Refusal is a Decoder's choice of an answer.
type Refusal struct {
	Code int    // HTTP status, 4xx
	Text string // for the client and the log
}

func (r *Refusal) Error() string { return r.Text }

// Events collects the events of one request. It is not for concurrent use.
type Events struct {
	x *exchange
}

// eventSize is what one event costs in a request's list.
const eventSize = int(unsafe.Sizeof(queue.Event{}))

// errNoRoom is an error of Add that is not the client's fault.
var errNoRoom = errors.New("no room in memory")

// Add appends an event. time is in nanoseconds since the Unix epoch; 0 means
// the time when the request was received. An event that is too large is an
// error; a Decoder that rather drops it compares with MaxSize first.
func (e *Events) Add(payload []byte, time uint64) error {
	x := e.x
	list := x.entry.Events
	if len(payload) > x.l.endpoint.MaxEventSize {
		return &Refusal{http.StatusRequestEntityTooLarge,
			fmt.Sprintf("event %d has %d bytes; at most %d are allowed", len(list), len(payload), x.l.endpoint.MaxEventSize)}
	}
	if len(list) == x.l.config.Limits.MaxEvents {
		return &Refusal{http.StatusRequestEntityTooLarge,
			fmt.Sprintf("more than %d events in one request", len(list))}
	}
	if len(list) == cap(list) {
		grown := min(max(8, 2*cap(list)), x.l.config.Limits.MaxEvents)
		if !x.acquire((grown - cap(list)) * eventSize) {
			return errNoRoom
		}
		x.entry.Events = append(make([]queue.Event, 0, grown), list...)
	}
	x.entry.Events = append(x.entry.Events, queue.Event{Payload: payload, Time: time})
	return nil
}

// Len is how many events were added.
func (e *Events) Len() int { return len(e.x.entry.Events) }

// MaxSize is the largest payload that Add takes, in bytes.
func (e *Events) MaxSize() int { return e.x.l.endpoint.MaxEventSize }
