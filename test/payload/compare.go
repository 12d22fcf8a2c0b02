// SPDX-License-Identifier: Apache-2.0

package payload

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/aerie-falco/aerie/test/face"
)

// Compare lists what a newer version of a plugin makes otherwise of a fixture,
// whose name is for the messages. now.Values has to be of the payloads that were
// recorded, now.Emitted of those that the new version makes. Fields that the new
// version does not have are left to face.Diff.
func Compare(name string, old *Fixture, now *Recorded) []face.Change {
	was := old.Recorded
	if was == nil {
		return nil
	}
	var changes []face.Change
	for k, values := range was.Values {
		var is map[string]any
		if k < len(now.Values) {
			is = now.Values[k]
		}
		changes = append(changes, event(fmt.Sprintf("event %d of %s", k+1, name), values, is, was.Empty)...)
	}
	if old.Open != nil {
		changes = append(changes, emitted(name, was, now)...)
	}
	return changes
}

// event compares the values of one event. One that gives nothing of what it
// gave cannot be read any more, and no version number makes up for that.
func event(where string, was, is, empty map[string]any) []face.Change {
	var changes []face.Change
	depending, gone := 0, 0
	for _, field := range slices.Sorted(maps.Keys(was)) {
		now, known := is[field]
		if !known {
			continue
		}
		subject := "value of " + field
		before := was[field]
		fromPayload := before != nil && !failed(before) && !same(before, empty[field])
		if fromPayload {
			depending++
		}
		switch {
		case same(before, now):
		case failed(now):
			changes = append(changes, face.Change{
				Subject: subject, Bump: face.Refused,
				Text: fmt.Sprintf("%s cannot be read any more: extraction fails, where it gave %s; captures that exist hold such payloads", where, shown(before)),
			})
		case failed(before):
			changes = append(changes, face.Change{
				Subject: subject, Bump: face.Minor,
				Text: fmt.Sprintf("%s gives %s, where extraction failed", where, shown(now)), Review: "is that its meaning?",
			})
		default:
			if fromPayload && now == nil {
				gone++
			}
			changes = append(changes, face.Change{
				Subject: subject, Bump: face.Major, Text: fmt.Sprintf("%s gives %s, where it gave %s", where, shown(now), shown(before)),
			})
		}
	}
	if depending > 0 && gone == depending {
		return []face.Change{{
			Subject: "payload", Bump: face.Refused,
			Text: where + " cannot be read any more: it gives none of its values; captures that exist hold such payloads, and another format needs a plugin with an ID and a source of its own",
		}}
	}
	return changes
}

// emitted compares the payloads that a source makes of the same input. Where
// nothing here reads payloads, nothing can show that others still can.
func emitted(name string, was, now *Recorded) []face.Change {
	if slices.EqualFunc(was.Emitted, now.Emitted, sameBytes) {
		return nil
	}
	what := difference(was.Emitted, now.Emitted)
	read := slices.ContainsFunc(was.Values, func(values map[string]any) bool {
		for field, v := range values {
			if v != nil && !failed(v) && !same(v, was.Empty[field]) {
				return true
			}
		}
		return false
	})
	if read {
		return []face.Change{{
			Subject: "payload", Bump: face.Minor, Text: fmt.Sprintf("the same input makes other payloads, %s: %s", name, what),
			Review: "can everybody who reads this source's payloads read these too?",
		}}
	}
	return []face.Change{{
		Subject: "payload", Bump: face.Refused,
		Text: fmt.Sprintf("the same input makes other payloads, %s: %s; other plugins read them, and another format needs a plugin with an ID and a source of its own", name, what),
	}}
}

func sameBytes(a, b Event) bool {
	x, _ := a.Bytes()
	y, _ := b.Bytes()
	return bytes.Equal(x, y)
}

// difference is the first place where two lists of payloads part.
func difference(was, now []Event) string {
	for k := range min(len(was), len(now)) {
		if !sameBytes(was[k], now[k]) {
			x, _ := was[k].Bytes()
			y, _ := now[k].Bytes()
			return fmt.Sprintf("event %d is %.80q, where it was %.80q", k+1, y, x)
		}
	}
	return fmt.Sprintf("%d events, where there were %d", len(now), len(was))
}

func failed(v any) bool { return same(v, Failure) }

// same compares values as JSON, for one side may just have been extracted and the other read from a file.
func same(a, b any) bool {
	return shown(a) == shown(b)
}

func shown(v any) string {
	if v == nil {
		return "no value"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%#v", v)
	}
	if string(text) == `{"failed":true}` {
		return "a failure"
	}
	return string(text)
}
