// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/ingest/webhook"
	"github.com/aerie-falco/aerie/shared/plugin/source"
)

const audit = "http://127.0.0.1:0/k8s-audit"

func (r *rig) addr() string { return r.instance.(*webhook.Listener).Addr() }

func bodyOf(text string) io.Reader { return strings.NewReader(text) }

// dial connects, for what an HTTP client would not send.
func (r *rig) dial(text string) net.Conn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr())
	require.NoError(r.t, err)
	r.t.Cleanup(func() { c.Close() })
	require.NoError(r.t, c.SetDeadline(time.Now().Add(patience)))
	_, err = c.Write([]byte(text))
	require.NoError(r.t, err)
	return c
}

func TestAPostIsAnsweredWhenItsEventsWereConsumed(t *testing.T) {
	r := open(t, "", audit)
	answer := r.post(`{"kind":"EventList","items":[` + one + `, ` + two + `]}`)
	assert.Equal(t, []emitted{{one, oneAt}, {two, oneAt + 1000}}, r.next())
	select {
	case got := <-answer:
		require.Fail(t, "answered before the framework came back", "%d", got.code)
	default:
	}
	r.batch.Deliver(true)
	got := r.answer(answer)
	assert.Equal(t, 200, got.code)
	assert.Empty(t, got.text)
}

func TestRequestsThatAreNotTaken(t *testing.T) {
	r := open(t, `{"webhookMaxBatchSize": 2000, "maxEventSize": 1000}`, audit)
	large := `{"kind":"Event","x":"` + strings.Repeat("x", 1000) + `"}`
	for name, c := range map[string]struct {
		method, path, contentType, body string
		code                            int
		text                            string
	}{
		"another method":          {"GET", "", "application/json", "", 405, "only POST is allowed"},
		"another path":            {"POST", "x", "application/json", one, 404, "no such path"},
		"a slash at the end":      {"POST", "/", "application/json", one, 404, "no such path"},
		"no content type":         {"POST", "", "", one, 415, "this content type is not supported"},
		"another content type":    {"POST", "", "text/plain", one, 415, "this content type is not supported"},
		"a body over the limit":   {"POST", "", "application/json", strings.Repeat(" ", 2001), 413, "the body has more than 2000 bytes"},
		"no body":                 {"POST", "", "application/json", "", 400, "the body holds no event"},
		"garbage":                 {"POST", "", "application/json", "garbage", 400, `parse JSON: byte 0 is "g": want a value`},
		"no audit event":          {"POST", "", "application/json", `{"kind":"Pod"}`, 400, `it is no audit event: its kind is "Pod"; want "Event" or "EventList"`},
		"no event in the list":    {"POST", "", "application/json", `{"kind":"EventList","items":[]}`, 400, "the document holds no audit event"},
		"only too large an event": {"POST", "", "application/json", large, 413, "the audit event has 1023 bytes; at most 1000 are allowed"},
		"deep nesting":            {"POST", "", "application/json", strings.Repeat("[", 1999), 400, `parse JSON: byte 300 is "[": want at most 300 arrays and objects inside each other`},
		"a list cut off":          {"POST", "", "application/json", `{"kind":"EventList","items":[` + one, 400, `parse JSON: the text ends after 106 bytes: want a comma or ]`},
	} {
		t.Run(name, func(t *testing.T) {
			got := r.answer(r.send(c.method, r.url+c.path, c.contentType, bodyOf(c.body)))
			assert.Equal(t, c.code, got.code)
			assert.Equal(t, c.text, got.text)
		})
		r.nothing()
	}
	r.lives()
}

func TestContentTypesOfJSON(t *testing.T) {
	r := open(t, "", audit)
	for _, contentType := range []string{"application/json", "application/json; charset=utf-8", "Application/JSON"} {
		answer := r.send("POST", r.url, contentType, bodyOf(one))
		assert.Len(t, r.next(), 1)
		r.batch.Deliver(true)
		assert.Equal(t, 200, r.answer(answer).code, contentType)
	}
}

func TestARequestIsAcceptedIfOneEventIs(t *testing.T) {
	r := open(t, `{"maxEventSize": 1000}`, audit)
	large := `{"kind":"Event","x":"` + strings.Repeat("x", 1000) + `"}`
	for _, bad := range []string{`{"kind":"Pod"}`, large, `{"a":tru}`, `7`} {
		answer := r.post(`[` + bad + `,` + one + `,` + bad + `]`)
		assert.Equal(t, []string{one}, payloads(r.next()))
		r.batch.Deliver(true)
		assert.Equal(t, 200, r.answer(answer).code)
	}
}

