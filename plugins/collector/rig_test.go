// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/ingest/webhook"
	"github.com/aerie-falco/aerie/shared/plugin/source"
)

// patience bounds what must happen; no test passes by waiting for it.
const patience = 30 * time.Second

// rig is an open collector, with the framework's part played by hand.
type rig struct {
	t        testing.TB
	instance source.Instance
	addr     string
	batch    *source.Batch
}

// open opens a collector on a free port, unless the parameters, the inside of a
// JSON object, say another one.
func open(t testing.TB, params string) *rig {
	t.Helper()
	if !strings.Contains(params, `"addr"`) {
		params = strings.TrimSuffix(`"addr": "127.0.0.1:0", `+params, ", ")
	}
	require.True(t, json.Valid([]byte("{"+params+"}")), params)
	in, err := New().Open(t.Context(), "{"+params+"}")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, in.Close()) })
	l := in.(*webhook.Listener)
	b := source.NewBatch(l.MaxEventSize(), source.DefaultMaxBatchBytes)
	t.Cleanup(b.Free)
	return &rig{t, in, l.Addr(), b}
}

// next returns the payloads of one batch that has any.
func (r *rig) next() []string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	require.NoError(r.t, r.instance.Next(ctx, r.batch))
	var payloads []string
	r.batch.Events(func(payload []byte, _ uint64) bool {
		payloads = append(payloads, string(payload))
		return true
	})
	require.NotEmpty(r.t, payloads, "no events came")
	return payloads
}

// nothing checks that no event is there.
func (r *rig) nothing() {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	cancel()
	require.NoError(r.t, r.instance.Next(ctx, r.batch), "being idle is no error")
	require.Zero(r.t, r.batch.Len())
}

// deliver is the framework coming back for more.
func (r *rig) deliver() { r.batch.Deliver(true) }

type reply struct {
	code   int
	text   string
	header http.Header
	err    error
}

// post sends a body and does not wait.
func (r *rig) post(body string) <-chan reply { return r.send("POST", strings.NewReader(body)) }

func (r *rig) send(method string, body io.Reader) <-chan reply {
	r.t.Helper()
	request, err := http.NewRequest(method, "http://"+r.addr, body)
	require.NoError(r.t, err)
	transport := &http.Transport{}
	r.t.Cleanup(transport.CloseIdleConnections)
	replies := make(chan reply, 1)
	go func() {
		answer, err := (&http.Client{Transport: transport, Timeout: patience}).Do(request)
		if err != nil {
			replies <- reply{err: err}
			return
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		replies <- reply{answer.StatusCode, string(text), answer.Header, err}
	}()
	return replies
}

func (r *rig) answer(replies <-chan reply) reply {
	r.t.Helper()
	select {
	case got := <-replies:
		require.NoError(r.t, got.err)
		return got
	case <-time.After(patience):
		require.Fail(r.t, "no answer came")
		return reply{}
	}
}

// lives sends one event all the way.
func (r *rig) lives() {
	r.t.Helper()
	answer := r.post("still here")
	assert.Equal(r.t, []string{"still here"}, r.next())
	r.deliver()
	assert.Equal(r.t, 200, r.answer(answer).code)
}

// dial connects, for what an HTTP client would not send.
func (r *rig) dial(text string) net.Conn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { c.Close() })
	require.NoError(r.t, c.SetDeadline(time.Now().Add(patience)))
	_, err = fmt.Fprint(c, strings.ReplaceAll(text, "\n", "\r\n"))
	require.NoError(r.t, err)
	return c
}
