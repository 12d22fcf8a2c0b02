// SPDX-License-Identifier: Apache-2.0

package feedtest

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// AssertWatchedOver looks at the connections of this process to a port of
// 127.0.0.1: there are some, and the system gives each up within a minute once
// its peer does not acknowledge what is sent.
func AssertWatchedOver(t *testing.T, port int) {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	n := 0
	for _, file := range files {
		fd, err := strconv.Atoi(file.Name())
		require.NoError(t, err)
		peer, err := unix.Getpeername(fd)
		if to, ok := peer.(*unix.SockaddrInet4); err != nil || !ok || to.Port != port {
			continue // no connection, or another
		}
		after, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
		if err != nil {
			continue // closed meanwhile
		}
		n++
		assert.Equal(t, time.Minute, time.Duration(after)*time.Millisecond)
	}
	assert.NotZero(t, n, "connections to port %d", port)
}