func TestAnEventOfTheLimitIsTaken(t *testing.T) {
	body := `{"kind":"Event","x":"` + strings.Repeat("x", 977) + `"}`
	require.Len(t, body, 1000)
	r := open(t, `{"maxEventSize": 1000}`, audit)
	answer := r.post(strings.ReplaceAll(body, ":", " :  "))
	assert.Equal(t, []string{body}, payloads(r.next()))
	r.batch.Deliver(true)
	assert.Equal(t, 200, r.answer(answer).code)
}

func TestABodyOfTenMegabytes(t *testing.T) {
	r := open(t, "", audit)
	const n = 6000
	event := `{"auditID":"x","stage":"` + strings.Repeat("x", 1700) + `"}`
	answer := r.post(`{"kind":"EventList","items":[` + strings.Repeat(event+",\n", n-1) + event + `]}`)
	got := 0
	for got < n {
		for _, e := range r.next() {
			require.Equal(t, event, e.payload)
			got++
		}
		r.batch.Deliver(true)
	}
	assert.Equal(t, n, got)
	assert.Equal(t, 200, r.answer(answer).code)
}

func TestManyTinyEventsAreRefusedAndNotHeld(t *testing.T) {
	r := open(t, "", audit)
	got := r.answer(r.post(`{"kind":"EventList","items":[` + strings.Repeat("{},", 4_000_000) + `{}]}`))
	assert.Equal(t, 413, got.code)
	assert.Equal(t, "more than 65536 events in one request", got.text)
	r.nothing()
	r.lives()
}

func TestABodyMayBeCompressed(t *testing.T) {
	r := open(t, "", audit)
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	_, err := z.Write([]byte("[" + one + "]"))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	answer := r.send("POST", r.url, "application/json", &body, "Content-Encoding", "gzip")
	assert.Equal(t, []string{one}, payloads(r.next()))
	r.batch.Deliver(true)
	assert.Equal(t, 200, r.answer(answer).code)
}

func TestEventsWithoutATimeHaveThatOfTheirReceipt(t *testing.T) {
	r := open(t, "", audit)
	answer := r.post(`{"kind":"Event"}`)
	got := r.next()[0].time
	now := uint64(time.Now().UnixNano())
	assert.LessOrEqual(t, got, now)
	assert.Greater(t, got, now-uint64(patience))
	r.batch.Deliver(true)
	assert.Equal(t, 200, r.answer(answer).code)
}

func TestNothingIsAnswered200ThatIsThrownAway(t *testing.T) {
	t.Run("with nobody reading", func(t *testing.T) {
		r := open(t, `{"webhook": {"timeouts": {"delivery": "20ms"}}}`, audit)
		var answers []<-chan reply
		for range 70 {
			answers = append(answers, r.post(one))
		}
		for _, answer := range answers {
			got := r.answer(answer)
			assert.Equal(t, 503, got.code)
			assert.Equal(t, "1", got.header.Get("Retry-After"))
		}
		r.nothing()
	})
	t.Run("when the source is closed", func(t *testing.T) {
		r := open(t, "", audit)
		taken := r.post(one)
		r.next()
		waiting := r.post(two)
		r.batch.Deliver(false)
		require.NoError(t, r.instance.Close())
		assert.Equal(t, 504, r.answer(taken).code, "it may have been seen")
		if got := <-waiting; got.err == nil { // one that was not even accepted has no answer
			assert.Equal(t, 503, got.code)
		}
	})
}

