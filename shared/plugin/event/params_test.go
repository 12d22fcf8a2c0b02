// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event/schema"
)

// made is an event of a type with short parameter lengths.
func made(typ uint16, params ...string) []byte {
	raw := make([]byte, abi.HeaderSize)
	o := binary.NativeEndian
	for _, p := range params {
		raw = o.AppendUint16(raw, uint16(len(p)))
	}
	for _, p := range params {
		raw = append(raw, p...)
	}
	o.PutUint16(raw[abi.EventType:], typ)
	o.PutUint32(raw[abi.EventNParams:], uint32(len(params)))
	o.PutUint32(raw[abi.EventLen:], uint32(len(raw)))
	return raw
}

func TestNumbersAreReadInTheirWidthOnly(t *testing.T) {
	e := New(made(TypeReadX, "\xfe", "\xfe\xff", "\xfe\xff\xff\xff", "\xfe\xff\xff\xff\xff\xff\xff\xff", ""), 1, "syscall")
	type read struct {
		v  any
		ok bool
	}
	all := func(i int) []read {
		i8, ok1 := e.Int8(i)
		u8, ok2 := e.Uint8(i)
		i16, ok3 := e.Int16(i)
		u16, ok4 := e.Uint16(i)
		i32, ok5 := e.Int32(i)
		u32, ok6 := e.Uint32(i)
		i64, ok7 := e.Int64(i)
		u64, ok8 := e.Uint64(i)
		fd, ok9 := e.FD(i)
		pid, ok10 := e.PID(i)
		res, ok11 := e.Errno(i)
		at, ok12 := e.AbsTime(i)
		return []read{{i8, ok1}, {u8, ok2}, {i16, ok3}, {u16, ok4}, {i32, ok5}, {u32, ok6}, {i64, ok7}, {u64, ok8}, {fd, ok9}, {pid, ok10}, {res, ok11}, {at, ok12}}
	}
	none := []read{
		{int8(0), false}, {uint8(0), false}, {int16(0), false}, {uint16(0), false}, {int32(0), false}, {uint32(0), false}, {int64(0), false}, {uint64(0), false},
		{int64(0), false}, {int64(0), false}, {int64(0), false}, {uint64(0), false},
	}
	with := func(at int, values ...any) []read {
		want := append([]read{}, none...)
		for k, v := range values {
			want[at+k] = read{v, true}
		}
		return want
	}
	assert.Equal(t, with(0, int8(-2), uint8(0xfe)), all(0))
	assert.Equal(t, with(2, int16(-2), uint16(0xfffe)), all(1))
	assert.Equal(t, with(4, int32(-2), uint32(math.MaxUint32-1)), all(2))
	u := uint64(math.MaxUint64 - 1)
	assert.Equal(t, with(6, int64(-2), u, int64(-2), int64(-2), int64(-2), u), all(3))
	for name, i := range map[string]int{"empty": 4, "past the last": 5, "negative": -1, "far away": math.MaxInt} {
		assert.Equal(t, none, all(i), name)
	}
}

func TestStringsEndAtTheirNUL(t *testing.T) {
	e := New(made(TypeOpenX, "/etc/passwd\x00", "no end", "\x00", "", "a\x00b\x00"), 1, "syscall")
	for i, want := range []string{"/etc/passwd", "no end", "", "", "a"} {
		got, ok := e.String(i)
		assert.Equal(t, want, got)
		assert.Equal(t, i != 3, ok, "only a parameter without a byte is absent")
	}
	_, ok := e.String(5)
	assert.False(t, ok)
}

