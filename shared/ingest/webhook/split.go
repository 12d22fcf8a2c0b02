// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"bytes"
	"mime"
	"net/http"

	"github.com/aerie-falco/aerie/shared/ingest/split"
)

// NDJSON is the Decoder for bodies of which each line is an event.
func NDJSON(_ *http.Request, body []byte, out *Events) error {
	return split.Lines(body, func(line []byte) error { return out.Add(line, 0) })
}

// JSONArray is the Decoder for bodies that are a JSON array of events.
func JSONArray(_ *http.Request, body []byte, out *Events) error {
	return split.Array(body, func(element []byte) error { return out.Add(element, 0) })
}

// Detect is the Decoder that splits a body of a content type for
// newline-delimited JSON into lines, and any other body that starts as a JSON
// array into elements. Everything else is one event.
func Detect(r *http.Request, body []byte, out *Events) error {
	if mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil {
		switch mediaType {
		case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines":
			return NDJSON(r, body, out)
		}
	}
	if bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte{'['}) {
		return JSONArray(r, body, out)
	}
	return Single(r, body, out)
}
