// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aerie-falco/aerie/shared/ingest/queue"
	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/source"
)

// Kinds of acknowledgement, as Config.Ack names them.
const (
	ackDelivered = "delivered"
	ackQueued    = "queued"
)

// closeWait bounds each of the two steps of Close: answering those who wait,
// and ending all connections. Together they stay below source.CloseWait.
const closeWait = 2 * time.Second

// Listener is an open HTTP listener, and as such a source instance.
type Listener struct {
	ctx      context.Context // carries log and metrics
	config   Config
	endpoint Endpoint
	auth     auth
	counters counters

	maxBody                    int
	refuseBody, refuseInflated *refusal

	memory *queue.Budget // bytes
	slots  *queue.Budget // requests that may wait; nil: any number
	queue  *queue.Queue
	async  bool // requests are answered when they are queued

	spare     sync.Pool // *exchange
	inflaters sync.Pool // *gzip.Reader
	large     chan []byte

	server    *http.Server
	conns     *connections
	serving   chan struct{} // closed when the server accepts no more
	answering *gate         // requests that have arrived whole
	closeOnce sync.Once
	closeErr  error
}

// Listen opens a listener. When it returns, the address is taken, and the
// secrets and certificates were readable. ctx lives as long as the instance
// does; its log and metrics are used.
func Listen(ctx context.Context, c Config, e Endpoint) (*Listener, error) {
	l, err := newListener(ctx, c, e)
	if err != nil {
		return nil, err
	}
	socket, err := bind(ctx, e.Addr, c.socketMode)
	if err != nil {
		return nil, err
	}
	if err := l.start(socket); err != nil {
		socket.Close()
		return nil, err
	}
	return l, nil
}

func newListener(ctx context.Context, c Config, e Endpoint) (*Listener, error) {
	if e.Decode == nil {
		e.Decode = Single
	}
	l := &Listener{
		ctx: ctx, config: c, endpoint: e,
		counters:  newCounters(plugin.Metrics(ctx)),
		serving:   make(chan struct{}),
		large:     make(chan []byte, maxKept),
		answering: newGate(),
	}
	if err := l.setLimits(); err != nil {
		return nil, err
	}
	var err error
	if l.auth, err = newAuth(c.Auth, l.warn); err != nil {
		return nil, err
	}
	confirm := queue.WhenDelivered
	if c.Ack == ackQueued {
		confirm = queue.WhenTaken
	}
	l.queue = queue.New(confirm)
	l.memory = queue.NewBudget(int64(c.Limits.MaxMemory), l.counters.memory)
	if e.Buffer > 0 {
		l.slots = queue.NewBudget(int64(e.Buffer), nil)
		l.async = c.Ack == ackQueued
	}
	return l, nil
}

// splitBody is the default limit of bodies that may hold several events.
const splitBody = 12 << 20

func (l *Listener) setLimits() error {
	limits := l.config.Limits
	l.maxBody = int(limits.MaxBodySize)
	if l.maxBody == 0 {
		l.maxBody = l.endpoint.MaxEventSize
		if l.endpoint.Splits {
			l.maxBody = max(l.maxBody, splitBody)
		}
	}
	// A body, and at the same time its decompressed form before and after the
	// last growth, whose steps double.
	need := 3*int64(l.maxBody) + int64(limits.MaxEvents)*int64(eventSize) + gzipState
	if int64(limits.MaxMemory) < need {
		return fmt.Errorf("limits.maxMemory: %d bytes are too few for bodies of %d bytes and %d events; want at least %d",
			limits.MaxMemory, l.maxBody, limits.MaxEvents, need)
	}
	l.refuseBody = &refusal{cause: causeSize, code: http.StatusRequestEntityTooLarge, unread: true,
		text: fmt.Sprintf("the body has more than %d bytes", l.maxBody)}
	l.refuseInflated = &refusal{cause: causeSize, code: http.StatusRequestEntityTooLarge,
		text: fmt.Sprintf("the decompressed body has more than %d bytes", l.maxBody)}
	return nil
}

