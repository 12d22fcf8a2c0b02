// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
)

// errUnknownKind is about resources that no field is made of. They are no
// mistake: a collector may send kinds that nobody asked for.
var errUnknownKind = errors.New("no field is made of this kind")

const (
	maxUID   = 1024 // bytes; the API server's have 36
	maxDepth = 100  // nested arrays and objects; labels have 1
)

// check tells whether e is an event that parsing will understand. The state of
// a resource stays as it was if what follows it is not.
func check(e *metadata.Event) error {
	// The kind comes first: other kinds may be anything.
	switch e.Kind {
	case metadata.Pod, metadata.Namespace, metadata.Deployment, metadata.Service, metadata.ReplicaSet, metadata.ReplicationController:
	case "":
		return errors.New("an event without a kind")
	default:
		return errUnknownKind
	}
	if e.Uid == "" || len(e.Uid) > maxUID {
		return fmt.Errorf("%s event with a uid of %d bytes; there are 1 to %d", e.Kind, len(e.Uid), maxUID)
	}
	switch e.Reason {
	case metadata.Delete:
		return nil
	case metadata.Create, metadata.Update:
	default:
		return fmt.Errorf("%s %.64q: unknown reason %.64q; there are Create, Update and Delete", e.Kind, e.Uid, e.Reason)
	}
	for _, part := range []struct {
		name string
		text *string
	}{{"meta", e.Meta}, {"spec", e.Spec}, {"status", e.Status}} {
		if part.text != nil && !isObject(*part.text) {
			return fmt.Errorf("%s %.64q: %s is no JSON object: %.64q", e.Kind, e.Uid, part.name, *part.text)
		}
	}
	return nil
}

func tooLong(e *metadata.Event, n int) error {
	return fmt.Errorf("%s %.64q: an event of %d bytes; there are at most %d", e.Kind, e.Uid, n, MaxText)
}

// isObject tells whether text is a JSON object that is not nested too deeply.
func isObject(text string) bool {
	if !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") || !json.Valid([]byte(text)) {
		return false
	}
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return false
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return true
}

// refusals limits what the log says about them.
type refusals struct {
	complained time.Time
	held       int // since the last line
}

// refuse counts something unusable. The caller holds mu.
func (f *Feed) refuse(err error) {
	f.refused.Inc()
	if now := time.Now(); f.complained.IsZero() || now.Sub(f.complained) >= time.Minute {
		f.log.Warn("Kubernetes metadata: the source sent something unusable; what is known stays as it is",
			"source", f.source.String(), "error", brief(err), "more", f.held)
		f.complained, f.held = now, 0
		return
	}
	f.held++
}
