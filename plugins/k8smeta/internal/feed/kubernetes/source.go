// SPDX-License-Identifier: Apache-2.0

// Package kubernetes reads Kubernetes metadata from the API server itself, for
// one node: its pods, and what they refer to. It tells the very events that a
// collector tells, and of static pods also the annotation that their cgroups
// go by.
//
// What is watched: the pods of the node, in one watch; of each namespace that
// they are in, itself and its services; and by name, the ReplicaSets and
// ReplicationControllers that control pods and the Deployments that control
// those ReplicaSets. So what the API server has to send is little, and there
// are about as many watches as there are namespaces and controllers on the
// node. They share a connection. The credentials have to allow list and watch of
// pods, namespaces, services, replicationcontrollers, replicasets.apps and
// deployments.apps; where one of the last five is not allowed, its fields stay
// without values.
//
// The client is our own. Beside gRPC it adds 1 MB to the shared object; client-go's
// dynamic client adds 28, its typed one 51, and its REST client with kubeconfig
// and reflectors 7, for the smaller part of what is done here.
package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
)

// Config says which API server is asked, and for which node.
type Config struct {
	NodeName   string
	Kubeconfig string // file; empty: the service account of the pod that this runs in
}

// Source is the API server, as seen by one node.
type Source struct {
	node   string
	access func() (*access, error)
	name   string

	mu   sync.Mutex
	last *access // that worked out
}

var _ feed.Source = (*Source)(nil)

// New checks the configuration and reads the credentials. It connects to nothing.
func New(c Config) (*Source, error) {
	s := &Source{node: c.NodeName, access: func() (*access, error) { return inCluster(os.Getenv, account) }}
	if c.Kubeconfig != "" {
		s.access = func() (*access, error) { return readKubeconfig(c.Kubeconfig) }
	}
	if c.NodeName == "" {
		return nil, errors.New("kubernetes: the node's name is empty")
	}
	a, err := s.access()
	if err != nil {
		return nil, fmt.Errorf("kubernetes: %w", err)
	}
	s.last, s.name = a, "Kubernetes API server "+a.server.Host
	return s, nil
}

func (s *Source) String() string { return s.name }

// Run follows the cluster until the API server cannot be reached any more, or
// does not let the pods be watched. Troubles with anything but the pods are
// dealt with inside.
func (s *Source) Run(ctx context.Context, sink feed.Sink) error {
	ctx, cancel := context.WithCancel(ctx)
	client := newClient(s.credentials())
	defer client.close()
	g := newGraph(ctx, client, sink)
	defer g.followers.Wait()
	defer cancel()
	return client.follow(ctx, query{path: "/api/v1/pods", selector: "spec.nodeName=" + s.node}, (*pods)(g))
}

// credentials are the newest, or those before if the files are no good now.
func (s *Source) credentials() *access {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, err := s.access(); err == nil {
		s.last = a
	}
	return s.last
}

// queryOf is what finds the objects of a need.
func queryOf(n need) query {
	q := query{selector: "metadata.name=" + n.name, meta: true}
	switch n.kind {
	case metadata.Namespace:
		q.path = "/api/v1/namespaces"
	case metadata.Service:
		q = query{path: "/api/v1/namespaces/" + n.namespace + "/services"}
	case metadata.ReplicationController:
		q.path = "/api/v1/namespaces/" + n.namespace + "/replicationcontrollers"
	case metadata.ReplicaSet:
		q.path = "/apis/apps/v1/namespaces/" + n.namespace + "/replicasets"
	case metadata.Deployment:
		q.path = "/apis/apps/v1/namespaces/" + n.namespace + "/deployments"
	}
	return q
}

const (
	firstWait = time.Second // after a failure of what is not the pods
	lastWait  = time.Minute
)
