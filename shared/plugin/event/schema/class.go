// SPDX-License-Identifier: Apache-2.0

package schema

import "strconv"

// Category is what an event is about.
type Category uint8

// Categories. Those of I/O cover files, sockets and pipes alike.
const (
	CategoryUnknown Category = iota
	CategoryOther
	CategoryFile
	CategoryNet
	CategoryIPC
	CategoryMemory
	CategoryProcess
	CategorySleep
	CategorySystem
	CategorySignal
	CategoryUser
	CategoryTime
	CategoryProcessing
	CategoryIORead
	CategoryIOWrite
	CategoryIOOther
	CategoryWait
	CategoryScheduler
	CategoryInternal
)

var categories = [...]string{
	"unknown", "other", "file", "net", "ipc", "memory", "process", "sleep", "system", "signal", "user", "time", "processing", "io_read", "io_write",
	"io_other", "wait", "scheduler", "internal",
}

// String is the category's name in lower case.
func (c Category) String() string {
	if int(c) >= len(categories) {
		return "category " + strconv.Itoa(int(c))
	}
	return categories[c]
}

// Origin is where an event comes from.
type Origin uint8

// Origins.
const (
	OriginNone       Origin = iota // the type only fills a pair
	OriginSyscall                  // a system call
	OriginTracepoint               // another place in the kernel
	OriginPlugin                   // a plugin's event source
	OriginMetaevent                // the framework or a plugin, to tell of something beside the stream
)

var origins = [...]string{"none", "syscall", "tracepoint", "plugin", "metaevent"}

// String is the origin's name in lower case.
func (o Origin) String() string {
	if int(o) >= len(origins) {
		return "origin " + strconv.Itoa(int(o))
	}
	return origins[o]
}

// Flags tell what the framework does with events of a type.
type Flags uint16

// Flags.
const (
	FlagCreatesFD        Flags = 1 << iota // its result is a new file descriptor
	FlagDestroysFD                         // it closes a file descriptor
	FlagUsesFD                             // it works on a file descriptor
	FlagReadsFromFD                        // it reads from one
	FlagWritesToFD                         // it writes to one
	FlagModifiesState                      // it changes the framework's state tables
	FlagUnused                             // no such event is made
	FlagWaits                              // it waits for data
	FlagSkipsParseReset                    // it does not count as its thread's last event
	FlagOldVersion                         // only old captures have it
	FlagLargePayload                       // its parameters' lengths have 32 bits
	FlagConverterManaged                   // read from an older capture, it is brought to the current form
)
