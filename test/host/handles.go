// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// addresses hands out pointers for entries and fields of state tables. They
// point to memory that may not be touched, and none is given twice: a plugin
// that looks behind one crashes on the spot, and one kept too long is told from
// all that came later. The zero value is ready.
type addresses struct {
	region []byte
	used   int
}

const (
	addressRegion = 1 << 30 // of address space, not of memory
	addressStep   = 16      // plugins may expect what malloc gives
)

func (a *addresses) next() unsafe.Pointer {
	if a.used == len(a.region) {
		region, err := unix.Mmap(-1, 0, addressRegion, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
		if err != nil {
			panic(fmt.Sprintf("host: reserve addresses for table entries: %s", err))
		}
		// The region before stays reserved: its addresses are still out there.
		a.region, a.used = region, 0
	}
	p := unsafe.Add(unsafe.Pointer(unsafe.SliceData(a.region)), a.used)
	a.used += addressStep
	return p
}
