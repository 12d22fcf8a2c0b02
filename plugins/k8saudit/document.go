// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/aerie-falco/aerie/shared/ingest/split"
	"github.com/aerie-falco/aerie/shared/jsonfields"
)

// documents finds the audit events in documents: an Event, an EventList, or an array
// of such. It is used again for one document after the other, by one goroutine.
type documents struct {
	maxEvent int // bytes
	doc      jsonfields.Document
	text     []byte // the document at hand
	emit     emit
	tally    tally
}

// emit takes an event: the bytes of its JSON text, without white space between tokens
// and otherwise as they were received, and its time in nanoseconds since the Unix epoch,
// 0 if it has none. The bytes are part of the document.
type emit func(payload []byte, time uint64) error

// tally is what came of one document.
type tally struct {
	events     int
	malformed  int   // elements that are not JSON
	unknown    int   // elements that are no audit events
	tooLarge   int   // events that are too large
	largest    int   // of these, in bytes
	noTime     int   // events without a usable time
	firstError error // about the first element that was left out
}

// leftOut counts the elements that became no event.
func (t *tally) leftOut() int { return t.malformed + t.unknown + t.tooLarge }

// errTooLarge says that a document held nothing but events that are too large.
type errTooLarge struct{ size, limit int }

func (e errTooLarge) Error() string {
	return fmt.Sprintf("the audit event has %d bytes; at most %d are allowed", e.size, e.limit)
}

// listLevels is how many containers stand around the members of an event in an
// EventList, eventLevels around those of an event alone.
const (
	listLevels  = 3
	eventLevels = 1
)

// keptDocument is the size of document up to which it is read in one go. That takes memory
// for each value on the outer levels, which is a small part of the document unless somebody
// has made it for that: then it is a multiple.
const keptDocument = 1 << 20

// split finds the events in text, which it changes where it has white space between
// tokens. An element that is none is left out; a document without a single event is
// an error, after which what was emitted is not to be used. Errors of emit end the
// split, and are returned as they are.
func (d *documents) split(text []byte, emit emit) (tally, error) {
	text = bytes.TrimPrefix(text, byteOrderMark)
	d.text, d.emit, d.tally = text, emit, tally{}
	read := d.small
	if len(text) > keptDocument {
		read = d.large
	}
	err := read()
	t := d.tally
	d.text, d.emit = nil, nil
	switch {
	case err != nil:
		t.events = 0
		return t, err
	case t.events > 0:
		return t, nil
	case t.tooLarge > 0:
		return t, errTooLarge{t.largest, d.maxEvent}
	case t.firstError != nil:
		return t, t.firstError
	}
	return t, errors.New("the document holds no audit event")
}

// small reads the document in one go. If that fails, what is wrong may be in one
// element of many.
func (d *documents) small() error {
	fault := d.doc.Skim(d.text, levels(d.text, listLevels))
	if fault == nil {
		return d.document(d.doc.Locate(jsonfields.Pointer{}))
	}
	if isList, err := d.elementwise(); err != nil {
		return err
	} else if !isList || d.tally.events+d.tally.tooLarge == 0 {
		return malformed{fault}
	}
	return nil
}

// large reads the document element by element, or as one event.
func (d *documents) large() error {
	defer d.doc.Release()
	text := d.text
	if isList, err := d.elementwise(); isList || err != nil {
		return err
	}
	d.tally = tally{}
	around := eventLevels
	if isArray(text) {
		around = 0 // it is damaged
	}
	if fault := d.doc.Skim(text, around); fault != nil {
		return malformed{fault}
	}
	return d.document(d.doc.Locate(jsonfields.Pointer{}))
}

// errMalformed is what documents that are not JSON are refused with.
var errMalformed = errors.New("not JSON")

type malformed struct{ error }

func (malformed) Is(target error) bool { return target == errMalformed }

var byteOrderMark = []byte("\xEF\xBB\xBF")

func isArray(text []byte) bool {
	for _, c := range text {
		switch c {
		case ' ', '\t', '\r', '\n':
		default:
			return c == '['
		}
	}
	return false
}

// levels is how many containers may stand around the members of events in a text, which is
// for the caller to say if it is no array.
func levels(text []byte, others int) int {
	if isArray(text) {
		return jsonfields.MaxDepth // arrays stand in arrays as deep as they like
	}
	return others
}

