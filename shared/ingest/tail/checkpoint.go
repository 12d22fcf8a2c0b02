// SPDX-License-Identifier: Apache-2.0

package tail

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/aerie-falco/aerie/shared/plugin"
)

// position is up to where one file was consumed.
type position struct {
	identity
	Head     string // SHA-256 of the file's first bytes, in hexadecimal
	HeadSize int    // how many these are
	Offset   int64
}

func digest(head []byte) string {
	sum := sha256.Sum256(head)
	return hex.EncodeToString(sum[:])
}

// positions is up to where a source has consumed its files.
type positions struct {
	Files []position // that are read, the oldest first
	Done  []position // that were read to their end and closed
}

func (p positions) equal(q positions) bool {
	return slices.Equal(p.Files, q.Files) && slices.Equal(p.Done, q.Done)
}

// copyTo makes to the same, in its own memory.
func (p positions) copyTo(to *positions) {
	to.Files = append(to.Files[:0], p.Files...)
	to.Done = append(to.Done[:0], p.Done...)
}

// saved is the content of a checkpoint's file.
type saved struct {
	Version int
	Path    string // that is followed
	positions
}

const savedVersion = 1

// maxSaved is the largest checkpoint that is read, in bytes.
const maxSaved = 1 << 20

// saveEvery is the least time between two saves. What a kill in between makes
// come twice is what was consumed in that time.
const saveEvery = time.Second

// checkpoint keeps positions in a file. They are written on a goroutine of its
// own, for the event thread must not wait for a disk.
type checkpoint struct {
	ctx  context.Context
	name string
	path string

	changed chan struct{} // holds a token when there is something to save
	end     func()
	ended   chan struct{}

	saved *positions // what the file holds

	mu    sync.Mutex
	files positions
}

// openCheckpoint reads the checkpoint in the file called name. Without a file, or
// with one for another path, there is nothing to resume.
func openCheckpoint(ctx context.Context, name, path string) (c *checkpoint, files positions, resumed bool, err error) {
	c = &checkpoint{ctx: ctx, name: name, path: path, changed: make(chan struct{}, 1)}
	about, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return c, files, false, nil
	}
	if err != nil {
		return nil, files, false, fmt.Errorf("read checkpoint: %w", err)
	}
	if about.Size() > maxSaved {
		return nil, files, false, fmt.Errorf("read checkpoint %q: it has %d bytes, and no checkpoint has more than %d; is it another file?", name, about.Size(), maxSaved)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, files, false, fmt.Errorf("read checkpoint: %w", err)
	}
	var s saved
	if err := json.Unmarshal(text, &s); err != nil || s.Version != savedVersion {
		// It is written as a whole or not at all, so that this is no accident.
		return nil, files, false, fmt.Errorf("read checkpoint %q: it is none of version %d; remove the file to start at the end of %q", name, savedVersion, path)
	}
	if s.Path != path {
		return nil, files, false, fmt.Errorf("read checkpoint %q: it is for %q; remove it, or give each file a checkpoint of its own", name, s.Path)
	}
	return c, s.positions, true, nil
}

// begin saves the first positions and starts to save what follows.
func (c *checkpoint) begin(files positions) error {
	files.copyTo(&c.files)
	if err := c.save(); err != nil {
		return err
	}
	c.ended = make(chan struct{})
	ctx, cancel := context.WithCancel(c.ctx)
	c.end = cancel
	plugin.Go(ctx, "checkpoint "+c.name, func(ctx context.Context) {
		defer close(c.ended)
		c.run(ctx)
	})
	return nil
}

func (c *checkpoint) run(ctx context.Context) {
	pause := time.NewTimer(saveEvery)
	defer pause.Stop()
	for {
		select {
		case <-c.changed:
		case <-ctx.Done():
			return
		}
		c.trySave()
		pause.Reset(saveEvery)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
	}
}

func (c *checkpoint) trySave() {
	if err := c.save(); err != nil {
		plugin.LogLimited(c.ctx, slog.LevelWarn, "checkpoint", err.Error()+"; a restart would repeat events")
	}
}

// set makes these the positions to save. It does not wait.
func (c *checkpoint) set(files positions) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if files.equal(c.files) {
		return
	}
	files.copyTo(&c.files)
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// save writes the positions, unless they are written already.
func (c *checkpoint) save() error {
	var files positions
	c.mu.Lock()
	c.files.copyTo(&files)
	c.mu.Unlock()
	if c.saved != nil && c.saved.equal(files) {
		return nil
	}
	text, err := json.Marshal(saved{savedVersion, c.path, files})
	if err == nil {
		err = replace(c.name, append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	c.saved = &files
	return nil
}

// replace gives the file a new content, as a whole or not at all, and returns
// when that is on the disk.
func replace(name string, content []byte) error {
	dir := filepath.Dir(name)
	temporary, err := os.CreateTemp(dir, filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = bytes.NewReader(content).WriteTo(temporary)
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), name)
	}
	if err != nil {
		os.Remove(temporary.Name())
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// close saves a last time.
func (c *checkpoint) close() error {
	c.end()
	<-c.ended
	return c.save()
}
