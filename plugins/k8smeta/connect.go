// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed/collector"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed/kubernetes"
	"github.com/aerie-falco/aerie/shared/plugin"
)

// newFeed makes the feed that the configuration asks for. It reads the files that
// the configuration names, so that those that cannot be used fail the
// initialisation, and connects to nothing.
func newFeed(c *config, h *plugin.Host, emit feed.Emit) (feeder, error) {
	source, err := newSource(c)
	if err != nil {
		return nil, err
	}
	return feed.New(feed.Options{Emit: emit, Log: h.Log(), Metrics: h.Metrics()}, source), nil
}

// newSource makes the source of the feed.
func newSource(c *config) (feed.Source, error) {
	if c.Source == fromKubernetes {
		return kubernetes.New(kubernetes.Config{NodeName: c.NodeName, Kubeconfig: c.Kubeconfig})
	}
	return collector.New(collector.Config{
		Host: c.CollectorHostname, Port: c.CollectorPort, NodeName: c.NodeName,
		CABundle: c.CAPEMBundle, ClientCertificate: c.ClientCertificate, ClientKey: c.ClientKey,
	})
}
