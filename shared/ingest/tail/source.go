// SPDX-License-Identifier: Apache-2.0

package tail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/aerie-falco/aerie/shared/ingest/lines"
	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
	"github.com/aerie-falco/aerie/shared/plugin/source"
)

// Options say how a file is followed.
type Options struct {
	// Lines says what to do with the lines. Its Name is not used.
	Lines lines.Options

	// Checkpoint is the path of the file that keeps the offset. Empty: none is kept.
	Checkpoint string

	// Poll is how often the file is looked at without being told of a change.
	// 0: once a second.
	Poll time.Duration

	// Grace is how long a file that was replaced must not have changed until it is
	// closed. 0: five seconds.
	Grace time.Duration

	blind bool // for tests: do not watch
}

// maxGenerations bounds how many replaced files are read beside the present one.
const maxGenerations = 16

// Source is a source instance that follows a file.
type Source struct {
	ctx     context.Context // carries log and metrics
	path    string
	options Options
	watch   *watch

	generations []*generation // the oldest first
	more        bool          // there is something to read in them without having looked
	done        []position    // of those that were read to their end last
	missing     bool          // nothing is at the path; the last generation stood there, if any did
	since       time.Time     // of missing
	lookAt      time.Time     // when to look without being told

	checkpoint *checkpoint // nil: none
	positions  positions   // up to the end of the batch under way
	delivered  func(bool)  // bound once

	rotations, truncations *metrics.Counter
}

// Open begins to follow the file at path, whose directory must exist. ctx lives as
// long as the instance does; its log and metrics are used.
func Open(ctx context.Context, path string, o Options) (*Source, error) {
	if o.Poll <= 0 {
		o.Poll = time.Second
	}
	if o.Grace <= 0 {
		o.Grace = 5 * time.Second
	}
	m := plugin.Metrics(ctx)
	s := &Source{
		ctx: ctx, path: path, options: o,
		rotations:   m.Counter("files_rotated"),
		truncations: m.Counter("files_truncated"),
	}
	s.delivered = s.deliver
	if err := s.open(); err != nil {
		s.closeFiles()
		return nil, fmt.Errorf("follow %q: %w", path, err)
	}
	return s, nil
}

func (s *Source) open() error {
	if _, err := os.Stat(filepath.Dir(s.path)); err != nil {
		return err
	}
	// What is written from here on is either before the offset that start finds,
	// or wakes the source.
	s.watch = newWatch(s.ctx, s.path, s.options.blind)
	resumed := false
	if s.options.Checkpoint != "" {
		var saved positions
		var err error
		if s.checkpoint, saved, resumed, err = openCheckpoint(s.ctx, s.options.Checkpoint, s.path); err != nil {
			return err
		}
		s.done = saved.Done
		s.resume(saved.Files)
	}
	if err := s.start(resumed); err != nil {
		return err
	}
	s.lookAt = time.Now().Add(s.options.Poll)
	s.more = true
	if s.checkpoint == nil {
		return nil
	}
	s.notePositions()
	return s.checkpoint.begin(s.positions)
}

// start opens the file at the path, and begins at its end, or at its beginning if
// it came after the checkpoint.
func (s *Source) start(resumed bool) error {
	about, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		s.missing, s.since = true, time.Now()
		plugin.Log(s.ctx).Info("the file to follow does not exist yet; waiting for it", "file", s.path)
		return nil
	}
	if err != nil {
		return err
	}
	if s.has(identityOf(about)) {
		return nil // resumed
	}
	if resumed {
		s.addMissed(identityOf(about))
	}
	g, err := openGeneration(s.ctx, s.path, s.options.Lines)
	if err != nil {
		return err
	}
	s.generations = append(s.generations, g)
	offset := int64(0)
	if !resumed {
		if about, err = g.file.Stat(); err != nil {
			return err
		}
		offset = about.Size()
	}
	return g.start(offset)
}

func (s *Source) has(id identity) bool {
	for _, g := range s.generations {
		if g.identity == id {
			return true
		}
	}
	return false
}

// Next implements source.Instance.
func (s *Source) Next(ctx context.Context, b *source.Batch) error {
	defer s.note(b)
	until, bounded := ctx.Deadline()
	if !bounded {
		until = time.Now().Add(time.Hour)
	}
	for {
		// Nothing is read that was not looked at: the file may have been truncated.
		if s.watch.changed() || !time.Now().Before(s.lookAt) {
			s.lookAt = time.Now().Add(s.options.Poll)
			s.look()
			s.more = true
		}
		if s.more {
			all, err := s.read(b, until)
			s.more = !all
			if err != nil {
				return source.Retry(fmt.Errorf("read %q: %w", s.path, err))
			}
		}
		if s.more || b.Len() > 0 || !s.wait(ctx) {
			return nil
		}
	}
}

// wait waits for a change, or until it is time to look; false if ctx is done.
func (s *Source) wait(ctx context.Context) bool {
	d := time.Until(s.lookAt)
	if s.missing || len(s.generations) > 1 {
		d = min(d, s.options.Grace)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.watch.wake:
		s.watch.again() // for changed
		return true
	case <-timer.C:
		s.lookAt = time.Now()
		return true
	case <-ctx.Done():
		return false
	}
}

