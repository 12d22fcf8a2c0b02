// SPDX-License-Identifier: Apache-2.0

// Package scap reads and writes capture files as the framework keeps them, as
// far as tests need it: the events in them, in their order.
package scap

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Blocks that hold an event. Behind a block's type and length stand two bytes of
// the CPU's number, four of flags in some, and the event.
var eventAt = map[uint32]int{0x216: 10, 0x221: 10, 0x217: 14, 0x222: 14}

// largeEvent is the block of an event whose lengths are 32 bits wide.
const largeEvent = 0x221

// File is a capture file in memory.
type File struct {
	path   string
	blocks [][]byte
}

// Read reads a capture file, gzipped or not.
func Read(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	from := bufio.NewReader(f)
	var in io.Reader = from
	if magic, _ := from.Peek(2); bytes.Equal(magic, []byte{0x1F, 0x8B}) {
		if in, err = gzip.NewReader(from); err != nil {
			return nil, fmt.Errorf("reading %s: %w", path, err)
		}
	}
	raw, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	file := &File{path: path}
	for at := 0; at < len(raw); {
		block := raw[at:]
		if len(block) < 12 {
			return nil, fmt.Errorf("reading %s: %d bytes behind the last block", path, len(block))
		}
		n := int(binary.LittleEndian.Uint32(block[4:]))
		if n < 12 || n > len(block) {
			return nil, fmt.Errorf("reading %s: a block of %d bytes where %d are left", path, n, len(block))
		}
		file.blocks = append(file.blocks, block[:n:n])
		at += n
	}
	return file, nil
}

// Events are the file's events, those that tell its first state among them. They
// are the file's own memory.
func (f *File) Events() ([][]byte, error) {
	var events [][]byte
	for _, block := range f.blocks {
		start, ok := eventAt[binary.LittleEndian.Uint32(block)]
		if !ok {
			continue
		}
		if len(block) < start+4 {
			return nil, fmt.Errorf("reading %s: a block of %d bytes with an event", f.path, len(block))
		}
		event := block[start : len(block)-4]
		if len(event) < abi.HeaderSize {
			return nil, fmt.Errorf("reading %s: an event of %d bytes", f.path, len(event))
		}
		size := int(binary.LittleEndian.Uint32(event[abi.EventLen:]))
		if size < abi.HeaderSize || size > len(event) {
			return nil, fmt.Errorf("reading %s: an event of %d bytes in %d", f.path, size, len(event))
		}
		events = append(events, event[:size])
	}
	return events, nil
}

// Scatter puts events with wide lengths, such as asynchronous ones, evenly among
// the others, in their order.
func (f *File) Scatter(events [][]byte) {
	var out [][]byte
	total, passed, put := 0, 0, 0
	for _, block := range f.blocks {
		if _, ok := eventAt[binary.LittleEndian.Uint32(block)]; ok {
			total++
		}
	}
	for _, block := range f.blocks {
		out = append(out, block)
		if _, ok := eventAt[binary.LittleEndian.Uint32(block)]; !ok {
			continue
		}
		for passed++; put*total < passed*len(events); put++ {
			out = append(out, eventBlock(events[put]))
		}
	}
	f.blocks = out
}

// Async encodes an asynchronous event of the system calls' source. ts is in
// nanoseconds since the epoch.
func Async(ts uint64, name string, data []byte) []byte {
	params := [][]byte{make([]byte, 4), append([]byte(name), 0), data} // the first is the plugin ID, 0
	size := abi.HeaderSize
	for _, p := range params {
		size += 4 + len(p)
	}
	e := binary.LittleEndian.AppendUint64(nil, ts)
	e = binary.LittleEndian.AppendUint64(e, abi.NoThread)
	e = binary.LittleEndian.AppendUint32(e, uint32(size))
	e = binary.LittleEndian.AppendUint16(e, abi.TypeAsyncEvent)
	e = binary.LittleEndian.AppendUint32(e, uint32(len(params)))
	for _, p := range params {
		e = binary.LittleEndian.AppendUint32(e, uint32(len(p)))
	}
	return append(e, slices.Concat(params...)...)
}

// eventBlock is the block of an event with wide lengths, on the first CPU.
func eventBlock(event []byte) []byte {
	size := (12 + 2 + len(event) + 3) &^ 3
	block := binary.LittleEndian.AppendUint32(nil, largeEvent)
	block = binary.LittleEndian.AppendUint32(block, uint32(size))
	block = append(block, 0, 0)
	block = append(block, event...)
	block = append(block, make([]byte, size-4-len(block))...)
	return binary.LittleEndian.AppendUint32(block, uint32(size))
}

// Write writes the file, not compressed.
func (f *File) Write(path string) error {
	return os.WriteFile(path, slices.Concat(f.blocks...), 0o644)
}
