// SPDX-License-Identifier: Apache-2.0

package tail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/aerie-falco/aerie/shared/ingest/lines"
	"github.com/aerie-falco/aerie/shared/plugin/source"
)

// identity is which file it is, whatever its name. It is used again after a file
// is gone, so that the head has to tell apart what comes and goes.
type identity struct{ Device, Inode uint64 }

func identityOf(about fs.FileInfo) identity {
	s := about.Sys().(*syscall.Stat_t)
	return identity{uint64(s.Dev), s.Ino}
}

// headSize is how many bytes at the beginning of a file tell it from another
// with the same identity. The ID of the first event is among them.
const headSize = 512

// generation is one of the files that stood, one after the other, at the path.
type generation struct {
	identity
	name   string
	file   *os.File // nil: to be opened when it is its turn
	from   position // where to begin then
	reader *lines.Reader
	head   []byte    // the file's first bytes, as many as there were
	digest string    // of the head
	rewind bool      // start over when the reader has nothing left
	quiet  time.Time // since when nothing was read
}

func newGeneration(ctx context.Context, name string, id identity, o lines.Options) *generation {
	o.Name = name
	return &generation{identity: id, name: name, reader: lines.NewReader(ctx, o), quiet: time.Now()}
}

// openGeneration opens the file with this name.
func openGeneration(ctx context.Context, name string, o lines.Options) (*generation, error) {
	file, id, err := openFile(name)
	if err != nil {
		return nil, err
	}
	g := newGeneration(ctx, name, id, o)
	g.file = file
	return g, nil
}

// openFile does not wait, whatever has the name.
func openFile(name string) (*os.File, identity, error) {
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, identity{}, err
	}
	about, err := file.Stat()
	if err == nil && !about.Mode().IsRegular() {
		err = fmt.Errorf("%q is of type %v; want a file", name, about.Mode().Type())
	}
	if err != nil {
		file.Close()
		return nil, identity{}, err
	}
	return file, identityOf(about), nil
}

func (g *generation) close() {
	if g.file != nil {
		g.file.Close()
		g.file = nil
	}
}

// start makes offset the place to read from, and notes the head.
func (g *generation) start(offset int64) error {
	if _, err := g.file.Seek(offset, io.SeekStart); err != nil {
		return err
	}
	g.reader.Restart(g.name, offset)
	g.head, g.digest = nil, ""
	_, err := g.sameHead()
	return err
}

// sameHead tells whether the file still begins as it did, and notes more of the
// beginning if there is more.
func (g *generation) sameHead() (bool, error) {
	var room [headSize]byte
	n, err := g.file.ReadAt(room[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	if n < len(g.head) || !bytes.Equal(room[:len(g.head)], g.head) {
		return false, nil
	}
	if n > len(g.head) {
		g.head = append(g.head, room[len(g.head):n]...)
		g.digest = digest(g.head)
	}
	return true, nil
}

// truncated tells whether what was read is no longer what the file begins with.
func (g *generation) truncated() (bool, error) {
	about, err := g.file.Stat()
	if err != nil {
		return false, err
	}
	if about.Size() < g.reader.Position() {
		return true, nil
	}
	same, err := g.sameHead()
	return !same && err == nil, err
}

// startOver makes read go on at the beginning, after what is left.
func (g *generation) startOver() {
	g.reader.Finish()
	g.rewind = true
}

// read adds what there is to b. False means that there may be more: the batch is
// full or the time is over.
func (g *generation) read(b *source.Batch, until time.Time) (bool, error) {
	for {
		if !g.reader.Take(b) {
			return false, nil
		}
		if g.rewind {
			g.rewind = false
			if err := g.start(0); err != nil {
				return true, err
			}
		}
		n, err := g.reader.Fill(g.file)
		if n == 0 {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return true, err
		}
		if len(g.head) < headSize {
			if same, _ := g.sameHead(); !same {
				g.startOver()
			}
		}
		g.quiet = time.Now()
		if g.quiet.After(until) {
			return false, nil
		}
	}
}

func (g *generation) position() position {
	if g.file == nil {
		return g.from
	}
	return position{identity: g.identity, Head: g.digest, HeadSize: len(g.head), Offset: g.reader.Offset()}
}
