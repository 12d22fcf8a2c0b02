// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed/collector"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed/feedtest"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/standin"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
)

const payments = "Pod 0b1d3a52-6c1f-4e0a-9a54-3a1f0b6c7d01"

// rig is a cluster, its API server, and a feed from that.
type rig struct {
	*feedtest.Rig
	api *standin.API
}

func newRig(t *testing.T, o standin.APIOptions) *rig {
	r := &rig{Rig: feedtest.NewRig(t)}
	var err error
	r.api, err = standin.NewAPI("127.0.0.1:0", r.Cluster, o)
	require.NoError(t, err)
	t.Cleanup(func() { r.api.Close() })
	return r
}

// source is one with a kubeconfig file for the API server.
func (r *rig) source() *Source {
	r.Helper()
	file := filepath.Join(r.TempDir(), "kubeconfig")
	text, err := r.api.Kubeconfig(nil)
	require.NoError(r, err)
	require.NoError(r, os.WriteFile(file, text, 0o600))
	s, err := New(Config{NodeName: "node-1", Kubeconfig: file})
	require.NoError(r, err)
	return s
}

func TestTheEventsAreThoseOfACollector(t *testing.T) {
	r := newRig(t, standin.APIOptions{})
	r.Run(r.source())
	direct := r.Await(feedtest.Size(11))
	feedtest.AssertWatchedOver(t, int(netip.MustParseAddrPort(r.api.Address()).Port()))
	assert.Equal(t, 11, r.Tables.Stats().Emitted, "each resource is introduced once, with all that it refers to")

	c, err := standin.NewCollector("127.0.0.1:0", r.Cluster, standin.CollectorOptions{})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	other := &feedtest.Rig{T: t, Ctx: r.Ctx, Cluster: r.Cluster, Tables: feedtest.NewTables(), Metrics: metrics.New(), Lines: feedtest.NewLines()}
	source, err := collector.New(collector.Config{Host: "127.0.0.1", Port: c.Port(), NodeName: "node-1"})
	require.NoError(t, err)
	other.Run(source)
	assert.Equal(t, other.Await(feedtest.Size(11)), direct)

	// Whatever happens to the cluster, both tell of the same state in the end.
	for i, step := range []string{
		"{kind: Pod, metadata: {name: redis-0, namespace: data}, deleted: true}",
		"{kind: Service, metadata: {name: extra, namespace: shop}, spec: {selector: {app: payments}}}",
		"{kind: Service, metadata: {name: none, namespace: shop}, spec: {}}",
		"{kind: Deployment, metadata: {name: payments, namespace: shop, uid: 22222222-0000-4000-8000-000000000001, labels: {app: x}}}",
		"{kind: ReplicationController, metadata: {name: old, namespace: jobs, uid: rc-1, labels: {a: b}}}\n---\n" +
			"{kind: Pod, metadata: {name: old-1, namespace: jobs, generateName: old-, ownerReferences: [{kind: ReplicationController, name: old, uid: rc-1, controller: true}]}, spec: {nodeName: node-1}}",
		"{kind: Pod, metadata: {name: elsewhere, namespace: far}, spec: {nodeName: node-2}}\n---\n{kind: Namespace, metadata: {name: far}}",
		"{kind: Pod, metadata: {name: set-1, namespace: far, ownerReferences: [{kind: ReplicaSet, name: late, uid: rs-late, controller: true}]}, spec: {nodeName: node-1}}",
		"{kind: ReplicaSet, metadata: {name: late, namespace: far, uid: rs-late, ownerReferences: [{kind: Rollout, name: r, uid: ro-1, controller: true}]}}",
		"{kind: Pod, metadata: {name: ds-1, namespace: far, labels: {k: v}, ownerReferences: [{kind: DaemonSet, name: d, uid: ds-1, controller: true}]}, spec: {nodeName: node-1}, status: {podIP: 10.0.0.9}}",
		"{kind: Service, metadata: {name: payments, namespace: shop}, deleted: true}",
		"{kind: ReplicaSet, metadata: {name: payments-7d9c5b6f4, namespace: shop}, deleted: true}",
		"{kind: Namespace, metadata: {name: shop, uid: another}}",
	} {
		// The last step's mark, in a namespace that has pods throughout.
		r.Apply(step + fmt.Sprintf("\n---\n{kind: Pod, metadata: {name: mark, namespace: jobs, labels: {step: '%d'}}, spec: {nodeName: node-1}}", i))
		same := func() bool {
			one, two := forget(r.Tables.All()), forget(other.Tables.All())
			return assert.ObjectsAreEqual(one, two) && strings.Contains(fmt.Sprint(one), fmt.Sprintf(`"step":"%d"`, i))
		}
		for { // either may be the last to get there
			one, two := r.Tables.Changed(), other.Tables.Changed()
			if same() {
				break
			}
			select {
			case <-one:
			case <-two:
			case <-r.Ctx.Done():
				require.Equal(t, forget(other.Tables.All()), forget(r.Tables.All()), "after %s", step)
				t.Fatalf("neither has seen %s", step)
			}
		}
	}
}

