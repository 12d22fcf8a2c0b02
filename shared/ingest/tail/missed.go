// SPDX-License-Identifier: Apache-2.0

package tail

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// resume opens the files of a checkpoint again, wherever in the directory they
// are now.
func (s *Source) resume(files []position) {
	for _, p := range files {
		name, err := s.find(p.identity)
		if err == nil {
			err = s.reopen(name, p)
		}
		if err != nil {
			s.warn("go on with a file of the checkpoint, whose last events may be lost", err)
		}
	}
}

// reopen opens the file if it is the one that the position is about.
func (s *Source) reopen(name string, p position) error {
	g, err := openGeneration(s.ctx, name, s.options.Lines)
	if err != nil {
		return err
	}
	same, err := p.isOf(g)
	if err == nil && !same {
		err = fmt.Errorf("%q was truncated, or is another file than it was", name)
	}
	if err == nil {
		err = g.start(p.Offset)
	}
	if err != nil {
		g.close()
		return err
	}
	s.generations = append(s.generations, g)
	return nil
}

// isOf tells whether the position is about the file that was opened.
func (p position) isOf(g *generation) (bool, error) {
	about, err := g.file.Stat()
	if err != nil {
		return false, err
	}
	if g.identity != p.identity || about.Size() < p.Offset || p.Offset < 0 || p.HeadSize < 0 || p.HeadSize > headSize {
		return false, nil
	}
	head := make([]byte, p.HeadSize)
	if n, err := g.file.ReadAt(head, 0); n < len(head) {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return false, err
	}
	return p.HeadSize == 0 || digest(head) == p.Head, nil
}

var errGone = errors.New("it was removed, or moved to another directory")

// find returns the name of the file with this identity: the path, or that of
// another file in its directory.
func (s *Source) find(id identity) (string, error) {
	if about, err := os.Stat(s.path); err == nil && identityOf(about) == id {
		return s.path, nil
	}
	for _, f := range s.neighbours() {
		if identityOf(f.about) == id {
			return f.name, nil
		}
	}
	return "", errGone
}

// neighbour is a file in the directory of the one that is followed.
type neighbour struct {
	name  string
	about fs.FileInfo
}

func (s *Source) neighbours() []neighbour {
	dir := filepath.Dir(s.path)
	if target, err := filepath.EvalSymlinks(s.path); err == nil {
		dir = filepath.Dir(target)
	}
	entries, _ := os.ReadDir(dir) // what could be read
	var files []neighbour
	for _, e := range entries {
		if about, err := e.Info(); err == nil && about.Mode().IsRegular() {
			files = append(files, neighbour{filepath.Join(dir, e.Name()), about})
		}
	}
	return files
}

// addMissed adds the files that stood at the path between the last generation and
// the file with this identity, which is there now.
func (s *Source) addMissed(now identity) {
	if len(s.generations) == 0 {
		return
	}
	last := s.generations[len(s.generations)-1].identity
	files := s.neighbours()
	at := slices.IndexFunc(files, func(f neighbour) bool { return identityOf(f.about) == last })
	if at < 0 {
		return
	}
	old := files[at]
	missed := slices.DeleteFunc(files, func(f neighbour) bool {
		id := identityOf(f.about)
		return id == now || s.has(id) || f.about.ModTime().Before(old.about.ModTime()) ||
			withoutDigits(f.name) != withoutDigits(old.name)
	})
	slices.SortStableFunc(missed, func(a, b neighbour) int { return a.about.ModTime().Compare(b.about.ModTime()) })
	for _, f := range missed {
		g := newGeneration(s.ctx, f.name, identityOf(f.about), s.options.Lines)
		g.from = position{identity: g.identity}
		if at := slices.IndexFunc(s.done, func(p position) bool { return p.identity == g.identity }); at >= 0 {
			g.from = s.done[at] // only what was written to it since
		}
		s.generations = append(s.generations, g)
	}
}

// openMissed opens a generation that addMissed has found, whatever its name is now.
func (s *Source) openMissed(g *generation) bool {
	name, file, err := s.openByIdentity(g.identity)
	if err == nil {
		g.file = file
		offset := int64(0)
		if same, e := g.from.isOf(g); same && e == nil {
			offset = g.from.Offset
		}
		err = g.start(offset)
	}
	if err != nil {
		s.warn("read a file that was replaced before it was seen", err)
		return false
	}
	g.name, g.quiet = name, time.Now()
	return true
}

// openTries is how often a file is looked for that is renamed at the same time.
const openTries = 3

// openByIdentity opens the file with this identity. Between the look at its name and the
// opening another file may get that name.
func (s *Source) openByIdentity(id identity) (name string, file *os.File, err error) {
	for range openTries {
		if name, err = s.find(id); err != nil {
			continue
		}
		var opened identity
		if file, opened, err = openFile(name); err != nil {
			continue
		}
		if opened == id {
			return name, file, nil
		}
		file.Close()
		err = fmt.Errorf("%q is another file by now", name)
	}
	return "", nil, err
}

// withoutDigits is what the names of files have in common that took the place of
// each other: they differ in a number or a time.
func withoutDigits(name string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return -1
		}
		return c
	}, filepath.Base(name))
}
