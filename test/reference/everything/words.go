// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"strings"

	"github.com/aerie-falco/aerie/shared/plugin/source"
)

// Open starts to give the words in params.
func (p *everything) Open(_ context.Context, params string) (source.Instance, error) {
	return &text{words: strings.Fields(params), ready: p.ready}, nil
}

// text is the open source.
type text struct {
	words []string
	ready <-chan struct{}
}

// Next waits for the meanings. While it does, it lets the framework have its
// turns: that is when asynchronous events are delivered.
func (t *text) Next(ctx context.Context, b *source.Batch) error {
	select {
	case <-t.ready:
	case <-ctx.Done():
		return nil
	}
	for k, w := range t.words {
		if err := b.Add([]byte(w), uint64(k+1)*1e9); err != nil {
			t.words = t.words[k:]
			return err
		}
	}
	return io.EOF
}

func (t *text) Close() error { return nil }
