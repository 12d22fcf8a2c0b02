// SPDX-License-Identifier: Apache-2.0

package file

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// list notes the files of a directory, the one that was changed first in front.
func (s *Source) list(dir string) error {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return err
	}
	type found struct {
		name    string
		changed time.Time
	}
	var files []found
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		about, err := os.Stat(name)
		switch {
		case err != nil:
			s.skip(name, err)
		case about.IsDir():
		case !about.Mode().IsRegular():
			s.skip(name, notRegular(about))
		default:
			files = append(files, found{name, about.ModTime()})
			s.total += about.Size()
		}
	}
	// What was changed at the same time stays in the order of names.
	slices.SortStableFunc(files, func(a, b found) int { return cmp.Compare(a.changed.UnixNano(), b.changed.UnixNano()) })
	for _, f := range files {
		s.names = append(s.names, f.name)
	}
	return nil
}

func notRegular(about os.FileInfo) error {
	return fmt.Errorf("it is of type %v; want a file", about.Mode().Type())
}

// openRegular opens a file. It does not wait, whatever has come into its place
// since it was listed: opening a named pipe would.
func openRegular(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	about, err := f.Stat()
	if err == nil && !about.Mode().IsRegular() {
		err = notRegular(about)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
