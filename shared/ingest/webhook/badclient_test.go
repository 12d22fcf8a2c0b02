// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"bytes"
	"compress/gzip"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnOversizeBodyIsRefusedByItsAnnouncement(t *testing.T) {
	l := listen(t, "", local())
	f := newFramework(t, l)
	c := dial(t, l)
	c.send("POST / HTTP/1.1\nHost: h\nContent-Length: 1025\n\n")
	got := c.answer()
	assert.Equal(t, 413, got.code, "answered though no byte of the body was sent")
	assert.Equal(t, "the body has more than 1024 bytes\n", got.text)
	assert.True(t, got.closes)
	assert.Zero(t, l.counters.bytes.Value())
	assert.EqualValues(t, 1, l.counters.refused[causeSize].Value())
	f.idle()
	f.stillWorks()
}

func TestAnOversizeBodyInChunksIsRefusedAtTheLimit(t *testing.T) {
	l := listen(t, "", local())
	f := newFramework(t, l)
	c := dial(t, l)
	c.send("POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n400\n%s\n1\nx\n", strings.Repeat("x", 1024))
	assert.Equal(t, 413, c.answer().code, "answered though the body has not ended")
	got := send(t, client(t, nil), request(t, "http://"+l.Addr(), chunkedBody(strings.Repeat("x", 1025))))
	assert.Equal(t, 413, got.code)
	f.idle()
	f.stillWorks()
}

func TestAHugeBodyTakesNoMemory(t *testing.T) {
	e := local()
	e.MaxEventSize = 256 << 10
	l := listen(t, "", e)
	f := newFramework(t, l)
	c := dial(t, l)
	c.send("POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n")
	chunk := "10000\r\n" + strings.Repeat("x", 1<<16) + "\r\n"
	for range 1600 { // 100 MiB, or until the listener has had enough
		if _, err := c.Write([]byte(chunk)); err != nil {
			break
		}
	}
	eventually(t, "the request is refused", func() bool { return l.counters.refused[causeSize].Value() == 1 })
	eventually(t, "all memory is given back", func() bool { return l.memory.Used() == 0 })
	f.idle()
	f.stillWorks()
}

func TestAnAbortedUploadConcernsItsClientOnly(t *testing.T) {
	l := listen(t, "", local())
	f := newFramework(t, l)
	for name, start := range map[string]string{
		"with a length":              "POST / HTTP/1.1\nHost: h\nContent-Length: 100\n\nabc",
		"in the middle of a chunk":   "POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n10\nabc",
		"before the last chunk":      "POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n3\nabc\n",
		"before the first byte":      "POST / HTTP/1.1\nHost: h\nContent-Length: 100\n\n",
		"with a broken chunk":        "POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\nzz\nabc\n0\n\n",
		"with a length it exceeds":   "POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n2\nabc\n0\n\n",
		"with chunks without an end": "POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n3\nabc\n0",
	} {
		refused := l.counters.refused[causeUnread].Value()
		c := dial(t, l)
		c.send("%s", start)
		require.NoError(t, c.Conn.(*net.TCPConn).CloseWrite())
		assert.Equal(t, 400, c.answer().code, name)
		c.closed()
		assert.Equal(t, refused+1, l.counters.refused[causeUnread].Value(), name)
		f.idle()
	}
	c := dial(t, l)
	c.send("POST / HTTP/1.1\nHost: h\nContent-Length: 100\n\nabc")
	require.NoError(t, c.Conn.(*net.TCPConn).SetLinger(0))
	c.Close() // with a reset
	eventually(t, "the connection is gone", func() bool { return l.counters.connections.Value() == 0 })
	f.stillWorks()
	eventually(t, "all memory is given back", func() bool { return l.memory.Used() == 0 })
}

