// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unanswered checks that no answer has come yet.
func unanswered(t testing.TB, answers <-chan reply) {
	t.Helper()
	select {
	case a := <-answers:
		require.Fail(t, "answered already", "%d %s", a.code, a.text)
	default:
	}
}

func waiting(t testing.TB, l *Listener, n int) {
	t.Helper()
	eventually(t, "requests are queued", func() bool { return l.queue.Len() == n })
}

func TestARequestIsAnsweredWhenTheFrameworkComesBack(t *testing.T) {
	l := listen(t, "", local())
	f := newFramework(t, l)
	first := postLater(t, l, "first")
	waiting(t, l, 1)
	unanswered(t, first)
	assert.Equal(t, "first", f.next()[0].payload)
	unanswered(t, first)
	second := postLater(t, l, "second")
	waiting(t, l, 1)
	f.batch.Deliver(true)
	assert.Equal(t, 200, wait(t, first).code)
	unanswered(t, second)
	assert.Equal(t, "second", f.next()[0].payload)
	f.batch.Deliver(true)
	assert.Equal(t, 200, wait(t, second).code)
}

func TestABatchThatWasNotDeliveredIsNotConfirmed(t *testing.T) {
	l := listen(t, "", local())
	f := newFramework(t, l)
	answer := postLater(t, l, "x")
	f.next()
	f.batch.Deliver(false)
	got := wait(t, answer)
	assert.Equal(t, 504, got.code)
	assert.Equal(t, "1", got.header.Get("Retry-After"))
	assert.EqualValues(t, 1, l.counters.refused[causeUnconfirmed].Value())
	f.stillWorks()
}

func TestEventsThatNobodyTakesAreWithdrawnInTime(t *testing.T) {
	l := listen(t, `{"timeouts": {"delivery": "20ms"}}`, local())
	f := newFramework(t, l)
	got := post(t, l, "x")
	assert.Equal(t, 503, got.code)
	assert.Equal(t, "the events were not taken in time\n", got.text)
	assert.Equal(t, "1", got.header.Get("Retry-After"))
	assert.EqualValues(t, 1, l.counters.refused[causeUndelivered].Value())
	f.idle()
	eventually(t, "all memory is given back", func() bool { return l.memory.Used() == 0 })
	assert.Zero(t, l.counters.waiting.Value())
}

func TestEventsTakenButNotConsumedInTimeAreUnconfirmed(t *testing.T) {
	l := listen(t, `{"timeouts": {"delivery": "500ms"}}`, local())
	f := newFramework(t, l)
	answer := postLater(t, l, "x")
	f.next()
	assert.Equal(t, 504, wait(t, answer).code)
	f.batch.Deliver(true)
}

func TestAClientThatGoesAwayLeavesItsEvent(t *testing.T) {
	l := listen(t, "", local())
	f := newFramework(t, l)
	c := dial(t, l)
	c.send("POST / HTTP/1.1\nHost: h\nContent-Length: 3\n\nabc")
	waiting(t, l, 1)
	c.Close()
	assert.Equal(t, "abc", f.next()[0].payload)
	f.batch.Deliver(true)
	f.stillWorks()
}

func TestRequestsWaitForRoomAndAreRefusedWithoutIt(t *testing.T) {
	e := local()
	e.Buffer = 2
	l := listen(t, `{"timeouts": {"queue": "50ms"}}`, e)
	f := newFramework(t, l)
	first, second := postLater(t, l, "1"), postLater(t, l, "2")
	waiting(t, l, 2)
	got := post(t, l, "3")
	assert.Equal(t, 503, got.code)
	assert.Equal(t, "no room for more events now\n", got.text)
	assert.Equal(t, "1", got.header.Get("Retry-After"))
	assert.EqualValues(t, 1, l.counters.refused[causeRoom].Value())
	unanswered(t, first)
	assert.Len(t, f.next(), 2)
	f.batch.Deliver(true)
	assert.Equal(t, 200, wait(t, first).code)
	assert.Equal(t, 200, wait(t, second).code)
	f.stillWorks()
}

func TestARequestThatWaitsForRoomGetsIt(t *testing.T) {
	e := local()
	e.Buffer = 1
	l := listen(t, "", e)
	f := newFramework(t, l)
	first := postLater(t, l, "1")
	waiting(t, l, 1)
	second := postLater(t, l, "2")
	eventually(t, "the second waits", l.slots.Contended)
	// There is room as soon as the first is taken, if not in the same batch.
	got := f.next()
	f.batch.Deliver(true)
	if len(got) == 1 {
		got = append(got, f.next()...)
		f.batch.Deliver(true)
	}
	require.Len(t, got, 2)
	assert.Equal(t, "1", got[0].payload)
	assert.Equal(t, "2", got[1].payload)
	assert.Equal(t, 200, wait(t, first).code)
	assert.Equal(t, 200, wait(t, second).code)
}

func TestMemoryIsBounded(t *testing.T) {
	// Two bodies fit, three do not.
	e := local()
	e.MaxEventSize = 300_000
	l := listen(t, `{"limits": {"maxMemory": "1MiB", "maxEvents": 1}, "timeouts": {"queue": "50ms"}}`, e)
	f := newFramework(t, l)
	body := strings.Repeat("x", 290_000)
	var answers []<-chan reply
	for range 2 {
		answers = append(answers, postLater(t, l, body))
		waiting(t, l, len(answers))
	}
	for range 3 {
		got := post(t, l, body)
		require.Equal(t, 503, got.code)
		require.LessOrEqual(t, l.counters.memory.Value(), int64(1<<20))
	}
	assert.Len(t, f.next(), 2)
	f.batch.Deliver(true)
	for _, a := range answers {
		assert.Equal(t, 200, wait(t, a).code)
	}
	eventually(t, "all memory is given back", func() bool { return l.memory.Used() == 0 })
	f.stillWorks()
}

