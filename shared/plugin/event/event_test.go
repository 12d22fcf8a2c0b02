// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/binary"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event/schema"
)

func TestAPluginEventIsReadInPlace(t *testing.T) {
	raw := Encode(24, 99, []byte("payload"))
	e := New(raw, 7, "collector")
	p, ok := e.Payload()
	assert.True(t, ok)
	assert.Equal(t, "payload", string(p))
	assert.Same(t, &raw[abi.PayloadOffset], &p[0])
	id, ok := e.PluginID()
	assert.True(t, ok)
	assert.EqualValues(t, 24, id)
	assert.EqualValues(t, 99, e.Timestamp())
	assert.EqualValues(t, uint64(abi.NoThread), e.ThreadID())
	assert.EqualValues(t, 7, e.Num())
	assert.Equal(t, TypePlugin, e.Type())
	assert.Equal(t, "collector", e.Source())
	assert.Equal(t, 2, e.NumParams())
	second, ok := e.Param(1)
	assert.True(t, ok)
	assert.Equal(t, "payload", string(second))
	assert.Equal(t, raw, e.Bytes())
}

func TestOtherEventsHaveNarrowLengths(t *testing.T) {
	raw := make([]byte, 0, 64)
	raw = append(raw, Encode(0, 1, nil)[:abi.HeaderSize]...)
	binary.NativeEndian.PutUint16(raw[abi.EventType:], 3)
	raw = binary.NativeEndian.AppendUint16(raw, 2)
	raw = binary.NativeEndian.AppendUint16(raw, 3)
	raw = append(raw, "abcde"...)
	binary.NativeEndian.PutUint32(raw[abi.EventLen:], uint32(len(raw)))
	e := New(raw, 1, "syscall")
	first, ok := e.Param(0)
	assert.True(t, ok)
	assert.Equal(t, "ab", string(first))
	second, ok := e.Param(1)
	assert.True(t, ok)
	assert.Equal(t, "cde", string(second))
	_, ok = e.Payload()
	assert.False(t, ok)
	_, ok = e.PluginID()
	assert.False(t, ok)
}

func TestLengthsThatContradictTheEventGiveNothing(t *testing.T) {
	for name, spoil := range map[string]func(raw []byte){
		"an event shorter than its header":        func(raw []byte) { binary.NativeEndian.PutUint32(raw[abi.EventLen:], 10) },
		"an event shorter than its payload":       func(raw []byte) { binary.NativeEndian.PutUint32(raw[abi.EventLen:], 40) },
		"a payload longer than its event":         func(raw []byte) { binary.NativeEndian.PutUint32(raw[30:], 1<<31) },
		"a payload of the largest length":         func(raw []byte) { binary.NativeEndian.PutUint32(raw[30:], ^uint32(0)) },
		"more parameters than the event has room": func(raw []byte) { binary.NativeEndian.PutUint32(raw[abi.EventNParams:], ^uint32(0)) },
		"an ID that is too long":                  func(raw []byte) { binary.NativeEndian.PutUint32(raw[26:], 400) },
	} {
		t.Run(name, func(t *testing.T) {
			raw := Encode(1, 1, []byte("payload"))
			spoil(raw)
			e := New(raw, 1, "s")
			_, ok := e.Payload()
			assert.False(t, ok)
			_, ok = e.Param(1)
			assert.False(t, ok)
			_, ok = e.Param(-1)
			assert.False(t, ok)
		})
	}
	for _, e := range []Event{{}, New(nil, 1, ""), New([]byte("short"), 1, "")} {
		_, ok := e.Payload()
		assert.False(t, ok)
		_, ok = e.Param(0)
		assert.False(t, ok)
		assert.Nil(t, e.Bytes())
		assert.Zero(t, e.Type())
		assert.Zero(t, e.Timestamp())
	}
}

func FuzzEventsOfAnyBytesAreReadWithinTheirLength(f *testing.F) {
	f.Add(Encode(1, 2, []byte("payload")), 1)
	f.Add(EncodeAsync(1, 2, "name", []byte("data")), 2)
	f.Add([]byte{}, 0)
	for i, raw := range sample(f) {
		f.Add(raw, i%32)
	}
	f.Fuzz(func(t *testing.T, raw []byte, i int) {
		if len(raw) >= abi.HeaderSize { // a framework's events are as long as they say
			binary.NativeEndian.PutUint32(raw[abi.EventLen:], uint32(len(raw)))
		}
		e := New(raw, 1, "")
		total := 0
		read := func(s string) { // whatever is past the end is not part of raw
			total += len(s)
			if s != "" && len(raw) > 0 {
				at := uintptr(unsafe.Pointer(unsafe.StringData(s))) - uintptr(unsafe.Pointer(&raw[0]))
				assert.LessOrEqual(t, at+uintptr(len(s)), uintptr(len(raw)))
			}
		}
		p, present := e.Param(i)
		q, isPlugin := e.Payload()
		read(view(p))
		read(view(q))
		_, name, data, isAsync := e.Async()
		read(name)
		read(view(data))
		if e.Malformed() == nil {
			assert.Equal(t, i >= 0 && i < e.NumParams(), present, "every parameter of a whole event can be read")
		}
		assert.False(t, isPlugin && isAsync)
		s, ok := e.String(i)
		read(s)
		assert.False(t, ok && len(p) == 0)
		l, _ := e.Strings(i)
		n := 0
		for s := range l.All() {
			read(s)
			n += len(s) + 1
		}
		assert.Contains(t, []int{len(p), len(p) + 1}, n, "a list's strings and their NULs are all of it")
		for k, v := range l.Pairs() {
			read(k)
			read(v)
		}
		a, _ := e.Sockaddr(i)
		read(a.Path)
		u, _ := e.Socktuple(i)
		read(u.Path)
		widths := map[schema.Kind]int{schema.KindUint8: 1, schema.KindInt16: 2, schema.KindUint32: 4, schema.KindErrno: 8}
		for k, width := range widths {
			_, ok := readAs(&e, i, k)
			assert.Equal(t, len(p) == width, ok)
		}
		if d, ok := schema.Of(e.Type()); ok {
			for k := range d.NumParams() {
				readAs(&e, k, d.Param(k).Kind)
				assert.Equal(t, k, e.ParamIndex(d.Param(k).Name))
			}
		}
	})
}

// view views b as a string.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
