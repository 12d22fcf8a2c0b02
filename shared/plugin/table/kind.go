// SPDX-License-Identifier: Apache-2.0

package table

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Key is what keys of a table may be.
type Key interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~string | ~bool
}

// Value is what fields of an entry may hold, subtables aside.
type Value interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~string | ~bool
}

// Type is the type of a key or field, as the framework numbers it.
type Type uint32

// Types of keys and fields.
const (
	Int8     = Type(abi.StateInt8)
	Int16    = Type(abi.StateInt16)
	Int32    = Type(abi.StateInt32)
	Int64    = Type(abi.StateInt64)
	Uint8    = Type(abi.StateUint8)
	Uint16   = Type(abi.StateUint16)
	Uint32   = Type(abi.StateUint32)
	Uint64   = Type(abi.StateUint64)
	String   = Type(abi.StateString)
	Subtable = Type(abi.StateTable) // of fields only
	Bool     = Type(abi.StateBool)
)

// String is the type's name in Go's words, "table" for a subtable.
func (t Type) String() string {
	switch t {
	case Int8:
		return "int8"
	case Int16:
		return "int16"
	case Int32:
		return "int32"
	case Int64:
		return "int64"
	case Uint8:
		return "uint8"
	case Uint16:
		return "uint16"
	case Uint32:
		return "uint32"
	case Uint64:
		return "uint64"
	case String:
		return "string"
	case Subtable:
		return "table"
	case Bool:
		return "bool"
	}
	return fmt.Sprintf("type %d", uint32(t))
}

// scalar tells whether t is a type that keys and fields of any table may have.
func (t Type) scalar() bool { return t >= Int8 && t <= String || t == Bool }

// typeFor is the Type of T.
func typeFor[T Value]() Type { return typeOf(reflect.TypeFor[T]()) }

// typeOf is the Type of a Go type, 0 for types that no field can have.
func typeOf(t reflect.Type) Type {
	switch t.Kind() {
	case reflect.Int8:
		return Int8
	case reflect.Int16:
		return Int16
	case reflect.Int32:
		return Int32
	case reflect.Int64:
		return Int64
	case reflect.Uint8:
		return Uint8
	case reflect.Uint16:
		return Uint16
	case reflect.Uint32:
		return Uint32
	case reflect.Uint64:
		return Uint64
	case reflect.String:
		return String
	case reflect.Bool:
		return Bool
	}
	return 0
}

// The framework passes a number or bool as the first bytes of an eight-byte
// union. Both platforms of the API are little-endian, so those bytes are the
// low ones of a uint64.

// toBits is v, a number or bool, as the union's eight bytes.
func toBits[T Value](v T) uint64 {
	return bitsAt(unsafe.Pointer(&v), unsafe.Sizeof(v))
}

// bitsAt is the number or bool of size bytes at p as the union's eight bytes.
func bitsAt(p unsafe.Pointer, size uintptr) uint64 {
	switch size {
	case 1:
		return uint64(*(*uint8)(p))
	case 2:
		return uint64(*(*uint16)(p))
	case 4:
		return uint64(*(*uint32)(p))
	default:
		return *(*uint64)(p)
	}
}

// setBits stores the union's bytes in the number or bool of type t at p.
func setBits(p unsafe.Pointer, t Type, bits uint64) {
	switch t {
	case Int8, Uint8:
		*(*uint8)(p) = uint8(bits)
	case Int16, Uint16:
		*(*uint16)(p) = uint16(bits)
	case Int32, Uint32:
		*(*uint32)(p) = uint32(bits)
	case Bool:
		*(*bool)(p) = uint32(bits) != 0
	default:
		*(*uint64)(p) = bits
	}
}

// text is v, which is a string, as a string.
func text[T Value](v *T) string { return *(*string)(unsafe.Pointer(v)) }
