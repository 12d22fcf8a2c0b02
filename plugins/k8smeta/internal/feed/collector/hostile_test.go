// SPDX-License-Identifier: Apache-2.0

package collector_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed/collector"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed/feedtest"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/standin"
)

func TestASelectorNamesTheNodeAndTheSixKinds(t *testing.T) {
	r := newRig(t)
	selectors := make(chan *metadata.Selector, 1)
	c := r.collector("127.0.0.1:0", standin.CollectorOptions{Script: func(s *standin.Subscriber) error {
		selectors <- s.Selector
		return s.Serve()
	}})
	r.run(collector.Config{Port: c.Port(), NodeName: "some-node"})
	s := <-selectors
	assert.Equal(t, "some-node", s.NodeName)
	assert.Equal(t, map[string]string{
		"Pod": "true", "Namespace": "true", "Deployment": "true", "Service": "true", "ReplicaSet": "true", "ReplicationController": "true",
	}, s.ResourceKinds)
}

func TestAServerThatSpeaksSomethingElse(t *testing.T) {
	for name, answer := range map[string]string{
		"nothing":       "",
		"HTTP/1":        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
		"random bytes":  strings.Repeat("\xff\x00\x13", 1000),
		"a long prefix": strings.Repeat("a", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			accepted := make(chan struct{})
			go func() {
				defer close(accepted)
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					_, _ = conn.Write([]byte(answer))
					conn.Close()
				}
			}()
			t.Cleanup(func() { l.Close(); <-accepted })
			r.run(collector.Config{Port: l.Addr().(*net.TCPAddr).Port})
			assert.Equal(t, []string{"Kubernetes metadata: source not reached; trying again until it is there"}, r.Lines.Await(r.Ctx.Done(), 1))
		})
	}
}

func TestGarbageInTheStreamIsCountedAndSkipped(t *testing.T) {
	r := newRig(t)
	c := r.collector("127.0.0.1:0", standin.CollectorOptions{Script: func(s *standin.Subscriber) error {
		for _, e := range []*metadata.Event{
			{}, {Reason: "Create", Kind: "Pod"}, {Reason: "Nonsense", Kind: "Pod", Uid: "x"},
			{Reason: "Create", Kind: "Pod", Uid: "x", Meta: new("{")}, {Reason: "Create", Kind: "Pod", Uid: "x", Status: new("\x00")},
		} {
			if err := s.Send(e); err != nil {
				return err
			}
		}
		return s.Serve()
	}})
	r.run(collector.Config{Port: c.Port()})
	r.Await(feedtest.Size(11))
	assert.EqualValues(t, 5, r.Metrics.Counter("events_refused").Value())
	assert.Zero(t, r.Metrics.Counter("reconnects").Value())
}

func TestAStreamThatFailsRightAwayIsTriedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var attempts atomic.Int64
	c := r.collector("127.0.0.1:0", standin.CollectorOptions{Script: func(s *standin.Subscriber) error {
		if attempts.Add(1) <= 2 {
			return status.Error(codes.ResourceExhausted, "come back later")
		}
		return s.Serve()
	}})
	r.run(collector.Config{Port: c.Port()})
	r.Await(feedtest.Size(11))
	assert.EqualValues(t, 2, r.Metrics.Counter("reconnects").Value())
}

func TestAThousandFeedsThatComeAndGoLeaveNothing(t *testing.T) {
	r := newRig(t)
	c := r.collector("127.0.0.1:0", standin.CollectorOptions{})
	source, err := collector.New(collector.Config{Host: "127.0.0.1", Port: c.Port(), NodeName: "node-1"})
	require.NoError(t, err)
	r.Round(source, true)
	settle(t, r.Ctx, 0)
	before := runtime.NumGoroutine()
	for i := range 1000 {
		r.Round(source, i%3 != 0)
	}
	settle(t, r.Ctx, before)
}

// settle waits until there are at most n goroutines, or none that end by
// themselves if n is 0: those of the server end when it has seen its client go.
func settle(t *testing.T, ctx context.Context, n int) {
	t.Helper()
	for last, same := runtime.NumGoroutine(), 0; n == 0 && same < 50 || n > 0 && runtime.NumGoroutine() > n; {
		if ctx.Err() != nil {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, there were %d:\n%s", runtime.NumGoroutine(), n, stacks[:runtime.Stack(stacks, true)])
		}
		time.Sleep(time.Millisecond)
		if now := runtime.NumGoroutine(); now != last {
			last, same = now, 0
		} else {
			same++
		}
	}
}

func TestASourceEndsAtOnceWhenItIsTold(t *testing.T) {
	r := newRig(t)
	c := r.collector("127.0.0.1:0", standin.CollectorOptions{})
	source, err := collector.New(collector.Config{Host: "127.0.0.1", Port: c.Port(), NodeName: "a node without pods"})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(r.Ctx)
	opened := &opening{cancel: cancel}
	err = source.Run(ctx, opened)
	require.Error(t, err)
	assert.False(t, errors.Is(r.Ctx.Err(), context.DeadlineExceeded))
	assert.True(t, opened.done, "a stream is open before anything comes")
}

// opening is a sink that wants no more than to see the stream open.
type opening struct {
	feed.Sink
	cancel context.CancelFunc
	done   bool
}

func (o *opening) Opened() { o.done = true; o.cancel() }

func TestStoppingIsPromptWhileAConnectionIsBeingMade(t *testing.T) {
	for name, config := range map[string]collector.Config{
		"without TLS": {}, "with TLS": {CABundle: newFiles(t).bundle},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			address, accepted := feedtest.Mute(t)
			config.Port = int(netip.MustParseAddrPort(address).Port())
			stop := r.run(config)
			<-accepted
			stop()
			assert.NoError(t, r.Ctx.Err())
			assert.Empty(t, r.Lines.All(), "it was not given up, but called off")
		})
	}
}
