// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/source"
)

func TestEveryPostIsOneEventByteForByte(t *testing.T) {
	l := listen(t, "", local())
	payloads := newFramework(t, l).run()
	c := client(t, nil)
	var want []string
	for name, r := range map[string]struct {
		path, contentType, body string
	}{
		"a JSON object":                   {"/", "application/json", `{"a": 1}`},
		"another path and a query":        {"/a/b/?x=1&y=%zz", "application/json", "2"},
		"no JSON":                         {"/", "text/plain", "hello\n"},
		"no content type":                 {"/", "", "4"},
		"white space around":              {"/", "", " \n5\n "},
		"bytes that are no UTF-8":         {"/", "application/octet-stream", "\x00\xff\xfe\x80"},
		"several lines, not asked for":    {"/", "application/x-ndjson", "7\n7\n"},
		"an array, not asked for":         {"/", "application/json", "[8,8]"},
		"gzip data that is not announced": {"/", "", "\x1f\x8b\x08\x00\x00"},
		"a body of the largest size":      {"/", "", strings.Repeat("x", 1<<10)},
	} {
		want = append(want, r.body)
		answer := send(t, c, request(t, "http://"+l.Addr()+r.path, strings.NewReader(r.body), "Content-Type", r.contentType))
		assert.Equal(t, 200, answer.code, name)
		assert.Empty(t, answer.text, name)
	}
	send(t, c, request(t, "http://"+l.Addr(), chunkedBody("chunks")))
	assert.ElementsMatch(t, append(want, "chunks"), payloads())
	assert.EqualValues(t, len(want)+1, l.counters.accepted.Value())
	assert.EqualValues(t, len(want)+1, l.counters.events.Value())
	assert.EqualValues(t, len(strings.Join(want, ""))+len("chunks"), l.counters.bytes.Value())
	eventually(t, "all memory is given back", func() bool { return l.memory.Used() == 0 })
	assert.Zero(t, l.counters.memory.Value())
	assert.Zero(t, l.counters.waiting.Value())
}

func TestKeepAliveServesManyRequests(t *testing.T) {
	l := listen(t, "", local())
	payloads := newFramework(t, l).run()
	c := dial(t, l)
	for range 100 {
		c.send("POST /x HTTP/1.1\nHost: h\nContent-Length: 3\n\nabc")
		require.Equal(t, 200, c.answer().code)
	}
	assert.Len(t, payloads(), 100)
	assert.EqualValues(t, 1, l.counters.connections.Value())
}

func TestExpectContinue(t *testing.T) {
	l := listen(t, "", local())
	payloads := newFramework(t, l).run()
	c := dial(t, l)
	c.send("POST / HTTP/1.1\nHost: h\nContent-Length: 3\nExpect: 100-continue\n\n")
	assert.Equal(t, 100, c.answer().code)
	c.send("abc")
	assert.Equal(t, 200, c.answer().code)
	assert.Equal(t, []string{"abc"}, payloads())

	c = dial(t, l)
	c.send("POST / HTTP/1.1\nHost: h\nContent-Length: 3000\nExpect: 100-continue\n\n")
	assert.Equal(t, 413, c.answer().code, "the client need not send what is too large")
}

func TestOtherMethodsAreRefused(t *testing.T) {
	l := listen(t, "", local())
	f := newFramework(t, l)
	c := client(t, nil)
	for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} {
		r, err := http.NewRequest(method, "http://"+l.Addr()+"/any/path", nil)
		require.NoError(t, err)
		answer := send(t, c, r)
		assert.Equal(t, 405, answer.code, method)
		assert.Equal(t, "POST", answer.header.Get("Allow"), method)
		if method != "HEAD" {
			assert.Equal(t, "only POST is allowed\n", answer.text, method)
		}
	}
	raw := dial(t, l)
	raw.send("OPTIONS * HTTP/1.1\nHost: h\n\n")
	assert.Equal(t, 405, raw.answer().code)
	assert.EqualValues(t, 9, l.counters.refused[causeMethod].Value())
	f.idle()
}

func TestAnEmptyBodyIsRefused(t *testing.T) {
	l := listen(t, "", local())
	f := newFramework(t, l)
	for name, body := range map[string]io.Reader{
		"without a length":   http.NoBody,
		"with a length of 0": strings.NewReader(""),
		"in chunks":          chunkedBody(""),
	} {
		answer := send(t, client(t, nil), request(t, "http://"+l.Addr(), body))
		assert.Equal(t, 400, answer.code, name)
		assert.Equal(t, "the body holds no event\n", answer.text, name)
	}
	assert.EqualValues(t, 3, l.counters.refused[causeBody].Value())
	f.idle()
	f.stillWorks()
}

func TestPathAndContentTypeCanBeDemanded(t *testing.T) {
	e := local()
	e.Path = "/k8s-audit"
	e.ContentTypes = []string{"application/json"}
	l := listen(t, "", e)
	payloads := newFramework(t, l).run()
	c := client(t, nil)
	for name, r := range map[string]struct {
		path, contentType string
		code              int
	}{
		"both right":               {"/k8s-audit", "application/json", 200},
		"a parameter and capitals": {"/k8s-audit?timeout=1", "Application/JSON; charset=utf-8", 200},
		"another path":             {"/k8s-audit/", "application/json", 404},
		"the root":                 {"/", "application/json", 404},
		"another type":             {"/k8s-audit", "text/plain", 415},
		"no type":                  {"/k8s-audit", "", 415},
	} {
		answer := send(t, c, request(t, "http://"+l.Addr()+r.path, strings.NewReader(name), "Content-Type", r.contentType))
		assert.Equal(t, r.code, answer.code, name)
	}
	assert.ElementsMatch(t, []string{"both right", "a parameter and capitals"}, payloads())
}

