// SPDX-License-Identifier: Apache-2.0

// Package parse gives a plugin the capability to see every event of the types
// it names, once and in order, before any field is extracted from it. This is
// where a plugin keeps state: its own, or in state tables (package table).
//
//	func (c *counter) Parse(e *event.Event, _ *table.Access) error {
//		b, ok := e.Payload()
//		if !ok {
//			return errors.New("count a payload: not a plugin event")
//		}
//		c.perPayload[string(b)]++
//		return nil
//	}
//
// The example has all of that plugin.
//
// State that only parsing changes is the same live and on replay of a capture
// file. What comes from elsewhere belongs into asynchronous events (package
// async), which are parsed like any other and are part of the capture.
//
// What the kit does around Parse: a panic or an error fails that one call. It
// is counted, logged at a limited rate and kept as the last error, and the next
// event is parsed as if nothing had been. No framework ends over it.
package parse
