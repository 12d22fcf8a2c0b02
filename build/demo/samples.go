// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"strings"
)

//go:embed samples/*.json
var sampleFiles embed.FS

// columns are what the demo shows of an event: a heading, and the JSON Pointer that the json plugin is asked for.
var columns = []struct{ heading, pointer string }{
	{"VERB", "/verb"},
	{"RESOURCE", "/objectRef/resource"},
	{"NAMESPACE", "/objectRef/namespace"},
	{"NAME", "/objectRef/name"},
	{"USER", "/user/username"},
	{"CODE", "/responseStatus/code"},
}

// row is one event as shown, a value a column; "" where the event has none.
type row [6]string

// sample is one audit event and what must be shown of it.
type sample struct {
	name string
	body []byte
	want row
}

// samples reads the shipped events. What must be shown is read from them by
// Go's own JSON package, so that the plugins are checked against something else than themselves.
func samples() ([]sample, error) {
	entries, err := sampleFiles.ReadDir("samples")
	if err != nil {
		return nil, fmt.Errorf("reading the sample events: %w", err)
	}
	var all []sample
	for _, e := range entries {
		body, err := sampleFiles.ReadFile(path.Join("samples", e.Name()))
		if err != nil {
			return nil, fmt.Errorf("reading the sample events: %w", err)
		}
		var document any
		if err := json.Unmarshal(body, &document); err != nil {
			return nil, fmt.Errorf("reading the sample event %s: %w", e.Name(), err)
		}
		s := sample{name: strings.TrimSuffix(e.Name(), ".json"), body: body}
		for i, c := range columns {
			s.want[i] = lookUp(document, c.pointer)
		}
		all = append(all, s)
	}
	return all, nil
}

// lookUp follows a pointer whose steps are plain member names and returns a string or number there as text.
func lookUp(document any, pointer string) string {
	for _, step := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		object, ok := document.(map[string]any)
		if !ok {
			return ""
		}
		document = object[step]
	}
	switch v := document.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// missing returns the names of the samples that shown lacks.
func missing(all []sample, shown []row) []string {
	left := map[row]int{}
	for _, r := range shown {
		left[r]++
	}
	var names []string
	for _, s := range all {
		if left[s.want] == 0 {
			names = append(names, s.name)
			continue
		}
		left[s.want]--
	}
	return names
}
