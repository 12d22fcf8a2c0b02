// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"github.com/aerie-falco/aerie/shared/jsonfields"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

// value is what a field extracts. All fields are texts or lists of texts.
type value = extract.Value[*Plugin]

// part is where in an event the path of a field starts: (*Plugin).event, request or spec.
type part func(*Plugin, *extract.Call) jsonfields.Value

// text is a field with the value under a path: a string decoded, an array or object as
// JSON without white space, all else as written.
func text(from part, path ...string) value {
	return extract.String(func(p *Plugin, c *extract.Call, out *extract.StringOut) error {
		set(out, under(from(p, c), path))
		return nil
	}).WithOffsets()
}

// texts is a list field with the elements of the array under a path.
func texts(from part, path ...string) value {
	return items(from, path)
}

// items is a list field with the value under item in each element of the array under
// path; elements without one are skipped.
func items(from part, path []string, item ...string) value {
	return list(func(p *Plugin, c *extract.Call, out *extract.StringOut) {
		each(c, under(from(p, c), path), func(element jsonfields.Value) { set(out, under(element, item)) })
	})
}

// list is a list field.
func list(f func(*Plugin, *extract.Call, *extract.StringOut)) value {
	return extract.Strings(func(p *Plugin, c *extract.Call, out *extract.StringOut) error {
		f(p, c, out)
		return nil
	}).WithOffsets()
}

// each calls f with the elements of an array; with one only, if the call has an index.
// Nulls are skipped, and other values have no elements.
func each(c *extract.Call, array jsonfields.Value, f func(jsonfields.Value)) {
	if index, ok := c.Index(); ok {
		if element := array.At(index); there(element) {
			f(element)
		}
		return
	}
	for element := range array.Elements {
		if there(element) {
			f(element)
		}
	}
}

// set gives a field the text of a value, and says where its token stands in the payload,
// quotes and brackets included. Nothing is set for a value that is not there.
func set(out *extract.StringOut, v jsonfields.Value) {
	if there(v) {
		start, length, _ := v.Extent()
		out.SetAt(v.Text(), start, length)
	}
}

// setString is set for values that Kubernetes has as strings; others are skipped.
func setString(out *extract.StringOut, v jsonfields.Value) {
	if v.Kind() == jsonfields.KindString {
		set(out, v)
	}
}

// setStrings adds the strings of an array.
func setStrings(out *extract.StringOut, array jsonfields.Value) {
	for element := range array.Elements {
		setString(out, element)
	}
}

// setBool gives a field the word for a truth.
func setBool(out *extract.StringOut, truth bool) {
	word := "false"
	if truth {
		word = "true"
	}
	out.Set(word)
}
