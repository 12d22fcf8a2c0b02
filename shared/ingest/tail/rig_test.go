// SPDX-License-Identifier: Apache-2.0

package tail

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/ingest/lines"
	"github.com/aerie-falco/aerie/shared/plugin/source"
)

// patience bounds what must happen; no test passes by waiting for it.
const patience = 30 * time.Second

// words decodes a line into its words, and refuses what begins with a bang.
func words(text []byte, add func([]byte, uint64) error) error {
	if text[0] == '!' {
		return errors.New("a bang")
	}
	for _, word := range strings.Fields(string(text)) {
		if err := add([]byte(word), 7); err != nil {
			return err
		}
	}
	return nil
}

// rig is an open source on a file in a directory of its own.
type rig struct {
	t       *testing.T
	path    string
	options Options
	source  *Source
	batch   *source.Batch
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, path: filepath.Join(t.TempDir(), "audit.log")}
	r.options = Options{Lines: lines.Options{MaxLine: 100, Decode: words}, Grace: 20 * time.Millisecond}
	r.batch = source.NewBatch(1000, 1<<20)
	t.Cleanup(r.batch.Free)
	t.Cleanup(r.close)
	return r
}

func (r *rig) open() {
	r.t.Helper()
	var err error
	r.source, err = Open(r.t.Context(), r.path, r.options)
	require.NoError(r.t, err)
}

func (r *rig) close() {
	if r.source != nil {
		assert.NoError(r.t, r.source.Close())
		r.source = nil
	}
}

func (r *rig) beside(name string) string { return filepath.Join(filepath.Dir(r.path), name) }

// write appends to the file with this name, and makes it if need be.
func (r *rig) write(name, text string) {
	r.t.Helper()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(r.t, err)
	defer f.Close()
	_, err = f.WriteString(text)
	require.NoError(r.t, err)
}

func (r *rig) rename(from, to string) {
	r.t.Helper()
	require.NoError(r.t, os.Rename(from, to))
}

// events is what is in the batch.
func (r *rig) events() []string {
	var got []string
	r.batch.Events(func(payload []byte, _ uint64) bool {
		got = append(got, string(payload))
		return true
	})
	return got
}

// comes waits for exactly these events, in as many batches as they come in, and
// consumes them.
func (r *rig) comes(want ...string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	var got []string
	for len(got) < len(want) && ctx.Err() == nil {
		require.NoError(r.t, r.source.Next(ctx, r.batch))
		got = append(got, r.events()...)
		r.batch.Deliver(true)
	}
	require.Equal(r.t, want, got)
}

// comesInAnyOrder is comes for lines of several files.
func (r *rig) comesInAnyOrder(want ...string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	var got []string
	for len(got) < len(want) && ctx.Err() == nil {
		require.NoError(r.t, r.source.Next(ctx, r.batch))
		got = append(got, r.events()...)
		r.batch.Deliver(true)
	}
	slices.Sort(got)
	slices.Sort(want)
	require.Equal(r.t, want, got)
}

// turn is a Next that does not wait.
func (r *rig) turn() []string {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	cancel()
	r.source.watch.again()
	require.NoError(r.t, r.source.Next(ctx, r.batch))
	got := r.events()
	r.batch.Deliver(true)
	return got
}

// nothing checks that there is nothing to read.
func (r *rig) nothing() {
	r.t.Helper()
	require.Empty(r.t, r.turn())
}

// until takes turns until a condition holds that nothing announces.
func (r *rig) until(what string, condition func() bool) {
	r.t.Helper()
	for end := time.Now().Add(patience); !condition(); {
		require.True(r.t, time.Now().Before(end), "did not happen: "+what)
		r.nothing()
		time.Sleep(time.Millisecond)
	}
}

// smallBatch has room for two small events.
func smallBatch(t *testing.T) *source.Batch {
	b := source.NewBatch(1000, 90)
	t.Cleanup(b.Free)
	return b
}

// cancelled is a context for a Next that does not wait.
func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
