// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/config"
	"github.com/aerie-falco/aerie/shared/plugin/source"
)

// patience bounds what must happen; no test passes by waiting for it.
const patience = 30 * time.Second

// settings decodes a listener's config; "" means the defaults.
func settings(t testing.TB, text string) Config {
	t.Helper()
	var c Config
	require.NoError(t, config.Decode(text, &c))
	return c
}

// local is an endpoint on a free port of this machine.
func local() Endpoint {
	return Endpoint{Addr: "127.0.0.1:0", MaxEventSize: 1 << 10}
}

func listen(t testing.TB, text string, e Endpoint) *Listener {
	t.Helper()
	l, err := Listen(t.Context(), settings(t, text), e)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	return l
}

// framework takes events as a framework does: batch by batch, coming back for
// more when it has consumed one.
type framework struct {
	t     testing.TB
	l     *Listener
	batch *source.Batch
}

func newFramework(t testing.TB, l *Listener) *framework {
	b := source.NewBatch(l.MaxEventSize(), 1<<20)
	t.Cleanup(b.Free)
	return &framework{t, l, b}
}

type received struct {
	payload string
	time    uint64
}

// next returns the events of one batch that has any.
func (f *framework) next() []received {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	require.NoError(f.t, f.l.Next(ctx, f.batch))
	require.NotZero(f.t, f.batch.Len(), "no events came")
	return f.events()
}

func (f *framework) events() []received {
	var got []received
	f.batch.Events(func(payload []byte, ts uint64) bool {
		got = append(got, received{string(payload), ts})
		return true
	})
	return got
}

// run takes events until the listener is closed. The function it returns gives
// the payloads so far.
func (f *framework) run() func() []string {
	var mu sync.Mutex
	var payloads []string
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for f.l.Next(f.t.Context(), f.batch) == nil {
			mu.Lock()
			for _, e := range f.events() {
				payloads = append(payloads, e.payload)
			}
			mu.Unlock()
			f.batch.Deliver(true)
		}
	}()
	f.t.Cleanup(func() {
		assert.NoError(f.t, f.l.Close())
		<-ended
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string{}, payloads...)
	}
}

// reply is what a client got.
type reply struct {
	code   int
	text   string
	header http.Header
	closes bool // and ends the connection
}

// client is an ordinary one, with connections of its own.
func client(t testing.TB, config *tls.Config) *http.Client {
	transport := &http.Transport{TLSClientConfig: config, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

func send(t testing.TB, c *http.Client, r *http.Request) reply {
	t.Helper()
	got, err := c.Do(r)
	require.NoError(t, err)
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	require.NoError(t, err)
	return reply{got.StatusCode, string(text), got.Header, got.Close}
}

// request is a POST with headers given as alternating names and values.
func request(t testing.TB, url string, body io.Reader, headers ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url, body)
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func post(t testing.TB, l *Listener, body string, headers ...string) reply {
	t.Helper()
	return send(t, client(t, nil), request(t, "http://"+l.Addr(), strings.NewReader(body), headers...))
}

// postLater posts on a goroutine of its own.
func postLater(t testing.TB, l *Listener, body string, headers ...string) <-chan reply {
	answers := make(chan reply, 1)
	c := client(t, nil)
	r := request(t, "http://"+l.Addr(), strings.NewReader(body), headers...)
	go func() {
		answer, err := c.Do(r)
		if err != nil {
			answers <- reply{text: err.Error()}
			return
		}
		defer answer.Body.Close()
		text, _ := io.ReadAll(answer.Body)
		answers <- reply{answer.StatusCode, string(text), answer.Header, answer.Close}
	}()
	return answers
}

func wait(t testing.TB, answers <-chan reply) reply {
	t.Helper()
	select {
	case a := <-answers:
		return a
	case <-time.After(patience):
		require.Fail(t, "no answer came")
		return reply{}
	}
}

// eventually waits for a condition that nothing announces.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !condition(); {
		if time.Now().After(end) {
			require.Fail(t, "did not happen: "+what)
		}
		runtime.Gosched()
		time.Sleep(100 * time.Microsecond)
	}
}

// raw is a connection on which anything can be sent.
type raw struct {
	t testing.TB
	net.Conn
	answers *bufio.Reader
}

func dial(t testing.TB, l *Listener) *raw {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	return &raw{t, c, bufio.NewReader(c)}
}

func (c *raw) send(format string, args ...any) {
	c.t.Helper()
	_, err := fmt.Fprintf(c.Conn, strings.ReplaceAll(format, "\n", "\r\n"), args...)
	require.NoError(c.t, err)
}

func (c *raw) answer() reply {
	c.t.Helper()
	a, err := http.ReadResponse(c.answers, nil)
	require.NoError(c.t, err)
	text, err := io.ReadAll(a.Body)
	require.NoError(c.t, err)
	return reply{a.StatusCode, string(text), a.Header, a.Close}
}

// closed waits until the other side has closed the connection.
func (c *raw) closed() {
	c.t.Helper()
	rest, err := io.ReadAll(c.answers)
	if err != nil {
		require.ErrorContains(c.t, err, "reset")
	}
	require.Empty(c.t, string(rest))
}

// stillWorks posts one event and sees it through.
func (f *framework) stillWorks() {
	f.t.Helper()
	answer := postLater(f.t, f.l, "still here")
	assert.Equal(f.t, "still here", f.next()[0].payload)
	f.batch.Deliver(true)
	assert.Equal(f.t, 200, wait(f.t, answer).code)
}

// idle checks that nothing was ingested.
func (f *framework) idle() {
	f.t.Helper()
	ctx, cancel := context.WithCancel(f.t.Context())
	cancel()
	require.NoError(f.t, f.l.Next(ctx, f.batch))
	require.Empty(f.t, f.events())
	assert.Zero(f.t, f.l.queue.Len())
}

// chunked hides the length of a body.
type chunked struct{ io.Reader }

func chunkedBody(text string) io.Reader { return chunked{bytes.NewReader([]byte(text))} }
