// SPDX-License-Identifier: Apache-2.0

package event

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Blocks of a capture file: a type, the block's length, a body, and the length
// again, in steps of four bytes. Those of events hold the CPU's number in two
// bytes and then the event as it was.
const (
	blockEvent      = 0x216
	blockEventLarge = 0x221
)

// recorded is the events of a gzipped capture file.
func recorded(tb testing.TB, file string) [][]byte {
	tb.Helper()
	f, err := os.Open(file)
	require.NoError(tb, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(tb, err)
	raw, err := io.ReadAll(z)
	require.NoError(tb, err)
	var events [][]byte
	for len(raw) > 0 {
		require.GreaterOrEqual(tb, len(raw), 12)
		n := binary.LittleEndian.Uint32(raw[4:])
		require.LessOrEqual(tb, int(n), len(raw))
		switch binary.LittleEndian.Uint32(raw) {
		case blockEvent, blockEventLarge:
			body := raw[10 : n-4]
			events = append(events, bytes.Clone(body[:binary.LittleEndian.Uint32(body[abi.EventLen:])]))
		}
		raw = raw[n:]
	}
	return events
}

// sample is some events of every type from a capture of Kubernetes-like pods: the
// modern eBPF driver's, of event schema 4.5.1 and brought to that of libs 0.23.2,
// with the async events of a plugin. The last four are as the driver made them,
// with a parameter more than the table knows.
func sample(tb testing.TB) [][]byte {
	return recorded(tb, filepath.Join("testdata", "events.scap.gz"))
}
