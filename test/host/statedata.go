// SPDX-License-Identifier: Apache-2.0

package host

/*
#include <stdlib.h>
*/
import "C"

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// value is a key or a field's value in one of the framework's tables: a number
// in as many of the low bits as its type has, or a string.
type value struct {
	n uint64
	s string
}

// stateSize is the size of a scalar in the union that values are passed in, 0
// for strings and tables.
func stateSize(code uint32) int {
	switch code {
	case abi.StateInt8, abi.StateUint8:
		return 1
	case abi.StateInt16, abi.StateUint16:
		return 2
	case abi.StateInt32, abi.StateUint32, abi.StateBool:
		return 4
	case abi.StateInt64, abi.StateUint64:
		return 8
	}
	return 0
}

// stateName is a type as libsinsp writes it.
func stateName(code uint32) string {
	names := map[uint32]string{
		abi.StateInt8: "int8", abi.StateInt16: "int16", abi.StateInt32: "int32", abi.StateInt64: "int64",
		abi.StateUint8: "uint8", abi.StateUint16: "uint16", abi.StateUint32: "uint32", abi.StateUint64: "uint64",
		abi.StateString: "string", abi.StateTable: "table", abi.StateBool: "bool",
	}
	if name, ok := names[code]; ok {
		return name
	}
	return fmt.Sprintf("type %d", code)
}

// loadState reads a value that a plugin passed. ok is false for a NULL string,
// which crashes libsinsp.
func loadState(at unsafe.Pointer, code uint32) (v value, ok bool) {
	switch stateSize(code) {
	case 1:
		v.n = uint64(*(*uint8)(at))
	case 2:
		v.n = uint64(*(*uint16)(at))
	case 4:
		v.n = uint64(*(*uint32)(at))
	case 8:
		v.n = *(*uint64)(at)
	default:
		s := *(**C.char)(at)
		if s == nil {
			return v, false
		}
		v.s = C.GoString(s)
	}
	if code == abi.StateBool && v.n != 0 {
		v.n = 1
	}
	return v, true
}

// goValue is a value as a Go type: int8 to uint64, bool or string.
func goValue(v value, code uint32) any {
	switch code {
	case abi.StateInt8:
		return int8(v.n)
	case abi.StateInt16:
		return int16(v.n)
	case abi.StateInt32:
		return int32(v.n)
	case abi.StateInt64:
		return int64(v.n)
	case abi.StateUint8:
		return uint8(v.n)
	case abi.StateUint16:
		return uint16(v.n)
	case abi.StateUint32:
		return uint32(v.n)
	case abi.StateUint64:
		return v.n
	case abi.StateBool:
		return v.n != 0
	}
	return v.s
}

// stateValue is the opposite of goValue, and takes any integer that fits.
func stateValue(x any, code uint32) (value, error) {
	bad := fmt.Errorf("%v (%T) is no %s", x, x, stateName(code))
	r := reflect.ValueOf(x)
	switch {
	case code == abi.StateString && r.Kind() == reflect.String:
		return value{s: r.String()}, nil
	case code == abi.StateBool && r.Kind() == reflect.Bool:
		if r.Bool() {
			return value{n: 1}, nil
		}
		return value{}, nil
	case code == abi.StateBool || stateSize(code) == 0:
		return value{}, bad
	}
	unsigned := code >= abi.StateUint8
	bits := uint(8 * stateSize(code))
	var n uint64
	switch {
	case r.CanInt():
		i := r.Int()
		if unsigned && i < 0 || !unsigned && i>>(bits-1) != i>>63 || unsigned && bits < 64 && i>>bits != 0 {
			return value{}, bad
		}
		n = uint64(i)
	case r.CanUint():
		n = r.Uint()
		if unsigned && bits < 64 && n>>bits != 0 || !unsigned && n>>(bits-1) != 0 {
			return value{}, bad
		}
	default:
		return value{}, bad
	}
	if bits < 64 {
		n &= 1<<bits - 1
	}
	return value{n: n}, nil
}
