// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
)

func port(n uint16) string { return string(binary.NativeEndian.AppendUint16(nil, n)) }

const (
	ipv4Bytes = "\x0a\xf4\x01\x0b"
	ipv6Bytes = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
)

func TestSocketAddressesOfEachFamily(t *testing.T) {
	for name, c := range map[string]struct {
		param string
		want  Address
		ok    bool
	}{
		"IPv4":                   {"\x02" + ipv4Bytes + port(8080), Address{Family: FamilyIPv4, AddrPort: netip.MustParseAddrPort("10.244.1.11:8080")}, true},
		"IPv6":                   {"\x0a" + ipv6Bytes + port(443), Address{Family: FamilyIPv6, AddrPort: netip.MustParseAddrPort("[2001:db8::1]:443")}, true},
		"Unix":                   {"\x01/run/x.sock\x00", Address{Family: FamilyUnix, Path: "/run/x.sock"}, true},
		"Unix, without a NUL":    {"\x01/run/x.sock", Address{Family: FamilyUnix, Path: "/run/x.sock"}, true},
		"Unix, unnamed":          {"\x01", Address{Family: FamilyUnix}, true},
		"netlink":                {"\x10\x01\x02", Address{Family: 16}, true},
		"nothing":                {"", Address{}, false},
		"IPv4, a byte too few":   {"\x02" + ipv4Bytes + "\x01", Address{}, false},
		"IPv4, a byte too many":  {"\x02" + ipv4Bytes + port(1) + "\x01", Address{}, false},
		"IPv6 with IPv4's bytes": {"\x0a" + ipv4Bytes + port(1), Address{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := New(made(TypeConnectE, c.param), 1, "syscall")
			got, ok := e.Sockaddr(0)
			assert.Equal(t, c.ok, ok)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestTheTwoEndsOfAConnection(t *testing.T) {
	sockets := string(binary.NativeEndian.AppendUint64(binary.NativeEndian.AppendUint64(nil, 1<<40), 2))
	for name, c := range map[string]struct {
		param string
		want  Tuple
		ok    bool
	}{
		"IPv4": {"\x02" + ipv4Bytes + port(4000) + "\x7f\x00\x00\x01" + port(53), Tuple{Family: FamilyIPv4,
			Source: netip.MustParseAddrPort("10.244.1.11:4000"), Destination: netip.MustParseAddrPort("127.0.0.1:53")}, true},
		"IPv6": {"\x0a" + ipv6Bytes + port(4000) + ipv6Bytes + port(53), Tuple{Family: FamilyIPv6,
			Source: netip.MustParseAddrPort("[2001:db8::1]:4000"), Destination: netip.MustParseAddrPort("[2001:db8::1]:53")}, true},
		"Unix":                   {"\x01" + sockets + "/run/x\x00", Tuple{Family: FamilyUnix, SourceSocket: 1 << 40, DestinationSocket: 2, Path: "/run/x"}, true},
		"another family":         {"\x10", Tuple{Family: 16}, true},
		"nothing":                {"", Tuple{}, false},
		"IPv4, one end":          {"\x02" + ipv4Bytes + port(4000), Tuple{}, false},
		"IPv4, a byte too many":  {"\x02" + ipv4Bytes + port(4000) + ipv4Bytes + port(53) + "\x00", Tuple{}, false},
		"Unix, without sockets":  {"\x01/run/x.sock\x00", Tuple{}, false},
		"a family and no ends":   {"\x0a", Tuple{}, false},
		"IPv4 where IPv6 should": {"\x0a" + ipv4Bytes + port(4000) + ipv4Bytes + port(53), Tuple{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := New(made(TypeConnectX, c.param), 1, "syscall")
			got, ok := e.Socktuple(0)
			assert.Equal(t, c.ok, ok)
			assert.Equal(t, c.want, got)
		})
	}
}
