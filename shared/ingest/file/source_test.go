// SPDX-License-Identifier: Apache-2.0

package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/ingest/lines"
	"github.com/aerie-falco/aerie/shared/plugin/source"
)

var options = lines.Options{MaxLine: 200_000, Decode: func(text []byte, add func([]byte, uint64) error) error {
	if text[0] == '!' {
		return errors.New("a bang")
	}
	return add(text, 7)
}}

func open(t *testing.T, path string) *Source {
	t.Helper()
	s, err := Open(t.Context(), path, options)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// readAll reads to the end of the stream.
func readAll(t *testing.T, s *Source) []string {
	t.Helper()
	b := source.NewBatch(1<<20, 1<<20)
	defer b.Free()
	got := []string{}
	for {
		err := s.Next(t.Context(), b)
		b.Events(func(payload []byte, ts uint64) bool {
			assert.EqualValues(t, 7, ts)
			got = append(got, string(payload))
			return true
		})
		b.Deliver(true)
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
			require.ErrorIs(t, s.Next(t.Context(), b), io.EOF, "and it stays at the end")
			return got
		}
	}
}

func write(t *testing.T, name, text string, age time.Duration) string {
	t.Helper()
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	at := time.Now().Add(-age)
	require.NoError(t, os.Chtimes(name, at, at))
	return name
}

func TestAFileIsReadToItsEnd(t *testing.T) {
	name := write(t, filepath.Join(t.TempDir(), "50%: a?b#c.json"), "1\n\n!bad\n"+strings.Repeat("x", 70_000)+"\n"+strings.Repeat("y", 200_001)+"\n2", 0)
	assert.Equal(t, []string{"1", strings.Repeat("x", 70_000), "2"}, readAll(t, open(t, name)))
}

func TestAnEmptyFileOrDirectoryEndsAtOnce(t *testing.T) {
	dir := t.TempDir()
	assert.Empty(t, readAll(t, open(t, dir)))
	assert.Empty(t, readAll(t, open(t, write(t, filepath.Join(dir, "empty"), "", 0))))
}

func TestADirectoryIsReadOldestFirst(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), "new", 0)
	write(t, filepath.Join(dir, "b"), "oldest\n", 3*time.Hour)
	write(t, filepath.Join(dir, "c"), "middle 1\nmiddle 2", 2*time.Hour)
	elsewhere := write(t, filepath.Join(t.TempDir(), "x"), "linked\n", time.Hour)
	require.NoError(t, os.Symlink(elsewhere, filepath.Join(dir, "link")))
	assert.Equal(t, []string{"oldest", "middle 1", "middle 2", "linked", "new"}, readAll(t, open(t, dir)))
}

func TestWhatCannotBeReadInADirectoryIsLeftOut(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), "1\n", time.Hour)
	write(t, filepath.Join(dir, "z"), "2\n", 0)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o700))
	write(t, filepath.Join(dir, "sub", "inside"), "not seen", 0)
	require.NoError(t, os.Symlink(filepath.Join(dir, "sub"), filepath.Join(dir, "link to a directory")))
	require.NoError(t, os.Symlink("/nowhere", filepath.Join(dir, "link to nothing")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	gone := write(t, filepath.Join(dir, "gone"), "3\n", 0)
	s := open(t, dir)
	require.NoError(t, os.Remove(gone))
	assert.Equal(t, []string{"1", "2"}, readAll(t, s))
	assert.EqualValues(t, 3, s.skipped.Value(), "the link to nothing, the pipe, and the file that has gone")
}

func TestOneFileIsOpenAtATime(t *testing.T) {
	dir := t.TempDir()
	for i := range 50 {
		write(t, filepath.Join(dir, fmt.Sprint(i)), "x\n", 0)
	}
	descriptors := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
		return len(entries)
	}
	b := source.NewBatch(10, 1)
	defer b.Free()
	before := descriptors()
	s := open(t, dir)
	for range 50 {
		require.NoError(t, s.Next(t.Context(), b))
		require.Equal(t, 1, b.Len())
		require.LessOrEqual(t, descriptors(), before+1)
		b.Deliver(true)
	}
	assert.ErrorIs(t, s.Next(t.Context(), b), io.EOF)
	assert.LessOrEqual(t, descriptors(), before)
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	_, err := Open(t.Context(), "/nowhere/audit.json", options)
	assert.EqualError(t, err, "read events: stat /nowhere/audit.json: no such file or directory")
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	_, err = Open(t.Context(), pipe, options)
	assert.EqualError(t, err, fmt.Sprintf("read events from %q: it is of type p---------; want a file or a directory", pipe))
}

