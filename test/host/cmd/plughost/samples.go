// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// samplePayloads are made-up JSON documents of some 600 bytes, all different,
// for plugins that get no other events.
func samplePayloads() [][]byte {
	verbs := []string{"create", "delete", "get", "patch"}
	var payloads [][]byte
	for k := range 16 {
		payloads = append(payloads, fmt.Appendf(nil,
			`{"action":%q,"id":"0f8e%04d","level":"Metadata","time":"2026-01-02T03:04:%02d.000000Z",`+
				`"actor":{"name":"user-%d","groups":["staff","system:authenticated","team-%d"],"addresses":["10.1.2.%d"]},`+
				`"object":{"kind":"pods","namespace":"default","name":"web-%d","labels":{"app":"web","tier":"front"},`+
				`"spec":{"containers":[{"name":"nginx","image":"nginx:1.27","ports":[80,443]},{"name":"log","image":"log:2","ports":[]}]}},`+
				`"status":{"code":%d,"retries":%d,"accepted":%t}}`,
			verbs[k%len(verbs)], k, k, k, k%3, k+1, k, 200+k, k%4, k%2 == 0))
	}
	return payloads
}

// firstPointer is a JSON Pointer to the first string, number or bool in a JSON
// document, or other if it has none that a field's argument can name.
func firstPointer(document, other string) string {
	var v any
	if err := json.Unmarshal([]byte(document), &v); err != nil {
		return other
	}
	if p, ok := pointerInto(v, 16); ok && p != "" && !strings.ContainsAny(p, " []\"'") {
		return p
	}
	return other
}

// pointerInto looks no deeper than depth.
func pointerInto(v any, depth int) (string, bool) {
	switch v := v.(type) {
	case map[string]any:
		if depth == 0 {
			return "", false
		}
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			if p, ok := pointerInto(v[k], depth-1); ok {
				return "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(k) + p, true
			}
		}
		return "", false
	case []any:
		if depth == 0 {
			return "", false
		}
		for k, item := range v {
			if p, ok := pointerInto(item, depth-1); ok {
				return fmt.Sprintf("/%d%s", k, p), true
			}
		}
		return "", false
	case nil:
		return "", false
	}
	return "", true
}
