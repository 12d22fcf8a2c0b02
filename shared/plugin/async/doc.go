// SPDX-License-Identifier: Apache-2.0

// Package async gives a plugin the capability to inject events of its own into
// the stream that is being captured, beside whatever its source is: news from
// another system, for example, that parsing then turns into state.
//
//	func (t *ticker) run(ctx context.Context) {
//		for t.events.Wait(ctx) == nil { // until a capture takes events
//			select {
//			case now := <-t.clock.C:
//				_ = t.events.Emit("tick", now.AppendFormat(nil, time.RFC3339))
//			case <-ctx.Done():
//			}
//		}
//	}
//
// The example has all of that plugin.
//
// Injected events are stored in capture files and come back on replay like any
// other, then without a plugin emitting anything. Whoever wants to see them,
// the emitting plugin too, lists event.TypeAsync among its event types.
//
// There is no queue on this side: Emit hands the event over before it returns,
// so memory is bound by the number of goroutines that emit. The framework has
// a queue, of 4096 events in libsinsp. What it discards there because nobody
// fetches events, it discards with a warning in its log, and Emit succeeds.
//
// A plugin that has built up state by its own events implements Dumper: a
// capture file that starts later begins with what DumpState tells.
package async
