// SPDX-License-Identifier: Apache-2.0

package feedtest

import (
	"context"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/standin"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
)

// limit ends tests whose event never comes; nothing is measured by it.
const limit = 60 * time.Second

// Rig is a cluster, and what a feed from it has to do with.
type Rig struct {
	*testing.T
	Ctx     context.Context // of the test
	Cluster *standin.Cluster
	Tables  *Tables
	Metrics *metrics.Registry
	Lines   *Lines
}

// NewRig returns one with the plugin's sample cluster, of 11 resources that the
// node node-1 has to do with. It is for tests of packages beside this one.
func NewRig(t *testing.T) *Rig {
	r := &Rig{T: t, Cluster: standin.NewCluster(), Tables: NewTables(), Metrics: metrics.New(), Lines: NewLines()}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	r.Ctx = ctx
	text, err := os.ReadFile("../../../testdata/cluster.yaml")
	require.NoError(t, err)
	require.NoError(t, r.Cluster.Apply(text))
	return r
}

// Run starts a feed from a source, and returns what stops it.
func (r *Rig) Run(s feed.Source) (stop func()) {
	stop = r.fill(r.Tables, s, feed.Options{Metrics: r.Metrics, Log: r.Lines.Log()})
	r.Cleanup(stop)
	return stop
}

// Round has a feed from a source come and go, at once or when it has told all.
func (r *Rig) Round(s feed.Source, all bool) {
	r.Helper()
	tables := NewTables()
	stop := r.fill(tables, s, feed.Options{})
	defer stop()
	if all {
		_, err := tables.Await(r.Ctx.Done(), Size(11))
		require.NoError(r, err)
	}
}

func (r *Rig) fill(t *Tables, s feed.Source, o feed.Options) (stop func()) {
	o.Emit = t.Emit
	f := feed.New(o, s)
	t.Parsed = f.Parsed
	ctx, cancel := context.WithCancel(r.Ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); f.Run(ctx) }()
	return func() { cancel(); <-ended }
}

// Await returns once the tables are as wanted, with what they have.
func (r *Rig) Await(wanted func(all map[string]Resource) bool) map[string]Resource {
	r.Helper()
	all, err := r.Tables.Await(r.Ctx.Done(), wanted)
	require.NoError(r, err)
	return all
}

// Apply changes the cluster.
func (r *Rig) Apply(text string) {
	r.Helper()
	require.NoError(r, r.Cluster.Apply([]byte(text)))
}

// Size wants tables of n entries.
func Size(n int) func(map[string]Resource) bool {
	return func(all map[string]Resource) bool { return len(all) == n }
}

// Mute is a server that takes connections and never says a word. The channel has
// an element for each.
func Mute(t *testing.T) (address string, accepted <-chan struct{}) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	taken := make(chan struct{}, 16)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			taken <- struct{}{}
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	return l.Addr().String(), taken
}