func TestClosingIsQuickWhateverClientsDo(t *testing.T) {
	r := open(t, "", audit)
	r.dial("")
	r.dial("POST /k8s-audit HTTP/1.1\r\n")
	r.dial("POST /k8s-audit HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	waiting := r.post(one)
	began := time.Now()
	require.NoError(t, r.instance.Close())
	assert.Less(t, time.Since(began), source.CloseWait)
	<-waiting
	_, err := net.Dial("tcp", r.addr())
	assert.Error(t, err)
}

func TestSlowClientsAreCutOff(t *testing.T) {
	// Long enough for a client that is quick on a busy machine.
	r := open(t, `{"webhook": {"timeouts": {"header": "1s", "read": "1s", "idle": "1s"}}}`, audit)
	var clients []net.Conn
	for _, text := range []string{
		"",
		"POST /k8s-audit HTTP/1.1\r\nHost: h\r\nX",
		"POST /k8s-audit HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"kind\"",
	} {
		clients = append(clients, r.dial(text))
	}
	for _, c := range clients {
		_, err := io.ReadAll(c)
		assert.NoError(t, err, "the webhook closes the connection")
	}
	r.nothing()
	r.lives()
}

func TestConnectionsAreBounded(t *testing.T) {
	r := open(t, `{"webhook": {"maxConnections": 2}}`, audit)
	r.dial("")
	second := r.dial("")
	answer := make([]byte, 100)
	for {
		// The two may not have been accepted yet.
		n, err := r.dial("").Read(answer)
		if err == nil {
			assert.True(t, bytes.HasPrefix(answer[:n], []byte("HTTP/1.1 503 ")), "%q", answer[:n])
			break
		}
	}
	second.Close()
}

func TestHTTPS(t *testing.T) {
	a := newAuthority(t)
	r := open(t, fmt.Sprintf(`{"sslCertificate": %q}`, a.file(true)), "https://127.0.0.1:0/k8s-audit")
	r.trusts(a)
	r.lives()

	for _, garbage := range []string{"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff\x01", strings.Repeat("\xff", 1000), "\x00"} {
		c := r.dial(garbage)
		_ = c.(*net.TCPConn).CloseWrite() // the server may have closed it already
		answer, err := io.ReadAll(c)
		if err == nil {
			assert.NotContains(t, string(answer), "200")
		}
	}
	r.nothing()
	r.lives()
}

func TestTheCertificateIsLoadedInsideOpen(t *testing.T) {
	for file, want := range map[string]string{
		"/nowhere.pem": "tls: stat /nowhere.pem: no such file or directory",
		write(t, filepath.Join(t.TempDir(), "x.pem"), "no PEM", 0): "failed to find any PEM data in certificate input",
		newAuthority(t).file(false):                                "tls: load certificate",
	} {
		_, err := state(t, fmt.Sprintf(`{"sslCertificate": %q}`, file)).Open(t.Context(), "https://127.0.0.1:0/x")
		assert.ErrorContains(t, err, want)
	}
}

func TestClientsMayHaveToShowACertificate(t *testing.T) {
	a := newAuthority(t)
	ca := a.file(false)
	config := fmt.Sprintf(`{"sslCertificate": %q, "webhook": {"clientCA": %q}}`, a.file(true), ca)
	r := open(t, config, "https://127.0.0.1:0/k8s-audit")
	r.trusts(a, a.pair())
	r.lives()
	r.trusts(a)
	assert.ErrorContains(t, (<-r.post(one)).err, "tls:")
	r.nothing()

	_, err := state(t, config).Open(t.Context(), audit)
	assert.EqualError(t, err, "open webhook: webhook.clientCA demands certificates of clients, which only https:// has")
}

func TestClientsMayHaveToShowAToken(t *testing.T) {
	token := write(t, filepath.Join(t.TempDir(), "token"), "secret\n", 0)
	r := open(t, fmt.Sprintf(`{"webhook": {"bearerToken": "file:%s"}}`, token), audit)
	got := r.answer(r.post(one))
	assert.Equal(t, 401, got.code)
	assert.Equal(t, "a valid bearer token is required", got.text)
	assert.Equal(t, 401, r.answer(r.send("POST", r.url, "application/json", bodyOf(one), "Authorization", "Bearer other")).code)
	answer := r.send("POST", r.url, "application/json", bodyOf(one), "Authorization", "Bearer secret")
	assert.Len(t, r.next(), 1)
	r.batch.Deliver(true)
	assert.Equal(t, 200, r.answer(answer).code)

	assert.ErrorContains(t, New().Init(nil, `{"webhook": {"bearerToken": "secret"}}`), "bearerToken")
}

func TestMemoryHasToBeEnoughForABody(t *testing.T) {
	config := func(memory string) string {
		return `{"webhookMaxBatchSize": "1MiB", "webhook": {"maxMemory": "` + memory + `"}}`
	}
	_, err := state(t, config("1MiB")).Open(t.Context(), audit)
	assert.ErrorContains(t, err, "maxMemory: 1048576 bytes are too few for bodies of 1048576 bytes")
	open(t, config("8MiB"), audit).lives()
}

func TestHealthIsTold(t *testing.T) {
	r := open(t, `{"webhook": {"healthPath": "/healthz"}}`, audit)
	assert.Equal(t, 200, r.answer(r.send("GET", "http://"+r.addr()+"/healthz", "", nil)).code)
	_, err := state(t, `{"webhook": {"healthPath": "healthz"}}`).Open(t.Context(), audit)
	assert.ErrorContains(t, err, "healthPath")
}

func TestTwoWebhooksOfOneStateAreIndependent(t *testing.T) {
	p := state(t, "")
	first, err := p.Open(t.Context(), audit)
	require.NoError(t, err)
	second, err := p.Open(t.Context(), audit)
	require.NoError(t, err)
	require.NoError(t, first.Close())
	require.NoError(t, first.Close())
	require.NoError(t, second.Close())
}
