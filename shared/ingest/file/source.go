// SPDX-License-Identifier: Apache-2.0

package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/aerie-falco/aerie/shared/ingest/lines"
	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
	"github.com/aerie-falco/aerie/shared/plugin/source"
)

// Source is a source instance over one file, or over those of a directory.
type Source struct {
	ctx     context.Context // carries the log
	names   []string        // to be read, in this order
	alone   bool            // names is one file that was asked for, whose loss is an error
	reader  *lines.Reader
	current *os.File // names[0], once it is open
	ended   bool     // nothing is left of current but what the reader holds

	read, total int64 // bytes, of all files
	count       int   // of all files
	skipped     *metrics.Counter
}

// Open opens the file, or lists the directory, at path. Of a directory it lists
// what is there now; changes of the files are seen, new files are not. ctx
// lives as long as the instance does; its log and metrics are used.
func Open(ctx context.Context, path string, o lines.Options) (*Source, error) {
	s := &Source{ctx: ctx, skipped: plugin.Metrics(ctx).Counter("files_skipped")}
	about, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	switch {
	case about.IsDir():
		if err := s.list(path); err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
	case about.Mode().IsRegular():
		s.alone = true
		s.names, s.total = []string{path}, about.Size()
		if s.current, err = openRegular(path); err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
	default:
		return nil, fmt.Errorf("read events from %q: it is of type %v; want a file or a directory", path, about.Mode().Type())
	}
	s.count = len(s.names)
	s.reader = lines.NewReader(ctx, o)
	if s.alone {
		s.reader.Restart(path, 0)
	}
	return s, nil
}

// Next implements source.Instance.
func (s *Source) Next(ctx context.Context, b *source.Batch) error {
	until, bounded := ctx.Deadline()
	for {
		if s.current == nil && !s.open() {
			return io.EOF
		}
		if !s.reader.Take(b) {
			return nil
		}
		if s.ended {
			s.close()
			continue
		}
		n, err := s.reader.Fill(s.current)
		s.read += int64(n)
		if err != nil {
			s.ended = true
			s.reader.Finish()
			if err := s.failed(err); err != nil {
				return err
			}
		}
		// Files without a single event take time, too.
		if bounded && time.Now().After(until) {
			return nil
		}
	}
}

// open opens the next file that can be; false if there are no more.
func (s *Source) open() bool {
	for len(s.names) > 0 {
		f, err := openRegular(s.names[0])
		if err != nil {
			s.skip(s.names[0], err)
			s.names = s.names[1:]
			continue
		}
		s.current = f
		s.reader.Restart(s.names[0], 0)
		return true
	}
	return false
}

func (s *Source) close() {
	s.current.Close()
	s.current, s.ended = nil, false
	s.names = s.names[1:]
}

// failed says what a failed read means: nothing, at the end of a file or in one
// out of a directory.
func (s *Source) failed(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	if s.alone {
		return source.Fatal(fmt.Errorf("read events: %w", err))
	}
	s.skip(s.names[0], err)
	return nil
}

func (s *Source) skip(name string, err error) {
	s.skipped.Inc()
	plugin.LogLimited(s.ctx, slog.LevelWarn, "file skipped", "left out a file, or the rest of it: "+err.Error(), "file", name)
}

// Progress implements source.Progresser.
func (s *Source) Progress() (float64, string) {
	fraction := 1.0
	if len(s.names) > 0 {
		// Files may have grown since they were listed.
		fraction = min(float64(s.read)/float64(max(s.total, 1)), 0.9999)
	}
	if s.alone || s.count == 0 {
		return fraction, fmt.Sprintf("%.1f%%", 100*fraction)
	}
	return fraction, fmt.Sprintf("%.1f%%, file %d of %d", 100*fraction, min(s.count-len(s.names)+1, s.count), s.count)
}

// Close implements source.Instance.
func (s *Source) Close() error {
	s.names = nil
	if s.current == nil {
		return nil
	}
	err := s.current.Close()
	s.current = nil
	return err
}
