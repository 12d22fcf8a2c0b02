// SPDX-License-Identifier: Apache-2.0

package face

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strings"
)

// deepest bounds how deep sections of a schema are compared.
const deepest = 64

const newDefault = "whoever left it out gets another behaviour: is that what is wanted?"

// schema compares two JSON Schemas of one text that users write: what was
// accepted before has to be accepted still. what names the text.
func (d *differ) schema(what string, old, new json.RawMessage) {
	was, hadOne := document(old)
	is, hasOne := document(new)
	switch {
	case !hadOne && !hasOne:
	case !hasOne:
		d.add(Minor, what, "has no schema any more: everything is accepted")
	case !hadOne:
		if acceptsNothingGiven(is) {
			d.review(Minor, "what did people write before there was a schema, and is that accepted?", what, "has a schema now")
		} else {
			d.add(Major, what, "has a schema now, which does not accept {}")
		}
	default:
		before := len(d.changes)
		d.node(what, "", was, is, 0)
		if len(d.changes) == before && !bytes.Equal(squeezed(old), squeezed(new)) {
			d.add(Patch, what, "schema in another order")
		}
	}
}

// document decodes a schema; ok is false if there is none.
func document(text json.RawMessage) (any, bool) {
	if len(text) == 0 {
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil || v == nil {
		return string(text), err != nil // no JSON, with comments perhaps: compared as text
	}
	if inside, ok := v.(string); ok { // such a text, as a string
		return inside, true
	}
	return v, true
}

func squeezed(text json.RawMessage) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		return text
	}
	return b.Bytes()
}

// acceptsNothingGiven reports whether {} surely passes.
func acceptsNothingGiven(schema any) bool {
	s, ok := schema.(map[string]any)
	if !ok {
		return schema == true
	}
	for _, keyword := range []string{"required", "minProperties", "enum", "const", "not", "allOf", "anyOf", "oneOf", "if", "$ref"} {
		if list, isList := s[keyword].([]any); s[keyword] != nil && (!isList || len(list) > 0) {
			return false
		}
	}
	types := typesOf(s)
	return types == nil || slices.Contains(types, "object")
}

// prose lists keywords that say something to people only.
var prose = []string{"title", "description", "examples", "$comment", "$schema", "$id"}

// node compares two schemas that stand at the same place, a JSON pointer.
func (d *differ) node(what, at string, old, new any, depth int) {
	subject := what
	if at != "" {
		subject += " key " + at
	}
	if reflect.DeepEqual(old, new) {
		return
	}
	was, ok1 := old.(map[string]any)
	is, ok2 := new.(map[string]any)
	switch {
	case depth > deepest:
		d.add(Major, subject, "changed, too deep to tell how")
		return
	case !ok1 || !ok2:
		d.other(subject, old, new)
		return
	}
	handled := map[string]bool{}
	take := func(keywords ...string) {
		for _, k := range keywords {
			handled[k] = true
		}
	}
	for _, k := range prose {
		take(k)
		if !reflect.DeepEqual(was[k], is[k]) {
			d.add(Patch, subject, "%s changed", k)
		}
	}
	take("default")
	if !reflect.DeepEqual(was["default"], is["default"]) {
		d.review(Minor, newDefault, subject, "default %s -> %s", shown(was["default"]), shown(is["default"]))
	}
	take("type")
	d.alternatives(subject, "type", typesOf(was), typesOf(is))
	take("enum")
	d.alternatives(subject, "value", shownAll(was["enum"]), shownAll(is["enum"]))
	for _, limit := range limits {
		take(limit.keyword)
		d.limit(subject, limit.keyword, limit.upper, was[limit.keyword], is[limit.keyword])
	}
	for _, k := range []string{"pattern", "format"} {
		take(k)
		switch {
		case reflect.DeepEqual(was[k], is[k]):
		case is[k] == nil:
			d.add(Minor, subject, "%s %s dropped", k, shown(was[k]))
		default:
			d.add(Major, subject, "%s %s -> %s", k, shown(was[k]), shown(is[k]))
		}
	}
	take("required", "properties")
	d.properties(what, at, was, is, depth)
	take("additionalProperties")
	d.additional(what, at, subject, was["additionalProperties"], is["additionalProperties"], depth)
	take("items")
	if was["items"] != nil || is["items"] != nil {
		d.inner(what, at+"/*", subject, "its elements", was["items"], is["items"], depth)
	}
	for _, k := range slices.Sorted(maps.Keys(union(was, is))) {
		if !handled[k] && !reflect.DeepEqual(was[k], is[k]) {
			d.add(Major, subject, "%s changed, which may refuse what was accepted", k)
		}
	}
}

// other compares schemas of which one is no object: true, false or a text that is no JSON.
func (d *differ) other(subject string, old, new any) {
	if new == true || old == false {
		d.add(Minor, subject, "accepts more")
		return
	}
	d.add(Major, subject, "changed, which may refuse what was accepted")
}