// start begins to serve on the socket.
func (l *Listener) start(socket net.Listener) error {
	l.conns = &connections{
		Listener: socket, max: l.config.Limits.MaxConnections, plain: l.config.TLS == nil,
		served: newGate(), gauge: l.counters.connections, refused: l.counters.turnedAway,
		open: make(map[net.Conn]struct{}),
	}
	var accept net.Listener = l.conns
	if l.config.TLS != nil {
		certificates, err := loadCertificates(*l.config.TLS, l.warn)
		if err != nil {
			return fmt.Errorf("tls: %w", err)
		}
		accept = tls.NewListener(accept, certificates.serverConfig())
	}
	t := l.config.Timeouts
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	l.server = &http.Server{
		Handler:                      http.HandlerFunc(l.serve),
		DisableGeneralOptionsHandler: true,
		Protocols:                    protocols,
		ReadHeaderTimeout:            t.Header,
		ReadTimeout:                  max(t.Read, t.Header),
		// It begins with the end of the header.
		WriteTimeout:   t.Read + t.Queue + t.Delivery + t.Write,
		IdleTimeout:    t.Idle,
		MaxHeaderBytes: int(l.config.Limits.MaxHeaderSize),
		ConnState:      l.conns.state,
		ErrorLog:       log.New(serverLog{l}, "", 0),
	}
	plugin.Go(l.ctx, "webhook "+l.Addr(), func(context.Context) {
		defer close(l.serving)
		err := l.server.Serve(accept)
		if !l.answering.isClosed() {
			l.queue.Fail(source.Fatal(fmt.Errorf("accept connections on %s: %w", l.Addr(), err)))
		}
	})
	plugin.Log(l.ctx).Info("listening for events", "address", l.Addr(), "tls", l.config.TLS != nil, "ack", l.config.Ack)
	return nil
}

// Addr is the address that was taken: "host:port" or the path of a socket.
func (l *Listener) Addr() string { return l.conns.Addr().String() }

// Next implements source.Instance.
func (l *Listener) Next(ctx context.Context, b *source.Batch) error { return l.queue.Next(ctx, b) }

// MaxEventSize is the largest payload, in bytes.
func (l *Listener) MaxEventSize() int { return l.endpoint.MaxEventSize }

// Close frees the address, answers the requests that wait, and ends all
// connections. Requests whose events the framework has not consumed are told so
// by a 503 or 504; those still arriving are cut off.
func (l *Listener) Close() error {
	l.closeOnce.Do(func() { l.closeErr = l.close() })
	return l.closeErr
}

func (l *Listener) close() error {
	answered := l.answering.close()
	l.conns.Listener.Close()
	l.memory.Close()
	if l.slots != nil {
		l.slots.Close()
	}
	if n := l.queue.Len(); n > 0 && l.async {
		plugin.Log(l.ctx).Warn("closing drops requests that were acknowledged but not delivered", "requests", n)
	}
	l.queue.Close()

	deadline := time.NewTimer(closeWait)
	defer deadline.Stop()
	select {
	case <-answered:
	case <-deadline.C: // some client does not take its answer
	}
	deadline.Reset(closeWait)
	// Once nothing is accepted, all connections are known.
	select {
	case <-l.serving:
	case <-deadline.C:
		l.server.Close()
		return errors.New("close listener: accepting connections did not end in time")
	}
	ended := l.conns.closeAll()
	l.server.Close()
	select {
	case <-ended:
		return nil
	case <-deadline.C:
		return errors.New("close listener: some connections did not end in time")
	}
}

func (l *Listener) warn(err error) {
	plugin.LogLimited(l.ctx, slog.LevelWarn, "reload", err.Error())
}

// serverLog takes what net/http has to say: about single connections, mostly.
type serverLog struct{ l *Listener }

func (s serverLog) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	level, kind := slog.LevelWarn, "http server"
	if strings.Contains(text, "TLS handshake error") {
		s.l.counters.handshakes.Inc()
		level, kind = slog.LevelDebug, "tls handshake"
	}
	plugin.LogLimited(s.l.ctx, level, kind, text)
	return len(line), nil
}
