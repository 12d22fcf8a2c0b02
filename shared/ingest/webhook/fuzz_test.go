// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzConnection sends whatever to a listener. Whatever that was, the next
// client is served, and no memory stays taken.
func FuzzConnection(f *testing.F) {
	for _, seed := range []string{
		"",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcPOST / HTTP/1.0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x00",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-ndjson\r\nContent-Length: 5\r\n\r\n1\n\n2\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n[1,2]",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n[[[[[",
		"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
		"\x16\x03\x01\x00\x05hello",
	} {
		f.Add([]byte(seed))
	}
	e := local()
	e.Decode, e.Splits = Detect, true
	l := listen(f, `{"healthPath": "/healthz"}`, e)
	newFramework(f, l).runDry()
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := net.Dial("tcp", l.Addr())
		require.NoError(t, err)
		defer c.Close()
		require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
		c.Write(text)
		c.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, c) // until the listener closes the connection
		require.Equal(t, 200, post(t, l, "still here").code)
		eventually(t, "all memory is given back", func() bool { return l.memory.Used() == 0 })
	})
}