func TestATurnEndsAlthoughThereIsNoEvent(t *testing.T) {
	s := open(t, write(t, filepath.Join(t.TempDir(), "a"), strings.Repeat("!bad\n", 100_000)+"good\n", 0))
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	b := source.NewBatch(1<<20, 1<<20)
	defer b.Free()
	turns := 0
	for b.Len() == 0 {
		require.NoError(t, s.Next(ctx, b))
		turns++
	}
	assert.Greater(t, turns, 2)
	b.Deliver(true)
}

func TestProgress(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), strings.Repeat("x", 100)+"\n", time.Hour)
	write(t, filepath.Join(dir, "b"), strings.Repeat("y", 302)+"\n", 0)
	s := open(t, dir)
	said := func(s *Source) string {
		fraction, text := s.Progress()
		return fmt.Sprintf("%.4f %s", fraction, text)
	}
	assert.Equal(t, "0.0000 0.0%, file 1 of 2", said(s))
	b := source.NewBatch(1000, 1)
	defer b.Free()
	require.NoError(t, s.Next(t.Context(), b))
	b.Deliver(true)
	assert.Equal(t, "0.2500 25.0%, file 1 of 2", said(s))
	require.NoError(t, s.Next(t.Context(), b))
	b.Deliver(true)
	assert.Equal(t, "0.9999 100.0%, file 2 of 2", said(s))
	require.ErrorIs(t, s.Next(t.Context(), b), io.EOF)
	assert.Equal(t, "1.0000 100.0%, file 2 of 2", said(s))
	one := open(t, filepath.Join(dir, "a"))
	assert.Equal(t, "0.0000 0.0%", said(one))
	readAll(t, one)
	assert.Equal(t, "1.0000 100.0%", said(one))
}

func TestClosingInTheMiddleOfAFileIsTheEnd(t *testing.T) {
	s := open(t, write(t, filepath.Join(t.TempDir(), "a"), "1\n2\n", 0))
	b := source.NewBatch(10, 1)
	defer b.Free()
	require.NoError(t, s.Next(t.Context(), b))
	b.Deliver(false)
	require.NoError(t, s.Close())
	assert.ErrorIs(t, s.Next(t.Context(), b), io.EOF)
}

func TestAFileThatCannotBeReadOnIsAnErrorBehindWhatWasRead(t *testing.T) {
	s, err := Open(t.Context(), write(t, filepath.Join(t.TempDir(), "a"), "1\n2\n", 0), options)
	require.NoError(t, err)
	b := source.NewBatch(10, 1) // one event
	defer b.Free()
	for _, want := range []string{"1", "2"} {
		require.NoError(t, s.Next(t.Context(), b))
		b.Events(func(payload []byte, _ uint64) bool { return assert.Equal(t, want, string(payload)) })
		assert.Equal(t, 1, b.Len())
		b.Deliver(true)
		_ = s.current.Close() // as if the disk were gone; the second time it is closed already
	}
	err = s.Next(t.Context(), b)
	assert.ErrorContains(t, err, "read events: ")
	assert.NotErrorIs(t, err, io.EOF, "not the end of a file that was read whole")
}
