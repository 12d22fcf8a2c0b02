// SPDX-License-Identifier: Apache-2.0

package host

/*
#include "calls.h"
*/
import "C"

import (
	"net/netip"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// mostValues is more than any list can sensibly hold: a greater count is taken
// for memory that the plugin did not write.
const mostValues = 1 << 24

// readResult copies a field's result out of plugin memory, where it is valid
// until the next extraction on the state.
func readResult(f *abi.ExtractField, r Request) (Result, error) {
	bad := func(format string, args ...any) (Result, error) {
		v := violate(SymExtractFields, format, args...)
		v.Detail = "field " + r.Name + ": " + v.Detail
		return Result{}, v
	}
	n := f.ResLen
	switch {
	case n == garbage:
		return bad("success with res_len unwritten; write 0 where there is no value")
	case n > mostValues:
		return bad("success with %d values", n)
	case n > 1 && !r.List:
		return bad("%d values of a field that is no list; give one, or none", n)
	case n == 0:
		return Result{}, nil
	}
	res := *(*uintptr)(unsafe.Pointer(&f.Res))
	if res == 0 || uint64(res) == garbage {
		return bad("%d values and no pointer to them", n)
	}
	values := make([]any, n)
	for k := range values {
		switch r.Type {
		case abi.FieldString:
			s := unsafe.Slice((**C.char)(f.Res), n)[k]
			if s == nil {
				return bad("value %d is a NULL string", k)
			}
			values[k] = C.GoString(s)
		case abi.FieldUint64, abi.FieldRelTime, abi.FieldAbsTime:
			values[k] = unsafe.Slice((*uint64)(f.Res), n)[k]
		case abi.FieldBool:
			values[k] = unsafe.Slice((*uint32)(f.Res), n)[k] != 0
		case abi.FieldIPAddr, abi.FieldIPNet:
			b := unsafe.Slice((*abi.ByteBuffer)(f.Res), n)[k]
			if b.Len != 4 && b.Len != 16 {
				return bad("value %d is an address of %d bytes; use 4 or 16", k, b.Len)
			}
			if b.Ptr == nil {
				return bad("value %d is an address of %d bytes at NULL", k, b.Len)
			}
			addr, _ := netip.AddrFromSlice(unsafe.Slice((*byte)(b.Ptr), b.Len))
			values[k] = addr
		default:
			return bad("asked for as type %d, which the host cannot read", r.Type)
		}
	}
	return Result{Values: values}, nil
}
