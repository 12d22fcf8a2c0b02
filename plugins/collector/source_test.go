// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/source"
)

func TestAPostIsOneEventWithItsBody(t *testing.T) {
	r := open(t, "")
	sample, err := os.ReadFile("testdata/falco_alert.json")
	require.NoError(t, err)
	for _, body := range []string{string(sample), "no JSON", "\x00\xff", " \n", "[1,2]\n[3]\n", strings.Repeat("x", 262144)} {
		answer := r.post(body)
		assert.Equal(t, []string{body}, r.next())
		r.deliver()
		got := r.answer(answer)
		assert.Equal(t, 200, got.code)
		assert.Empty(t, got.text)
	}
}

func TestOtherMethodsGet405(t *testing.T) {
	r := open(t, "")
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		got := r.answer(r.send(method, nil))
		assert.Equal(t, 405, got.code)
		assert.Equal(t, "POST", got.header.Get("Allow"))
		assert.Equal(t, "only POST is allowed\n", got.text)
	}
	r.nothing()
}

func TestAnEmptyBodyIsNoEvent(t *testing.T) {
	r := open(t, "")
	assert.Equal(t, 400, r.answer(r.post("")).code)
	r.nothing()
	r.lives()
}

func TestAnOversizePayloadIsRefusedAndNoError(t *testing.T) {
	t.Run("by default at 262144 bytes", func(t *testing.T) {
		r := open(t, "")
		assert.Equal(t, 413, r.answer(r.post(strings.Repeat("x", 262145))).code)
		got := r.answer(r.send("POST", struct{ io.Reader }{strings.NewReader(strings.Repeat("x", 262145))}))
		assert.Equal(t, 413, got.code, "in chunks, without a length")
		r.nothing()
		r.lives()
	})
	t.Run("at the size that is configured", func(t *testing.T) {
		r := open(t, `"maxPayloadSize": "1MiB"`)
		assert.Equal(t, 413, r.answer(r.post(strings.Repeat("x", 1<<20+1))).code)
		body := strings.Repeat("x", 1<<20)
		answer := r.post(body)
		assert.Equal(t, []string{body}, r.next())
		r.deliver()
		assert.Equal(t, 200, r.answer(answer).code)
	})
	t.Run("even the largest that can be configured", func(t *testing.T) {
		r := open(t, `"maxPayloadSize": "16MiB"`)
		body := strings.Repeat("x", 16<<20)
		answer := r.post(body)
		got := r.next()
		require.Len(t, got, 1)
		assert.True(t, got[0] == body)
		r.deliver()
		assert.Equal(t, 200, r.answer(answer).code)
	})
}

func TestGoodEventsAreNotLostWithABadOne(t *testing.T) {
	r := open(t, "")
	var good []<-chan reply
	want := []string{"1", "2", "3"}
	for _, body := range want {
		good = append(good, r.post(body))
	}
	assert.Equal(t, 413, r.answer(r.post(strings.Repeat("x", 262145))).code)
	assert.Equal(t, 400, r.answer(r.post("")).code)
	var got []string
	for len(got) < 3 {
		got = append(got, r.next()...)
		r.deliver()
	}
	assert.ElementsMatch(t, want, got)
	for _, answer := range good {
		assert.Equal(t, 200, r.answer(answer).code)
	}
}

func TestAnAbortedUploadIsNoEventAndNoError(t *testing.T) {
	r := open(t, "")
	for range 10 {
		c := r.dial("POST / HTTP/1.1\nHost: h\nContent-Length: 100\n\nabc")
		require.NoError(t, c.(*net.TCPConn).CloseWrite())
		answer, err := io.ReadAll(c)
		require.NoError(t, err)
		assert.True(t, bytes.HasPrefix(answer, []byte("HTTP/1.1 400 ")), "%s", answer)
	}
	r.nothing()
	r.lives()
}

func TestSlowClientsAreCutOff(t *testing.T) {
	r := open(t, `"timeouts": {"header": "300ms", "read": "300ms", "idle": "300ms"}`)
	for _, text := range []string{
		"",
		"POST / HTTP/1.1\nHost: h\n",
		"POST / HTTP/1.1\nHost: h\nContent-Length: 100\n\nabc",
	} {
		_, err := io.ReadAll(r.dial(text))
		assert.NoError(t, err, "the collector closes the connection")
	}
	r.nothing()
	r.lives()
}

func TestAFrameworkThatDoesNotReadIsToldToTheClient(t *testing.T) {
	r := open(t, `"buffer": 1, "timeouts": {"queue": "20ms", "delivery": "20ms"}`)
	for range 3 {
		got := r.answer(r.post("x"))
		assert.Equal(t, 503, got.code)
		assert.Equal(t, "1", got.header.Get("Retry-After"))
	}
	r.nothing()
}