func TestWhatIsNoHTTPIsAnswered400(t *testing.T) {
	l := listen(t, "", local())
	f := newFramework(t, l)
	for name, c := range map[string]struct {
		text string
		code int
	}{
		"no request line":      {"\x16\x03\x01\x02\x00\x01\x00\x01\n\n", 400},
		"a request of HTTP/3":  {"POST / HTTP/3.0\nHost: h\n\n", 505},
		"two lengths":          {"POST / HTTP/1.1\nHost: h\nContent-Length: 1\nContent-Length: 2\n\nab", 400},
		"a negative length":    {"POST / HTTP/1.1\nHost: h\nContent-Length: -1\n\nab", 400},
		"no host":              {"POST / HTTP/1.1\nContent-Length: 1\n\na", 400},
		"an unknown encoding":  {"POST / HTTP/1.1\nHost: h\nTransfer-Encoding: rot13\n\nab", 501},
		"an unknown condition": {"POST / HTTP/1.1\nHost: h\nExpect: miracles\nContent-Length: 1\n\na", 417},
	} {
		conn := dial(t, l)
		conn.send("%s", c.text)
		assert.Equal(t, c.code, conn.answer().code, name)
	}
	f.idle()
	f.stillWorks()
}

func TestALengthIsIgnoredWhereChunksAreSent(t *testing.T) {
	l := listen(t, "", local())
	payloads := newFramework(t, l).run()
	c := dial(t, l)
	c.send("POST / HTTP/1.1\nHost: h\nContent-Length: 3\nTransfer-Encoding: chunked\n\n2\nab\n0\n\n")
	assert.Equal(t, 200, c.answer().code)
	assert.Equal(t, []string{"ab"}, payloads())
}

func TestGarbageBehindARequestDoesNotTouchIt(t *testing.T) {
	l := listen(t, "", local())
	f := newFramework(t, l)
	c := dial(t, l)
	c.send("POST / HTTP/1.1\nHost: h\nContent-Length: 3\n\nabc" +
		"POST / HTTP/1.1\nHost: h\nContent-Length: 3\n\ndef" +
		"\x00\x01 garbage\n\n")
	for _, want := range []string{"abc", "def"} {
		assert.Equal(t, want, f.next()[0].payload)
		f.batch.Deliver(true)
		assert.Equal(t, 200, c.answer().code)
	}
	assert.Equal(t, 400, c.answer().code)
	c.closed()
	f.stillWorks()
}

func TestAHeaderHasALimit(t *testing.T) {
	l := listen(t, `{"limits": {"maxHeaderSize": "1KiB"}}`, local())
	f := newFramework(t, l)
	c := dial(t, l)
	c.send("POST / HTTP/1.1\nHost: h\nContent-Length: 3\nX: %s\n", strings.Repeat("x", 8<<10))
	assert.Equal(t, 431, c.answer().code)
	f.idle()
	f.stillWorks()
}

func TestSlowClientsAreNotWaitedFor(t *testing.T) {
	l := listen(t, `{"timeouts": {"header": "300ms", "read": "300ms", "idle": "30ms"}}`, local())
	f := newFramework(t, l)
	t.Run("nothing at all", func(t *testing.T) { dial(t, l).closed() })
	t.Run("a header that does not end", func(t *testing.T) {
		c := dial(t, l)
		c.send("POST / HTTP/1.1\nHost: h\n")
		c.closed()
	})
	t.Run("a body that does not end", func(t *testing.T) {
		c := dial(t, l)
		c.send("POST / HTTP/1.1\nHost: h\nContent-Length: 100\n\nabc")
		assert.Equal(t, 408, c.answer().code)
		c.closed()
		assert.EqualValues(t, 1, l.counters.refused[causeUnread].Value())
	})
	t.Run("no further request", func(t *testing.T) {
		c := dial(t, l)
		c.send("POST / HTTP/1.1\nHost: h\nContent-Length: 3\n\nabc")
		f.next()
		f.batch.Deliver(true)
		assert.Equal(t, 200, c.answer().code)
		c.closed()
	})
	f.idle()
	eventually(t, "all connections are gone", func() bool { return l.counters.connections.Value() == 0 })
	eventually(t, "all memory is given back", func() bool { return l.memory.Used() == 0 })
}