// inner compares schemas of which one may be missing; none accepts everything.
func (d *differ) inner(what, at, subject, name string, old, new any, depth int) {
	switch {
	case old == nil && new == true, new == nil && old == true:
	case old == nil:
		d.add(Major, subject, "%s became restricted", name)
	case new == nil:
		d.add(Minor, subject, "%s are not restricted any more", name)
	default:
		d.node(what, at, old, new, depth+1)
	}
}

// alternatives compares lists of what is accepted, where nil means everything.
func (d *differ) alternatives(subject, what string, old, new []string) {
	switch {
	case old == nil && new == nil:
	case old == nil:
		d.add(Major, subject, "only %ss %s are accepted now", what, strings.Join(new, ", "))
	case new == nil:
		d.add(Minor, subject, "every %s is accepted now", what)
	default:
		var gone, more []string
		for _, v := range old {
			if !slices.Contains(new, v) && !(what == "type" && v == "integer" && slices.Contains(new, "number")) {
				gone = append(gone, v)
			}
		}
		for _, v := range new {
			if !slices.Contains(old, v) {
				more = append(more, v)
			}
		}
		if len(gone) > 0 {
			d.add(Major, subject, "%s %s not accepted any more", what, strings.Join(gone, ", "))
		}
		if len(more) > 0 {
			d.add(Minor, subject, "%s %s accepted too", what, strings.Join(more, ", "))
		}
	}
}

var limits = []struct {
	keyword string
	upper   bool
}{
	{"minimum", false}, {"exclusiveMinimum", false}, {"minLength", false}, {"minItems", false}, {"minProperties", false},
	{"maximum", true}, {"exclusiveMaximum", true}, {"maxLength", true}, {"maxItems", true}, {"maxProperties", true},
}

func (d *differ) limit(subject, keyword string, upper bool, old, new any) {
	if reflect.DeepEqual(old, new) {
		return
	}
	bump := Major
	if new == nil {
		bump = Minor
	} else if was, ok := number(old); ok {
		if is, ok := number(new); ok {
			switch order := is.Cmp(was); {
			case order == 0:
				return
			case order > 0 == upper:
				bump = Minor
			}
		}
	}
	d.add(bump, subject, "%s %s -> %s", keyword, shown(old), shown(new))
}

func number(v any) (*big.Rat, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return nil, false
	}
	return new(big.Rat).SetString(n.String())
}

// properties compares the keys of an object.
func (d *differ) properties(what, at string, was, is map[string]any, depth int) {
	old, _ := was["properties"].(map[string]any)
	new, _ := is["properties"].(map[string]any)
	required, requiredNow := stringList(was["required"]), stringList(is["required"])
	all := union(old, new)
	for _, key := range append(slices.Clone(required), requiredNow...) {
		all[key] = true
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		place := at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
		subject := what + " key " + place
		before, had := old[key]
		after, has := new[key]
		must, mustNow := slices.Contains(required, key), slices.Contains(requiredNow, key)
		switch {
		case had && !has:
			d.add(Major, subject, "removed")
		case has && !had && mustNow:
			d.add(Major, subject, "added, and required")
		case has && !had:
			d.add(Minor, subject, "added")
		case mustNow && !must:
			d.add(Major, subject, "became required")
		case must && !mustNow:
			d.add(Minor, subject, "is optional now")
		}
		if had && has {
			d.node(what, place, before, after, depth+1)
		}
	}
}

// additional compares what may stand under keys without a name; nothing said means everything.
func (d *differ) additional(what, at, subject string, old, new any, depth int) {
	switch {
	case reflect.DeepEqual(old, new), (old == nil || old == true) && (new == nil || new == true):
	case old == false:
		d.add(Minor, subject, "keys of other names are accepted now")
	case new == false:
		d.add(Major, subject, "keys of other names are not accepted any more")
	default:
		if old == true {
			old = nil
		}
		if new == true {
			new = nil
		}
		d.inner(what, at+"/*", subject, "keys of other names", old, new, depth)
	}
}

// typesOf is the types that a schema names, nil for any.
func typesOf(s map[string]any) []string {
	if one, ok := s["type"].(string); ok {
		return []string{one}
	}
	return stringList(s["type"])
}

// stringList is a list of strings, nil for anything else.
func stringList(v any) []string {
	list, ok := v.([]any)
	if !ok {
		return nil
	}
	out := []string{}
	for _, item := range list {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func shownAll(v any) []string {
	list, ok := v.([]any)
	if !ok {
		return nil
	}
	out := []string{}
	for _, item := range list {
		out = append(out, shown(item))
	}
	return out
}

func shown(v any) string {
	if v == nil {
		return "none"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

func union[V, W any](a map[string]V, b map[string]W) map[string]bool {
	all := map[string]bool{}
	for k := range a {
		all[k] = true
	}
	for k := range b {
		all[k] = true
	}
	return all
}