// forget leaves out by which reason a state came about.
func forget(all map[string]feedtest.Resource) map[string]feedtest.Resource {
	for k, v := range all {
		v.Reason = ""
		all[k] = v
	}
	return all
}

func TestOnlyWhatThePodsReferToIsWatched(t *testing.T) {
	r := newRig(t, standin.APIOptions{})
	r.Run(r.source())
	r.Await(feedtest.Size(11))
	all := []string{
		"data/services", "jobs/services", "namespaces/data", "namespaces/jobs", "namespaces/shop", "pods",
		"shop/deployments/payments", "shop/replicasets/payments-7d9c5b6f4", "shop/services",
	}
	r.watches(all)
	r.Apply("{kind: Pod, metadata: {name: payments-7d9c5b6f4-x2x7k, namespace: shop}, deleted: true}")
	r.Await(feedtest.Size(5))
	r.watches([]string{"data/services", "jobs/services", "namespaces/data", "namespaces/jobs", "pods"})
}

// watches waits until these are watched and no others.
func (r *rig) watches(want []string) {
	r.Helper()
	for {
		have, changed := r.api.Watches()
		if assert.ObjectsAreEqual(want, have) {
			return
		}
		select {
		case <-r.Ctx.Done():
			require.Equal(r, want, have)
		case <-changed:
		}
	}
}

func TestStaticPodsHaveTheAnnotationOfTheirCgroups(t *testing.T) {
	r := newRig(t, standin.APIOptions{})
	r.Apply(`{kind: Pod, metadata: {name: etcd, namespace: kube-system, uid: u, annotations: {kubernetes.io/config.hash: 0123456789abcdef0123456789abcdef, other: x},
		ownerReferences: [{kind: Node, name: node-1, uid: n, controller: true}]}, spec: {nodeName: node-1}}`)
	r.Run(r.source())
	all := r.Await(feedtest.Size(12))
	assert.Equal(t, `{"name":"etcd","namespace":"kube-system","uid":"u","annotations":{"kubernetes.io/config.hash":"0123456789abcdef0123456789abcdef"}}`, all["Pod u"].Meta)
	assert.Equal(t, []string{"n"}, all["Pod u"].Refs["Node"])
}

func TestWatchesThatEndAndHistoriesThatAreForgotten(t *testing.T) {
	r := newRig(t, standin.APIOptions{})
	r.Run(r.source())
	r.Await(feedtest.Size(11))
	r.api.EndWatches()
	r.Apply("{kind: Pod, metadata: {name: second, namespace: jobs}, spec: {nodeName: node-1}}")
	r.Await(feedtest.Size(12))

	r.api.EndWatches()
	r.Apply("{kind: Pod, metadata: {name: redis-0, namespace: data}, deleted: true}")
	r.Cluster.Forget()
	r.Apply("{kind: Pod, metadata: {name: third, namespace: jobs}, spec: {nodeName: node-1}}")
	all := r.Await(feedtest.Size(10))
	assert.NotContains(t, all, "Pod 5f2c8e11-90ab-4c77-8d12-b7d0f4a9e202")
	assert.Zero(t, r.Metrics.Counter("reconnects").Value(), "none of it is a failure")
}

func TestAnAPIServerThatComesBackWithOtherData(t *testing.T) {
	r := newRig(t, standin.APIOptions{})
	r.Run(r.source())
	r.Await(feedtest.Size(11))
	address := r.api.Address()
	r.api.Close()
	require.NoError(t, r.Cluster.Replace([]byte("{kind: Pod, metadata: {name: other, uid: o}, spec: {nodeName: node-1}}")))
	var err error
	r.api, err = standin.NewAPI(address, r.Cluster, standin.APIOptions{})
	require.NoError(t, err)
	all := r.Await(feedtest.Size(1))
	assert.Contains(t, all, "Pod o")
	assert.NotZero(t, r.Metrics.Counter("reconnects").Value())
	assert.Equal(t, 11, r.Tables.Stats().Deletes, "what is gone is told at once, for the API server says when that is all")
}

