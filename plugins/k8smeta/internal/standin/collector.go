// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"crypto/tls"
	"fmt"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
)

// Subscriber is one stream of a collector, as a script sees it.
type Subscriber struct {
	Selector *metadata.Selector
	stream   grpc.ServerStreamingServer[metadata.Event]
	cluster  *Cluster
	end      <-chan error
}

// Send sends any event.
func (s *Subscriber) Send(e *metadata.Event) error { return s.stream.Send(e) }

// Done is closed when the subscriber has gone.
func (s *Subscriber) Done() <-chan struct{} { return s.stream.Context().Done() }

// Serve tells of the cluster as a collector does, until the subscriber goes or
// the stream is ended.
func (s *Subscriber) Serve() error {
	wanted := func(kind string) bool { _, ok := s.Selector.ResourceKinds[kind]; return ok }
	type key struct{ kind, uid string }
	told := make(map[key]*metadata.Event)
	for {
		objects, _, changed := s.cluster.now()
		present := make(map[key]bool)
		for _, e := range eventsFor(objects, s.Selector.NodeName, wanted) {
			k := key{e.Kind, e.Uid}
			present[k] = true
			if before := told[k]; before != nil {
				if proto.Equal(before, e) {
					continue
				}
				told[k] = proto.Clone(e).(*metadata.Event)
				e.Reason = metadata.Update
			} else {
				told[k] = e
			}
			if err := s.stream.Send(e); err != nil {
				return err
			}
		}
		for k := range told {
			if present[k] {
				continue
			}
			delete(told, k)
			if err := s.stream.Send(&metadata.Event{Reason: metadata.Delete, Uid: k.uid, Kind: k.kind}); err != nil {
				return err
			}
		}
		select {
		case <-s.stream.Context().Done():
			return s.stream.Context().Err()
		case err := <-s.end:
			return err
		case <-changed:
		}
	}
}

// CollectorOptions are how a collector differs from the plainest.
type CollectorOptions struct {
	TLS *tls.Config // nil: no TLS
	// Script answers a subscription instead of Serve; what it returns is the
	// status that ends the stream. It may call Serve.
	Script func(s *Subscriber) error
}

// Collector is a metadata collector that listens.
type Collector struct {
	metadata.UnimplementedMetadataServer
	cluster *Cluster
	script  func(*Subscriber) error
	server  *grpc.Server
	address net.Addr

	mu   sync.Mutex
	ends map[chan error]bool // one a stream
	ran  chan struct{}       // closed when the server has ended
}

// NewCollector makes a collector that tells of a cluster and listens on
// address, host:port with port 0 for any.
func NewCollector(address string, cluster *Cluster, o CollectorOptions) (*Collector, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("collector: %w", err)
	}
	var options []grpc.ServerOption
	if o.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(o.TLS)))
	}
	c := &Collector{
		cluster: cluster, script: o.Script, server: grpc.NewServer(options...), address: listener.Addr(),
		ends: make(map[chan error]bool), ran: make(chan struct{}),
	}
	if c.script == nil {
		c.script = (*Subscriber).Serve
	}
	metadata.RegisterMetadataServer(c.server, c)
	go func() {
		defer close(c.ran)
		_ = c.server.Serve(listener) // ends with Close only
	}()
	return c, nil
}

// Address is host:port.
func (c *Collector) Address() string { return c.address.String() }

// Port is the port of Address.
func (c *Collector) Port() int { return c.address.(*net.TCPAddr).Port }

// Close ends all streams as if the process had died, and waits for them.
func (c *Collector) Close() {
	c.server.Stop()
	<-c.ran
}

// End ends the streams that are being served, with a status; codes.OK is an
// orderly end. It returns how many there were.
func (c *Collector) End(code codes.Code, text string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.ends)
	for end := range c.ends {
		end <- status.Error(code, text)
		delete(c.ends, end)
	}
	return n
}

// Watch is the protocol's only method.
func (c *Collector) Watch(selector *metadata.Selector, stream grpc.ServerStreamingServer[metadata.Event]) error {
	end := make(chan error, 1)
	c.mu.Lock()
	c.ends[end] = true
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.ends, end)
		c.mu.Unlock()
	}()
	return c.script(&Subscriber{Selector: selector, stream: stream, cluster: c.cluster, end: end})
}
