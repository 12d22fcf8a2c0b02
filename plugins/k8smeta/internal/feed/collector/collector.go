// SPDX-License-Identifier: Apache-2.0

// Package collector reads Kubernetes metadata from a k8s-metacollector, which
// watches the API server for the whole cluster and tells each node what has to
// do with it.
package collector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed/socket"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
)

const (
	// maxMessage is the largest message that is used. Up to hardMaxMessage, a
	// larger one is refused by itself; beyond, it ends the stream.
	maxMessage     = 4 << 20
	hardMaxMessage = 16 << 20
)

// Config says which collector is asked, and for what.
type Config struct {
	Host     string // name or address; brackets around an IPv6 address may be left out
	Port     int
	NodeName string

	CABundle          string // file of PEM certificates; empty: no TLS
	ClientCertificate string // file; with TLS only
	ClientKey         string // file; with ClientCertificate
}

// Source is one collector.
type Source struct {
	address string
	tls     *identity // nil: no TLS
	node    string
}

var _ feed.Source = (*Source)(nil)

// New checks the configuration and reads the certificates. It connects to nothing.
func New(c Config) (*Source, error) {
	host := strings.TrimSpace(c.Host)
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	if host == "" {
		return nil, errors.New("collector: the host is empty; give its name or address")
	}
	if c.Port < 1 || c.Port > 65535 {
		return nil, fmt.Errorf("collector: port %d; there are 1 to 65535", c.Port)
	}
	s := &Source{address: net.JoinHostPort(host, strconv.Itoa(c.Port)), node: c.NodeName}
	if c.CABundle != "" {
		s.tls = &identity{name: host, bundle: c.CABundle, certificate: c.ClientCertificate, key: c.ClientKey}
		if err := s.tls.read(); err != nil {
			return nil, fmt.Errorf("collector: %w", err)
		}
	} else if c.ClientCertificate != "" || c.ClientKey != "" {
		return nil, errors.New("collector: a client certificate needs TLS; give the CA bundle too")
	}
	return s, nil
}

func (s *Source) String() string { return "collector " + s.address }

// Run makes one connection and reads it to its end.
func (s *Source) Run(ctx context.Context, sink feed.Sink) error {
	secure := insecure.NewCredentials()
	if s.tls != nil {
		secure = credentials.NewTLS(s.tls.config())
	}
	// The address goes to the dialer as it is, so the system resolves the name
	// at each attempt, and tries all addresses that it has.
	conn, err := grpc.NewClient("passthrough:///"+s.address,
		grpc.WithTransportCredentials(secure),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			// No HTTP/2 pings: the collector cuts off clients that send them more
			// often than every five minutes.
			return socket.Dial(ctx, "tcp", address)
		}),
		grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(hardMaxMessage)),
	)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()

	kinds := make(map[string]string)
	for _, kind := range metadata.Kinds() {
		kinds[kind] = "true"
	}
	stream, err := metadata.NewMetadataClient(conn).Watch(ctx, &metadata.Selector{NodeName: s.node, ResourceKinds: kinds})
	if err != nil {
		return explain(err)
	}
	// That there is a stream means that there is a connection. Headers come
	// with the first message only, which may never come on a node without pods.
	sink.Opened()
	for {
		e, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return explain(err)
		}
		if n := proto.Size(e); n > maxMessage {
			sink.Refuse(fmt.Errorf("a message of %d bytes; there are at most %d", n, maxMessage))
			continue
		}
		sink.Event(ctx, e)
	}
}

// explain puts gRPC's errors into the words of whoever reads the log.
func explain(err error) error {
	s, ok := status.FromError(err)
	if !ok {
		return err
	}
	text := fmt.Sprintf("%s: %s", s.Code(), s.Message())
	if s.Code() == codes.Unimplemented {
		text += " (is it a k8s-metacollector that listens there?)"
	}
	return errors.New(text)
}
