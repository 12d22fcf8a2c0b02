// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
)

// cause is why a request was refused, as metrics count it.
type cause int

const (
	causePath cause = iota
	causeMethod
	causeToken
	causeSignature
	causeType
	causeUnread
	causeSize
	causeBody
	causePanic
	causeRoom
	causeUndelivered
	causeUnconfirmed
	causeClosing
	causes // how many there are
)

// causeInfo gives each cause the last words of its metric, and the level of its
// log lines: a warning where events get lost or somebody does what they should
// not, debug where any passer-by can be the cause.
var causeInfo = [causes]struct {
	metric string
	level  slog.Level
}{
	causePath:        {"path", slog.LevelDebug},
	causeMethod:      {"method", slog.LevelDebug},
	causeToken:       {"token", slog.LevelWarn},
	causeSignature:   {"signature", slog.LevelWarn},
	causeType:        {"content_type", slog.LevelWarn},
	causeUnread:      {"incomplete", slog.LevelDebug},
	causeSize:        {"too_large", slog.LevelWarn},
	causeBody:        {"bad_body", slog.LevelWarn},
	causePanic:       {"decoder_panic", slog.LevelError},
	causeRoom:        {"no_room", slog.LevelWarn},
	causeUndelivered: {"not_taken", slog.LevelWarn},
	causeUnconfirmed: {"unconfirmed", slog.LevelWarn},
	causeClosing:     {"closing", slog.LevelDebug},
}

// refusal is the answer to a request that is not accepted.
type refusal struct {
	cause  cause
	code   int
	text   string
	unread bool // the body was not read to its end, so that the connection has to be closed
}

var (
	refusePath        = &refusal{causePath, 404, "no such path", true}
	refuseMethod      = &refusal{causeMethod, 405, "only POST is allowed", true}
	refuseToken       = &refusal{causeToken, 401, "a valid bearer token is required", true}
	refuseNoSignature = &refusal{causeSignature, 401, "a signature is required", true}
	refuseSignature   = &refusal{causeSignature, 403, "the signature does not match the body", false}
	refuseType        = &refusal{causeType, 415, "this content type is not supported", true}
	refuseEncoding    = &refusal{causeType, 415, "this content encoding is not supported; use gzip or none", true}
	refuseSlow        = &refusal{causeUnread, 408, "the body did not arrive in time", true}
	refuseCut         = &refusal{causeUnread, 400, "the body did not arrive whole", true}
	refuseEmpty       = &refusal{causeBody, 400, "the body holds no event", false}
	refuseOversize    = &refusal{causeSize, 413, "an event is too large", false}
	refuseGzip        = &refusal{causeBody, 400, "the body is no valid gzip", false}
	refusePanic       = &refusal{causePanic, 500, "the body could not be decoded", false}
	refuseRoom        = &refusal{causeRoom, 503, "no room for more events now", true}
	refuseFull        = &refusal{causeRoom, 503, "no room for more events now", false}
	refuseUndelivered = &refusal{causeUndelivered, 503, "the events were not taken in time", false}
	refuseUnconfirmed = &refusal{causeUnconfirmed, 504, "the events may have been delivered, but that is not confirmed", false}
	refuseClosing     = &refusal{causeClosing, 503, "the source is closing", false}
)

// retryAfter is in seconds. Trouble here passes as soon as the framework reads.
const retryAfter = "1"

// counters are a listener's metrics.
type counters struct {
	accepted    *metrics.Counter
	events      *metrics.Counter
	bytes       *metrics.Counter
	refused     [causes]*metrics.Counter
	handshakes  *metrics.Counter
	connections *metrics.Gauge
	turnedAway  *metrics.Counter
	memory      *metrics.Gauge
	waiting     *metrics.Gauge
}

func newCounters(r *metrics.Registry) counters {
	c := counters{
		accepted:    r.Counter("requests_accepted"),
		events:      r.Counter("events_accepted"),
		bytes:       r.Counter("bodies_received_bytes"),
		handshakes:  r.Counter("tls_handshakes_failed"),
		connections: r.Gauge("connections_open"),
		turnedAway:  r.Counter("connections_refused"),
		memory:      r.Gauge("queue_bytes"),
		waiting:     r.Gauge("requests_waiting"),
	}
	for i := range c.refused {
		c.refused[i] = r.Counter("requests_refused_" + causeInfo[i].metric)
	}
	return c
}

// Header values that do not change.
var (
	zero      = []string{"0"}
	plainText = []string{"text/plain; charset=utf-8"}
)

// answer ends a request: 200 for nil. It flushes, for once it returns the
// request counts as answered, and the connection may be closed.
func (l *Listener) answer(w http.ResponseWriter, r *http.Request, bad *refusal) {
	h := w.Header()
	if l.answering.isClosed() || bad != nil && bad.unread && r.ContentLength != 0 {
		h["Connection"] = []string{"close"}
	}
	if bad == nil {
		l.counters.accepted.Inc()
		h["Content-Length"] = zero
		w.WriteHeader(http.StatusOK)
	} else {
		l.note(r, bad)
		switch bad.code {
		case http.StatusMethodNotAllowed:
			h.Set("Allow", "POST")
		case http.StatusUnauthorized:
			if bad == refuseToken {
				h.Set("Www-Authenticate", "Bearer")
			}
		case http.StatusUnsupportedMediaType:
			h.Set("Accept-Encoding", "gzip")
		case http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			h.Set("Retry-After", retryAfter)
		}
		text := oneLine(bad.text)
		h["Content-Type"] = plainText
		h["Content-Length"] = []string{strconv.Itoa(len(text))}
		h.Set("X-Content-Type-Options", "nosniff")
		w.WriteHeader(bad.code)
		w.Write([]byte(text))
	}
	w.(http.Flusher).Flush()
}

// note counts and logs a refusal.
func (l *Listener) note(r *http.Request, bad *refusal) {
	info := &causeInfo[bad.cause]
	l.counters.refused[bad.cause].Inc()
	plugin.LogLimited(l.ctx, info.level, "refused "+info.metric,
		"refused a request: "+strings.TrimSuffix(oneLine(bad.text), "\n"), "client", r.RemoteAddr, "status", bad.code)
}

// maxText bounds what a Decoder's error shows, in bytes.
const maxText = 300

// oneLine makes text printable, ending in a newline.
func oneLine(text string) string {
	if len(text) > maxText {
		text = text[:maxText] + "..."
	}
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "\ufffd")) + "\n"
}
