// SPDX-License-Identifier: Apache-2.0

package json

import (
	"bytes"
	"strconv"

	"github.com/aerie-falco/aerie/shared/jsonfields"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

// value sets the text of the value at the pointer in the argument.
func (p *Plugin) value(c *extract.Call, out *extract.StringOut) error {
	key, _ := c.Key()
	v, err := p.lookUp(c.Event(), key, c.WantOffsets())
	if err != nil {
		return err
	}
	jsonfields.SetText(out, v)
	return nil
}

// lookUp gives the value at a pointer, which knows where it stands if located is set. A
// pointer that is not one is an error, for the tools that show it to rule authors. A
// payload that is not JSON is none, nor is a pointer to nothing: the value is absent.
func (p *Plugin) lookUp(e *event.Event, key string, located bool) (jsonfields.Value, error) {
	pointer, err := jsonfields.ParseLaxPointer(key)
	if err != nil {
		return jsonfields.Value{}, err
	}
	return p.doc.ReadEvent(e, pointer, located), nil
}

// document sets the whole document, indented, and where it stands in the payload if it
// stands there like that.
func (p *Plugin) document(c *extract.Call, out *extract.StringOut) error {
	text, ok, err := p.appendDocument(out.Buffer(), c.Event())
	if err != nil || !ok {
		return err
	}
	if c.WantOffsets() {
		if start, ok := p.verbatim(c.Event(), text); ok {
			out.SetAt(text, start, len(text))
			return nil
		}
	}
	out.SetBuffer(text)
	return nil
}

func (p *Plugin) appendDocument(dst []byte, e *event.Event) (text []byte, ok bool, err error) {
	if !p.doc.LoadEvent(e) {
		return dst, false, nil
	}
	text, err = p.doc.AppendIndented(dst)
	return text, err == nil, err
}

// verbatim says where the payload holds the indented document: it does if it is a
// scalar, or indented already.
func (p *Plugin) verbatim(e *event.Event, indented []byte) (start int, ok bool) {
	payload, _ := e.Payload()
	start, length, ok := p.doc.ReadEvent(e, jsonfields.Pointer{}, true).Extent()
	if !ok || !bytes.Equal(payload[start:start+length], indented) {
		return 0, false
	}
	return start, true
}

// rawTime sets the time of the event.
func (p *Plugin) rawTime(c *extract.Call, out *extract.StringOut) error {
	out.SetBuffer(appendRawTime(out.Buffer(), c.Event()))
	return nil
}

// appendRawTime looks at the header alone: the stock rules for Kubernetes audit events
// ask for it on every event, so it must cost no parse.
func appendRawTime(dst []byte, e *event.Event) []byte {
	return strconv.AppendUint(dst, e.Timestamp(), 10)
}
