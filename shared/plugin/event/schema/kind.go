// SPDX-License-Identifier: Apache-2.0

package schema

import "strconv"

// Kind is what a parameter holds, numbered as in libscap. Numbers are in the
// machine's byte order.
type Kind uint8

// Kinds of parameters, with the reader of event.Event that fits.
const (
	KindNone             Kind = iota
	KindInt8                  // Int8
	KindInt16                 // Int16
	KindInt32                 // Int32
	KindInt64                 // Int64
	KindUint8                 // Uint8
	KindUint16                // Uint16
	KindUint32                // Uint32
	KindUint64                // Uint64
	KindCharbuf               // String
	KindBytebuf               // Param, or Strings where it is a list: args, env, cgroups
	KindErrno                 // Errno
	KindSockaddr              // Sockaddr
	KindSocktuple             // Socktuple
	KindFD                    // FD
	KindPID                   // PID
	KindFdlist                // Param: a 16-bit count, then 64-bit descriptors with 16-bit flags
	KindFspath                // String: a path
	KindSyscallid             // Uint16
	KindSigtype               // Uint8: a signal's number
	KindReltime               // Uint64: a duration in ns
	KindAbstime               // AbsTime
	KindPort                  // Uint16
	KindL4proto               // Uint8
	KindSockfamily            // Uint8
	KindBool                  // Uint32
	KindIpv4addr              // Param: 4 bytes
	KindDyn                   // Param: a byte that says what follows, then that
	KindFlags8                // Uint8
	KindFlags16               // Uint16
	KindFlags32               // Uint32
	KindUID                   // Uint32, the highest value for none
	KindGID                   // Uint32, the highest value for none
	KindDouble                // Param: 8 bytes
	KindSigset                // Uint32
	KindCharbufarray          // not in events
	KindCharbufpairarray      // not in events
	KindIpv4net               // Param
	KindIpv6addr              // Param: 16 bytes
	KindIpv6net               // Param
	KindIpaddr                // Param: 4 or 16 bytes
	KindIpnet                 // Param
	KindMode                  // Uint32: a file's mode
	KindFsrelpath             // String: a path below a directory that another parameter names
	KindEnumflags8            // Uint8
	KindEnumflags16           // Uint16
	KindEnumflags32           // Uint32
)

var kinds = [...]string{
	"none", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "charbuf", "bytebuf", "errno", "sockaddr", "socktuple", "fd", "pid",
	"fdlist", "fspath", "syscallid", "sigtype", "reltime", "abstime", "port", "l4proto", "sockfamily", "bool", "ipv4addr", "dyn", "flags8", "flags16",
	"flags32", "uid", "gid", "double", "sigset", "charbufarray", "charbufpairarray", "ipv4net", "ipv6addr", "ipv6net", "ipaddr", "ipnet", "mode",
	"fsrelpath", "enumflags8", "enumflags16", "enumflags32",
}

// String is the kind's name in lower case.
func (k Kind) String() string {
	if int(k) >= len(kinds) {
		return "kind " + strconv.Itoa(int(k))
	}
	return kinds[k]
}
