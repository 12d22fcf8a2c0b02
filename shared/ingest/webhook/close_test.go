// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/source"
)

func TestAnAddressInUseFailsTheOpening(t *testing.T) {
	l := listen(t, "", local())
	e := local()
	e.Addr = l.Addr()
	_, err := Listen(t.Context(), settings(t, ""), e)
	assert.EqualError(t, err, "listen tcp "+l.Addr()+": bind: address already in use")
}

func TestAnAddressThatIsNoneFailsTheOpening(t *testing.T) {
	for addr, want := range map[string]string{
		"":                   `listen on "": missing port in address; want host:port, :port or unix:/path`,
		"localhost":          `listen on "localhost": address localhost: missing port in address; want host:port, :port or unix:/path`,
		"http://:80":         `listen on "http://:80": address http://:80: too many colons in address; want host:port, :port or unix:/path`,
		":99999":             `listen tcp: address 99999: invalid port`,
		"unix:":              `listen on "unix:": want an absolute path, such as unix:/run/falco/collector.sock`,
		"unix:collector":     `listen on "unix:collector": want an absolute path, such as unix:/run/falco/collector.sock`,
		"unix:/nonexistent/": `listen unix /nonexistent/: bind: no such file or directory`,
	} {
		e := local()
		e.Addr = addr
		_, err := Listen(t.Context(), settings(t, ""), e)
		assert.EqualError(t, err, want, addr)
	}
}

func TestCloseAnswersThoseWhoWait(t *testing.T) {
	l := listen(t, "", local())
	f := newFramework(t, l)
	taken := postLater(t, l, "taken")
	f.next()
	queued := postLater(t, l, "queued")
	waiting(t, l, 1)
	idle, uploading := dial(t, l), dial(t, l)
	uploading.send("POST / HTTP/1.1\nHost: h\nContent-Length: 100\n\nabc")
	eventually(t, "all are connected", func() bool { return l.counters.connections.Value() == 4 })
	addr := l.Addr()

	began := time.Now()
	require.NoError(t, l.Close())
	assert.Less(t, time.Since(began), source.CloseWait)

	got := wait(t, queued)
	assert.Equal(t, 503, got.code)
	assert.Equal(t, "the source is closing\n", got.text)
	assert.Equal(t, "1", got.header.Get("Retry-After"))
	assert.Equal(t, 504, wait(t, taken).code, "the framework may have consumed it")
	idle.closed()
	rest, _ := io.ReadAll(uploading)
	assert.NotContains(t, string(rest), "200", "cut off, or told why if there was time")
	assert.Zero(t, l.counters.connections.Value())
	assert.Zero(t, l.memory.Used())
	f.batch.Deliver(false)
	_, err := net.Dial("tcp", addr)
	assert.Error(t, err, "nobody listens any more")
	assert.ErrorIs(t, l.Next(t.Context(), f.batch), io.EOF)
	assert.NoError(t, l.Close(), "closing twice is closing once")
}

func TestCloseEndsWaitsForRoom(t *testing.T) {
	e := local()
	e.Buffer = 1
	l := listen(t, "", e)
	first := postLater(t, l, "1")
	waiting(t, l, 1)
	second := postLater(t, l, "2")
	eventually(t, "the second waits", l.slots.Contended)
	require.NoError(t, l.Close())
	assert.Equal(t, 503, wait(t, first).code)
	got := wait(t, second)
	assert.Equal(t, 503, got.code)
	assert.Equal(t, "the source is closing\n", got.text)
}

func TestCloseDuringNext(t *testing.T) {
	l := listen(t, "", local())
	f := newFramework(t, l)
	ended := make(chan error)
	go func() { ended <- l.Next(t.Context(), f.batch) }()
	require.NoError(t, l.Close())
	assert.ErrorIs(t, <-ended, io.EOF)
}

func TestCloseDoesNotWaitForATLSClient(t *testing.T) {
	ca := newAuthority(t, "ca")
	text, _, _ := tlsFiles(ca, "server", "")
	l := listen(t, text, local())
	shaking, idle := dial(t, l), dial(t, l)
	shaking.send("\x16") // the beginning of a handshake
	c := tls.Client(idle.Conn, &tls.Config{RootCAs: ca.pool(), ServerName: "127.0.0.1"})
	require.NoError(t, c.Handshake())
	eventually(t, "both are connected", func() bool { return l.counters.connections.Value() == 2 })
	began := time.Now()
	require.NoError(t, l.Close())
	assert.Less(t, time.Since(began), source.CloseWait)
	assert.Zero(t, l.counters.connections.Value())
}

func TestTheAddressIsFreeAtOnce(t *testing.T) {
	e := local()
	for range 20 {
		l, err := Listen(t.Context(), settings(t, ""), e)
		require.NoError(t, err)
		e.Addr = l.Addr()
		f := newFramework(t, l)
		f.stillWorks()
		answer := postLater(t, l, "waits")
		waiting(t, l, 1)
		require.NoError(t, l.Close())
		assert.Equal(t, 503, wait(t, answer).code)
	}
}

