// SPDX-License-Identifier: Apache-2.0

// Package abitest builds, for tests of the kit, what a framework hands to a
// plugin: C memory that is freed when the test ends.
package abitest

import (
	"testing"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
)

// Alloc returns n bytes of C memory filled with a pattern, so that what is
// never written shows.
func Alloc(t testing.TB, n int) unsafe.Pointer {
	p := cmem.Alloc(n)
	t.Cleanup(func() { cmem.Free(p) })
	for i := range unsafe.Slice((*byte)(p), n) {
		*(*byte)(unsafe.Add(p, i)) = 0xA5
	}
	return p
}

// String returns s as a C string.
func String(t testing.TB, s string) unsafe.Pointer {
	p := cmem.CString(s)
	t.Cleanup(func() { cmem.Free(p) })
	return p
}

// Init returns an ss_plugin_init_input with the given configuration and no log
// function.
func Init(t testing.TB, config string) unsafe.Pointer {
	in := (*abi.InitInput)(Alloc(t, int(unsafe.Sizeof(abi.InitInput{}))))
	*in = abi.InitInput{Config: String(t, config)}
	return unsafe.Pointer(in)
}

// Event returns an ss_plugin_event_input for a copy of raw.
func Event(t testing.TB, raw []byte, num uint64, source string) unsafe.Pointer {
	evt := Alloc(t, len(raw))
	copy(unsafe.Slice((*byte)(evt), len(raw)), raw)
	in := (*abi.EventInput)(Alloc(t, int(unsafe.Sizeof(abi.EventInput{}))))
	*in = abi.EventInput{Evt: evt, EvtNum: num, EvtSrc: String(t, source)}
	return unsafe.Pointer(in)
}

// Field is one field of an extraction request.
type Field struct {
	ID    uint32
	Key   string
	Index uint64
	Arg   bool // an argument is present
}

// Extract returns an ss_plugin_field_extract_input for fields, results
// uninitialised, and the fields in it.
func Extract(t testing.TB, fields ...Field) (unsafe.Pointer, []abi.ExtractField) {
	p := Alloc(t, len(fields)*int(unsafe.Sizeof(abi.ExtractField{})))
	rows := unsafe.Slice((*abi.ExtractField)(p), len(fields))
	for i, f := range fields {
		rows[i].FieldID, rows[i].ArgKey, rows[i].ArgIndex, rows[i].ArgPresent = f.ID, nil, abi.NoIndex, 0
		if f.Arg {
			rows[i].ArgPresent, rows[i].ArgIndex = 1, f.Index
			if f.Key != "" {
				rows[i].ArgKey, rows[i].ArgIndex = String(t, f.Key), abi.NoIndex
			}
		}
	}
	in := (*abi.FieldExtractInput)(Alloc(t, int(unsafe.Sizeof(abi.FieldExtractInput{}))))
	*in = abi.FieldExtractInput{NumFields: uint32(len(fields)), Fields: p}
	return unsafe.Pointer(in), rows
}

// Offsets asks in for value offsets and returns where they will be.
func Offsets(t testing.TB, in unsafe.Pointer) *abi.ValueOffsets {
	o := (*abi.ValueOffsets)(Alloc(t, int(unsafe.Sizeof(abi.ValueOffsets{}))))
	*o = abi.ValueOffsets{}
	(*abi.FieldExtractInput)(in).ValueOffsets = unsafe.Pointer(o)
	return o
}

// Strings reads the result of f as texts.
func Strings(f *abi.ExtractField) []string {
	var out []string
	for _, p := range unsafe.Slice((*unsafe.Pointer)(f.Res), int(f.ResLen)) {
		out = append(out, cmem.GoString(p))
	}
	return out
}

// Uint64s reads the result of f as numbers.
func Uint64s(f *abi.ExtractField) []uint64 {
	return append([]uint64(nil), unsafe.Slice((*uint64)(f.Res), int(f.ResLen))...)
}

// Uint32s reads the result of f as booleans.
func Uint32s(f *abi.ExtractField) []uint32 {
	return append([]uint32(nil), unsafe.Slice((*uint32)(f.Res), int(f.ResLen))...)
}

// Buffers reads the result of f as addresses.
func Buffers(f *abi.ExtractField) [][]byte {
	var out [][]byte
	for _, b := range unsafe.Slice((*abi.ByteBuffer)(f.Res), int(f.ResLen)) {
		out = append(out, append([]byte(nil), unsafe.Slice((*byte)(b.Ptr), int(b.Len))...))
	}
	return out
}

// Parse returns an ss_plugin_event_parse_input without state tables.
func Parse(t testing.TB) unsafe.Pointer {
	in := (*abi.EventParseInput)(Alloc(t, int(unsafe.Sizeof(abi.EventParseInput{}))))
	*in = abi.EventParseInput{}
	return unsafe.Pointer(in)
}