func TestAKindThatIsForbiddenCostsItsFieldsOnly(t *testing.T) {
	r := newRig(t, standin.APIOptions{Intercept: func(w http.ResponseWriter, q *http.Request) bool {
		if strings.HasSuffix(q.URL.Path, "/deployments") || strings.HasSuffix(q.URL.Path, "/services") {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"kind":"Status","message":"deployments is forbidden"}`))
			return true
		}
		return false
	}})
	r.Run(r.source())
	all := r.Await(feedtest.Size(7))
	assert.Equal(t, []string{"22222222-0000-4000-8000-000000000001"}, all[payments].Refs["Deployment"], "its replica set tells")
	assert.Equal(t, []string{}, all[payments].Refs["Service"])
}

func TestGarbageFromTheAPIServer(t *testing.T) {
	for name, garbage := range map[string]string{
		"no JSON":                  "<html>",
		"no list":                  "{}",
		"half a list":              `{"metadata":{"resourceVersion":"1"},"items":[{"metadata":`,
		"another form":             `{"metadata":{"resourceVersion":"1"},"items":7}`,
		"objects without identity": `{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"x"}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var first atomic.Bool
			r := newRig(t, standin.APIOptions{Intercept: func(w http.ResponseWriter, q *http.Request) bool {
				if q.URL.Path == "/api/v1/pods" && first.CompareAndSwap(false, true) {
					_, _ = w.Write([]byte(garbage))
					return true
				}
				return false
			}})
			if name == "objects without identity" {
				// That list is all there is, but for what is watched from it.
				r.Run(r.source())
				r.Lines.Await(r.Ctx.Done(), 2) // connected, refused
				assert.EqualValues(t, 1, r.Metrics.Counter("events_refused").Value())
				return
			}
			r.Run(r.source())
			r.Await(feedtest.Size(11))
			assert.EqualValues(t, 1, r.Metrics.Counter("reconnects").Value())
		})
	}
	t.Run("among the changes", func(t *testing.T) {
		var first atomic.Bool
		r := newRig(t, standin.APIOptions{Intercept: func(w http.ResponseWriter, q *http.Request) bool {
			if q.URL.Path == "/api/v1/pods" && q.URL.Query().Get("watch") == "1" && first.CompareAndSwap(false, true) {
				for _, object := range []string{`7`, `{"metadata":{"labels":7}}`, `{"metadata":{}}`} {
					_, _ = fmt.Fprintf(w, `{"type":"ADDED","object":%s}`+"\n", object)
				}
				_, _ = fmt.Fprintln(w, `{"type":"NONSENSE","object":{"metadata":{}}}`)
				return true
			}
			return false
		}})
		r.Run(r.source())
		r.Await(feedtest.Size(11))
		r.Apply("{kind: Pod, metadata: {name: second, namespace: jobs}, spec: {nodeName: node-1}}")
		r.Await(feedtest.Size(12))
		assert.EqualValues(t, 4, r.Metrics.Counter("events_refused").Value())
	})
}

func TestLongListsComeInPages(t *testing.T) {
	var pages atomic.Int64
	r := newRig(t, standin.APIOptions{Intercept: func(_ http.ResponseWriter, q *http.Request) bool {
		if q.URL.Path == "/api/v1/pods" && q.URL.Query().Has("limit") {
			pages.Add(1)
		}
		return false
	}})
	var text strings.Builder
	for i := range 600 {
		fmt.Fprintf(&text, "---\n{kind: Pod, metadata: {name: p%d, namespace: jobs}, spec: {nodeName: node-1}}\n", i)
	}
	r.Apply(text.String())
	r.Run(r.source())
	r.Await(feedtest.Size(611))
	assert.EqualValues(t, 3, pages.Load())
}

func TestAListThatDoesNotEndIsGivenUp(t *testing.T) {
	var pages atomic.Int64
	r := newRig(t, standin.APIOptions{Intercept: func(w http.ResponseWriter, _ *http.Request) bool {
		pages.Add(1)
		_, _ = w.Write([]byte(`{"metadata":{"resourceVersion":"1","continue":"more"}}`))
		return true
	}})
	err := r.source().Run(r.Ctx, nil)
	assert.ErrorContains(t, err, "list /api/v1/pods: it goes on after 0 objects on 4096 pages")
	assert.EqualValues(t, maxPages, pages.Load())
}

// A server in between may not know of selectors.
func TestOfWhatIsFollowedByNameOtherNamesMeanNothing(t *testing.T) {
	r := newRig(t, standin.APIOptions{Intercept: func(_ http.ResponseWriter, q *http.Request) bool {
		if values := q.URL.Query(); strings.HasPrefix(values.Get("fieldSelector"), "metadata.name=") {
			values.Del("fieldSelector")
			q.URL.RawQuery = values.Encode()
		}
		return false
	}})
	r.Run(r.source())
	all := r.Await(feedtest.Size(11))
	assert.Equal(t, []string{"11111111-0000-4000-8000-000000000001"}, all[payments].Refs["Namespace"])
}

func TestFewListsAreAskedForAtATime(t *testing.T) {
	var mu sync.Mutex
	var full sync.Once
	now, most := 0, 0
	many := make(chan struct{})
	r := newRig(t, standin.APIOptions{Intercept: func(_ http.ResponseWriter, q *http.Request) bool {
		if q.URL.Query().Has("watch") || q.URL.Path == "/api/v1/pods" {
			return false
		}
		mu.Lock()
		now++
		if most = max(most, now); now == 16 {
			full.Do(func() { close(many) })
		}
		mu.Unlock()
		<-many // until there are as many as there may be
		mu.Lock()
		now--
		mu.Unlock()
		return false
	}})
	var text strings.Builder
	for i := range 40 {
		fmt.Fprintf(&text, "---\n{kind: Pod, metadata: {name: p, namespace: n%d}, spec: {nodeName: node-1}}\n", i)
	}
	r.Apply(text.String())
	r.Run(r.source())
	r.Await(feedtest.Size(51))
	mu.Lock()
	defer mu.Unlock()
	assert.Equal(t, 16, most)
}

func TestTheTokenIsThatOfTheRequestsTime(t *testing.T) {
	r := newRig(t, standin.APIOptions{Token: "new"})
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	require.NoError(t, os.WriteFile(token, []byte("old\n"), 0o600))
	config, err := json.Marshal(map[string]any{
		"current-context": "c",
		"contexts":        []any{map[string]any{"name": "c", "context": map[string]any{"cluster": "k", "user": "u"}}},
		"clusters":        []any{map[string]any{"name": "k", "cluster": map[string]any{"server": r.api.URL()}}},
		"users":           []any{map[string]any{"name": "u", "user": map[string]any{"tokenFile": "token"}}},
	})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(dir+"/config", config, 0o600))
	s, err := New(Config{NodeName: "node-1", Kubeconfig: dir + "/config"})
	require.NoError(t, err)
	assert.Equal(t, "Kubernetes API server "+r.api.Address(), s.String())
	require.ErrorContains(t, s.Run(t.Context(), nil), "the API server answers 401: Unauthorized")
	require.NoError(t, os.WriteFile(token, []byte("new\n"), 0o600))
	r.Run(s)
	r.Await(feedtest.Size(11))
}

func TestTwoHundredFeedsThatComeAndGoLeaveNothing(t *testing.T) {
	r := newRig(t, standin.APIOptions{})
	source := r.source()
	for i := range 200 {
		r.Round(source, i%3 != 0)
	}
	// Of the client's side, nothing is left at once but connections that are
	// being closed; the server's side ends when it has seen that.
	for runtime.NumGoroutine() > 12 {
		if r.Ctx.Err() != nil {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines:\n%s", runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
		}
		time.Sleep(time.Millisecond)
	}
}

func TestStoppingIsPromptWhileAConnectionIsBeingMade(t *testing.T) {
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			r := feedtest.NewRig(t)
			address, accepted := feedtest.Mute(t)
			s, err := New(Config{NodeName: "node-1", Kubeconfig: write(t, t.TempDir(), "config", kubeconfigOf("server: '"+scheme+"://"+address+"'", ""))})
			require.NoError(t, err)
			stop := r.Run(s)
			<-accepted
			stop()
			assert.NoError(t, r.Ctx.Err())
			assert.Empty(t, r.Lines.All(), "it was not given up, but called off")
		})
	}
}
