// SPDX-License-Identifier: Apache-2.0

// Package queue stands between those who bring events and the framework that
// takes them: first in, first out, in order, and with an answer for each entry.
//
//	e := queue.NewEntry()
//	e.Events = append(e.Events, queue.Event{Payload: body})
//	if err := q.Put(e); err != nil { ... }
//	select {
//	case outcome := <-e.Done(): // Confirmed: the framework has all of it
//	case <-deadline:
//		outcome := q.Withdraw(e)
//	}
//
// An entry is what is acknowledged as one: the events of one request. It may
// hold more of them than fit a batch; it is confirmed when the last is taken.
//
// A queue has no bound of its own. Budgets bound it: of bytes, acquired before a
// payload is held in memory, or of entries, acquired before Put. They are
// first-come, first-served too, so a large request is not starved by small ones.
package queue