func TestABufferBoundsTheRequestsThatWait(t *testing.T) {
	r := open(t, `"buffer": 1, "timeouts": {"queue": "20ms"}`)
	// One of them waits in the buffer, the others for room; which, is chance.
	answers := make(chan reply, 3)
	for range 3 {
		answer := r.post("x")
		go func() { answers <- <-answer }()
	}
	for range 2 {
		got := r.answer(answers)
		require.Equal(t, 503, got.code)
		assert.Equal(t, "no room for more events now\n", got.text)
	}
	assert.Equal(t, []string{"x"}, r.next())
	r.deliver()
	assert.Equal(t, 200, r.answer(answers).code)
}

func TestNothingIsAcknowledgedBeforeDelivery(t *testing.T) {
	r := open(t, "")
	answer := r.post("x")
	r.next()
	select {
	case got := <-answer:
		require.Fail(t, "answered before the framework came back", "%d", got.code)
	default:
	}
	r.batch.Deliver(false)
	assert.Equal(t, 504, r.answer(answer).code)
}

func TestAckQueuedWithABufferAnswersAtOnce(t *testing.T) {
	r := open(t, `"ack": "queued", "buffer": 8`)
	assert.Equal(t, 200, r.answer(r.post("x")).code)
	assert.Equal(t, []string{"x"}, r.next())
}

func TestCloseReleasesEverything(t *testing.T) {
	r := open(t, "")
	taken := r.post("taken")
	r.next()
	waits := []<-chan reply{r.post("1"), r.post("2")}
	upload := r.dial("POST / HTTP/1.1\nHost: h\nContent-Length: 100\n\nabc")
	began := time.Now()
	require.NoError(t, r.instance.Close())
	assert.Less(t, time.Since(began), source.CloseWait)
	for _, answer := range waits {
		// One that was not even accepted may get no answer.
		if got := <-answer; got.err == nil {
			assert.Equal(t, 503, got.code)
		}
	}
	assert.Equal(t, 504, r.answer(taken).code)
	rest, _ := io.ReadAll(upload)
	assert.NotContains(t, string(rest), "200")
	_, err := net.Dial("tcp", r.addr)
	assert.Error(t, err, "nobody acknowledges anything any more")
	r.batch.Deliver(false)
	assert.ErrorIs(t, r.instance.Next(t.Context(), r.batch), io.EOF)

	again := open(t, `"addr": "`+r.addr+`"`)
	again.lives()
}

func TestOpenFailsOnWhatIsInUse(t *testing.T) {
	r := open(t, "")
	_, err := New().Open(t.Context(), `{"addr": "`+r.addr+`"}`)
	assert.EqualError(t, err, "listen tcp "+r.addr+": bind: address already in use")
	_, err = New().Open(t.Context(), `{"addr": "54827"}`)
	assert.EqualError(t, err, `listen on "54827": address 54827: missing port in address; want host:port, :port or unix:/path`)
	r.lives()
}

func TestEventsCarryTheTimeOfReceipt(t *testing.T) {
	r := open(t, "")
	answer := r.post("x")
	r.next()
	taken := uint64(time.Now().UnixNano())
	r.batch.Events(func(_ []byte, ts uint64) bool {
		assert.Less(t, ts, taken)
		assert.Greater(t, ts, taken-uint64(patience))
		return true
	})
	r.deliver()
	assert.Equal(t, 200, r.answer(answer).code)
}

func TestSplit(t *testing.T) {
	for split, c := range map[string]struct {
		body string
		want []string
	}{
		"none":   {"[1,2]", []string{"[1,2]"}},
		"ndjson": {"1\n2\n", []string{"1", "2"}},
		"array":  {"[1, 2]", []string{"1", "2"}},
		"auto":   {"[1, 2]", []string{"1", "2"}},
	} {
		r := open(t, `"split": "`+split+`"`)
		answer := r.post(c.body)
		assert.Equal(t, c.want, r.next(), split)
		r.deliver()
		assert.Equal(t, 200, r.answer(answer).code, split)
	}
}

func TestABodyOfSeveralEventsMayBeLargerThanOnePayload(t *testing.T) {
	r := open(t, `"split": "ndjson"`)
	line := strings.Repeat("x", 250_000)
	answer := r.post(strings.Repeat(line+"\n", 20))
	got := 0
	for got < 20 {
		got += len(r.next())
		r.deliver()
	}
	assert.Equal(t, 20, got)
	assert.Equal(t, 200, r.answer(answer).code)
}

func TestTwoInstancesOfOneStateAreIndependent(t *testing.T) {
	p := New()
	one, err := p.Open(t.Context(), `{"addr": "127.0.0.1:0"}`)
	require.NoError(t, err)
	two, err := p.Open(t.Context(), `{"addr": "127.0.0.1:0"}`)
	require.NoError(t, err)
	require.NoError(t, one.Close())
	require.NoError(t, one.Close())
	require.NoError(t, two.Close())
}
