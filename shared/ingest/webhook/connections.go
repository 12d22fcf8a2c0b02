// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/aerie-falco/aerie/shared/plugin/metrics"
)

// connections accepts no more than max at a time, and knows them all so that
// they can be closed.
type connections struct {
	net.Listener
	max     int
	plain   bool // not TLS: those refused can be told why
	served  *gate
	gauge   *metrics.Gauge
	refused *metrics.Counter

	mu       sync.Mutex
	admitted int
	open     map[net.Conn]struct{}
}

const busyAnswer = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"

// Accept returns the next connection within the limit. Those beyond it are
// closed at once, rather than left to wait without an answer.
func (c *connections) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil || c.admit() {
			return conn, err
		}
		c.refused.Inc()
		if c.plain {
			// The socket's buffer is empty, so that this does not wait.
			conn.SetWriteDeadline(time.Now().Add(time.Second))
			conn.Write([]byte(busyAnswer))
		}
		conn.Close()
	}
}

func (c *connections) admit() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.admitted == c.max {
		return false
	}
	c.admitted++
	c.gauge.Add(1)
	return true
}

// state is the server's hook. A connection is new once and closed once; the
// latter is the last that its goroutine does.
func (c *connections) state(conn net.Conn, s http.ConnState) {
	switch s {
	case http.StateNew:
		c.served.enter()
		c.mu.Lock()
		c.open[conn] = struct{}{}
		c.mu.Unlock()
	case http.StateClosed:
		c.mu.Lock()
		delete(c.open, conn)
		c.admitted--
		c.gauge.Add(-1)
		c.mu.Unlock()
		c.served.leave()
	}
}

// closeAll closes every connection and returns a channel that is closed when
// all their goroutines have ended. Nothing may be accepted any more. Under TLS
// it closes what is below, for a proper close waits on the client.
func (c *connections) closeAll() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		if t, ok := conn.(*tls.Conn); ok {
			conn = t.NetConn()
		}
		conn.Close()
	}
	return c.served.close()
}
