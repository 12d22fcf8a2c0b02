// SPDX-License-Identifier: Apache-2.0

package host

import (
	"encoding/binary"
	"fmt"
	"time"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Next is the next event of an open source, by libscap's rules:
//
//   - Events of a batch come before its result code, whatever that is.
//   - A result code other than success with no event is returned twice, the
//     second time without a call.
//   - The batch's count is not cleared between calls: a plugin that does not
//     write it gets its last events delivered again.
//   - Success without an event is a failure.
//   - A malformed event is a failure, and stays next in line.
//
// The event is the plugin's memory, valid until the next call. It is written
// to: timestamp and plugin ID where they are missing, and the thread ID. err is
// the failure's text, at most 255 bytes where it is the plugin's; it is nil
// with success, timeout and EOF.
func (i *Instance) Next() (*Event, abi.RC, error) {
	if i.pos >= uint32(i.batch.n) {
		if i.last != abi.Success {
			rc := i.last
			i.last = abi.Success
			return nil, rc, i.endText(rc)
		}
		if _, err := i.NextBatch(uint32(i.batch.n)); err != nil {
			return nil, abi.Failure, err
		}
		i.last = knownRC(i.last)
		if i.batch.n == 0 {
			if i.last == abi.Success {
				return nil, abi.Failure, fmt.Errorf("unexpected 0 size event returned by plugin: %s", i.plugin.Name)
			}
			return nil, i.last, i.endText(i.last)
		}
	}
	e, err := i.check(i.pos)
	if err != nil {
		return nil, abi.Failure, err
	}
	i.pos++
	return e, abi.Success, nil
}

// knownRC is a result code of the API; others count as failure.
func knownRC(rc abi.RC) abi.RC {
	switch rc {
	case abi.Success, abi.Timeout, abi.EOF, abi.NotSupported:
		return rc
	}
	return abi.Failure
}

// endText is the error of a result code that ends a capture by failure.
func (i *Instance) endText(rc abi.RC) error {
	if rc == abi.Timeout || rc == abi.EOF {
		return nil
	}
	return fmt.Errorf("%s", cutError(i.plugin.LastError()))
}

// check looks at event k of the batch and completes its header.
func (i *Instance) check(k uint32) (*Event, error) {
	if i.batch.evts == nil {
		return nil, violate(SymNextBatch, "a count of %d with no events; write both, or a count of 0", i.batch.n)
	}
	ptr := *(*unsafe.Pointer)(unsafe.Add(unsafe.Pointer(i.batch.evts), uintptr(k)*unsafe.Sizeof(uintptr(0))))
	if ptr == nil {
		return nil, violate(SymNextBatch, "event %d of the batch's %d is NULL", k, i.batch.n)
	}
	header := unsafe.Slice((*byte)(ptr), abi.HeaderSize)
	eventType := binary.NativeEndian.Uint16(header[abi.EventType:])
	nparams := binary.NativeEndian.Uint32(header[abi.EventNParams:])
	own := i.plugin.ID
	if own != 0 && (eventType != abi.TypePluginEvent || nparams != 2) {
		return nil, fmt.Errorf("malformed plugin event produced by plugin: '%s': type %d with %d parameters; use type %d with 2",
			i.plugin.Name, eventType, nparams, abi.TypePluginEvent)
	}
	size, err := eventSize(ptr, eventType, nparams)
	if err != nil {
		return nil, err
	}
	i.event = Event{ptr: ptr, size: size}
	if eventType == abi.TypePluginEvent {
		if err := i.claim(i.event.view()); err != nil {
			return nil, err
		}
	}
	if binary.NativeEndian.Uint64(header[abi.EventTS:]) == abi.NoTimestamp {
		now := time.Now().Truncate(time.Microsecond) // the resolution of libscap's clock
		binary.NativeEndian.PutUint64(header[abi.EventTS:], uint64(now.UnixNano()))
	}
	return &i.event, nil
}

// claim checks the plugin ID in a plugin event, writes it where it is missing,
// and takes the thread out.
func (i *Instance) claim(event []byte) error {
	at := event[abi.PayloadOffset-4:]
	own, id := i.plugin.ID, binary.NativeEndian.Uint32(at)
	switch {
	case own == 0 && id == 0:
		return fmt.Errorf("plugin event without plugin ID produced by plugin: '%s', which has none to fill in", i.plugin.Name)
	case own != 0 && id == 0:
		binary.NativeEndian.PutUint32(at, own)
	case own != 0 && id != own:
		return fmt.Errorf("unexpected plugin ID in plugin event: plugin='%s', expected_id=%d, actual_id=%d", i.plugin.Name, own, id)
	}
	binary.NativeEndian.PutUint64(event[abi.EventTID:], abi.NoThread)
	return nil
}

// eventSize is the event's length, if it agrees with its parameters' lengths.
// libscap trusts both live; libsinsp throws over a plugin ID that is not four
// bytes, and a capture file with such an event cannot be read again.
func eventSize(ptr unsafe.Pointer, eventType uint16, nparams uint32) (uint32, error) {
	const mostParams = 64 // libsinsp's event table has none with more
	header := unsafe.Slice((*byte)(ptr), abi.HeaderSize)
	size := binary.NativeEndian.Uint32(header[abi.EventLen:])
	if nparams > mostParams {
		return 0, violate(SymNextBatch, "an event of type %d with %d parameters", eventType, nparams)
	}
	width := lengthSize(eventType)
	total := uint64(abi.HeaderSize) + uint64(nparams)*uint64(width)
	if uint64(size) < total {
		return 0, violate(SymNextBatch, "an event of length %d, which is too short for the lengths of %d parameters", size, nparams)
	}
	b := unsafe.Slice((*byte)(ptr), size)
	if eventType == abi.TypePluginEvent {
		if nparams != 2 {
			return 0, violate(SymNextBatch, "a plugin event with %d parameters; use 2", nparams)
		}
		if n := paramLength(b, width, 0); n != 4 {
			return 0, violate(SymNextBatch, "a plugin event with a plugin ID of %d bytes; use 4", n)
		}
	}
	for k := range int(nparams) {
		total += paramLength(b, width, k)
	}
	if uint64(size) != total {
		return 0, violate(SymNextBatch, "an event of length %d, whose header and parameters take %d", size, total)
	}
	return size, nil
}
