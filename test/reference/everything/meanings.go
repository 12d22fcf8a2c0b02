// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/async"
	"github.com/aerie-falco/aerie/shared/plugin/capture"
)

// meaningEvent is the name of the event that tells a word's meaning. Its data
// is word=meaning.
const meaningEvent = "meaning"

// CaptureOpen has the meanings looked up in the background. On replay of a
// capture file they are in the file: they may have been parsed already, so
// nothing is reset here.
func (p *everything) CaptureOpen(c *capture.Capture) error {
	return c.Routine("meanings", func(ctx context.Context) (again bool) {
		for _, w := range slices.Sorted(maps.Keys(p.meanings)) {
			err := p.events.Emit(meaningEvent, []byte(w+"="+p.meanings[w]))
			if errors.Is(err, async.ErrNoCapture) {
				return false // a replay, or the end
			}
			if err != nil {
				plugin.Log(ctx).Error("telling a meaning", "word", w, "err", err)
			}
		}
		return false
	})
}

// CaptureClose forgets what the capture told.
func (p *everything) CaptureClose(*capture.Capture) error {
	p.begin()
	return nil
}

// DumpState tells a capture file what is known when the file begins.
func (p *everything) DumpState(d *async.Dump) error {
	for w, known := range p.known.Range {
		if known.Meaning == "" {
			continue
		}
		if err := d.Emit(meaningEvent, []byte(w+"="+known.Meaning)); err != nil {
			return err
		}
	}
	return nil
}