// document reads a value as a document. It recurses over arrays in arrays, of which
// jsonfields.MaxDepth are the most that Skim accepts.
func (d *documents) document(v jsonfields.Value) error {
	if v.Kind() == jsonfields.KindArray {
		return d.elements(v, d.document)
	}
	kind := v.Get("kind")
	if kind.Kind() == jsonfields.KindString {
		switch string(kind.Text()) {
		case "Event":
			return d.event(v)
		case "EventList":
			return d.elements(v.Get("items"), d.event)
		}
	}
	d.unknown(v)
	return nil
}

func (d *documents) elements(array jsonfields.Value, each func(jsonfields.Value) error) (err error) {
	for v := range array.Elements {
		if err = each(v); err != nil {
			return err
		}
	}
	return nil
}

// unknown notes a value that is no audit event.
func (d *documents) unknown(v jsonfields.Value) {
	d.tally.unknown++
	if d.tally.firstError != nil {
		return
	}
	switch kind := v.Get("kind"); {
	case v.Kind() != jsonfields.KindObject:
		d.tally.firstError = errors.New("it is no audit event: want an object")
	case kind.Kind() == jsonfields.KindAbsent:
		d.tally.firstError = errors.New(`it is no audit event: it has no kind; want "Event" or "EventList"`)
	default:
		d.tally.firstError = fmt.Errorf(`it is no audit event: its kind is %.80q; want "Event" or "EventList"`, kind.Text())
	}
}

// event emits a value as an event.
func (d *documents) event(v jsonfields.Value) error {
	if v.Kind() != jsonfields.KindObject {
		d.unknown(v)
		return nil
	}
	at, ok := timeOf(v)
	start, size, _ := v.Extent()
	payload := d.text[start : start+size : start+size]
	if _, _, compact := v.Verbatim(); !compact {
		payload = jsonfields.Compact(payload)
	}
	if len(payload) > d.maxEvent {
		d.tally.tooLarge++
		d.tally.largest = max(d.tally.largest, len(payload))
		if d.tally.firstError == nil {
			d.tally.firstError = errTooLarge{len(payload), d.maxEvent}
		}
		return nil
	}
	if !ok {
		d.tally.noTime++
	}
	d.tally.events++
	return d.emit(payload, at)
}

// elementwise reads an array or EventList element by element: they end where their
// brackets do, whatever is between. It reports whether the document is such a list, to
// its very end; errors are those of emit.
func (d *documents) elementwise() (isList bool, err error) {
	text := d.text
	defer func() { d.text = text }()
	items, read := text, d.document
	if !isArray(text) {
		var broken error
		if items, broken = itemsOf(text); broken != nil || !isArray(items) {
			return false, nil
		}
		read = d.event
	}
	broken := split.Array(items, func(part []byte) error {
		d.text = part
		if fault := d.element(part); fault != nil {
			d.tally.malformed++
			if d.tally.firstError == nil {
				d.tally.firstError = fault
			}
			return nil
		}
		err = read(d.doc.Locate(jsonfields.Pointer{}))
		return err
	})
	return broken == nil, err
}

// element reads an element of a list, of which most are events.
func (d *documents) element(part []byte) error {
	fault := d.doc.Skim(part, levels(part, eventLevels))
	if fault == nil && isText(d.doc.Root().Get("kind"), "EventList") {
		fault = d.doc.Skim(part, listLevels)
	}
	return fault
}

var errNoList = errors.New("it is no EventList")

// itemsOf returns the items of an EventList that may be damaged inside of them.
func itemsOf(text []byte) (items []byte, err error) {
	list := false
	seen := map[string]bool{}
	err = split.Object(text, func(key, value []byte) error {
		switch name := string(key); {
		case name != "kind" && name != "items", seen[name]: // the first one counts
		case name == "kind":
			seen[name], list = true, string(value) == `"EventList"`
		default:
			seen[name], items = true, value
		}
		return nil
	})
	if err == nil && !list {
		err = errNoList
	}
	return items, err
}

// timeOf is when the event happened: when it reached its stage, else when its request
// came in, else the time that old versions of the API wrote.
func timeOf(event jsonfields.Value) (ns uint64, ok bool) {
	for _, name := range [...]string{"stageTimestamp", "requestReceivedTimestamp", "timestamp"} {
		v := event.Get(name)
		if v.Kind() != jsonfields.KindString {
			continue
		}
		// It reads RFC 3339, without a copy.
		var t time.Time
		if t.UnmarshalText(v.Text()) != nil {
			continue
		}
		// Years that do not fit, before 1970 or after 2262, count as none.
		if s := t.Unix(); s >= 0 && s < math.MaxInt64/int64(time.Second) {
			if ns := uint64(t.UnixNano()); ns > 0 {
				return ns, true
			}
		}
	}
	return 0, false
}