func TestMemoryThatCannotHoldTheLargestRequestIsRefusedAtOpen(t *testing.T) {
	for name, c := range map[string]struct {
		limits string
		splits bool
		err    string
	}{
		"one large body":   {`{"maxMemory": "4MiB", "maxBodySize": "2MiB"}`, false, "limits.maxMemory: 4194304 bytes are too few for bodies of 2097152 bytes and 65536 events; want at least 8454144"},
		"many events":      {`{"maxMemory": "4MiB", "maxEvents": 1000000}`, false, "limits.maxMemory: 4194304 bytes are too few for bodies of 1024 bytes and 1000000 events; want at least 32068608"},
		"splitting bodies": {`{"maxMemory": "4MiB"}`, true, "limits.maxMemory: 4194304 bytes are too few for bodies of 12582912 bytes and 65536 events; want at least 39911424"},
	} {
		e := local()
		e.Splits = c.splits
		_, err := Listen(t.Context(), settings(t, `{"limits": `+c.limits+`}`), e)
		assert.EqualError(t, err, c.err, name)
	}
}

func TestAckQueued(t *testing.T) {
	t.Run("with a buffer a request is answered at once", func(t *testing.T) {
		e := local()
		e.Buffer = 2
		l := listen(t, `{"ack": "queued", "timeouts": {"queue": "50ms"}}`, e)
		f := newFramework(t, l)
		assert.Equal(t, 200, post(t, l, "1").code)
		assert.Equal(t, 200, post(t, l, "2").code)
		assert.Equal(t, 503, post(t, l, "3").code)
		assert.NotZero(t, l.memory.Used())
		assert.Len(t, f.next(), 2)
		f.batch.Deliver(true)
		assert.Zero(t, l.counters.waiting.Value())
		eventually(t, "all memory is given back", func() bool { return l.memory.Used() == 0 })
		assert.Equal(t, 200, post(t, l, "4").code)
		assert.Equal(t, "4", f.next()[0].payload)
	})
	t.Run("without a buffer a request is answered when its event is taken", func(t *testing.T) {
		l := listen(t, `{"ack": "queued"}`, local())
		f := newFramework(t, l)
		answer := postLater(t, l, "1")
		waiting(t, l, 1)
		unanswered(t, answer)
		f.next()
		assert.Equal(t, 200, wait(t, answer).code, "the batch is not delivered yet")
		eventually(t, "all memory is given back", func() bool { return l.memory.Used() == 0 })
	})
	t.Run("without a buffer an event that nobody takes is withdrawn", func(t *testing.T) {
		l := listen(t, `{"ack": "queued", "timeouts": {"delivery": "20ms"}}`, local())
		f := newFramework(t, l)
		assert.Equal(t, 503, post(t, l, "1").code)
		f.idle()
		eventually(t, "all memory is given back", func() bool { return l.memory.Used() == 0 })
	})
	t.Run("closing drops what was queued, and gives its memory back", func(t *testing.T) {
		e := local()
		e.Buffer = 2
		l := listen(t, `{"ack": "queued"}`, e)
		assert.Equal(t, 200, post(t, l, "1").code)
		require.NoError(t, l.Close())
		assert.Zero(t, l.memory.Used())
	})
}

// TestManyClients has clients of all sorts at once, under every bound: each
// request answered 200 is there once, all others at most once.
func TestManyClients(t *testing.T) {
	e := local()
	e.Buffer = 3
	e.Decode = NDJSON
	l := listen(t, `{"timeouts": {"delivery": "5ms", "queue": "5ms"}, "limits": {"maxBodySize": 4096, "maxMemory": "1MiB", "maxEvents": 64}}`, e)
	payloads := newFramework(t, l).run()
	type sent struct {
		body string
		code int
	}
	const clients, each = 8, 150
	results := make(chan []sent, clients)
	for id := range clients {
		c := client(t, nil)
		go func() {
			var list []sent
			for i := range each {
				var body strings.Builder
				for range 1 + i%7 {
					body.WriteString(strings.Repeat("x", i%200) + "-" + string(rune('a'+id)) + "-" + time.Duration(i).String() + "-" + time.Duration(body.Len()).String() + "\n")
				}
				s := sent{body: body.String()}
				if answer, err := c.Do(request(t, "http://"+l.Addr(), strings.NewReader(s.body))); err == nil {
					s.code = answer.StatusCode
					answer.Body.Close()
				}
				list = append(list, s)
			}
			results <- list
		}()
	}
	var all []sent
	for range clients {
		all = append(all, <-results...)
	}
	require.NoError(t, l.Close())
	count := make(map[string]int)
	for _, p := range payloads() {
		count[p]++
	}
	accepted := 0
	for _, s := range all {
		lines := strings.Split(strings.TrimSpace(s.body), "\n")
		for _, line := range lines {
			switch s.code {
			case 200:
				require.Equal(t, 1, count[line])
			case 503:
				require.Zero(t, count[line], "what was refused as not delivered was delivered")
			default:
				require.Equal(t, 504, s.code)
				require.LessOrEqual(t, count[line], 1)
			}
		}
		if s.code == 200 {
			accepted++
		}
	}
	assert.NotZero(t, accepted)
	assert.EqualValues(t, accepted, l.counters.accepted.Value())
	assert.Zero(t, l.memory.Used())
	assert.Zero(t, l.slots.Used())
	assert.Zero(t, l.counters.waiting.Value())
}
