// SPDX-License-Identifier: Apache-2.0

// Package source gives a plugin the capability to bring events into the
// framework.
//
//	func (p *Plugin) Open(ctx context.Context, params string) (source.Instance, error) {
//		return &ticker{period: time.Second}, nil
//	}
//
//	func (t *ticker) Next(ctx context.Context, b *source.Batch) error {
//		select {
//		case now := <-t.clock.C:
//			return b.Add([]byte("tick"), uint64(now.UnixNano()))
//		case <-ctx.Done(): // nothing yet: the framework gets its turn
//			return nil
//		}
//	}
//
// What the kit does around that: it copies events into memory that the
// framework may write to, holds a batch within its limits, tells an idle turn
// from an error, delivers what a batch holds before it reports one, and knows
// when events have been taken (Batch.OnDelivered).
package source