func openFiles(t testing.TB) int {
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries)
}

func TestAThousandOpeningsLeakNothing(t *testing.T) {
	socket := "unix:" + t.TempDir() + "/s"
	round := func(i int) {
		e := local()
		if i%2 == 1 {
			e.Addr = socket
		}
		l, err := Listen(t.Context(), settings(t, ""), e)
		require.NoError(t, err)
		defer func() { require.NoError(t, l.Close()) }()
		network := "tcp"
		if i%2 == 1 {
			network = "unix"
		}
		c, err := net.Dial(network, l.Addr())
		require.NoError(t, err)
		defer c.Close()
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
		waiting(t, l, 1)
		if i%4 < 2 {
			return // closed with a request that waits
		}
		b := source.NewBatch(100, 1<<20)
		defer b.Free()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		require.NoError(t, l.Next(ctx, b))
		b.Deliver(true)
		answer := make([]byte, 12)
		_, err = io.ReadFull(c, answer)
		require.NoError(t, err)
		require.Equal(t, "HTTP/1.1 200", string(answer))
	}
	for i := range 8 {
		round(i)
	}
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	for i := range 1000 {
		round(i)
	}
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
	assert.LessOrEqual(t, openFiles(t), files)
}

func TestUnixSocket(t *testing.T) {
	path := t.TempDir() + "/collector.sock"
	open := func(text string) (*Listener, error) {
		e := local()
		e.Addr = "unix:" + path
		return Listen(t.Context(), settings(t, text), e)
	}
	post := func(t *testing.T, l *Listener) {
		t.Helper()
		f := newFramework(t, l)
		c, err := net.Dial("unix", path)
		require.NoError(t, err)
		defer c.Close()
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
		assert.Equal(t, "abc", f.next()[0].payload)
		f.batch.Deliver(true)
		answer := make([]byte, 12)
		_, err = io.ReadFull(c, answer)
		require.NoError(t, err)
		assert.Equal(t, "HTTP/1.1 200", string(answer))
	}
	exists := func() bool {
		_, err := os.Lstat(path)
		return err == nil
	}
	t.Run("has the mode asked for, and is gone after close", func(t *testing.T) {
		for text, mode := range map[string]os.FileMode{"": 0o660, `{"socketMode": "0602"}`: 0o602, `{"socketMode": "777"}`: 0o777} {
			l, err := open(text)
			require.NoError(t, err)
			assert.Equal(t, path, l.Addr())
			info, err := os.Lstat(path)
			require.NoError(t, err)
			assert.Equal(t, os.ModeSocket|mode, info.Mode())
			post(t, l)
			require.NoError(t, l.Close())
			assert.False(t, exists())
		}
	})
	t.Run("of a process that died is taken over", func(t *testing.T) {
		dead, err := net.Listen("unix", path)
		require.NoError(t, err)
		dead.(*net.UnixListener).SetUnlinkOnClose(false)
		require.NoError(t, dead.Close())
		require.True(t, exists())
		l, err := open("")
		require.NoError(t, err)
		post(t, l)
		require.NoError(t, l.Close())
	})
	t.Run("of a living process is left alone", func(t *testing.T) {
		l, err := open("")
		require.NoError(t, err)
		_, err = open("")
		assert.EqualError(t, err, fmt.Sprintf("listen on %q: address already in use: a process answers there", "unix:"+path))
		post(t, l)
		require.NoError(t, l.Close())
	})
	t.Run("does not replace a file of another kind", func(t *testing.T) {
		require.NoError(t, os.WriteFile(path, []byte("precious"), 0o600))
		defer os.Remove(path)
		_, err := open("")
		assert.EqualError(t, err, fmt.Sprintf("listen on %q: a file that is no socket is in the way", "unix:"+path))
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, "precious", string(content))
	})
	t.Run("does not follow a link", func(t *testing.T) {
		require.NoError(t, os.Symlink("/nonexistent", path))
		defer os.Remove(path)
		_, err := open("")
		assert.ErrorContains(t, err, "a file that is no socket is in the way")
	})
	t.Run("that somebody replaced is not removed at close", func(t *testing.T) {
		l, err := open("")
		require.NoError(t, err)
		require.NoError(t, os.Remove(path))
		other, err := net.Listen("unix", path)
		require.NoError(t, err)
		defer other.Close()
		require.NoError(t, l.Close())
		assert.True(t, exists())
	})
	t.Run("has a name of limited length", func(t *testing.T) {
		e := local()
		e.Addr = "unix:/" + strings.Repeat("x", 200)
		_, err := Listen(t.Context(), settings(t, ""), e)
		assert.ErrorContains(t, err, "invalid argument")
	})
}
