// SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// feed is a stream of plugin events with given payloads. It frees each event
// when the next is asked for.
type feed struct {
	id     uint32
	source string
	next   func() ([]byte, error)
	event  *Event
}

// ErrIdle is what a feed returns that has no event just now.
var ErrIdle = errors.New("no event now")

// Next makes an event of the next payload.
func (f *feed) Next() (*Event, abi.RC, error) {
	f.close()
	payload, err := f.next()
	if errors.Is(err, io.EOF) {
		return nil, abi.EOF, nil
	}
	if errors.Is(err, ErrIdle) {
		return nil, abi.Timeout, nil
	}
	if err != nil {
		return nil, abi.Failure, fmt.Errorf("read next payload: %w", err)
	}
	f.event = NewPluginEvent(f.id, uint64(time.Now().UnixNano()), payload)
	return f.event, abi.Success, nil
}

func (f *feed) close() {
	if f.event != nil {
		f.event.Free()
		f.event = nil
	}
}

// given is a stream of given events. It frees each when the next is asked for.
type given struct {
	next  func() ([]byte, abi.RC, error)
	event *Event
}

// Next makes an event of the next bytes.
func (g *given) Next() (*Event, abi.RC, error) {
	g.close()
	raw, rc, err := g.next()
	if rc != abi.Success {
		return nil, rc, err
	}
	if len(raw) < abi.HeaderSize {
		return nil, abi.Failure, fmt.Errorf("event of %d bytes given: %w", len(raw), errMalformed)
	}
	g.event = NewRawEvent(raw)
	if size, err := eventSize(g.event.ptr, g.event.Type(), g.event.nparams()); err != nil || int(size) != len(raw) {
		return nil, abi.Failure, fmt.Errorf("event of %d bytes given: it says it has %d: %w", len(raw), size, errors.Join(errMalformed, err))
	}
	return g.event, abi.Success, nil
}

var errMalformed = errors.New("malformed event")

func (g *given) close() {
	if g.event != nil {
		g.event.Free()
		g.event = nil
	}
}