func TestConnectionsHaveALimit(t *testing.T) {
	l := listen(t, `{"limits": {"maxConnections": 2}}`, local())
	f := newFramework(t, l)
	one, two := dial(t, l), dial(t, l)
	eventually(t, "both are accepted", func() bool { return l.counters.connections.Value() == 2 })
	three := dial(t, l)
	got := three.answer()
	assert.Equal(t, 503, got.code)
	assert.Equal(t, "1", got.header.Get("Retry-After"))
	three.closed()
	assert.EqualValues(t, 1, l.counters.turnedAway.Value())
	one.Close()
	eventually(t, "there is room", func() bool { return l.counters.connections.Value() == 1 })
	f.stillWorks()
	two.Close()
}

func zipped(t testing.TB, text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.String()
}

func TestCompressedBodies(t *testing.T) {
	l := listen(t, "", local())
	f := newFramework(t, l)
	text := `{"a":"` + strings.Repeat("b", 900) + `"}`
	whole := zipped(t, text)
	for name, c := range map[string]struct {
		encoding, body string
		want           string
		code           int
		text           string
	}{
		"gzip":                      {"gzip", whole, text, 200, ""},
		"gzip by its old name":      {"X-GZIP", whole, text, 200, ""},
		"gzip in two members":       {"gzip", zipped(t, "ab") + zipped(t, "cd"), "abcd", 200, ""},
		"gzip of the largest size":  {"gzip", zipped(t, strings.Repeat("x", 1024)), strings.Repeat("x", 1024), 200, ""},
		"no compression, announced": {"identity", "x", "x", 200, ""},
		"one byte too many":         {"gzip", zipped(t, strings.Repeat("x", 1025)), "", 413, "the decompressed body has more than 1024 bytes\n"},
		"nothing inside":            {"gzip", zipped(t, ""), "", 400, "the body holds no event\n"},
		"no gzip":                   {"gzip", "hello, world", "", 400, "the body is no valid gzip\n"},
		"gzip that is cut":          {"gzip", whole[:len(whole)-3], "", 400, "the body is no valid gzip\n"},
		"gzip with a tail":          {"gzip", whole + "tail", "", 400, "the body is no valid gzip\n"},
		"gzip with a flipped bit":   {"gzip", whole[:20] + string(whole[20]^1) + whole[21:], "", 400, "the body is no valid gzip\n"},
		"another compression":       {"br", "x", "", 415, "this content encoding is not supported; use gzip or none\n"},
		"two compressions":          {"gzip, br", "x", "", 415, "this content encoding is not supported; use gzip or none\n"},
	} {
		answer := postLater(t, l, c.body, "Content-Encoding", c.encoding)
		if c.code == 200 {
			assert.Equal(t, c.want, f.next()[0].payload, name)
			f.batch.Deliver(true)
		}
		got := wait(t, answer)
		assert.Equal(t, c.code, got.code, name)
		assert.Equal(t, c.text, got.text, name)
		if c.code == 415 {
			assert.Equal(t, "gzip", got.header.Get("Accept-Encoding"), name)
		}
		f.idle()
	}
	eventually(t, "all memory is given back", func() bool { return l.memory.Used() == 0 })
}

func TestAGzipBombTakesNoMoreThanTheLimit(t *testing.T) {
	e := local()
	e.MaxEventSize = 256 << 10
	l := listen(t, "", e)
	f := newFramework(t, l)
	bomb := zipped(t, strings.Repeat("\x00", 8<<20))
	require.Less(t, len(bomb), 256<<10)
	got := post(t, l, bomb, "Content-Encoding", "gzip")
	assert.Equal(t, 413, got.code)
	assert.Equal(t, "the decompressed body has more than 262144 bytes\n", got.text)
	f.idle()
	f.stillWorks()
}