// read adds what there is in all files. False means that there may be more.
func (s *Source) read(b *source.Batch, until time.Time) (bool, error) {
	for i := 0; i < len(s.generations); i++ {
		g := s.generations[i]
		if g.file == nil && !s.openMissed(g) {
			s.remove(i)
			i--
			continue
		}
		all, err := g.read(b, until)
		replaced := i < len(s.generations)-1
		if err != nil && replaced && time.Since(g.quiet) >= s.options.Grace {
			// Such as one that was removed from a network file system. It must not keep
			// those behind it from being read.
			s.warn("read a file that was replaced, whose last events are lost", err)
			s.remove(i)
			i--
			continue
		}
		if err != nil || !all {
			return false, err
		}
		removed := !replaced && s.missing && time.Since(s.since) >= s.options.Grace
		if !replaced && !removed || time.Since(g.quiet) < s.options.Grace && len(s.generations) <= maxGenerations {
			continue
		}
		// Nothing more comes: what is left is a line.
		g.reader.Finish()
		if !g.reader.Take(b) {
			return false, nil
		}
		if replaced {
			s.remove(i)
			i--
		}
	}
	return true, nil
}

// maxDone is how many closed files are remembered, so that they are not taken for new
// ones if their names and times look like it.
const maxDone = 64

// forget drops what is remembered of a closed file.
func (s *Source) forget(id identity) {
	s.done = slices.DeleteFunc(s.done, func(p position) bool { return p.identity == id })
}

// remove lets go of a generation.
func (s *Source) remove(i int) {
	g := s.generations[i]
	if g.file != nil {
		s.forget(g.identity)
		s.done = append(s.done, g.position())
		if len(s.done) > maxDone {
			s.done = append(s.done[:0], s.done[1:]...)
		}
	}
	g.close()
	s.generations = append(s.generations[:i], s.generations[i+1:]...)
	s.watch.all(len(s.generations) > 1)
}

// look finds out what has become of the files.
func (s *Source) look() {
	for _, g := range s.generations {
		if g.rewind || g.file == nil {
			continue
		}
		switch cut, err := g.truncated(); {
		case err != nil:
			s.warn("look at a file", err)
		case cut:
			s.truncations.Inc()
			plugin.LogLimited(s.ctx, slog.LevelInfo, "truncated", "the file was truncated; reading it from its beginning", "file", g.name)
			g.startOver()
		}
	}
	about, err := os.Stat(s.path)
	if err != nil {
		if !s.missing {
			s.missing, s.since = true, time.Now()
		}
		if !errors.Is(err, fs.ErrNotExist) {
			s.warn("look for the file", err)
		}
		return
	}
	id := identityOf(about)
	if last := len(s.generations) - 1; last >= 0 && s.generations[last].identity == id {
		s.missing = false
		return
	}
	if !s.comeBack(id) {
		s.rotate()
	}
}

// rotate goes on with the file that is at the path now.
func (s *Source) rotate() {
	g, err := openGeneration(s.ctx, s.path, s.options.Lines)
	if err == nil {
		if err = g.start(0); err != nil {
			g.close()
		}
	}
	if err != nil {
		s.warn("open the file", err)
		return
	}
	s.missing = false
	if len(s.generations) > 0 {
		s.rotations.Inc()
		plugin.Log(s.ctx).Info("another file is in the place of the one that was followed", "file", s.path)
	}
	s.addMissed(g.identity)
	s.generations = append(s.generations, g)
	s.watch.all(len(s.generations) > 1)
	s.watch.follow(s.path)
}

// comeBack makes a generation the present one again, whose file was renamed away
// and back. It is read on where it was left.
func (s *Source) comeBack(id identity) bool {
	for i, g := range s.generations {
		if g.identity == id {
			s.generations = append(append(s.generations[:i], s.generations[i+1:]...), g)
			s.missing = false
			return true
		}
	}
	return false
}

func (s *Source) warn(doing string, err error) {
	plugin.LogLimited(s.ctx, slog.LevelWarn, doing, "cannot "+doing+": "+err.Error())
}

// note attaches the positions to the batch. Without events in it there is nothing
// that they wait for: the batch before it was consumed when Next was called.
func (s *Source) note(b *source.Batch) {
	if s.checkpoint == nil {
		return
	}
	s.notePositions()
	if b.Len() > 0 {
		b.OnDelivered(s.delivered)
	} else {
		s.checkpoint.set(s.positions)
	}
}

func (s *Source) notePositions() {
	p := &s.positions
	p.Files = p.Files[:0]
	for _, g := range s.generations {
		p.Files = append(p.Files, g.position())
	}
	p.Done = append(p.Done[:0], s.done...)
}

func (s *Source) deliver(delivered bool) {
	if delivered {
		s.checkpoint.set(s.positions)
	}
}

// Close implements source.Instance.
func (s *Source) Close() error {
	s.closeFiles()
	if s.checkpoint != nil {
		return s.checkpoint.close()
	}
	return nil
}

func (s *Source) closeFiles() {
	if s.watch != nil {
		s.watch.close()
	}
	for _, g := range s.generations {
		g.close()
	}
	s.generations = nil
}
