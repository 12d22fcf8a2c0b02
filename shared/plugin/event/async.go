// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Where the parts of an async event are.
const (
	asyncNameLen = 30
	asyncDataLen = 34
	asyncID      = 38
	asyncName    = 42
)

// maxAsyncSize keeps an event writable: capture files take none of 2 GiB.
const maxAsyncSize = math.MaxInt32 - 4096

// Async is what an async event says: the ID of the source whose stream it has
// joined (0: system calls), its name, and its data; false for events of other
// types and for malformed ones. Name and data are views.
func (e *Event) Async() (pluginID uint32, name string, data []byte, ok bool) {
	if e.Type() != TypeAsync || e.NumParams() != 3 {
		return 0, "", nil, false
	}
	id, ok := e.Uint32(0)
	if !ok {
		return 0, "", nil, false
	}
	b, ok := e.Param(1)
	if !ok {
		return 0, "", nil, false
	}
	if data, ok = e.Param(2); !ok {
		return 0, "", nil, false
	}
	return id, text(b), data, true
}

// AsyncSize is how many bytes PutAsync writes. It refuses what no framework
// takes: a name that is empty or has a NUL, and more data than capture files
// hold.
func AsyncSize(name string, data int) (int, error) {
	if name == "" || strings.IndexByte(name, 0) >= 0 {
		return 0, fmt.Errorf("encode async event %q: its name must not be empty or have a NUL character", name)
	}
	if data < 0 || data > maxAsyncSize-asyncName-1-len(name) {
		return 0, fmt.Errorf("encode async event %q: %d bytes of data; an event has less than 2 GiB", name, data)
	}
	return asyncSize(name, data), nil
}

func asyncSize(name string, data int) int { return asyncName + len(name) + 1 + data }

// PutAsync writes an async event to dst, which has the length that AsyncSize
// gives, and no byte of it stays what it was. The framework replaces the plugin
// ID and a time of abi.NoTimestamp when it hands the event out, but writes both
// as they are to a capture file that is given a plugin's state.
func PutAsync(dst []byte, pluginID uint32, ts uint64, name string, data []byte) {
	n := asyncSize(name, len(data))
	_ = dst[n-1]
	o := binary.NativeEndian
	o.PutUint64(dst[abi.EventTS:], ts)
	o.PutUint64(dst[abi.EventTID:], abi.NoThread)
	o.PutUint32(dst[abi.EventLen:], uint32(n))
	o.PutUint16(dst[abi.EventType:], TypeAsync)
	o.PutUint32(dst[abi.EventNParams:], 3)
	o.PutUint32(dst[abi.HeaderSize:], 4)
	o.PutUint32(dst[asyncNameLen:], uint32(len(name)+1))
	o.PutUint32(dst[asyncDataLen:], uint32(len(data)))
	o.PutUint32(dst[asyncID:], pluginID)
	end := asyncName + copy(dst[asyncName:], name)
	dst[end] = 0
	copy(dst[end+1:], data)
}

// EncodeAsync builds an async event in Go memory, for tests.
func EncodeAsync(pluginID uint32, ts uint64, name string, data []byte) []byte {
	raw := make([]byte, asyncSize(name, len(data)))
	PutAsync(raw, pluginID, ts, name, data)
	return raw
}
