// SPDX-License-Identifier: Apache-2.0

package extract

import (
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Value is how a field gets its value, and of which type it is. Functions that
// set nothing leave the field without a value, which is no error: conditions
// on it are false. An error is reserved for trouble worth a message.
type Value[P any] struct {
	kind    uint32
	list    bool
	offsets bool
	// call takes the Call twice: as what is asked, and as what takes the value.
	call func(P, *Call, *Call) error
}

// WithOffsets marks a value that tells where in the payload it stands, when
// asked. It raises the API version that the plugin requires to 3.11.
func (v Value[P]) WithOffsets() Value[P] {
	v.offsets = true
	return v
}

// String is a text field.
func String[P any](f func(P, *Call, *StringOut) error) Value[P] {
	return of(abi.FieldString, false, f)
}

// Strings is a list of texts.
func Strings[P any](f func(P, *Call, *StringOut) error) Value[P] {
	return of(abi.FieldString, true, f)
}

// Uint64 is a number field.
func Uint64[P any](f func(P, *Call, *Uint64Out) error) Value[P] {
	return of(abi.FieldUint64, false, f)
}

// Uint64s is a list of numbers.
func Uint64s[P any](f func(P, *Call, *Uint64Out) error) Value[P] {
	return of(abi.FieldUint64, true, f)
}

// Bool is a yes or no field.
func Bool[P any](f func(P, *Call, *BoolOut) error) Value[P] {
	return of(abi.FieldBool, false, f)
}

// Bools is a list of yes or no values.
func Bools[P any](f func(P, *Call, *BoolOut) error) Value[P] {
	return of(abi.FieldBool, true, f)
}

// RelTime is a length of time in nanoseconds.
func RelTime[P any](f func(P, *Call, *Uint64Out) error) Value[P] {
	return of(abi.FieldRelTime, false, f)
}

// RelTimes is a list of lengths of time in nanoseconds.
func RelTimes[P any](f func(P, *Call, *Uint64Out) error) Value[P] {
	return of(abi.FieldRelTime, true, f)
}

// AbsTime is a point in time, in nanoseconds since the Unix epoch.
func AbsTime[P any](f func(P, *Call, *Uint64Out) error) Value[P] {
	return of(abi.FieldAbsTime, false, f)
}

// AbsTimes is a list of points in time, in nanoseconds since the Unix epoch.
func AbsTimes[P any](f func(P, *Call, *Uint64Out) error) Value[P] {
	return of(abi.FieldAbsTime, true, f)
}

// IPAddr is an IPv4 or IPv6 address.
func IPAddr[P any](f func(P, *Call, *IPOut) error) Value[P] {
	return of(abi.FieldIPAddr, false, f)
}

// IPAddrs is a list of addresses.
func IPAddrs[P any](f func(P, *Call, *IPOut) error) Value[P] {
	return of(abi.FieldIPAddr, true, f)
}

// IPNet is an address that rules compare with networks, such as 10.0.0.0/8.
func IPNet[P any](f func(P, *Call, *IPOut) error) Value[P] {
	return of(abi.FieldIPNet, false, f)
}

// IPNets is a list of addresses that rules compare with networks.
func IPNets[P any](f func(P, *Call, *IPOut) error) Value[P] {
	return of(abi.FieldIPNet, true, f)
}

// of makes a value of f. All result types are Call under another name, which
// generic code can only say by way of unsafe; result keeps others out. Calling
// f as what it is spares the wrapper's call on every extraction.
func of[P any, O result](kind uint32, list bool, f func(P, *Call, *O) error) Value[P] {
	return Value[P]{kind: kind, list: list, call: *(*func(P, *Call, *Call) error)(unsafe.Pointer(&f))}
}

type result interface {
	StringOut | Uint64Out | BoolOut | IPOut
}