func TestParametersAreFoundByTheNamesOfTheTable(t *testing.T) {
	e := New(made(TypeOpenatX, "\x03\x00\x00\x00\x00\x00\x00\x00", "\x9c\xff\xff\xff\xff\xff\xff\xff", "/etc/passwd\x00"), 1, "syscall")
	fd, ok := e.FD(e.ParamIndex("dirfd"))
	assert.True(t, ok)
	assert.EqualValues(t, -100, fd)
	b, ok := e.ParamByName("name")
	assert.True(t, ok)
	assert.Equal(t, "/etc/passwd\x00", string(b))

	assert.Equal(t, 6, e.ParamIndex("ino"), "the table has it")
	_, ok = e.ParamByName("ino")
	assert.False(t, ok, "but this older event has not")
	assert.NoError(t, e.Malformed())

	_, ok = e.ParamByName("cgroups")
	assert.False(t, ok)
	unknown := New(made(uint16(schema.Types()), "x"), 1, "syscall")
	assert.Equal(t, -1, unknown.ParamIndex("fd"))
	b, ok = unknown.Param(0)
	assert.True(t, ok, "types newer than the table are read by number")
	assert.Equal(t, "x", string(b))
}

func TestBrokenEventsSayWhatIsWrong(t *testing.T) {
	spoil := func(put func(raw []byte)) []byte {
		raw := made(TypeOpenX, "abc", "defg")
		put(raw)
		return raw
	}
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"no event":                  {nil, "read event 7: there is none"},
		"a length below the header": {spoil(func(r []byte) { binary.NativeEndian.PutUint32(r[abi.EventLen:], 25) }), "read event 7 of type 3: its length of 25 bytes is less than the header's 26"},
		"lengths past the end":      {spoil(func(r []byte) { binary.NativeEndian.PutUint32(r[abi.EventNParams:], 6) }), "read event 7 of type 3: 6 parameters in 11 bytes; the lengths alone take 2 bytes each"},
		"a count beyond any int32":  {spoil(func(r []byte) { binary.NativeEndian.PutUint32(r[abi.EventNParams:], math.MaxUint32) }), "read event 7 of type 3: 2147483647 parameters in 11 bytes; the lengths alone take 2 bytes each"},
		"data past the end":         {spoil(func(r []byte) { binary.NativeEndian.PutUint16(r[28:], 5) }), "read event 7 of type 3: parameter 1 has 5 bytes where 4 are left"},
	} {
		t.Run(name, func(t *testing.T) {
			e := New(c.raw, 7, "syscall")
			assert.EqualError(t, e.Malformed(), c.want)
			_, ok := e.String(1)
			assert.False(t, ok)
		})
	}
	e := New(made(TypeOpenX, "abc", "defg"), 7, "syscall")
	assert.NoError(t, e.Malformed())
}

func TestReadingAllocatesNothing(t *testing.T) {
	var exec Event
	for _, raw := range sample(t) {
		if e := New(raw, 1, "syscall"); e.Type() == TypeExecveX {
			exec = e
		}
	}
	require.Equal(t, TypeExecveX, exec.Type())
	var n int
	allocs := testing.AllocsPerRun(100, func() {
		n = 0
		if res, ok := exec.Errno(0); ok && res <= 0 {
			n++
		}
		if comm, ok := exec.String(exec.ParamIndex("comm")); ok && comm != "" {
			n++
		}
		args, _ := exec.Strings(2)
		for range args.All() {
			n++
		}
		cgroups, _ := exec.Strings(exec.ParamIndex("cgroups"))
		for range cgroups.Pairs() {
			n++
		}
		if _, ok := cgroups.Value("memory"); ok {
			n++
		}
	})
	assert.Zero(t, allocs)
	assert.Greater(t, n, 7)
}

func BenchmarkReadOneNumber(b *testing.B) {
	e := New(made(TypeOpenatX, "\x03\x00\x00\x00\x00\x00\x00\x00", "\x9c\xff\xff\xff\xff\xff\xff\xff", "/etc/passwd\x00"), 1, "syscall")
	for b.Loop() {
		if _, ok := e.FD(1); !ok {
			b.Fatal("absent")
		}
	}
}

func BenchmarkReadOneNumberByName(b *testing.B) {
	e := New(made(TypeOpenatX, "\x03\x00\x00\x00\x00\x00\x00\x00", "\x9c\xff\xff\xff\xff\xff\xff\xff", "/etc/passwd\x00"), 1, "syscall")
	for b.Loop() {
		if _, ok := e.FD(e.ParamIndex("dirfd")); !ok {
			b.Fatal("absent")
		}
	}
}
