// SPDX-License-Identifier: Apache-2.0

package queue

import "github.com/aerie-falco/aerie/shared/plugin/source"

// receipt stands for the entries with events in one batch.
type receipt struct {
	q       *Queue
	entries []*Entry
	fire    func(delivered bool) // deliver, bound once
}

// receipt returns an empty receipt.
func (q *Queue) receipt() *receipt {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := q.spare
	if q.spare = nil; r == nil {
		r = &receipt{q: q}
		r.fire = r.deliver
	}
	return r
}

// add is called with the queue's lock held.
func (r *receipt) add(e *Entry) {
	if len(r.entries) == 0 {
		r.q.receipts = append(r.q.receipts, r)
	}
	e.batches++
	r.entries = append(r.entries, e)
}

// attach asks the batch to tell when it was delivered.
func (r *receipt) attach(b *source.Batch) {
	if len(r.entries) > 0 {
		b.OnDelivered(r.fire)
		return
	}
	r.q.mu.Lock()
	defer r.q.mu.Unlock()
	r.q.spare = r
}

// deliver runs on the framework's thread. Nothing in it blocks: an entry is
// told once, into a channel with room for one outcome.
func (r *receipt) deliver(delivered bool) {
	q := r.q
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range r.entries {
		e.batches--
		if !delivered {
			e.undelivered = true
		}
		if e.state == left {
			e.tell(e.outcome())
		}
	}
	clear(r.entries)
	r.entries = r.entries[:0]
	for i, other := range q.receipts {
		if other == r {
			last := len(q.receipts) - 1
			q.receipts[i], q.receipts[last] = q.receipts[last], nil
			q.receipts = q.receipts[:last]
			break
		}
	}
	q.spare = r
}
