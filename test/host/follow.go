// SPDX-License-Identifier: Apache-2.0

package host

import (
	"bytes"
	"encoding/binary"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// FollowThreads has the inspector do that part of the framework's own parsing
// of system calls which tells what threads there are, what they run and in which
// cgroups: a thread is there from its own return from clone, fork, vfork or
// clone3, becomes another program with execve and execveat, and is gone behind
// its procexit. What else the framework keeps of threads stays as it is.
func (n *Inspector) FollowThreads() { n.follows = true }

// Types of the events that are followed, which are exits but for the last.
const (
	typeCloneX    = 223
	typeForkX     = 225
	typeVforkX    = 227
	typeExecveX   = 293
	typeExecveatX = 331
	typeClone3X   = 335
	typeProcexit  = 186
)

// Parameters that all but procexit have, by their place.
const (
	paramResult  = 0
	paramPID     = 4
	paramPTID    = 5
	paramComm    = 13
	paramCgroups = 14
)

// follow parses an event before plugins do.
func (n *Inspector) follow(e *Event) error {
	defer n.tables.own()()
	threads := n.tables.threads
	if n.exited != 0 { // it was there for plugins to see
		threads.remove(n.exited)
		n.exited = 0
	}
	raw := e.view()
	tid := binary.NativeEndian.Uint64(raw[abi.EventTID:])
	switch e.Type() {
	case typeProcexit:
		n.exited = tid
	case typeCloneX, typeForkX, typeVforkX, typeClone3X:
		if p, ok := processOf(raw, tid); ok {
			threads.remove(tid)
			return threads.process(p)
		}
	case typeExecveX, typeExecveatX:
		r := threads.at(tid)
		if p, ok := processOf(raw, tid); ok && r != nil {
			r.set(threads.schema.byName["comm"], value{s: p.Fields["comm"].(string)})
			return threads.setCgroups(r, p.Cgroups)
		}
	}
	return nil
}

// processOf is what an exit of a call without an error says of the thread that
// it is of, and that it is the new one's own.
func processOf(raw []byte, tid uint64) (p Process, ok bool) {
	number := func(k int) int64 {
		b := param(raw, k)
		if len(b) != 8 {
			ok = false
			return 0
		}
		return int64(binary.NativeEndian.Uint64(b))
	}
	ok = true
	result := number(paramResult)
	p = Process{TID: int64(tid), Fields: map[string]any{
		"pid": number(paramPID), "ptid": number(paramPTID), "comm": string(bytes.TrimRight(param(raw, paramComm), "\x00")),
	}}
	for text := range bytes.SplitSeq(param(raw, paramCgroups), []byte{0}) {
		if subsystem, path, found := bytes.Cut(text, []byte("=")); found {
			p.Cgroups = append(p.Cgroups, [2]string{string(subsystem), string(path)})
		}
	}
	return p, ok && result == 0
}

// param is a parameter of a system call's event, nil where there is none.
func param(raw []byte, k int) []byte {
	n := int(binary.NativeEndian.Uint32(raw[abi.EventNParams:]))
	at := abi.HeaderSize + 2*n
	if k >= n || at > len(raw) {
		return nil
	}
	for i := range k {
		at += int(binary.NativeEndian.Uint16(raw[abi.HeaderSize+2*i:]))
	}
	end := at + int(binary.NativeEndian.Uint16(raw[abi.HeaderSize+2*k:]))
	if end > len(raw) {
		return nil
	}
	return raw[at:end]
}

// remove takes a row out, if it is there.
func (b *builtin) remove(key uint64) {
	if r := b.rows[key]; r != nil {
		r.gone = true
		delete(b.rows, key)
	}
}
