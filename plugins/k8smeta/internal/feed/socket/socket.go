// SPDX-License-Identifier: Apache-2.0

// Package socket dials so that a peer that has vanished without a word is
// noticed within about a minute, whatever is spoken on the connection.
package socket

import (
	"context"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Times after which a peer is given up: unanswered probes while nothing is
// sent, and unacknowledged data.
const (
	probeIdle     = 30 * time.Second
	probeInterval = 10 * time.Second
	probeCount    = 3
	userTimeout   = 60 * time.Second
)

// Dial connects. A connection that is idle is probed by the system, so neither
// side needs a protocol's own pings.
func Dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{
		Timeout:         20 * time.Second,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: probeIdle, Interval: probeInterval, Count: probeCount},
		Control:         setUserTimeout,
	}
	return d.DialContext(ctx, network, address)
}

func setUserTimeout(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return failed
}
