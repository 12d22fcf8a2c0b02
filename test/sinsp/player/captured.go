// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Blocks of a capture file that hold an event. Behind a block's type and length
// stand two bytes of the CPU's number, four of flags in some, and the event.
var eventAt = map[uint32]int{0x216: 10, 0x221: 10, 0x217: 14, 0x222: 14}

// captured reads the events of a capture file, gzipped or not.
func captured(path string) ([][]byte, error) {
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
	var events [][]byte
	for at := 0; at < len(raw); {
		block := raw[at:]
		if len(block) < 12 {
			return nil, fmt.Errorf("reading %s: %d bytes behind the last block", path, len(block))
		}
		n := int(binary.LittleEndian.Uint32(block[4:]))
		if n < 12 || n > len(block) {
			return nil, fmt.Errorf("reading %s: a block of %d bytes where %d are left", path, n, len(block))
		}
		if start, ok := eventAt[binary.LittleEndian.Uint32(block)]; ok {
			event := block[start : n-4]
			if len(event) < abi.HeaderSize {
				return nil, fmt.Errorf("reading %s: an event of %d bytes", path, len(event))
			}
			size := int(binary.LittleEndian.Uint32(event[abi.EventLen:]))
			if size < abi.HeaderSize || size > len(event) {
				return nil, fmt.Errorf("reading %s: an event of %d bytes in %d", path, size, len(event))
			}
			events = append(events, event[:size])
		}
		at += n
	}
	return events, nil
}
