// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/binary"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// PutPluginHeader writes what stands before the payload of a plugin event to
// dst, abi.PayloadOffset bytes: no thread, and the given plugin ID (0: the
// framework fills it in) and time in nanoseconds (abi.NoTimestamp: the
// framework stamps it).
func PutPluginHeader(dst []byte, pluginID uint32, ts uint64, payload int) {
	_ = dst[abi.PayloadOffset-1]
	o := binary.NativeEndian
	o.PutUint64(dst[abi.EventTS:], ts)
	o.PutUint64(dst[abi.EventTID:], abi.NoThread)
	o.PutUint32(dst[abi.EventLen:], uint32(abi.PayloadOffset+payload))
	o.PutUint16(dst[abi.EventType:], TypePlugin)
	o.PutUint32(dst[abi.EventNParams:], 2)
	o.PutUint32(dst[26:], 4)
	o.PutUint32(dst[30:], uint32(payload))
	o.PutUint32(dst[34:], pluginID)
}

// Encode builds a plugin event in Go memory, for tests.
func Encode(pluginID uint32, ts uint64, payload []byte) []byte {
	raw := make([]byte, abi.PayloadOffset+len(payload))
	PutPluginHeader(raw, pluginID, ts, len(payload))
	copy(raw[abi.PayloadOffset:], payload)
	return raw
}
