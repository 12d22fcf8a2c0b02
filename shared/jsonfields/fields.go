// SPDX-License-Identifier: Apache-2.0

package jsonfields

import (
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

// Holder is a plugin type that keeps a document in its state. The fields below load
// each event into it, and so share one parse.
type Holder interface{ Document() *Document }

// LoadEvent is Load for the payload of a plugin event. Events of other types, and
// malformed ones, have no document; the one loaded before then stays as it is.
func (d *Document) LoadEvent(e *event.Event) bool {
	payload, ok := e.Payload()
	return ok && d.Load(payload)
}

// LoadCall is LoadEvent for the event of a call. The fields that the framework asks for in
// one call share its event, so that is loaded for the first of them only, and not even
// compared for the others.
func (d *Document) LoadCall(c *extract.Call) bool {
	if !c.Again(d) || d.called != d.loads {
		d.isCall = d.LoadEvent(c.Event())
		d.called = d.loads
	}
	return d.isCall
}

// ReadEvent gives the value at p in an event: the zero Value if the event has no
// document, or the document no such value. If located is set, the value knows where
// it stands.
func (d *Document) ReadEvent(e *event.Event, p Pointer, located bool) Value {
	switch {
	case !d.LoadEvent(e):
		return Value{}
	case located:
		return d.Locate(p)
	}
	return d.Find(p)
}

// Read is ReadEvent for the event of a call. The value knows where it stands if the
// framework asked for that.
func (d *Document) Read(c *extract.Call, p Pointer) Value {
	switch {
	case !d.LoadCall(c):
		return Value{}
	case c.WantOffsets():
		return d.Locate(p)
	}
	return d.Find(p)
}

// SetText sets a field to the text of a value, or adds it to a list, and says where it
// stands in the payload if the value knows. It sets nothing for an absent value.
func SetText(out *extract.StringOut, v Value) {
	if v.doc == nil {
		return
	}
	if start, length, ok := v.Verbatim(); ok {
		out.SetAt(v.Text(), start, length)
		return
	}
	out.SetBytes(v.Text())
}

// String is a field with the text of the value at p. A null counts as absent, here
// and in all that follow.
func String[P Holder](p Pointer) extract.Value[P] {
	return extract.String(func(h P, c *extract.Call, out *extract.StringOut) error {
		if v := h.Document().Read(c, p); v.Kind() != KindNull {
			SetText(out, v)
		}
		return nil
	}).WithOffsets()
}

// Strings is a list field with the texts of the elements of the array at list. item
// leads from each element to the value that is wanted, which is the element itself if
// item is empty; elements without one are skipped. With an index argument, the field
// has the value of that element only. Anything but an array has no values.
func Strings[P Holder](list, item Pointer) extract.Value[P] {
	return extract.Strings(func(h P, c *extract.Call, out *extract.StringOut) error {
		each(h.Document(), c, list, item, func(v Value) { SetText(out, v) })
		return nil
	}).WithOffsets()
}

// Uint64 is a number field with the number at p. Other values, and numbers that are
// negative, too large or written with a fraction or exponent, count as absent.
func Uint64[P Holder](p Pointer) extract.Value[P] {
	return extract.Uint64(func(h P, c *extract.Call, out *extract.Uint64Out) error {
		if n, ok := h.Document().Read(c, p).Uint64(); ok {
			out.Set(n)
		}
		return nil
	})
}

// Uint64s is to Uint64 what Strings is to String.
func Uint64s[P Holder](list, item Pointer) extract.Value[P] {
	return extract.Uint64s(func(h P, c *extract.Call, out *extract.Uint64Out) error {
		each(h.Document(), c, list, item, func(v Value) {
			if n, ok := v.Uint64(); ok {
				out.Add(n)
			}
		})
		return nil
	})
}

// Bool is a yes or no field with the true or false at p. Other values count as absent.
func Bool[P Holder](p Pointer) extract.Value[P] {
	return extract.Bool(func(h P, c *extract.Call, out *extract.BoolOut) error {
		if b, ok := h.Document().Read(c, p).Bool(); ok {
			out.Set(b)
		}
		return nil
	})
}

// Bools is to Bool what Strings is to String.
func Bools[P Holder](list, item Pointer) extract.Value[P] {
	return extract.Bools(func(h P, c *extract.Call, out *extract.BoolOut) error {
		each(h.Document(), c, list, item, func(v Value) {
			if b, ok := v.Bool(); ok {
				out.Add(b)
			}
		})
		return nil
	})
}

// each calls f with the values of a list field.
func each(d *Document, c *extract.Call, list, item Pointer, f func(Value)) {
	values := d.Read(c, list)
	if index, ok := c.Index(); ok {
		values.items(item, index, f)
		return
	}
	values.items(item, all, f)
}

// all is an index that stands for every element. No array has an element there.
const all = ^uint64(0)

// items calls f with the value at item in one or all elements of an array. Elements in
// which there is none, or null, are skipped.
func (v Value) items(item Pointer, index uint64, f func(Value)) {
	for element := range v.Elements {
		if index == 0 || index == all {
			if value := element.Find(item); value.Kind() > KindNull {
				f(value)
			}
		}
		if index == 0 {
			return
		}
		if index != all {
			index--
		}
	}
}
