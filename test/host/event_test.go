// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
)

func TestPluginEventsAreEncodedWithTheirPayloadAt38(t *testing.T) {
	e := host.NewPluginEvent(9, 77, []byte("payload"))
	defer e.Free()
	raw := e.Bytes()
	require.Len(t, raw, 45)
	assert.Equal(t, "payload", string(raw[38:]))
	assert.EqualValues(t, 45, binary.NativeEndian.Uint32(raw[16:]))
	assert.EqualValues(t, 322, binary.NativeEndian.Uint16(raw[20:]))
	assert.EqualValues(t, 2, binary.NativeEndian.Uint32(raw[22:]))
	assert.EqualValues(t, 4, binary.NativeEndian.Uint32(raw[26:]))
	assert.EqualValues(t, 7, binary.NativeEndian.Uint32(raw[30:]))
	assert.EqualValues(t, 9, binary.NativeEndian.Uint32(raw[34:]))

	assert.EqualValues(t, 77, e.Timestamp())
	assert.Equal(t, abi.NoThread, e.ThreadID())
	id, ok := e.PluginID()
	assert.True(t, ok)
	assert.EqualValues(t, 9, id)
	payload, ok := e.Payload()
	assert.True(t, ok)
	assert.Equal(t, "payload", string(payload))
}

func TestOtherEventsHaveShortLengths(t *testing.T) {
	e := host.NewEvent(293, 1, 42, []byte("ab"), nil, []byte("c"))
	defer e.Free()
	assert.Len(t, e.Bytes(), 26+3*2+3)
	assert.EqualValues(t, 293, e.Type())
	assert.EqualValues(t, 42, e.ThreadID())
	for k, want := range []string{"ab", "", "c"} {
		p, ok := e.Param(k)
		assert.True(t, ok)
		assert.Equal(t, want, string(p))
	}
	_, ok := e.Param(3)
	assert.False(t, ok)
	_, ok = e.Param(-1)
	assert.False(t, ok)
	_, ok = e.PluginID()
	assert.False(t, ok)
	_, ok = e.Payload()
	assert.False(t, ok)

	async := host.NewEvent(abi.TypeAsyncEvent, 1, 1, []byte{5, 0, 0, 0}, []byte("name\x00"), []byte("data"))
	defer async.Free()
	id, ok := async.PluginID()
	assert.True(t, ok)
	assert.EqualValues(t, 5, id)
	assert.Equal(t, "name\x00data", string(async.Bytes()[42:]))
}

func TestBrokenEventsCanBeMadeAndLookedAt(t *testing.T) {
	whole := host.EncodeEvent(abi.TypePluginEvent, 1, 1, []byte{1, 0, 0, 0}, []byte("payload"))
	for n := range len(whole) {
		e := host.NewRawEvent(whole[:n])
		_, ok := e.Payload()
		assert.False(t, ok, "cut to %d bytes", n)
		e.Num()
		e.Timestamp()
		e.ThreadID()
		e.Free()
	}
	many := host.EncodeEvent(293, 1, 1)
	binary.NativeEndian.PutUint32(many[22:], 1<<31)
	e := host.NewRawEvent(many)
	defer e.Free()
	_, ok := e.Param(1 << 30)
	assert.False(t, ok)
}

func TestACopyIsIndependent(t *testing.T) {
	e := host.NewPluginEvent(9, 77, []byte("payload"))
	e.SetNum(3)
	e.SetSource("s")
	c := e.Copy()
	defer c.Free()
	want := e.Bytes()
	e.Free()
	e.Free()
	assert.Equal(t, want, c.Bytes())
	assert.EqualValues(t, 3, c.Num())
	assert.Equal(t, "s", c.Source())
}
