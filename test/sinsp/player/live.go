// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
)

// livePlay is a live capture of system calls without a kernel.
type livePlay struct {
	waiting [][]byte // the file's events that are still to be played
	due     [][]byte
	later   uint64 // nanoseconds from the recorded time to that of the play
	began   bool
}

// live opens a live capture as the driver does: with the threads of a capture
// file, whose events come when they are played. It times out between them.
func (in *inspector) live(path string) error {
	r, err := captured(path)
	if err != nil {
		return err
	}
	first := max(0, slices.IndexFunc(r.Events, func(raw []byte) bool { return !tellsState(raw) }))
	l := &livePlay{waiting: r.Events[first:]}
	in.playing = l
	in.framework.SetProcesses(r.Processes)
	return in.framework.OpenEvents(func() ([]byte, abi.RC, error) {
		if len(l.due) == 0 {
			return nil, abi.Timeout, nil
		}
		e := l.due[0]
		l.due = l.due[1:]
		return e, abi.Success, nil
	})
}

// tellsState tells an event of users, groups or plugins' state from one of the stream.
func tellsState(raw []byte) bool {
	t := binary.NativeEndian.Uint16(raw[abi.EventType:])
	return t == abi.TypeAsyncEvent || t >= 354 && t <= 360
}

// play lets so many more events come and returns how many there were.
func (l *livePlay) play(n uint64) (played int) {
	played = int(min(n, uint64(len(l.waiting))))
	for _, raw := range l.waiting[:played] {
		ts := raw[abi.EventTS:]
		if !l.began {
			l.began, l.later = true, uint64(time.Now().UnixNano())-binary.NativeEndian.Uint64(ts)
		}
		binary.NativeEndian.PutUint64(ts, binary.NativeEndian.Uint64(ts)+l.later)
	}
	l.due, l.waiting = append(l.due, l.waiting[:played]...), l.waiting[played:]
	return played
}

// table is the rows of a state table, as the driver tells them but for their order.
func (in *inspector) table(name string) (answer, error) {
	rows, err := in.framework.ReadTable(name)
	return answer{"table": told(rows)}, err
}

func told(rows []host.TableRow) []map[string]any {
	out := make([]map[string]any, len(rows))
	for k, r := range rows {
		out[k] = map[string]any{}
		for name, v := range r.Fields {
			switch v := v.(type) {
			case []host.TableRow:
				out[k][name] = told(v)
			case string:
				out[k][name] = written(v)
			default:
				out[k][name] = v
			}
		}
	}
	return out
}
