// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/aerie-falco/aerie/shared/ingest/queue"
	"github.com/aerie-falco/aerie/shared/plugin"
)

// serve answers one request.
func (l *Listener) serve(w http.ResponseWriter, r *http.Request) {
	if h := l.config.HealthPath; h != "" && r.URL.Path == h && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		l.health(w)
		return
	}
	now := time.Now()
	if bad := l.checkHeader(r, now); bad != nil {
		l.answer(w, r, bad)
		return
	}
	x := l.begin()
	defer x.end()
	l.answer(w, r, x.receive(r, now))
}

// health tells whether a request would find room now.
func (l *Listener) health(w http.ResponseWriter) {
	code, text := http.StatusOK, "ok\n"
	if l.answering.isClosed() || l.memory.Contended() || l.slots != nil && l.slots.Contended() {
		code, text = http.StatusServiceUnavailable, "no room for more events now\n"
	}
	w.Header()["Content-Type"] = plainText
	w.WriteHeader(code)
	w.Write([]byte(text))
}

// checkHeader finds what is wrong with a request before its body is read.
func (l *Listener) checkHeader(r *http.Request, now time.Time) *refusal {
	if p := l.endpoint.Path; p != "" && p != "/" && r.URL.Path != p {
		return refusePath
	}
	if r.Method != http.MethodPost {
		return refuseMethod
	}
	if bad := l.auth.checkToken(r, now); bad != nil {
		return bad
	}
	if bad := l.auth.checkSignaturePresent(r); bad != nil {
		return bad
	}
	if !l.hasContentType(r) {
		return refuseType
	}
	if _, ok := encoding(r); !ok {
		return refuseEncoding
	}
	if r.ContentLength > int64(l.maxBody) {
		return l.refuseBody
	}
	if r.ContentLength == 0 {
		return refuseEmpty
	}
	return nil
}

func (l *Listener) hasContentType(r *http.Request) bool {
	if len(l.endpoint.ContentTypes) == 0 {
		return true
	}
	mediaType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	mediaType = strings.TrimSpace(mediaType)
	for _, want := range l.endpoint.ContentTypes {
		if strings.EqualFold(mediaType, want) {
			return true
		}
	}
	return false
}

// encoding tells whether the body is compressed, and whether it can be read.
func encoding(r *http.Request) (gzipped, ok bool) {
	values := r.Header["Content-Encoding"]
	if len(values) == 0 {
		return false, true
	}
	switch value := strings.TrimSpace(values[0]); {
	case len(values) > 1:
		return false, false
	case value == "", strings.EqualFold(value, "identity"):
		return false, true
	case strings.EqualFold(value, "gzip"), strings.EqualFold(value, "x-gzip"):
		return true, true
	}
	return false, false
}

// receive reads the body, turns it into events and hands them over. Nil means
// that the request is accepted.
func (x *exchange) receive(r *http.Request, now time.Time) *refusal {
	if bad := x.readBody(r); bad != nil {
		return bad
	}
	received := time.Now()
	// From here on closing waits for the answer.
	if x.entered = x.l.answering.enter(); !x.entered {
		return refuseClosing
	}
	if bad := x.l.auth.checkSignature(r, x.raw, now); bad != nil {
		return bad
	}
	body := x.raw
	if gzipped, _ := encoding(r); gzipped {
		var bad *refusal
		if body, bad = x.inflate(); bad != nil {
			return bad
		}
	}
	if bad := x.decode(r, body); bad != nil {
		return bad
	}
	x.entry.Received = uint64(received.UnixNano())
	return x.handOver()
}

// decode contains panics: a Decoder is author code that sees outside data.
func (x *exchange) decode(r *http.Request, body []byte) (bad *refusal) {
	defer func() {
		if cause := recover(); cause != nil {
			plugin.LogLimited(x.l.ctx, slog.LevelError, "decoder panic",
				"decoding a request body panicked", "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			bad = refusePanic
		}
	}()
	err := x.l.endpoint.Decode(r, body, &x.out)
	var chosen *Refusal
	switch {
	case err == nil && x.out.Len() == 0:
		return refuseEmpty
	case err == nil:
		return nil
	case errors.Is(err, errNoRoom):
		return x.l.noRoom(refuseFull)
	case errors.As(err, &chosen) && chosen.Code == http.StatusRequestEntityTooLarge:
		return &refusal{cause: causeSize, code: chosen.Code, text: err.Error()}
	case errors.As(err, &chosen):
		return &refusal{cause: causeBody, code: chosen.Code, text: err.Error()}
	}
	return &refusal{cause: causeBody, code: http.StatusBadRequest, text: err.Error()}
}

// handOver puts the events into the queue and waits for what acknowledgement
// demands.
func (x *exchange) handOver() *refusal {
	l, e := x.l, x.entry
	if l.slots != nil && !l.slots.TryAcquire(1) && !l.slots.Acquire(1, x.patience()) {
		return l.noRoom(refuseFull)
	}
	events := uint64(len(e.Events))
	e.Left = x.onLeft
	l.counters.waiting.Add(1)
	// Put passes the exchange on: without a wait it may be gone at once.
	x.queued = true
	x.users.Store(2)
	if l.queue.Put(e) != nil {
		x.queued = false
		l.counters.waiting.Add(-1)
		if l.slots != nil {
			l.slots.Release(1)
		}
		return refuseClosing
	}
	if !l.async {
		if bad := x.await(); bad != nil {
			return bad
		}
	}
	l.counters.events.Add(events)
	return nil
}

// await waits for the entry's outcome.
func (x *exchange) await() *refusal {
	x.timer.Reset(x.l.config.Timeouts.Delivery)
	var outcome queue.Outcome
	select {
	case outcome = <-x.entry.Done():
		x.timer.Stop()
	case <-x.timer.C:
		outcome = x.l.queue.Withdraw(x.entry)
	}
	switch outcome {
	case queue.Confirmed:
		x.queued = false
		return nil
	case queue.Withdrawn:
		x.queued = false
		return x.l.noRoom(refuseUndelivered)
	case queue.Oversize:
		return refuseOversize
	}
	return refuseUnconfirmed
}

// noRoom gives the reason for a wait that ended: closing ends all waits.
func (l *Listener) noRoom(bad *refusal) *refusal {
	if l.answering.isClosed() {
		return refuseClosing
	}
	return bad
}
