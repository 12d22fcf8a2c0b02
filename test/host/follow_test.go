// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
)

// made is the return of a call that makes a thread or a program, as its thread sees it.
func made(eventType uint16, tid uint64, result int64, comm, cgroups string) []byte {
	number := func(n int64) []byte { return binary.NativeEndian.AppendUint64(nil, uint64(n)) }
	params := [][]byte{number(result), nil, nil, number(int64(tid)), number(int64(tid)), number(1), nil, nil, nil, nil, nil, nil, nil, []byte(comm + "\x00"), []byte(cgroups)}
	return host.EncodeEvent(eventType, 1, tid, params...)
}

func TestThreadsAreFollowedOnDemand(t *testing.T) {
	const clone, execve, procexit = 223, 293, 186
	events := [][]byte{
		made(clone, 7, 0, "sh", "cpu=/a\x00memory=/\x00"),
		made(clone, 1, 7, "init", ""),       // the parent's
		made(clone, 8, -1, "none", "cpu=/"), // failed
		made(execve, 7, 0, "ls", "cpu=/b\x00"),
		made(execve, 7, -2, "nothing", "cpu=/c\x00"),
		made(execve, 9, 0, "unknown", "cpu=/d\x00"),
		host.EncodeEvent(clone, 1, 10, []byte{0}),
		host.EncodeEvent(procexit, 1, 7),
		host.EncodeEvent(3, 1, 1),
	}
	init := "1 init [cpu=/]"
	want := []string{
		init + " 7 sh [cpu=/a memory=/]", init + " 7 sh [cpu=/a memory=/]", init + " 7 sh [cpu=/a memory=/]",
		init + " 7 ls [cpu=/b]", init + " 7 ls [cpu=/b]", init + " 7 ls [cpu=/b]", init + " 7 ls [cpu=/b]", init + " 7 ls [cpu=/b]", init,
	}
	for _, follows := range []bool{true, false} {
		n := inspector(t)
		if follows {
			n.FollowThreads()
		}
		n.SetProcesses([]host.Process{{TID: 1, Fields: map[string]any{"comm": "init"}, Cgroups: [][2]string{{"cpu", "/"}}}})
		require.NoError(t, n.OpenEvents(given(events...)))
		for k := range events {
			_, rc, err := n.Next()
			require.NoError(t, err)
			require.Equal(t, abi.Success, rc)
			rows, err := n.ReadTable("threads")
			require.NoError(t, err)
			got := ""
			for _, r := range rows {
				var cgroups []string
				for _, c := range r.Fields["cgroups"].([]host.TableRow) {
					cgroups = append(cgroups, fmt.Sprint(c.Fields["first"], "=", c.Fields["second"]))
				}
				got += fmt.Sprint(" ", r.Key, " ", r.Fields["comm"], " ", cgroups)
			}
			if follows {
				assert.Equal(t, " "+want[k], got, "behind event %d", k+1)
			} else {
				assert.Equal(t, " "+init, got, "behind event %d", k+1)
			}
		}
		require.NoError(t, n.Close())
	}
}