func TestEventsCarryTheTimeOfReceipt(t *testing.T) {
	l := listen(t, "", local())
	f := newFramework(t, l)
	var last uint64
	for range 20 {
		before := uint64(time.Now().UnixNano())
		answer := postLater(t, l, "x")
		got := f.next()
		after := uint64(time.Now().UnixNano())
		f.batch.Deliver(true)
		require.Equal(t, 200, wait(t, answer).code)
		require.Len(t, got, 1)
		require.GreaterOrEqual(t, got[0].time, before)
		require.LessOrEqual(t, got[0].time, after)
		require.GreaterOrEqual(t, got[0].time, last)
		last = got[0].time
	}
}

func TestTheDecoderChoosesTheTime(t *testing.T) {
	e := local()
	e.Decode = func(_ *http.Request, body []byte, out *Events) error {
		require.Equal(t, 1<<10, out.MaxSize())
		require.NoError(t, out.Add(body[:1], 77))
		require.NoError(t, out.Add(body[1:], source.NoTimestamp))
		require.Equal(t, 2, out.Len())
		return nil
	}
	l := listen(t, "", e)
	f := newFramework(t, l)
	answer := postLater(t, l, "ab")
	assert.Equal(t, []received{{"a", 77}, {"b", source.NoTimestamp}}, f.next())
	f.batch.Deliver(true)
	assert.Equal(t, 200, wait(t, answer).code)
}

func TestTheDecodersErrorIsTheAnswer(t *testing.T) {
	var result error
	e := local()
	e.Decode = func(_ *http.Request, body []byte, out *Events) error {
		if string(body) == "panic" {
			panic("a mistake")
		}
		if result != nil {
			require.NoError(t, out.Add(body, 0))
		}
		return result
	}
	l := listen(t, "", e)
	f := newFramework(t, l)
	for name, c := range map[string]struct {
		err  error
		code int
		text string
	}{
		"an error":                  {errors.New("no audit event"), 400, "no audit event\n"},
		"a refusal":                 {&Refusal{422, "no known kind"}, 422, "no known kind\n"},
		"a refusal for size":        {&Refusal{413, "event 1 is too large"}, 413, "event 1 is too large\n"},
		"neither error nor event":   {nil, 400, "the body holds no event\n"},
		"text that is not for show": {errors.New("bad \x00\x1b[2J\nSet-Cookie: x\xff"), 400, "bad   [2J Set-Cookie: x\ufffd\n"},
		"text without end":          {errors.New(strings.Repeat("x", 10000)), 400, strings.Repeat("x", 300) + "...\n"},
	} {
		result = c.err
		answer := post(t, l, "body")
		assert.Equal(t, c.code, answer.code, name)
		assert.Equal(t, c.text, answer.text, name)
		f.idle()
	}
	answer := post(t, l, "panic")
	assert.Equal(t, 500, answer.code)
	assert.EqualValues(t, 1, l.counters.refused[causePanic].Value())
	f.idle()
	eventually(t, "all memory is given back", func() bool { return l.memory.Used() == 0 })
}

func TestHealth(t *testing.T) {
	l := listen(t, `{"healthPath": "/healthz", "auth": {"bearerToken": "env:PATH"}, "limits": {"maxMemory": "1MiB", "maxEvents": 1, "maxBodySize": 1024}}`, local())
	f := newFramework(t, l)
	ask := func(method string) reply {
		r, err := http.NewRequest(method, "http://"+l.Addr()+"/healthz", nil)
		require.NoError(t, err)
		return send(t, client(t, nil), r)
	}
	assert.Equal(t, 200, ask("GET").code)
	assert.Equal(t, "ok\n", ask("GET").text)
	assert.Equal(t, 200, ask("HEAD").code)
	assert.Equal(t, 401, ask("POST").code, "a POST on the health path is a request like any other")
	assert.Equal(t, 405, ask("PUT").code)
	require.True(t, l.memory.TryAcquire(1<<20))
	ended := make(chan bool)
	go func() { ended <- l.memory.Acquire(1, time.Now().Add(patience)) }()
	eventually(t, "somebody waits", l.memory.Contended)
	assert.Equal(t, 503, ask("GET").code)
	l.memory.Release(1 << 20)
	assert.True(t, <-ended)
	assert.Equal(t, 200, ask("GET").code)
	f.idle()
}

func TestWithoutAHealthPathThereIsNone(t *testing.T) {
	l := listen(t, "", local())
	r, err := http.NewRequest("GET", "http://"+l.Addr()+"/healthz", nil)
	require.NoError(t, err)
	assert.Equal(t, 405, send(t, client(t, nil), r).code)
}

func TestASocketThatFailsEndsTheSourceWithItsReason(t *testing.T) {
	l := listen(t, "", local())
	f := newFramework(t, l)
	answer := postLater(t, l, "x")
	f.next()
	require.NoError(t, l.conns.Listener.Close())
	<-l.serving
	err := l.Next(t.Context(), f.batch)
	assert.ErrorContains(t, err, "accept connections on 127.0.0.1:")
	f.batch.Deliver(true)
	assert.Equal(t, 504, wait(t, answer).code)
	assert.Equal(t, 503, l.postThrough(t, "y"))
}

// postThrough calls the handler without a connection.
func (l *Listener) postThrough(t testing.TB, body string) int {
	w := &recorder{header: http.Header{}}
	l.serve(w, request(t, "http://h/", bytes.NewReader([]byte(body))))
	return w.code
}

type recorder struct {
	header http.Header
	code   int
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(b []byte) (int, error) { return len(b), nil }
func (r *recorder) WriteHeader(code int)        { r.code = code }
func (r *recorder) Flush()                      {}
