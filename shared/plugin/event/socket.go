// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/binary"
	"net/netip"
)

// Families of sockets whose addresses the readers know, as Linux numbers them.
const (
	FamilyUnix uint8 = 1
	FamilyIPv4 uint8 = 2
	FamilyIPv6 uint8 = 10
)

// Sizes of an address and a port, behind the family.
const (
	ipv4End = 4 + 2
	ipv6End = 16 + 2
)

// Address is the address of a socket. Of families other than the three, only
// the family is known.
type Address struct {
	Family   uint8
	AddrPort netip.AddrPort // IPv4 and IPv6
	Path     string         // Unix: a view; empty for abstract and unnamed sockets
}

// Sockaddr reads a socket's address.
func (e *Event) Sockaddr(i int) (Address, bool) {
	b, _ := e.Param(i)
	if len(b) == 0 {
		return Address{}, false
	}
	a, ok := Address{Family: b[0]}, true
	switch b = b[1:]; a.Family {
	case FamilyIPv4, FamilyIPv6:
		a.AddrPort, ok = addrPort(a.Family, b)
	case FamilyUnix:
		a.Path = text(b)
	}
	if !ok {
		return Address{}, false
	}
	return a, true
}

// Tuple is the two ends of a connection.
type Tuple struct {
	Family              uint8
	Source, Destination netip.AddrPort // IPv4 and IPv6
	// Unix: the kernel's addresses of the two sockets, and the path, a view.
	SourceSocket, DestinationSocket uint64
	Path                            string
}

// Socktuple reads the two ends of a connection.
func (e *Event) Socktuple(i int) (Tuple, bool) {
	b, _ := e.Param(i)
	if len(b) == 0 {
		return Tuple{}, false
	}
	t := Tuple{Family: b[0]}
	switch b = b[1:]; t.Family {
	case FamilyIPv4, FamilyIPv6:
		half := len(b) / 2
		var source, destination bool
		t.Source, source = addrPort(t.Family, b[:half])
		t.Destination, destination = addrPort(t.Family, b[half:])
		if !source || !destination {
			return Tuple{}, false
		}
	case FamilyUnix:
		if len(b) < 16 {
			return Tuple{}, false
		}
		t.SourceSocket, t.DestinationSocket = binary.NativeEndian.Uint64(b), binary.NativeEndian.Uint64(b[8:])
		t.Path = text(b[16:])
	}
	return t, true
}

// addrPort reads an address in network order and a port in the machine's, which
// must be all of b.
func addrPort(family uint8, b []byte) (netip.AddrPort, bool) {
	switch {
	case family == FamilyIPv4 && len(b) == ipv4End:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b)), binary.NativeEndian.Uint16(b[4:])), true
	case family == FamilyIPv6 && len(b) == ipv6End:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b)), binary.NativeEndian.Uint16(b[16:])), true
	}
	return netip.AddrPort{}, false
}
