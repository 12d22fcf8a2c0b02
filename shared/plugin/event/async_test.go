// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

func TestAnAsyncEventIsReadAsItWasWritten(t *testing.T) {
	for name, data := range map[string][]byte{"with data": []byte("pod\x00update"), "without data": {}} {
		t.Run(name, func(t *testing.T) {
			size, err := AsyncSize("k8s", len(data))
			require.NoError(t, err)
			raw := make([]byte, size)
			for i := range raw {
				raw[i] = 0xff // what a reused buffer may hold
			}
			PutAsync(raw, 31, 99, "k8s", data)
			assert.Equal(t, raw, EncodeAsync(31, 99, "k8s", data))

			e := New(raw, 5, "k8smeta")
			require.NoError(t, e.Malformed())
			id, n, got, ok := e.Async()
			assert.True(t, ok)
			assert.EqualValues(t, 31, id)
			assert.Equal(t, "k8s", n)
			assert.Equal(t, data, got)
			assert.Equal(t, TypeAsync, e.Type())
			assert.Equal(t, 3, e.NumParams())
			assert.EqualValues(t, 99, e.Timestamp())
			assert.EqualValues(t, uint64(abi.NoThread), e.ThreadID())
			assert.Len(t, e.Bytes(), size)
			_, ok = e.Payload()
			assert.False(t, ok)
		})
	}
}

func TestTheLayoutOfAnAsyncEventIsTheFrameworks(t *testing.T) {
	raw := EncodeAsync(0x01020304, 1, "ab", []byte("xyz"))
	o := binary.NativeEndian
	require.Len(t, raw, 48)
	assert.EqualValues(t, 48, o.Uint32(raw[16:]))
	assert.EqualValues(t, 402, o.Uint16(raw[20:]))
	assert.EqualValues(t, 3, o.Uint32(raw[22:]))
	assert.EqualValues(t, 4, o.Uint32(raw[26:]))
	assert.EqualValues(t, 3, o.Uint32(raw[30:]))
	assert.EqualValues(t, 3, o.Uint32(raw[34:]))
	assert.EqualValues(t, 0x01020304, o.Uint32(raw[38:]))
	assert.Equal(t, "ab\x00xyz", string(raw[42:]))
}

func TestAsyncEventsThatNoFrameworkTakesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		event string
		data  int
		want  string
	}{
		"no name":                  {"", 1, `encode async event "": its name must not be empty or have a NUL character`},
		"a name that would be cut": {"k8s\x00x", 1, `encode async event "k8s\x00x": its name must not be empty or have a NUL character`},
		"more than a file holds":   {"k8s", math.MaxInt32, `encode async event "k8s": 2147483647 bytes of data; an event has less than 2 GiB`},
		"more than 32 bits count":  {"k8s", math.MaxInt, `encode async event "k8s": 9223372036854775807 bytes of data; an event has less than 2 GiB`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := AsyncSize(c.event, c.data)
			assert.EqualError(t, err, c.want)
		})
	}
}

func TestHostileAsyncEventsGiveNothing(t *testing.T) {
	o := binary.NativeEndian
	for name, spoil := range map[string]func(raw []byte){
		"another type":              func(raw []byte) { o.PutUint16(raw[abi.EventType:], 322) },
		"two parameters":            func(raw []byte) { o.PutUint32(raw[abi.EventNParams:], 2) },
		"four parameters":           func(raw []byte) { o.PutUint32(raw[abi.EventNParams:], 4) },
		"an ID of another width":    func(raw []byte) { o.PutUint32(raw[26:], 3) },
		"a name longer than it all": func(raw []byte) { o.PutUint32(raw[30:], math.MaxUint32) },
		"data longer than it all":   func(raw []byte) { o.PutUint32(raw[34:], 1<<31) },
		"an event cut in its data":  func(raw []byte) { o.PutUint32(raw[abi.EventLen:], 47) },
	} {
		t.Run(name, func(t *testing.T) {
			raw := EncodeAsync(1, 1, "ab", []byte("xyz"))
			spoil(raw)
			e := New(raw, 1, "s")
			id, n, data, ok := e.Async()
			assert.False(t, ok)
			assert.Zero(t, id)
			assert.Empty(t, n)
			assert.Nil(t, data)
		})
	}
	raw := EncodeAsync(1, 1, "ab", []byte("xyz"))
	raw[44] = 'c' // the name's NUL
	e := New(raw, 1, "s")
	_, n, data, ok := e.Async()
	assert.True(t, ok)
	assert.Equal(t, "abc", n, "a name without an end ends with its parameter")
	assert.Equal(t, "xyz", string(data))
	_, _, _, ok = new(Event).Async()
	assert.False(t, ok)
}
