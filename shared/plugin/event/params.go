// SPDX-License-Identifier: Apache-2.0

package event

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event/schema"
)

// ParamIndex is the number of the parameter that the event table knows by this
// name, -1 if it knows none: for the readers, that is an absent one. The name is
// looked up with each call; a plugin that looks at every event keeps the result
// of schema.Index instead.
func (e *Event) ParamIndex(name string) int { return schema.Index(e.Type(), name) }

// ParamByName is Param with the parameter's name.
func (e *Event) ParamByName(name string) ([]byte, bool) { return e.Param(e.ParamIndex(name)) }

// Int8 reads a signed parameter of one byte.
func (e *Event) Int8(i int) (int8, bool) {
	v, ok := e.Uint8(i)
	return int8(v), ok
}

// Int16 reads a signed parameter of two bytes.
func (e *Event) Int16(i int) (int16, bool) {
	v, ok := e.Uint16(i)
	return int16(v), ok
}

// Int32 reads a signed parameter of four bytes.
func (e *Event) Int32(i int) (int32, bool) {
	v, ok := e.Uint32(i)
	return int32(v), ok
}

// Int64 reads a signed parameter of eight bytes.
func (e *Event) Int64(i int) (int64, bool) {
	v, ok := e.Uint64(i)
	return int64(v), ok
}

// Uint8 reads a parameter of one byte, also flags and signals.
func (e *Event) Uint8(i int) (uint8, bool) {
	if b, _ := e.Param(i); len(b) == 1 {
		return b[0], true
	}
	return 0, false
}

// Uint16 reads a parameter of two bytes, also flags.
func (e *Event) Uint16(i int) (uint16, bool) {
	if b, _ := e.Param(i); len(b) == 2 {
		return binary.NativeEndian.Uint16(b), true
	}
	return 0, false
}

// Uint32 reads a parameter of four bytes, also flags, modes, and user and group
// IDs, for which math.MaxUint32 means none.
func (e *Event) Uint32(i int) (uint32, bool) {
	if b, _ := e.Param(i); len(b) == 4 {
		return binary.NativeEndian.Uint32(b), true
	}
	return 0, false
}

// Uint64 reads a parameter of eight bytes, also durations in nanoseconds.
func (e *Event) Uint64(i int) (uint64, bool) {
	if b, _ := e.Param(i); len(b) == 8 {
		return binary.NativeEndian.Uint64(b), true
	}
	return 0, false
}

// FD reads a file descriptor. As the result of a call, it is negative where the
// call failed, as with Errno; as an argument, unix.AT_FDCWD (-100) stands for the
// working directory.
func (e *Event) FD(i int) (int64, bool) { return e.Int64(i) }

// PID reads the ID of a process or thread.
func (e *Event) PID(i int) (int64, bool) { return e.Int64(i) }

// Errno reads a call's result: negative, it is an error number with its sign
// turned, -2 for ENOENT.
func (e *Event) Errno(i int) (int64, bool) { return e.Int64(i) }

// AbsTime reads a point of time, in nanoseconds since the Unix epoch. Inode times
// that drivers read on kernels newer than themselves can be nonsense.
func (e *Event) AbsTime(i int) (uint64, bool) { return e.Uint64(i) }

// String reads a string up to its first NUL, or to its end where it has none.
// It is a view: strings.Clone what is kept. A parameter without any byte is
// absent, for an empty string has its NUL.
func (e *Event) String(i int) (string, bool) {
	b, _ := e.Param(i)
	if len(b) == 0 {
		return "", false
	}
	return text(b), true
}

// text views b up to its first NUL as a string.
func text(b []byte) string {
	if n := bytes.IndexByte(b, 0); n >= 0 {
		b = b[:n]
	}
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// Malformed tells whether the event's lengths agree with each other, as a
// framework's always do, and what is wrong if they do not. It knows nothing of
// the event's type.
func (e *Event) Malformed() error {
	if e.p == nil {
		return fmt.Errorf("read event %d: there is none", e.num)
	}
	raw := e.Bytes()
	if raw == nil {
		return fmt.Errorf("read event %d of type %d: its length of %d bytes is less than the header's %d", e.num, e.Type(),
			binary.NativeEndian.Uint32(e.header()[abi.EventLen:]), abi.HeaderSize)
	}
	n, rest := e.NumParams(), len(raw)-abi.HeaderSize
	width := lengthWidth(e.Type())
	if n > rest/width {
		return fmt.Errorf("read event %d of type %d: %d parameters in %d bytes; the lengths alone take %d bytes each", e.num, e.Type(), n, rest, width)
	}
	rest -= n * width
	lengths := raw[abi.HeaderSize:]
	for i := range n {
		size := paramLen(lengths, i, width)
		if size > rest {
			return fmt.Errorf("read event %d of type %d: parameter %d has %d bytes where %d are left", e.num, e.Type(), i, size, rest)
		}
		rest -= size
	}
	return nil
}
