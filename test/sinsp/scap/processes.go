// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Process is a thread that was there when the file was opened.
type Process struct {
	TID, PID, PTID int64
	Comm           string
	Cgroups        [][2]string // subsystem and path
}

// processList is the block of the threads, in the version of the format in which
// each entry begins with its length.
const processList = 0x215

// Processes reads the file's threads.
func (f *File) Processes() ([]Process, error) {
	var all []Process
	for _, block := range f.blocks {
		if binary.LittleEndian.Uint32(block) != processList {
			continue
		}
		for left := block[8 : len(block)-4]; len(left) > 4; {
			size := int(binary.LittleEndian.Uint32(left))
			if size == 0 { // the block's padding
				break
			}
			if size < 4 || size > len(left) {
				return nil, fmt.Errorf("reading %s: a thread of %d bytes where %d are left", f.path, size, len(left))
			}
			r := reader{left: left[4:size]}
			p := r.process()
			if r.short {
				return nil, fmt.Errorf("reading %s: thread %d is cut", f.path, p.TID)
			}
			all, left = append(all, p), left[size:]
		}
	}
	return all, nil
}

// reader takes values off the front of an entry.
type reader struct {
	left  []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.left) {
		r.short, r.left = true, nil
		return make([]byte, n)
	}
	b := r.left[:n]
	r.left = r.left[n:]
	return b
}

func (r *reader) number() int64 { return int64(binary.LittleEndian.Uint64(r.take(8))) }

func (r *reader) text() []byte { return r.take(int(binary.LittleEndian.Uint16(r.take(2)))) }

func (r *reader) process() Process {
	p := Process{TID: r.number(), PID: r.number(), PTID: r.number()}
	r.take(8 + 8) // session, process group
	p.Comm = string(r.text())
	for range 4 { // exe, path, arguments, working folder
		r.text()
	}
	r.take(8 + 3*4 + 3*4 + 2*8) // file limit; flags, user, group; sizes; faults
	r.text()                    // environment
	r.take(8 + 8)               // thread and process in the innermost namespace
	for text := range bytes.SplitSeq(r.text(), []byte{0}) {
		if subsystem, path, found := bytes.Cut(text, []byte("=")); found {
			p.Cgroups = append(p.Cgroups, [2]string{string(subsystem), string(path)})
		}
	}
	return p
}
