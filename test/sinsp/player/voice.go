// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"sync"
	"unicode/utf8"

	"github.com/aerie-falco/aerie/test/host"
)

// voice writes lines of output. It may be used from many goroutines.
type voice struct {
	mu  sync.Mutex
	out io.Writer
}

func (v *voice) say(kind string, what any) {
	text, err := json.Marshal(map[string]any{kind: what})
	if err != nil {
		fmt.Fprintln(os.Stderr, "telling what happened:", err)
		os.Exit(2)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, err := v.out.Write(append(text, '\n')); err != nil {
		os.Exit(2) // nobody listens any more
	}
}

func (v *voice) log(l host.LogLine) {
	v.say("log", map[string]any{"severity": l.Severity, "text": written(l.String())})
}

// written is s as JSON: a string, or {"hex": ...} where s is no UTF-8.
func written(s string) any {
	if utf8.ValidString(s) {
		return s
	}
	return map[string]string{"hex": hex.EncodeToString([]byte(s))}
}

// value is a field's value as JSON, nil for none.
func value(values []any, list bool) any {
	if len(values) == 0 {
		return nil
	}
	out := make([]any, len(values))
	for k, v := range values {
		switch v := v.(type) {
		case string:
			out[k] = written(v)
		case netip.Addr:
			out[k] = v.String()
		default:
			out[k] = v
		}
	}
	if list {
		return out
	}
	return out[0]
}
