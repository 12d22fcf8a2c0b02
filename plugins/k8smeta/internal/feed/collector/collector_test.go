// SPDX-License-Identifier: Apache-2.0

package collector_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed/collector"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed/feedtest"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/standin"
)

const (
	payments   = "Pod 0b1d3a52-6c1f-4e0a-9a54-3a1f0b6c7d01"
	shop       = "Namespace 11111111-0000-4000-8000-000000000001"
	deployment = "Deployment 22222222-0000-4000-8000-000000000001"
	redis      = "Pod 5f2c8e11-90ab-4c77-8d12-b7d0f4a9e202"
)

// rig is a cluster, and a feed from its collector.
type rig struct{ *feedtest.Rig }

func newRig(t *testing.T) *rig { return &rig{feedtest.NewRig(t)} }

// collector starts a collector on an address.
func (r *rig) collector(address string, o standin.CollectorOptions) *standin.Collector {
	r.Helper()
	c, err := standin.NewCollector(address, r.Cluster, o)
	require.NoError(r, err)
	r.Cleanup(c.Close)
	return c
}

// run starts a feed, and returns what stops it.
func (r *rig) run(c collector.Config) (stop func()) {
	r.Helper()
	if c.Host == "" {
		c.Host = "127.0.0.1"
	}
	if c.NodeName == "" {
		c.NodeName = "node-1"
	}
	source, err := collector.New(c)
	require.NoError(r, err)
	return r.Run(source)
}

func TestACollectorsResourcesAndChangesArrive(t *testing.T) {
	r := newRig(t)
	c := r.collector("127.0.0.1:0", standin.CollectorOptions{})
	r.run(collector.Config{Port: c.Port()})
	all := r.Await(feedtest.Size(11))
	feedtest.AssertWatchedOver(t, c.Port())
	assert.Equal(t, feedtest.Resource{
		Reason: "Create", Kind: "Pod", UID: "0b1d3a52-6c1f-4e0a-9a54-3a1f0b6c7d01",
		Meta: `{"name":"payments-7d9c5b6f4-x2x7k","generateName":"payments-7d9c5b6f4-","namespace":"shop","uid":"0b1d3a52-6c1f-4e0a-9a54-3a1f0b6c7d01",` +
			`"labels":{"app":"payments","app.kubernetes.io/component":"api","pod-template-hash":"7d9c5b6f4","rev":"1"}}`,
		Status: `{"podIP":"10.244.1.11"}`,
		Refs: map[string][]string{
			"Namespace": {"11111111-0000-4000-8000-000000000001"}, "ReplicaSet": {"33333333-0000-4000-8000-000000000001"},
			"Deployment": {"22222222-0000-4000-8000-000000000001"},
			"Service":    {"44444444-0000-4000-8000-000000000001", "44444444-0000-4000-8000-000000000002"},
		},
	}, all[payments])
	assert.Equal(t, []string{}, all["Pod c9a7e6d3-1f44-4b1b-a1ce-6e5d4c3b2a03"].Refs["Service"], "no service is an empty list")

	r.Apply("kind: Namespace\nmetadata: {name: shop, uid: 11111111-0000-4000-8000-000000000001, labels: {team: sales}}")
	all = r.Await(func(all map[string]feedtest.Resource) bool { return all[shop].Reason == "Update" })
	assert.Equal(t, `{"name":"shop","uid":"11111111-0000-4000-8000-000000000001","labels":{"team":"sales"}}`, all[shop].Meta)

	r.Apply("{kind: Pod, metadata: {name: redis-0, namespace: data}, deleted: true}")
	all = r.Await(feedtest.Size(8))
	assert.NotContains(t, all, redis)
	assert.NotContains(t, all, "Service 44444444-0000-4000-8000-000000000003")
	assert.EqualValues(t, 1, r.Metrics.Gauge("connected").Value())
	assert.EqualValues(t, 15, r.Metrics.Counter("events_received").Value())
}

