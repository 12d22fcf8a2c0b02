// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// parsed are the event types that change what is known: news of resources, and
// the ends of the calls that make a thread or give a process a new program, for
// a thread's cgroups are told there.
var parsed = []uint16{
	event.TypeAsync,
	event.TypeExecveX, event.TypeExecveatX, event.TypeCloneX, event.TypeForkX, event.TypeVforkX, event.TypeClone3X,
}

// Parameters of all of these calls.
const (
	resultParam  = 0
	cgroupsParam = 14 // hierarchy=path, each with a NUL behind it
)

// Parse takes news of resources into the tables and follows threads into and
// out of pods.
func (p *Plugin) Parse(e *event.Event, a *table.Access) error {
	if e.Type() == event.TypeAsync {
		return p.parseMessage(e)
	}
	return p.parseProcess(e, a)
}

func (p *Plugin) parseMessage(e *event.Event) error {
	_, name, data, ok := e.Async()
	if !ok {
		return e.Malformed()
	}
	if name != eventName {
		return nil
	}
	// The text ends at the first NUL, if there is one: the official plugin writes
	// one, as this does, but other writers need not.
	text, _, _ := bytes.Cut(data, []byte{0})
	m, err := p.reader.read(text)
	if err == nil {
		err = p.apply(&m)
	}
	p.feed.Parsed(m.kind, m.uid, text)
	if err != nil {
		return fmt.Errorf("read event %q: %w", eventName, err)
	}
	p.messages.Inc()
	return nil
}

// apply makes the tables what a message says.
func (p *Plugin) apply(m *message) error {
	switch {
	case !m.known:
		return nil
	case m.resource == nil:
		p.tables.delete(m.k, m.uid)
		return nil
	}
	if err := p.tables.put(m.k, m.uid, m.resource); err != nil {
		return err
	}
	if m.k == pod {
		p.unknown.forget(m.uid, m.resource.hash)
	}
	return nil
}

// parseProcess follows the thread that a call returns in. A clone or fork
// returns twice: in the new thread with 0, and in the one that called with the
// number of the new one.
func (p *Plugin) parseProcess(e *event.Event, a *table.Access) error {
	result, ok := e.Int64(resultParam)
	if !ok {
		return e.Malformed()
	}
	tid := e.ThreadID()
	if result < 0 || tid == 0 || tid > math.MaxInt64 {
		return nil
	}
	p.unknown.pass(e.Timestamp())
	inPod, err := p.follow(e, a, int64(tid))
	if err != nil {
		return fmt.Errorf("follow thread %d: %w", tid, err)
	}
	if result == 0 || e.Type() == event.TypeExecveX || e.Type() == event.TypeExecveatX {
		return nil
	}
	// A new thread begins in the cgroups of its parent. With clone3 alone it may be
	// put elsewhere.
	if !inPod && e.Type() != event.TypeClone3X {
		return nil
	}
	if err = p.adopt(a, result, e.Timestamp()); err != nil {
		return fmt.Errorf("follow new thread %d: %w", result, err)
	}
	return nil
}

// follow gives the thread of the event the pod that its cgroups name. With
// cgroups that name none it has left its pod; without cgroups nothing is known.
func (p *Plugin) follow(e *event.Event, a *table.Access, tid int64) (inPod bool, err error) {
	p.derived.drop(tid)
	uid, listed := p.uid[:0], true
	cgroups, _ := e.Param(cgroupsParam)
	told := hasText(cgroups)
	if told {
		uid, inPod = appendPodUID(uid, cgroups)
	}
	thread, err := p.threads.table.Get(a, tid)
	if err != nil {
		return inPod, unlessAbsent(err)
	}
	if !told {
		if uid, inPod, listed, err = p.threads.derive(a, thread, uid); err != nil {
			return false, err
		}
	}
	p.uid = uid
	if !listed {
		return false, nil
	}
	return inPod, p.assign(thread, uid, e.Timestamp())
}

// assign writes the pod of a thread, empty for none, if it is not there already.
func (p *Plugin) assign(thread table.Entry, uid []byte, now uint64) error {
	var err error
	if p.before, err = table.Append(p.before[:0], p.threads.podUID, thread); err != nil {
		return err
	}
	if len(uid) > 0 {
		p.noteUnknown(uid, now)
	}
	if string(p.before) == string(uid) {
		return nil
	}
	return p.threads.podUID.Set(thread, string(uid))
}

// adopt gives a thread that has no pod yet the one that its cgroups name: its
// own first event may never come, as events are dropped under load. In a
// namespace of process IDs, tid may be the number of another thread, to which
// this does no harm.
func (p *Plugin) adopt(a *table.Access, tid int64, now uint64) error {
	thread, err := p.threads.table.Get(a, tid)
	if err != nil {
		return unlessAbsent(err)
	}
	if p.before, err = table.Append(p.before[:0], p.threads.podUID, thread); err != nil || len(p.before) > 0 {
		return err
	}
	uid, found, _, err := p.threads.derive(a, thread, p.uid[:0])
	if err != nil || !found {
		return err
	}
	p.uid = uid
	p.derived.drop(tid)
	return p.assign(thread, uid, now)
}

// noteUnknown counts a pod that has threads and no metadata.
func (p *Plugin) noteUnknown(uid []byte, now uint64) {
	if p.tables.pod(uid) == nil {
		p.unknown.note(uid, now)
	}
}

// unlessAbsent is err unless it says that a table has no such entry: threads
// end, and libsinsp does not know all of them.
func unlessAbsent(err error) error {
	if errors.Is(err, table.ErrNotFound) {
		return nil
	}
	return err
}

// hasText tells whether a list of texts has one that is not empty.
func hasText(list []byte) bool {
	for _, c := range list {
		if c != 0 {
			return true
		}
	}
	return false
}
