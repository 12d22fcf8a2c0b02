// SPDX-License-Identifier: Apache-2.0

package feed_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
)

// BenchmarkEvent is the way of one event from the source to the framework and
// back, and what the ledger keeps of a pod in the end.
func BenchmarkEvent(b *testing.B) {
	const pods = 10_000
	var f *feed.Feed
	arrived := make(chan struct{}, 1)
	measured := make(chan struct{})
	source := &scripted{}
	source.then(func(ctx context.Context, sink feed.Sink) error {
		before := heap()
		b.ReportAllocs()
		b.ResetTimer()
		for i := range b.N {
			e := pod(fmt.Sprintf("0b1d3a52-6c1f-4e0a-9a54-%012d", i%pods), fmt.Sprint(i/pods))
			sink.Event(ctx, e)
			<-arrived
		}
		b.StopTimer()
		b.ReportMetric(float64(heap()-before)/float64(min(b.N, pods)), "B/pod")
		close(measured)
		<-ctx.Done()
		return ctx.Err()
	})
	f = feed.New(feed.Options{Emit: func(text []byte) error {
		// The uid has a fixed place in the text.
		const at = len(`{"reason":"Create","uid":"`)
		f.Parsed(metadata.Pod, string(text[at:at+36]), text)
		arrived <- struct{}{}
		return nil
	}}, source)
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); f.Run(ctx) }()
	<-measured
	cancel()
	<-ended
}