func TestEveryEndOfTheStreamIsFollowedByAnotherAttempt(t *testing.T) {
	for _, code := range []codes.Code{codes.OK, codes.Unavailable, codes.Internal, codes.PermissionDenied, codes.Unimplemented} {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			c := r.collector("127.0.0.1:0", standin.CollectorOptions{})
			r.run(collector.Config{Port: c.Port()})
			r.Await(feedtest.Size(11))
			require.Equal(t, 1, c.End(code, "over"))
			r.Apply("{kind: Pod, metadata: {name: new, namespace: jobs}, spec: {nodeName: node-1}}")
			r.Await(feedtest.Size(12))
			assert.EqualValues(t, 1, r.Metrics.Counter("reconnects").Value())
			assert.Equal(t, 12, r.Tables.Stats().Emitted, "what was known is not told again")
		})
	}
}

func TestACollectorThatIsAbsentAtFirstAndDiesLater(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := r.collector("127.0.0.1:0", standin.CollectorOptions{})
	port, address := first.Port(), first.Address()
	first.Close()
	r.run(collector.Config{Port: port})
	r.Lines.Await(r.Ctx.Done(), 1)
	second := r.collector(address, standin.CollectorOptions{})
	r.Await(feedtest.Size(11))
	second.Close()
	require.NoError(t, r.Cluster.Replace([]byte("{kind: Pod, metadata: {name: other}, spec: {nodeName: node-1}}")))
	r.collector(address, standin.CollectorOptions{})
	all := r.Await(feedtest.Size(12))
	assert.Contains(t, all, payments, "as of the last good state")
	assert.Equal(t, []string{"Kubernetes metadata: source not reached; trying again until it is there"}, r.Lines.All(),
		"it has not been back for long")
}

func TestAnIPv6CollectorIsReachedWithAndWithoutBrackets(t *testing.T) {
	for _, host := range []string{"::1", "[::1]"} {
		r := newRig(t)
		c := r.collector("[::1]:0", standin.CollectorOptions{})
		stop := r.run(collector.Config{Host: host, Port: c.Port()})
		r.Await(feedtest.Size(11))
		stop()
	}
}

func TestMessagesThatAreTooLargeAreRefusedAlone(t *testing.T) {
	r := newRig(t)
	c := r.collector("127.0.0.1:0", standin.CollectorOptions{Script: func(s *standin.Subscriber) error {
		huge := `{"labels":{"x":"` + strings.Repeat("x", 5<<20) + `"}}`
		if err := s.Send(&metadata.Event{Reason: "Create", Kind: "Pod", Uid: "huge", Meta: &huge}); err != nil {
			return err
		}
		return s.Serve()
	}})
	r.run(collector.Config{Port: c.Port()})
	all := r.Await(feedtest.Size(11))
	assert.NotContains(t, all, "Pod huge")
	assert.EqualValues(t, 1, r.Metrics.Counter("events_refused").Value())
	assert.Zero(t, r.Metrics.Counter("reconnects").Value())
}

func TestConfigurationsThatCannotWorkAreRefused(t *testing.T) {
	dir := t.TempDir()
	empty := dir + "/empty.pem"
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for name, c := range map[string]struct {
		config collector.Config
		want   string
	}{
		"no host":                       {collector.Config{Port: 1}, "the host is empty"},
		"brackets around nothing":       {collector.Config{Host: "[]", Port: 1}, "the host is empty"},
		"no port":                       {collector.Config{Host: "h"}, "port 0; there are 1 to 65535"},
		"a port beyond the last":        {collector.Config{Host: "h", Port: 65536}, "port 65536"},
		"a bundle that is not there":    {collector.Config{Host: "h", Port: 1, CABundle: dir + "/no.pem"}, "no such file"},
		"a bundle without certificates": {collector.Config{Host: "h", Port: 1, CABundle: empty}, "there is no PEM certificate in it"},
		"a client certificate without TLS": {collector.Config{Host: "h", Port: 1, ClientCertificate: empty, ClientKey: empty},
			"a client certificate needs TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := collector.New(c.config)
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.want)
		})
	}
}
