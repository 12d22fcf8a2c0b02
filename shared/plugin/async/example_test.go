// SPDX-License-Identifier: Apache-2.0

package async_test

import (
	"context"
	"time"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/async"
)

// ticker puts an event into the stream every second.
type ticker struct{ events *async.Emitter }

func (t *ticker) Init(h *plugin.Host, _ string) error {
	t.events = async.EmitterOf(h)
	plugin.Go(h.Context(), "ticker", t.run)
	return nil
}

func (t *ticker) Destroy() {}

func (t *ticker) run(ctx context.Context) {
	clock := time.NewTicker(time.Second)
	defer clock.Stop()
	for t.events.Wait(ctx) == nil { // until a capture takes events
		select {
		case now := <-clock.C:
			_ = t.events.Emit("tick", now.AppendFormat(nil, time.RFC3339)) // a drop is counted
		case <-ctx.Done():
		}
	}
}

// DumpState is for plugins with state that a capture file needs at its start.
func (t *ticker) DumpState(d *async.Dump) error {
	return d.Emit("tick", time.Now().AppendFormat(nil, time.RFC3339))
}

// Example is the init function of a library's main package.
func Example() {
	r := plugin.Register(plugin.Info{
		Name: "ticker", Description: "Ticks.", Contact: "you@example.org", Version: "0.1.0",
	}, func() *ticker { return &ticker{} })
	async.Register(r, async.Options{Events: []string{"tick"}, Sources: []string{"syscall"}})
}
