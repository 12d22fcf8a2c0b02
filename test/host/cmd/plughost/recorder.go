// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/aerie-falco/aerie/test/host"
)

// recorder is memory shared by parent and child, where the child notes each
// call into a plugin before it is made: what it did last can be read when it
// is dead. Writing to it costs two stores.
type recorder struct {
	memory []byte
	place  *atomic.Uint64 // library+1 in the upper half, call in the lower
	evtnum *atomic.Uint64
}

const recorderSize = 4096

// callLoad stands for loading a library, which runs its constructors.
const callLoad = host.Symbol(1 << 16)

// newRecorder makes the memory and the file to pass it to the child in.
func newRecorder() (*recorder, *os.File, error) {
	fd, err := unix.MemfdCreate("plughost-recorder", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, nil, fmt.Errorf("make flight recorder: %w", err)
	}
	f := os.NewFile(uintptr(fd), "recorder")
	if err := f.Truncate(recorderSize); err != nil {
		return nil, nil, fmt.Errorf("make flight recorder: %w", err)
	}
	r, err := openRecorder(fd)
	return r, f, err
}

func openRecorder(fd int) (*recorder, error) {
	m, err := unix.Mmap(fd, 0, recorderSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map flight recorder: %w", err)
	}
	words := unsafe.Pointer(unsafe.SliceData(m)) // page-aligned
	return &recorder{memory: m, place: (*atomic.Uint64)(words), evtnum: (*atomic.Uint64)(unsafe.Add(words, 8))}, nil
}

// note records a call into library number lib. Events are noted by the calls
// that take one.
func (r *recorder) note(lib int, call host.Symbol, evtnum uint64) {
	r.place.Store(uint64(lib+1)<<32 | uint64(call))
	if evtnum != 0 {
		r.evtnum.Store(evtnum)
	}
}

// last describes the last call noted, "" if there was none.
func (r *recorder) last(libs []string) string {
	place := r.place.Load()
	lib, call := int(place>>32)-1, host.Symbol(uint32(place))
	if lib < 0 || lib >= len(libs) {
		return ""
	}
	name := filepath.Base(libs[lib])
	if call == callLoad {
		return fmt.Sprintf("while loading %s", name)
	}
	text := fmt.Sprintf("last call: %s of %s", call, name)
	if n := r.evtnum.Load(); n != 0 {
		text += fmt.Sprintf(", last event: %d", n)
	}
	return text
}

func (r *recorder) close() { _ = unix.Munmap(r.memory) }
