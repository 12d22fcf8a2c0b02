// SPDX-License-Identifier: Apache-2.0

// Package archive writes and reads tar.gz files. The same files give the same
// bytes, whoever writes them, where and when.
package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"
)

// File is one regular file.
type File struct {
	Name    string // slash-separated, relative
	Content []byte
}

// TarGz packs files in the order of their names: USTAR, mode 0644, owner and
// group 0, each of the given time in whole seconds. What falcoctl would refuse or
// skip when it unpacks (a name with ".." in it, a path from the root, two files
// of one name) is an error.
func TarGz(files []File, when time.Time) ([]byte, error) {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	var out bytes.Buffer
	zip, err := gzip.NewWriterLevel(&out, gzip.BestCompression) // its header has neither name nor time unless told
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(zip)
	for i, f := range files {
		if err := checkName(f.Name); err != nil {
			return nil, fmt.Errorf("packing %q: %w", f.Name, err)
		}
		if i > 0 && files[i-1].Name == f.Name {
			return nil, fmt.Errorf("packing %q: two files have this name", f.Name)
		}
		h := &tar.Header{Typeflag: tar.TypeReg, Format: tar.FormatUSTAR, Name: f.Name, Size: int64(len(f.Content)), Mode: 0o644, ModTime: when.UTC().Truncate(time.Second)}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("packing %q: %w", f.Name, err)
		}
		if _, err := w.Write(f.Content); err != nil {
			return nil, fmt.Errorf("packing %q: %w", f.Name, err)
		}
	}
	if err := errors.Join(w.Close(), zip.Close()); err != nil {
		return nil, fmt.Errorf("packing: %w", err)
	}
	return out.Bytes(), nil
}

func checkName(name string) error {
	switch {
	case name == "" || path.IsAbs(name) || path.Clean(name) != name:
		return errors.New("not a plain relative path")
	case strings.Contains(name, ".."):
		return errors.New(`the name contains "..", with which falcoctl refuses to install it`)
	}
	return nil
}

// Untar unpacks what TarGz packed, into memory; limit is how many bytes the files
// may have together. Anything but regular files is an error.
func Untar(packed io.Reader, limit int64) ([]File, error) {
	zip, err := gzip.NewReader(packed)
	if err != nil {
		return nil, fmt.Errorf("unpacking: %w", err)
	}
	var files []File
	for r := tar.NewReader(zip); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("unpacking: %w", err)
		}
		if h.Typeflag != tar.TypeReg {
			return nil, fmt.Errorf("unpacking %q: not a regular file", h.Name)
		}
		if limit -= h.Size; limit < 0 {
			return nil, fmt.Errorf("unpacking %q: the files are larger than allowed", h.Name)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, fmt.Errorf("unpacking %q: %w", h.Name, err)
		}
		files = append(files, File{Name: h.Name, Content: content})
	}
}
