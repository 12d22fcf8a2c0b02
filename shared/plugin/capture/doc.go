// SPDX-License-Identifier: Apache-2.0

// Package capture gives a plugin the capability to know when a capture begins
// and ends, live or replayed, and to have work done in the background between
// the two.
//
//	func (s *scanner) CaptureOpen(c *capture.Capture) error {
//		return c.Routine("rescan", func(ctx context.Context) bool {
//			select {
//			case <-time.After(time.Minute):
//				s.rescan(ctx)
//				return true // again
//			case <-ctx.Done():
//				return false
//			}
//		})
//	}
//
// The example has all of that plugin.
//
// Both callbacks reach the entries of state tables (Capture.Tables). Tables are
// looked up in Init, and frameworks give a way to do so only to plugins that
// also extract fields or parse events.
//
// Frameworks do not always call both halves, and what comes before and after
// them differs: an opening that failed is followed by a closing all the same,
// and a capture file's first events are parsed before the capture opens. The
// kit pairs the halves. CaptureClose is called once for each CaptureOpen that
// returned nil, when the capture ends or else when the state is destroyed.
package capture
