// SPDX-License-Identifier: Apache-2.0

package socket_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed/socket"
)

func TestTheSystemWatchesOverTheConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	conn, err := socket.Dial(t.Context(), "tcp", l.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	require.NoError(t, err)
	option := func(level, name int) (value int) {
		require.NoError(t, raw.Control(func(fd uintptr) {
			value, err = unix.GetsockoptInt(int(fd), level, name)
		}))
		require.NoError(t, err)
		return value
	}
	assert.Equal(t, 1, option(unix.SOL_SOCKET, unix.SO_KEEPALIVE))
	assert.LessOrEqual(t, option(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE)+
		option(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL)*option(unix.IPPROTO_TCP, unix.TCP_KEEPCNT), 60, "seconds until an idle peer is given up")
	assert.Equal(t, 60_000, option(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT), "milliseconds until a peer is given up that acknowledges nothing")
}
